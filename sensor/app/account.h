// Which line of the loss ledger each packet of a worker belongs to: one, the first hop that could
// not do its work wholly. Worker's thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "sensor/capture/packet_source.h"
#include "sensor/detect/detector.h"
#include "sensor/packet/packet.h"
#include "sensor/reassembly/tcp_engine.h"
#include "telemetry/ledger/ledger.h"

namespace vong::sensor {

// A packet that did not go on wholly at this hop (decode, flow or match).
struct Loss {
  ledger::Hop hop;
  ledger::Reason reason;
};

class PacketAccount {
 public:
  // Once a packet.
  void count(const std::optional<Loss>& loss) {
    if (!loss) {
      ++inspected_;
    } else {
      ++lost_[static_cast<std::size_t>(loss->hop)][static_cast<std::size_t>(loss->reason)];
    }
  }
  // The hops up to match, which balance by themselves as long as every packet was counted once.
  // `frames` were taken from the source, `inner` packets came out of them besides.
  void add_to(ledger::Totals& totals, uint64_t frames, uint64_t inner) const;

 private:
  std::array<std::array<uint64_t, ledger::kReasons>, ledger::kHops> lost_{};
  uint64_t inspected_ = 0;
};

// The hops before the worker, by what the source says. `over`: nothing more will be taken from it,
// what waits in the ring is lost. `injected`:
// frames that the worker took besides.
void add_capture(ledger::Totals& totals, const capture::CaptureStats& stats, uint64_t injected, bool over);

// Those of a room's counters that tell of a loss, kept from before a packet: all of them would be
// half a kilobyte.
struct TcpMarks {
  explicit TcpMarks(const reassembly::TcpCounters& c)
      : bad_checksum(c.invalid_checksum),
        memory_cap(c.session_memcap_drop + c.segment_memcap_drop),
        segment_limit(c.insert_limit),
        depth(c.depth_packets),
        no_session(c.no_session),
        out_of_state(c.rejected) {}
  uint64_t bad_checksum, memory_cap, segment_limit, depth, no_session, out_of_state;
};
struct MatchMarks {
  explicit MatchMarks(const detect::DetectCounters& c)
      : passed(c.packets_passed),
        without_rules(c.packets_without_rules),
        limits(c.packets_work_limit + c.pcre_limit_reached + c.recursion_limit_reached),
        shed(c.rules_shed) {}
  uint64_t passed, without_rules, limits, shed;
};

// What TCP tracking could not do with the packet; `before`: its counters before the packet.
[[nodiscard]] std::optional<Loss> tcp_loss(const TcpMarks& before, const TcpMarks& now,
                                           const Packet& packet);
// What detection did not do with it. `encrypted`: its flow's bytes say nothing to rules.
[[nodiscard]] std::optional<Loss> match_loss(const MatchMarks& before, const MatchMarks& now,
                                             const Packet& packet, bool encrypted);

}  // namespace vong::sensor
