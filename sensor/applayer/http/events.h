// Application events of HTTP/1 by the reference's names; the order is free.
#pragma once

#include <span>

#include "sensor/applayer/core/protocol.h"

namespace vong::http {

#define VONG_HTTP_EVENTS(X)                                                                  \
  X(UnknownError, "unknown_error")                                                           \
  X(GzipDecompressionFailed, "gzip_decompression_failed")                                    \
  X(RequestFieldMissingColon, "request_field_missing_colon")                                 \
  X(ResponseFieldMissingColon, "response_field_missing_colon")                               \
  X(InvalidRequestChunkLen, "invalid_request_chunk_len")                                     \
  X(InvalidResponseChunkLen, "invalid_response_chunk_len")                                   \
  X(InvalidTransferEncodingValueInRequest, "invalid_transfer_encoding_value_in_request")     \
  X(InvalidTransferEncodingValueInResponse, "invalid_transfer_encoding_value_in_response")   \
  X(InvalidContentLengthFieldInRequest, "invalid_content_length_field_in_request")           \
  X(InvalidContentLengthFieldInResponse, "invalid_content_length_field_in_response")         \
  X(DuplicateContentLengthFieldInRequest, "duplicate_content_length_field_in_request")       \
  X(DuplicateContentLengthFieldInResponse, "duplicate_content_length_field_in_response")     \
  X(ContinueAlreadySeen, "100_continue_already_seen")                                        \
  X(UnableToMatchResponseToRequest, "unable_to_match_response_to_request")                   \
  X(InvalidServerPortInRequest, "invalid_server_port_in_request")                            \
  X(InvalidAuthorityPort, "invalid_authority_port")                                          \
  X(RequestHeaderInvalid, "request_header_invalid")                                          \
  X(ResponseHeaderInvalid, "response_header_invalid")                                        \
  X(MissingHostHeader, "missing_host_header")                                                \
  X(HostHeaderAmbiguous, "host_header_ambiguous")                                            \
  X(InvalidRequestFieldFolding, "invalid_request_field_folding")                             \
  X(InvalidResponseFieldFolding, "invalid_response_field_folding")                           \
  X(RequestFieldTooLong, "request_field_too_long")                                           \
  X(ResponseFieldTooLong, "response_field_too_long")                                         \
  X(RequestLineInvalid, "request_line_invalid")                                              \
  X(RequestBodyUnexpected, "request_body_unexpected")                                        \
  X(ResponseBodyUnexpected, "response_body_unexpected")                                      \
  X(RequestServerPortTcpPortMismatch, "request_server_port_tcp_port_mismatch")               \
  X(RequestUriHostInvalid, "request_uri_host_invalid")                                       \
  X(RequestHeaderHostInvalid, "request_header_host_invalid")                                 \
  X(RequestAuthUnrecognized, "request_auth_unrecognized")                                    \
  X(RequestHeaderRepetition, "request_header_repetition")                                    \
  X(ResponseHeaderRepetition, "response_header_repetition")                                  \
  X(DoubleEncodedUri, "double_encoded_uri")                                                  \
  X(UriDelimNonCompliant, "uri_delim_non_compliant")                                         \
  X(MethodDelimNonCompliant, "method_delim_non_compliant")                                   \
  X(RequestLineLeadingWhitespace, "request_line_leading_whitespace")                         \
  X(TooManyEncodingLayers, "too_many_encoding_layers")                                       \
  X(AbnormalCeHeader, "abnormal_ce_header")                                                  \
  X(ResponseMultipartByteranges, "response_multipart_byteranges")                            \
  X(ResponseAbnormalTransferEncoding, "response_abnormal_transfer_encoding")                 \
  X(ResponseChunkedOldProto, "response_chunked_old_proto")                                   \
  X(ResponseInvalidProtocol, "response_invalid_protocol")                                    \
  X(ResponseInvalidStatus, "response_invalid_status")                                        \
  X(RequestLineIncomplete, "request_line_incomplete")                                        \
  X(LzmaMemlimitReached, "lzma_memlimit_reached")                                            \
  X(CompressionBomb, "compression_bomb")                                                     \
  X(RangeInvalid, "range_invalid")                                                           \
  X(RequestChunkExtension, "request_chunk_extension")                                        \
  X(RequestLineMissingProtocol, "request_line_missing_protocol")                             \
  X(RequestLineUnknownMethod, "request_line_unknown_method")                                 \
  X(RequestLineUnknownMethodNoProtocol, "request_line_unknown_method_no_protocol")           \
  X(RequestLineUnknownMethodInvalidProtocol, "request_line_unknown_method_invalid_protocol") \
  X(RequestLineNoProtocol, "request_line_no_protocol")                                       \
  X(ResponseLineInvalidProtocol, "response_line_invalid_protocol")                           \
  X(ResponseLineInvalidResponseStatus, "response_line_invalid_response_status")              \
  X(RequestTooManyHeaders, "request_too_many_headers")                                       \
  X(ResponseTooManyHeaders, "response_too_many_headers")                                     \
  X(FileNameTooLong, "file_name_too_long")                                                   \
  X(MultipartGenericError, "multipart_generic_error")                                        \
  X(MultipartNoFiledata, "multipart_no_filedata")                                            \
  X(MultipartInvalidHeader, "multipart_invalid_header")                                      \
  X(TooManyWarnings, "too_many_warnings")                                                    \
  X(FailedProtocolChange, "failed_protocol_change")

enum class Event : applayer::EventId {
#define VONG_HTTP_EVENT(id, name) k##id,
  VONG_HTTP_EVENTS(VONG_HTTP_EVENT)
#undef VONG_HTTP_EVENT
};

[[nodiscard]] std::span<const applayer::EventDef> event_defs();

}  // namespace vong::http
