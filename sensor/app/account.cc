#include "sensor/app/account.h"

#include "sensor/flow/flow.h"

namespace vong::sensor {

using ledger::Hop;
using ledger::HopTotals;
using ledger::Reason;

void PacketAccount::add_to(ledger::Totals& totals, uint64_t frames, uint64_t inner) const {
  uint64_t goes_on = frames + inner;
  for (const Hop hop : {Hop::kDecode, Hop::kFlow, Hop::kMatch}) {
    HopTotals& t = totals[hop];
    t.present = true;
    t.reasons = lost_[static_cast<std::size_t>(hop)];
    t.in = hop == Hop::kDecode ? frames : goes_on;
    if (hop == Hop::kDecode) t[Reason::kInner] = inner;
    goes_on -= t.sum(ledger::Kind::kNotInspected);
    t.out = hop == Hop::kMatch ? inspected_ : goes_on;
  }
}

void add_capture(ledger::Totals& totals, const capture::CaptureStats& stats, uint64_t injected, bool over) {
  HopTotals& ring = totals[Hop::kRing];
  HopTotals& kernel = totals[Hop::kKernel];
  HopTotals& card = totals[Hop::kInterface];
  card.present = kernel.present = ring.present = true;
  const uint64_t taken = stats.received + stats.outgoing_copies;
  ring.out = stats.received + injected;
  ring[Reason::kCanary] = injected;
  ring[Reason::kOutgoingCopy] = stats.outgoing_copies;
  // A kernel that does not say what it has put into the ring: what we took.
  ring.in = stats.kernel_seen > stats.kernel_drops + taken ? stats.kernel_seen - stats.kernel_drops
                                                           : taken;
  (over ? ring[Reason::kShutdown] : ring.held) = ring.in - taken;
  kernel.out = ring.in;
  kernel[Reason::kRingFull] = stats.kernel_drops;
  kernel.in = kernel.out + stats.kernel_drops;
  card.out = kernel.in;
  card[Reason::kInterfaceFull] = stats.interface_drops;
  card.in = card.out + stats.interface_drops;
}

std::optional<Loss> tcp_loss(const TcpMarks& before, const TcpMarks& now, const Packet& packet) {
  if (now.bad_checksum != before.bad_checksum) return Loss{Hop::kFlow, Reason::kBadChecksum};
  if (now.memory_cap != before.memory_cap) return Loss{Hop::kFlow, Reason::kMemoryCap};
  if (packet.payload.empty()) return std::nullopt;
  if (now.segment_limit != before.segment_limit) return Loss{Hop::kFlow, Reason::kSegmentLimit};
  if (now.depth != before.depth) return Loss{Hop::kFlow, Reason::kStreamDepth};
  if (now.no_session != before.no_session) return Loss{Hop::kFlow, Reason::kNoSession};
  if (now.out_of_state != before.out_of_state) return Loss{Hop::kFlow, Reason::kOutOfState};
  return std::nullopt;
}

std::optional<Loss> match_loss(const MatchMarks& before, const MatchMarks& now,
                               const Packet& packet, bool encrypted) {
  const auto here = [](Reason reason) { return Loss{Hop::kMatch, reason}; };
  if (now.passed != before.passed) {
    const bool by_policy =
        packet.no_inspection || (packet.flow != nullptr && packet.flow->pass_by_policy);
    return here(by_policy ? Reason::kPolicy : Reason::kPassRule);
  }
  if (now.without_rules != before.without_rules) return here(Reason::kNoRules);
  if (packet.truncated) return here(Reason::kSnapLength);
  if (encrypted && !packet.payload.empty()) return here(Reason::kEncrypted);
  if (now.limits != before.limits) return here(Reason::kMatchLimit);
  if (now.shed != before.shed) return here(Reason::kOverload);
  return std::nullopt;
}

}  // namespace vong::sensor
