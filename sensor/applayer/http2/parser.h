// HTTP/2 (RFC 9113): frames of both directions into transactions, one a stream. Starts with the
// client's preface, or behind an HTTP/1 upgrade (RFC 7540 section 3.2), whose request is then
// stream 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/http2/transaction.h"

namespace vong::http2 {

// The tables, made at the first call (they take parts of the DNS table). The second: flows that
// carry DNS messages (RFC 8484); the parser renames them when it finds one.
[[nodiscard]] const applayer::ProtocolDef& http2_def();
[[nodiscard]] const applayer::ProtocolDef& doh2_def();

// What a frame of the protocol is called in rules; names in protocol.cc.
enum FrameKind : uint8_t { kFramePdu, kFrameHeader, kFrameData };

class Http2Parser final : public applayer::Parser {
 public:
  explicit Http2Parser(const Config& config);

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  // Only inside the rest of a long DATA frame can anything be missing: elsewhere frames are not
  // found again.
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;
  void upgraded_from(const Parser& old, applayer::AppProto proto) override;

 private:
  // What is known of one direction between calls.
  struct Way {
    explicit Way(size_t table_bytes_max) : hpack(table_bytes_max) {}
    HpackDecoder hpack;
    bool preface_over = false;
    std::string block;          // of a header block whose end has not come
    uint64_t block_bytes = 0;   // of all header blocks so far
    uint64_t field_bytes = 0;   // that they came to, decoded
    uint32_t block_stream = 0;  // 0: none is open
    uint64_t frame_left = 0;    // of a frame that is not read whole
    uint32_t data_stream = 0;   // the stream whose DATA that is; 0: thrown away
    bool data_ends_stream = false;
  };

  Way& way(Direction d) { return ways_[static_cast<size_t>(index(d))]; }

  [[nodiscard]] bool take_preface(Direction d, Bytes& data, size_t& needed, bool end);
  void take_frame_rest(Direction d, Bytes& data);
  [[nodiscard]] bool frame(Direction d, const FrameHeader& h, Bytes payload);
  void note_frames(Direction d, uint64_t offset, size_t payload);
  [[nodiscard]] bool long_frame(Direction d, const FrameHeader& h);
  void note_frame(Http2Transaction& tx, Direction d, const FrameHeader& h, Bytes payload);
  void header_frame(Http2Transaction& tx, Direction d, const FrameHeader& h, Bytes payload);
  void continue_block(Http2Transaction& tx, Direction d, const FrameHeader& h, Bytes fragment);
  void decode_block(Http2Transaction& tx, Direction d, Bytes block);
  void move_on(Http2Transaction& tx, Direction d, const FrameHeader& h);

  // Null: too many streams are open.
  [[nodiscard]] Http2Transaction* transaction_of(uint32_t stream);
  [[nodiscard]] Http2Transaction* find(uint32_t stream);
  [[nodiscard]] Http2Transaction* make(uint32_t stream);

  // doh.cc
  void read_dns_query_of_path(Http2Transaction& tx);
  void read_dns_body(Http2Transaction& tx, Direction d);
  void take_dns(Http2Transaction& tx, Direction d, Bytes message);

  // body.cc
  void body(Http2Transaction& tx, Direction d, Bytes data);
  void begin_body(Http2Transaction& tx, Direction d);
  void deliver(Http2Transaction& tx, Direction d, Bytes plain);
  void finish_body(Http2Transaction& tx, Direction d, bool whole);

  const Config& config_;
  Way ways_[kDirections];
  absl::flat_hash_map<uint32_t, uint64_t>
      by_stream_;  // newest transaction of a stream; it may be gone
  uint64_t next_file_id_ = 0;
  IpAddress client_;  // of the bytes in hand
  Timestamp now_;
};

// Base64 in either alphabet, with or without padding. False: something else in it.
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& out);

// What a header block says at its end: conflicts in names of the host, what the body will be.
void look_at_fields(Http2Transaction& tx, Direction d, size_t from);

}  // namespace vong::http2
