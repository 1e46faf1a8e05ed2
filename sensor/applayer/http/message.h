// The parts of an HTTP message as they are kept: views (Slice) into two strings that the
// transaction owns, so that a message costs a few allocations whatever its number of headers (RFC
// 9112 2).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/transaction.h"
#include "sensor/applayer/http/config.h"
#include "sensor/applayer/http/events.h"

namespace vong::http {

// Progress of a direction; numbers of the reference.
enum Progress : uint8_t {
  kNotStarted = 0,
  kLine = 1,
  kHeaders = 2,
  kBody = 3,
  kTrailer = 4,
  kComplete = 5
};

struct Slice {
  enum Where : uint8_t { kNone, kRaw, kCooked };
  uint32_t at = 0, size = 0;
  Where where = kNone;
  [[nodiscard]] bool present() const { return where != kNone; }
};

struct Header {
  Slice name, value;
  uint32_t hash = 0;  // of the name without regard to case and NUL
  bool repeated = false;
};

// Body bytes after chunks and content codings were taken off, as a window that slides behind
// inspection.
struct Body {
  std::string window;
  uint64_t window_offset = 0;  // of window[0] in the body
  uint64_t total = 0;          // bytes that were put in (at most the limit)
  uint64_t inspected = 0;      // detection has seen everything below
  bool limit_reached = false;
};

struct Message {
  std::string raw;     // start line and header lines as they came, then trailers
  std::string cooked;  // values that had to be put together (folding, repetition) or cleaned
  std::vector<Header> headers;
  Slice line;               // start line without its end
  uint32_t headers_at = 0;  // raw[headers_at..headers_end): header lines with the empty line
  uint32_t headers_end = 0;
  uint32_t lines_seen = 0;  // header lines
  uint32_t repetitions = 0;
  Body body;
  uint64_t wire_bytes = 0;  // of the body as it came
  std::unique_ptr<applayer::FileContainer> files;

  [[nodiscard]] std::string_view text(Slice s) const {
    if (s.where == Slice::kNone) return {};
    const std::string_view store = s.where == Slice::kRaw ? raw : cooked;
    if (s.at > store.size()) return {};  // the message was given up and its bytes let go
    return store.substr(s.at, s.size);
  }
  // Copies `t` into `cooked`.
  [[nodiscard]] Slice cook(std::string_view t) {
    const Slice s{static_cast<uint32_t>(cooked.size()), static_cast<uint32_t>(t.size()),
                  Slice::kCooked};
    cooked.append(t);
    return s;
  }
  // The first header of this name (lower case), any letter case; null when there is none.
  [[nodiscard]] const Header* find(std::string_view lower_name) const;
  [[nodiscard]] Header* find(std::string_view lower_name);
  [[nodiscard]] std::optional<std::string_view> value_of(std::string_view lower_name) const;
  // The same for a name of any letter case.
  [[nodiscard]] Header* find_same(std::string_view name);
  void push(Slice name, Slice value);
  // Forgets start line and headers (an interim response).
  void reset_head();

 private:
  std::multimap<uint32_t, uint32_t> by_hash_;  // hash -> index: filled once there are many headers
};

enum class Protocol : uint8_t { kInvalid, kUnknown, k09, k10, k11 };

enum class Method : uint8_t { kUnknown, kGet, kPut, kPost, kHead, kConnect, kOptions, kOther };

struct HttpTransaction : applayer::Transaction {
  const ServerConfig* config = nullptr;  // lives as long as the parser
  Message request, response;

  Slice method, uri, protocol;  // of the request line
  Method method_kind = Method::kUnknown;
  Protocol request_protocol = Protocol::kUnknown;
  bool is_09 = false;
  bool request_seen = true;    // false: made for a response without a request
  std::string uri_normalized;  // http.uri
  std::string path;            // normalized path alone: names files
  bool has_uri_host = false;
  std::string host;      // http.host: normalized, without port
  std::string host_raw;  // http.host.raw
  bool has_host = false;
  int port = -1;

  Slice response_protocol, status, status_message;
  Protocol response_version = Protocol::kUnknown;
  int status_code = -1;
  uint8_t continues_seen = 0;

  void raise(Event e) { add_event(static_cast<applayer::EventId>(e)); }
  void raise_again(Event e, int times = 1) {
    for (int i = 0; i < times; ++i) add_event(static_cast<applayer::EventId>(e));
  }
  [[nodiscard]] Message& message(Direction d) {
    return d == Direction::kToServer ? request : response;
  }
  [[nodiscard]] const Message& message(Direction d) const {
    return d == Direction::kToServer ? request : response;
  }
  applayer::FileContainer* files(Direction d) override { return message(d).files.get(); }

  void advance(Direction d, Progress p) {
    uint8_t& now = progress[static_cast<size_t>(index(d))];
    if (p > now) now = p;
    updated[static_cast<size_t>(index(d))] = true;
  }
  [[nodiscard]] uint8_t progress_of(Direction d) const {
    return progress[static_cast<size_t>(index(d))];
  }
};

}  // namespace vong::http
