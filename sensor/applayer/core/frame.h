// Frames: the units of a protocol's bytes as its parser tells them apart (a PDU, its header, a command line), for rules (`frame:pdu`)
// and frame records. They exist only where somebody asks for them: Parser::frames is null otherwise.
//
//   if (frames) frames->add(d, kFramePdu, in.offset + position, size, tx.id);     // kUnknownLength: until end() is called
//
// Offsets are those of Input: of the stream's direction; within a datagram. A frame keeps a copy of its first bytes, taken from
// what the parser is shown during and after the call that adds it. One flow's, one worker's.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "sensor/packet/types.h"

namespace vong::applayer {

inline constexpr int64_t kUnknownLength = -1;
inline constexpr uint8_t kStreamFrame = 255;   // Frame::type of all bytes of a direction; the driver adds it

struct Frame {
  uint64_t id = 0;                     // counts up from 1 in a direction of a flow
  Direction direction = Direction::kToServer;
  uint8_t type = 0;                    // index into ProtocolDef::frames
  uint64_t offset = 0;                 // of its first byte
  int64_t length = kUnknownLength;
  std::optional<uint64_t> tx_id;
  std::string data;                    // its bytes so far, at most kFrameBytesMax
  bool closed = false;                 // nothing more will be added to `data`
  // Bookkeeping of detection and emit.
  size_t inspected = 0;                // bytes of `data` that rules have seen
  bool inspection_done = false, logged = false;
  std::vector<uint32_t> matched;       // rules that have fired on it

  [[nodiscard]] bool complete() const { return length != kUnknownLength && data.size() >= static_cast<uint64_t>(length); }
};

class FrameSet {
 public:
  // Null at the cap (kMaxFrames open ones of a direction): the frame is not kept.
  Frame* add(Direction d, uint8_t type, uint64_t offset, int64_t length, std::optional<uint64_t> tx_id = std::nullopt);
  // The newest frame of this type whose end was not known ends at `offset`.
  void end(Direction d, uint8_t type, uint64_t offset);
  // Its transaction is known now.
  void set_tx(Direction d, uint8_t type, uint64_t tx_id);

  // --- for the driver
  // What the parser was just shown.
  void fill(Direction d, Bytes data, uint64_t offset);
  // Nothing comes any more: a gap, the datagram's or the stream's end.
  void close(Direction d);
  // Takes away what detection and records are done with.
  void collect();

  [[nodiscard]] std::deque<Frame>& of(Direction d) { return frames_[static_cast<size_t>(index(d))]; }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }
  bool logging = false;                // records are written: a frame stays until then

 private:
  std::array<std::deque<Frame>, kDirections> frames_;
  uint64_t made_ = 0, dropped_ = 0;    // made: to server in the low half, to client in the high one
};

}  // namespace vong::applayer
