// A stream of HTTP/2 as a transaction: a request with its response. Each frame on stream 0
// (settings, window of the connection, GOAWAY) is a transaction of its own, complete at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/transaction.h"
#include "sensor/applayer/dns/parser.h"
#include "sensor/applayer/http/decompress.h"
#include "sensor/applayer/http/range_files.h"
#include "sensor/applayer/http2/config.h"
#include "sensor/applayer/http2/events.h"
#include "sensor/applayer/http2/frame.h"
#include "sensor/applayer/http2/hpack.h"

namespace vong::http2 {

// Progress of a direction, in the reference's numbers (rules may ask for them); those of the other
// direction are skipped.
enum Progress : uint8_t {
  kIdle = 0,
  kOpen = 1,
  kReserved = 2,    // promised by the server
  kClientData = 3,  // to server: DATA came, or the server answers
  kClientDone = 4,
  kServerData = 5,  // to client: DATA came
  kServerDone = 6,
  kClosed = 7,
  kGlobal = 8,  // stream 0
};

// What one endpoint sent on the stream. Caps: kFieldsMax, kFieldBytesMax, kNotesMax each.
struct Side {
  std::vector<Field>
      fields;  // of all header blocks, in order, undecodable ones and size updates too
  size_t field_bytes = 0;
  std::vector<uint8_t> frame_types;
  std::vector<uint32_t> windows, errors, size_updates;
  std::vector<uint16_t> priorities;
  std::vector<Setting> settings;

  std::unique_ptr<http::Decompressor> decoder;
  std::unique_ptr<applayer::FileContainer> files;
  std::optional<http::RangePart> range;  // the body is a part of a file
  uint64_t body_bytes = 0;  // as they came
  bool body_begun = false, ended = false;

  bool is_dns = false;      // the body is a DNS message
  std::string dns_message;  // of it, at most kDnsBytesMax
  std::unique_ptr<dns::Transaction> dns;

  // The first field of this name, which is compared as it is (names are in lower case on the wire).
  [[nodiscard]] const Field* find(std::string_view name) const;
  // Its value; those of repeated fields joined, cookies by "; ", others by ", ". Whole in `scratch`
  // when it had to be put together.
  [[nodiscard]] std::optional<std::string_view> value_of(std::string_view name,
                                                         std::string& scratch) const;
};

struct Http2Transaction : applayer::Transaction {
  uint32_t stream_id = 0;
  std::array<Side, kDirections> sides;
  bool promised_headers = false;  // the server's PUSH_PROMISE is continued

  void raise(Event e) { add_event(static_cast<applayer::EventId>(e)); }
  [[nodiscard]] Side& side(Direction d) { return sides[static_cast<size_t>(index(d))]; }
  [[nodiscard]] const Side& side(Direction d) const { return sides[static_cast<size_t>(index(d))]; }
  applayer::FileContainer* files(Direction d) override { return side(d).files.get(); }

  void advance(Direction d, Progress p) {
    uint8_t& now = progress[static_cast<size_t>(index(d))];
    if (p > now) now = p;
    updated[static_cast<size_t>(index(d))] = true;
  }
  void close() {
    advance(Direction::kToServer, kClosed);
    advance(Direction::kToClient, kClosed);
  }
  [[nodiscard]] bool closed() const { return progress[0] >= kClosed; }
};

}  // namespace vong::http2
