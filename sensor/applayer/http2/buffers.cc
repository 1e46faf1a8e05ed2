#include "sensor/applayer/http2/buffers.h"

#include <array>

#include "base/strings.h"
#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/http2/transaction.h"

namespace vong::http2 {
namespace {

using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::Transaction;

const Http2Transaction& of(const Transaction& tx) {
  return static_cast<const Http2Transaction&>(tx);
}
const Side& side(const Transaction& tx, Direction d) { return of(tx).side(d); }
const Side& request(const Transaction& tx) { return of(tx).side(Direction::kToServer); }

BufferView of_value(const std::optional<std::string_view>& v) {
  return v ? BufferView::of(*v) : BufferView::none();
}
BufferView of_text(const std::string& text) {
  return text.empty() ? BufferView::none() : BufferView::of(text);
}

template <const char* kName>
BufferView field(const Transaction& tx, Direction d, uint32_t, BufferScratch& scratch) {
  return of_value(side(tx, d).value_of(kName, scratch));
}

constexpr char kPath[] = ":path", kMethod[] = ":method", kStatus[] = ":status",
               kCookie[] = "cookie", kSetCookie[] = "set-cookie", kUserAgent[] = "user-agent",
               kAccept[] = "accept", kAcceptEncoding[] = "accept-encoding",
               kAcceptLanguage[] = "accept-language", kReferer[] = "referer",
               kConnection[] = "connection", kContentType[] = "content-type",
               kContentLength[] = "content-length", kLocation[] = "location", kServer[] = "server";

BufferView cookie(const Transaction& tx, Direction d, uint32_t i, BufferScratch& scratch) {
  return d == Direction::kToServer ? field<kCookie>(tx, d, i, scratch)
                                   : field<kSetCookie>(tx, d, i, scratch);
}

BufferView protocol(const Transaction&, Direction, uint32_t, BufferScratch&) {
  return BufferView::of(std::string_view("HTTP/2"));
}
// There is no reason phrase in HTTP/2; it counts as an empty one.
BufferView status_message(const Transaction&, Direction, uint32_t, BufferScratch&) {
  return BufferView::of(std::string_view());
}

std::optional<std::string_view> authority(const Transaction& tx, std::string& scratch) {
  if (const auto v = request(tx).value_of(":authority", scratch)) return v;
  return request(tx).value_of("host", scratch);
}
BufferView host_raw(const Transaction& tx, Direction, uint32_t, BufferScratch& scratch) {
  return of_value(authority(tx, scratch));
}
// Lower case, without user information and port.
BufferView host(const Transaction& tx, Direction, uint32_t, BufferScratch& scratch) {
  std::string joined;
  const auto raw = authority(tx, joined);
  if (!raw) return BufferView::none();
  std::string_view name = *raw;
  if (const size_t at = name.find('@'); at != std::string_view::npos) name.remove_prefix(at + 1);
  const size_t from = name.starts_with('[') ? std::min(name.find(']'), name.size()) : 0;  // IPv6
  name = name.substr(0, name.find(':', from));
  scratch = to_lower(name);
  return BufferView::of(scratch);
}

BufferView request_line(const Transaction& tx, Direction, uint32_t, BufferScratch& scratch) {
  std::string a, b;
  const auto method = request(tx).value_of(kMethod, a), path = request(tx).value_of(kPath, b);
  if (!method || !path) return BufferView::none();
  scratch.assign(*method).append(" ").append(*path).append(" HTTP/2\r\n");
  return BufferView::of(scratch);
}
BufferView response_line(const Transaction& tx, Direction d, uint32_t, BufferScratch& scratch) {
  std::string joined;
  const auto status = side(tx, d).value_of(kStatus, joined);
  if (!status) return BufferView::none();
  scratch.assign("HTTP/2 ").append(*status).append("\r\n");
  return BufferView::of(scratch);
}

template <bool kCookies>
BufferView headers(const Transaction& tx, Direction d, uint32_t, BufferScratch& scratch) {
  scratch.clear();
  const std::string_view cookie_name = d == Direction::kToServer ? kCookie : kSetCookie;
  for (const Field& f : side(tx, d).fields) {
    if (f.status != FieldStatus::kOk || (!kCookies && equals_ignore_case(f.name(), cookie_name)))
      continue;
    scratch.append(f.name()).append(": ").append(f.value()).append("\r\n");
  }
  return of_text(scratch);
}

BufferView header_names(const Transaction& tx, Direction d, uint32_t, BufferScratch& scratch) {
  scratch.assign("\r\n");
  for (const Field& f : side(tx, d).fields) {
    if (f.status == FieldStatus::kOk) scratch.append(f.name()).append("\r\n");
  }
  if (scratch.size() == 2) return BufferView::none();
  scratch.append("\r\n");
  return BufferView::of(scratch);
}

BufferView header_name(const Transaction& tx, Direction d, uint32_t i, BufferScratch&) {
  const auto& fields = side(tx, d).fields;
  return i < fields.size() ? BufferView::of(fields[i].name()) : BufferView::none();
}

void append_doubling_colons(std::string_view text, std::string& out) {
  for (const char c : text) out.append(c == ':' ? 2 : 1, c);
}

// "name: value" with colons inside either doubled, so that the one between them is unmistakable.
BufferView one_header(const Transaction& tx, Direction d, uint32_t i, BufferScratch& scratch) {
  const auto& fields = side(tx, d).fields;
  if (i >= fields.size()) return BufferView::none();
  scratch.clear();
  append_doubling_colons(fields[i].name(), scratch);
  scratch.append(": ");
  append_doubling_colons(fields[i].value(), scratch);
  return BufferView::of(scratch);
}

constexpr uint8_t kNo = BufferDef::kNotHere, kReq = kClientData, kRes = kServerData;

// name, sticky alias, content modifier, pcre flag, to server from, to client from, getter, several,
// streaming, help. Names and spellings are those of HTTP/1.
constexpr auto kBuffers = std::to_array<BufferDef>({
    {"http.uri", "", "http_uri", 'U', kReq, kNo, field<kPath>, false, false, "Request target"},
    {"http.uri.raw", "", "http_raw_uri", 'I', kReq, kNo, field<kPath>, false, false,
     "Request target as it came"},
    {"http.method", "", "http_method", 'M', kReq, kNo, field<kMethod>, false, false,
     "Request method"},
    {"http.protocol", "http_protocol", "", 0, kReq, kRes, protocol, false, false,
     "Protocol and version"},
    {"http.request_line", "http_request_line", "", 0, kReq, kNo, request_line, false, false,
     "Request line as HTTP/1 would have it"},
    {"http.response_line", "http_response_line", "", 0, kNo, kRes, response_line, false, false,
     "Status line as HTTP/1 would have it"},
    {"http.stat_code", "", "http_stat_code", 'S', kNo, kRes, field<kStatus>, false, false,
     "Status code"},
    {"http.stat_msg", "", "http_stat_msg", 'Y', kNo, kRes, status_message, false, false,
     "Reason phrase"},
    {"http.host", "", "http_host", 'W', kReq, kNo, host, false, false,
     "Host name, lower case, without port"},
    {"http.host.raw", "", "http_raw_host", 'Z', kReq, kNo, host_raw, false, false,
     "Authority as it came"},
    {"http.header", "", "http_header", 'H', kReq, kRes, headers<false>, false, false,
     "All fields but cookies, 'name: value' and CRLF each"},
    {"http.header.raw", "", "http_raw_header", 'D', kReq, kRes, headers<true>, false, false,
     "All fields, 'name: value' and CRLF each"},
    {"http.header_names", "http_header_names", "", 0, kReq, kRes, header_names, false, false,
     "Names of all fields between CRLFs, in order"},
    {"http.request_header", "http_request_header", "", 0, kReq, kNo, one_header, true, false,
     "Each request field, 'name: value'"},
    {"http.response_header", "http_response_header", "", 0, kNo, kRes, one_header, true, false,
     "Each response field, 'name: value'"},
    {"http.cookie", "", "http_cookie", 'C', kReq, kRes, cookie, false, false,
     "Cookie or Set-Cookie"},
    {"http.user_agent", "", "http_user_agent", 'V', kReq, kNo, field<kUserAgent>, false, false,
     "User-Agent"},
    {"http.accept", "http_accept", "", 0, kReq, kNo, field<kAccept>, false, false, "Accept"},
    {"http.accept_enc", "http_accept_enc", "", 0, kReq, kNo, field<kAcceptEncoding>, false, false,
     "Accept-Encoding"},
    {"http.accept_lang", "http_accept_lang", "", 0, kReq, kNo, field<kAcceptLanguage>, false, false,
     "Accept-Language"},
    {"http.referer", "http_referer", "", 0, kReq, kNo, field<kReferer>, false, false, "Referer"},
    {"http.connection", "http_connection", "", 0, kReq, kRes, field<kConnection>, false, false,
     "Connection"},
    {"http.content_type", "http_content_type", "", 0, kReq, kRes, field<kContentType>, false, false,
     "Content-Type"},
    {"http.content_len", "http_content_len", "", 0, kReq, kRes, field<kContentLength>, false, false,
     "Content-Length"},
    {"http.location", "http_location", "", 0, kNo, kRes, field<kLocation>, false, false,
     "Location"},
    {"http.server", "http_server", "", 0, kNo, kRes, field<kServer>, false, false, "Server"},
    {"http.request_body", "", "http_client_body", 'P', kReq, kNo, applayer::file_data, true, true,
     "Request body, decoded"},
    {"http.response_body", "", "http_server_body", 0, kNo, kRes, applayer::file_data, true, true,
     "Response body, decoded"},
    {"file.data", "file_data", "", 'Q', kReq, kRes, applayer::file_data, true, true, "Content of files"},
    {"file.name", "", "", 0, kReq, kRes, applayer::file_name, true, false, "Names of files"},
    {"http2.header_name", "http2_header_name", "", 0, kOpen, kOpen, header_name, true, false,
     "Each field's name"},
    {"http2.header", "http2_header", "", 0, kOpen, kOpen, one_header, true, false,
     "Each field, 'name: value'"},
});

}  // namespace

std::span<const BufferDef> buffer_defs() { return kBuffers; }

}  // namespace vong::http2
