// What detection sees of a TCP flow's bytes, without knowing reassembly: the interface that
// reassembly's session implements. It stands in FlowSlot::kStream; detect reaches it through
// raw_stream(flow).
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "sensor/flow/flow.h"
#include "sensor/flow/tcp_summary.h"

namespace vong::flow {

class RawStream : public FlowState {
 public:
  struct Window {
    Bytes data;           // contiguous, in order; valid until the next packet of this flow
    uint64_t offset = 0;  // stream offset of data[0]; the first byte after the SYN is 0
  };

  // Bytes of this direction that are ready for inspection of raw content (`content` without a
  // sticky buffer) and were not all inspected before; includes already inspected bytes before them,
  // as far as they are still kept, so that patterns over the border match. Empty when nothing new
  // is ready. `force` (flow end, app-layer transaction done) gives out what is there, whatever the
  // chunk size.
  [[nodiscard]] virtual Window raw_window(Direction d, bool force) const = 0;
  // Offset up to which raw inspection has been done.
  [[nodiscard]] virtual uint64_t raw_inspected(Direction d) const = 0;
  // Detection is done with everything below `offset`.
  virtual void raw_done(Direction d, uint64_t offset) = 0;

  // For `stream_size`: bytes by sequence numbers so far. For `flow:established` and EVE.
  [[nodiscard]] virtual uint64_t stream_size(Direction d) const = 0;
  [[nodiscard]] virtual bool established() const = 0;
  // The connection's first bytes to arrive were this side's.
  [[nodiscard]] virtual bool spoke_first(Direction d) const = 0;
  // Ended by a reset, of either side.
  [[nodiscard]] virtual bool was_reset() const = 0;
  [[nodiscard]] virtual bool depth_reached(Direction d) const = 0;
  [[nodiscard]] virtual TcpSummary summary() const = 0;

  // Nobody will ask for this direction's raw windows any more: its bytes are kept for the parsers
  // only.
  virtual void raw_stop(Direction d) = 0;
  // A unit of this direction is complete (a request, a message): the next raw_window gives out what is
  // ready, whatever the chunk size. Holds until raw_done moves on.
  virtual void raw_trigger(Direction d) = 0;
  // For the flow table: this packet with SYN (`d`: its direction in the flow) opens a new
  // connection on the same ends.
  [[nodiscard]] virtual bool gives_way_to(const Packet& p, Direction d) const = 0;
};

// The flow's TCP session; null for other protocols or before its first segment.
[[nodiscard]] inline RawStream* raw_stream(const Flow& f) {
  return static_cast<RawStream*>(f.slot(FlowSlot::kStream));
}

}  // namespace vong::flow
