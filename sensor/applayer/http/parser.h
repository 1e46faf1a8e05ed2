// HTTP/1 (RFC 9112), read as the reference reads it: lenient, one state machine per direction,
// responses matched to requests in order.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/http/body.h"
#include "sensor/applayer/http/message.h"

namespace vong::http {

extern const applayer::ProtocolDef kHttp1Protocol;

class HttpParser final : public applayer::Parser {
 public:
  explicit HttpParser(const HttpConfig& config);

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

  // The request that was answered with an upgrade: what follows in the other protocol answers it. Null:
  // there was none.
  struct UpgradeRequest {
    std::string method, uri;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  [[nodiscard]] const UpgradeRequest* upgrade_request() const {
    return upgrade_request_ ? &*upgrade_request_ : nullptr;
  }

 private:
  enum class State : uint8_t {
    kIdle,  // between messages
    kStartLine,
    kProtocol,  // request line without protocol: is it 0.9?
    kHeaders,
    kBody,  // `left` bytes
    kBodyToClose,
    kChunkLine,
    kChunkData,
    kChunkEnd,
    kTrailers,
    kFinalize,     // message over: is what follows the next one?
    kConnectWait,  // request side: nothing is read before the response to CONNECT
    kTunnel,       // not HTTP any more
  };
  enum class Step : uint8_t { kGo, kMore, kError, kUpgrade };

  struct Side {
    State state = State::kIdle;
    HttpTransaction* tx =
        nullptr;         // of the message being read; never one that is complete in both directions
    uint64_t left = 0;   // bytes of the body or chunk
    size_t scanned = 0;  // of the bytes not taken: known to hold no LF
    uint32_t ignored_lines = 0;
    Slice pending;              // last header line: the next may be its continuation
    bool ended_lf_cr = false;   // the last line's end was LF CR
    bool in_junk_line = false;  // the rest of a line that is body where a status line was due
    bool body_whole = true;
  };
  // What is left of a call's input.
  struct Cursor {
    std::string_view data;
    bool end = false;
    [[nodiscard]] bool empty() const { return data.empty(); }
  };

  Side& side(Direction d) { return sides_[static_cast<size_t>(index(d))]; }
  BodyReader& body(Direction d) {
    return d == Direction::kToServer ? request_body_ : response_body_;
  }

  [[nodiscard]] Step step(Direction d, Cursor& c);
  [[nodiscard]] Step step_request_idle(Cursor& c);
  [[nodiscard]] Step step_request_line(Cursor& c);
  [[nodiscard]] Step step_request_protocol(Cursor& c);
  [[nodiscard]] Step step_request_finalize(Cursor& c);
  [[nodiscard]] Step step_response_idle(Cursor& c);
  [[nodiscard]] Step step_response_line(Cursor& c);
  [[nodiscard]] Step step_response_finalize(Cursor& c);
  [[nodiscard]] bool take_junk(Cursor& c);
  [[nodiscard]] Step step_headers(Direction d, Cursor& c);
  [[nodiscard]] Step step_body(Direction d, Cursor& c);
  [[nodiscard]] Step step_chunk_line(Direction d, Cursor& c);
  [[nodiscard]] Step step_chunk_end(Direction d, Cursor& c);

  // line.cc
  enum class Line : uint8_t { kTaken, kMore, kTooLong };
  [[nodiscard]] Line take_line(Side& s, Cursor& c, std::string_view& line);
  // The same where CR alone and LF CR end lines too.
  [[nodiscard]] Line take_response_line(Side& s, Cursor& c, std::string_view& line);
  [[nodiscard]] bool header_line(Direction d, std::string_view line);  // false: too many
  [[nodiscard]] bool flush_pending(Direction d);
  void parse_header(Direction d, Slice line);
  void add_header(Direction d, Slice name, Slice value);

  [[nodiscard]] Step too_long(Direction d);
  void read_request_line(HttpTransaction& tx, std::string_view line);
  void set_uri(HttpTransaction& tx);
  void set_host(HttpTransaction& tx);
  void check_authorization(HttpTransaction& tx);
  [[nodiscard]] Step request_headers_done();
  void request_complete();
  void read_response_line(HttpTransaction& tx, std::string_view line);
  [[nodiscard]] Step response_headers_done();
  void keep_upgrade_request(const HttpTransaction& tx);
  [[nodiscard]] Step choose_response_body(HttpTransaction& tx);
  void response_complete();
  void stream_ended(Direction d, Cursor& c);

  [[nodiscard]] HttpTransaction* make_transaction();
  [[nodiscard]] HttpTransaction* transaction_by_id(uint64_t id);

  const HttpConfig& config_;
  const ServerConfig* server_;
  Side sides_[kDirections];
  uint64_t next_file_id_ = 0;
  BodyReader request_body_, response_body_;
  uint64_t next_response_id_ = 0;
  enum class Connect : uint8_t { kNone, kRefused, kAccepted } connect_ = Connect::kNone;
  applayer::AppProto upgrade_to_{};
  std::optional<UpgradeRequest> upgrade_request_;
};

}  // namespace vong::http
