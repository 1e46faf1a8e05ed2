// WebSocket (RFC 6455 section 5), behind the HTTP/1 upgrade that started it. Each frame is a
// transaction that goes one way.
//
//   FIN RSV1-3 opcode(4) | MASK length(7) | length(16, 64) when 126, 127 | mask(32) when MASK |
//   payload
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/websocket/inflate.h"
#include "sensor/applayer/websocket/limits.h"

namespace vong::websocket {

extern const applayer::ProtocolDef kWebsocketProtocol;

enum Event : applayer::EventId { kSkipEndOfPayload, kReassemblyLimitReached, kEventCount };

// Names in protocol.cc.
enum FrameKind : uint8_t { kFrameHeader, kFramePdu, kFrameData };
enum Flag : uint8_t { kFin = 0x80, kCompressed = 0x40 };

struct Transaction : applayer::Transaction {
  uint8_t flags = 0;  // the upper half of the first byte
  uint8_t opcode = 0;
  std::optional<uint32_t> mask;
  // In the clear: without mask, decompressed; in a message's last frame that of all its frames.
  std::string payload;

  [[nodiscard]] bool fin() const { return (flags & kFin) != 0; }
};

struct Config {
  size_t payload_bytes_max = kPayloadBytesMax;
};

class WebsocketParser : public applayer::Parser {
 public:
  explicit WebsocketParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  // Inside the skipped end of a long payload; elsewhere frames are not found again.
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;

 private:
  struct Way {
    uint64_t skip = 0;    // bytes of a payload that is longer than its limit
    std::string message;  // fragments so far
    bool fragmented = false, compressed = false;
    std::unique_ptr<MessageInflater> inflater;
  };
  void join(Way& w, Transaction& tx);
  void note_frames(Direction d, uint64_t offset, size_t header, uint64_t payload);
  void inflate(Way& w, Transaction& tx);

  const Config& config_;
  std::array<Way, kDirections> ways_;
};

// "text"; empty for a reserved number.
[[nodiscard]] std::string_view opcode_name(uint8_t opcode);

}  // namespace vong::websocket
