// The closed lists of the loss ledger: the hops of a packet's (then an event's) way, and why
// something did not go on at one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vong::ledger {

// In order. What one gives out is what the next one takes.
enum class Hop : uint8_t {
  // packets
  kInterface,  // the card
  kKernel,     // the packet socket
  kRing,       // shared memory between kernel and worker
  kDecode,     // headers; tunnels and fragments make packets of their own
  kFlow,       // flow table, TCP reassembly
  kMatch,      // protocols and rules
  // events
  kEmit,   // written by workers, given to every output
  kFile,   // eve.json
  kSpool,  // in front of Kafka
  kKafka,  // from the spool to the broker
};
inline constexpr std::size_t kHops = 10;

enum class Kind : uint8_t {
  kAdded,         // it began here: what a tunnel carried, what an earlier run left in the spool
  kDropped,       // it is gone
  kNotInspected,  // a packet that was not inspected, or not wholly
};

enum class Reason : uint8_t {
  kInner,          // added: carried by a tunnel, or put together from fragments
  kBacklog,        // added: in the spool when the sensor started
  kOwn,             // added: records of the sensor about itself, this ledger's too, which no worker made
  kCanary,          // added: the sensor's own life signal, handed to a worker
  kInterfaceFull,  // dropped: the card had no room
  kRingFull,       // dropped: the ring (libpcap: the kernel's buffer) had no room
  kShutdown,       // dropped: still waiting when the sensor ended
  kShed,           // dropped: room kept for events of higher priority
  kFull,           // dropped: the spool's bytes are used up
  kTooLarge,       // dropped: an event larger than any receiver takes
  kDiskError,      // dropped: the disk does not take it
  kRejected,       // dropped: the broker will never take it
  kDamaged,        // dropped: damaged in the spool
  kClosed,         // dropped: given after the end
  kOutgoingCopy,   // not inspected: the second sight of a packet on a loopback interface
  kInvalidHeader,  // not inspected: a header was unusable
  kBypass,         // not inspected: of a bypassed flow
  kMemoryCap,      // not inspected: flow table, TCP sessions or segments at their cap
  kStreamDepth,    // not inspected: behind the stream's depth
  kSegmentLimit,   // not inspected: too many segments or holes in one stream
  kBadChecksum,    // not inspected: the receiver throws it away
  kOutOfState,     // not inspected: TCP refuses it (out of window, impossible flags)
  kNoSession,      // not inspected: TCP data whose connection was not seen to begin
  kOverload,       // not inspected: given up on purpose, see overload.*
  kSnapLength,     // not inspected: the capture cut its end off
  kPolicy,         // not inspected: an exception policy says so
  kPassRule,       // not inspected: a rule has passed, dropped or bypassed the flow
  kEncrypted,      // not inspected: its flow is encrypted
  kMatchLimit,     // not inspected: a cap on matching work was reached
  kNoRules,        // not inspected: no rule in force speaks of such packets
};
inline constexpr std::size_t kReasons = 30;

[[nodiscard]] std::string_view name_of(Hop hop);        // "interface"
[[nodiscard]] std::string_view name_of(Reason reason);  // "ring_full"
[[nodiscard]] std::string_view name_of(Kind kind);      // "dropped"
[[nodiscard]] Kind kind_of(Reason reason);
[[nodiscard]] std::optional<Hop> hop_by_name(std::string_view name);
[[nodiscard]] std::optional<Reason> reason_by_name(std::string_view name);
// Hops from kEmit on count events, those before packets.
[[nodiscard]] constexpr bool counts_packets(Hop hop) { return hop < Hop::kEmit; }

}  // namespace vong::ledger
