// Telnet (RFC 854, 855): a stream of text lines with commands (IAC ...) between. There are no
// transactions and no record; rules look at the raw stream.
#pragma once

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::telnet {

class TelnetParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return true; }
};

enum Frame : uint8_t { kFramePdu, kFrameControl, kFrameData };

enum class Kind : uint8_t { kControl, kData };
struct Piece {
  Kind kind = Kind::kData;
  size_t size = 0;  // 0: more bytes are needed to tell
};
// The command or the line at the begin of `data`, which is not empty. A line goes to its line feed,
// with commands that stand in it; what ends a subnegotiation is a command of its own. Pieces
// without an end are cut at a bound.
[[nodiscard]] Piece next_piece(Bytes data);

extern const applayer::ProtocolDef kTelnetProtocol;

}  // namespace vong::telnet
