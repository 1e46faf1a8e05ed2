// Who takes the in-order bytes of TCP streams: applayer's driver in the sensor, recorders in tests.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/types.h"

namespace vong::reassembly {

// Contiguous bytes of one direction, starting at the first byte that was not consumed yet. The view
// lives during the call.
struct StreamChunk {
  Bytes data;
  uint64_t offset = 0;  // stream offset of data[0]
  bool end = false;  // nothing comes after these bytes: FIN, the flow's end or RST (of whose other
                     // side more may come all the same); told once, also without bytes
  bool depth = false;  // stream.reassembly.depth was reached: more was sent than is kept
};

class StreamConsumer {
 public:
  virtual ~StreamConsumer() = default;

  // Called when new bytes can be given out (acknowledged by the receiver, or at once in inline
  // order). Returns how many of chunk.data it took (the rest comes again, with more behind it). `p`
  // is the packet that made the bytes available: often one of the other direction.
  [[nodiscard]] virtual size_t on_data(flow::Flow& f, Packet& p, Direction d,
                                       const StreamChunk& chunk) = 0;
  // `size` bytes from `offset` on are missing and will not come; data goes on behind them. Bytes
  // before `offset` that were offered and not taken are given up: they do not come again.
  virtual void on_gap(flow::Flow& f, Packet& p, Direction d, uint64_t offset, uint64_t size) = 0;
  // Asked after on_data: true when the other direction's bytes are to be offered before the rest of this one's (a server that spoke
  // first, whose protocol only the client's bytes have told). True at most once for a flow.
  [[nodiscard]] virtual bool other_side_first(const flow::Flow&, Direction) { return false; }
  // False when nobody wants this direction's bytes any more: they are then only kept for raw
  // inspection.
  [[nodiscard]] virtual bool wants(const flow::Flow& f, Direction d) const = 0;
};

}  // namespace vong::reassembly
