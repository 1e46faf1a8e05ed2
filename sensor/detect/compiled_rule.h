// The engine's part of a compiled rule. Immutable, in the rule set's memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rules/network/address_set.h"
#include "rules/network/value.h"
#include "sensor/detect/buffer_catalog.h"
#include "sensor/detect/node.h"
#include "sensor/detect/rule_set.h"
#include "sensor/detect/runtime.h"
#include "sensor/detect/threshold_spec.h"

namespace vong::detect {

// When a rule is evaluated (documented as rule types).
enum class RuleType : uint8_t {
  kIpOnly,        // addresses alone: once per flow direction
  kEventsOnly,    // decode and engine events alone: packets that have some
  kPacket,        // each packet
  kStream,        // raw stream (and packets outside streams)
  kProtocolOnly,  // when protocol detection is done, once per direction
  kTransaction,   // transactions of an application protocol
  kFrame,         // frames of an application protocol
};

// Protocols of the header, as bits.
struct ProtoMask {
  static constexpr uint16_t kTcp = 1, kUdp = 2, kIcmp4 = 4, kIcmp6 = 8, kSctp = 16, kOtherIp = 32, kNotIp = 64;
  static constexpr uint16_t kIp = kTcp | kUdp | kIcmp4 | kIcmp6 | kSctp | kOtherIp, kAny = kIp | kNotIp;
};

// Everything of "tcp any any -> $HOME_NET 80": equal headers are one object, evaluated once per packet.
struct Header {
  uint16_t protocols = ProtoMask::kIp;
  uint8_t ip_version = 0;                    // 0: both
  std::shared_ptr<const rules::AddressSet> src, dst;
  std::shared_ptr<const rules::PortSet> sport, dport;
  bool any = false;                          // nothing to test but `protocols`
  [[nodiscard]] bool ports_any() const { return sport->is_any() && dport->is_any(); }
};

struct FlowSpec {
  bool to_server = false, to_client = false, established = false, not_established = false, stateless = false, only_stream = false,
       no_stream = false, only_frag = false, no_frag = false;
};

struct PacketBufferCheck {
  const BufferUse* use;
  std::span<const Node> nodes;
};

enum class EngineKind : uint8_t { kBuffer, kNumber, kMatcher, kEvent, kFile, kStream, kCondition, kProgress };

struct NumberCheck {
  const NumberName* number;
  rules::NumberTest test;
  enum class Mode : uint8_t { kAny, kAll, kAllOrNone, kIndex, kCount } mode = Mode::kAny;
  int32_t index = 0;
};
// A protocol's own keyword, its option parsed by every protocol that knows it.
struct MatcherCheck {
  const MatcherName* matcher;
  std::vector<std::pair<AppProto, std::unique_ptr<const applayer::TransactionMatcher>>> parsed;
  bool negated = false;
};

// One thing asked of a transaction. Pointers into the rule set's memory.
struct TxEngine {
  EngineKind kind = EngineKind::kBuffer;
  bool dirs[kDirections] = {};               // in which directions it is asked
  bool fast_pattern = false;
  bool absent_matches = false;               // a missing buffer is a match once it cannot come any more
  bool complete_only = false;                // kProgress: the direction is complete, not only begun
  applayer::EventId event = 0;               // kEvent
  const BufferUse* use = nullptr;            // kBuffer
  std::span<const Node> nodes;               // kBuffer, kStream
  const NumberCheck* number = nullptr;       // kNumber
  const MatcherCheck* matcher = nullptr;     // kMatcher
  const Condition* condition = nullptr;      // kFile, kCondition
};

struct RuleBody {
  RuleType type = RuleType::kPacket;
  uint32_t header = 0;                       // index of Header
  uint32_t load_order = 0;                   // position in the files
  bool dirs[kDirections] = {true, true};     // of packets or transactions it can match on
  bool both_directions = false;              // "=>": one state over both directions of a transaction
  FlowSpec flow;
  bool has_flow_spec = false;
  bool needs_packet = false;                 // looks at a packet's own payload
  bool needs_stream = false;                 // looks at the reassembled stream
  bool placed = false;                       // some content of the payload has a place counted from the beginning
  std::vector<AppProto> apps;                // empty: any; more than one for names that stand for several ("http")
  std::span<const Condition* const> conditions;
  std::span<const Node> payload;
  std::vector<PacketBufferCheck> packet_buffers;
  std::vector<PacketBufferCheck> frames;     // all asked of one frame
  std::vector<TxEngine> engines;
  std::span<const Effect* const> effects;
  std::vector<ThresholdSpec> thresholds;     // all must let the alert through
  std::optional<ThresholdSpec> detection_filter;
  bool pass_alerts = false;                  // pass rule with `alert`
  bool flow_scope = false;                   // "drop:flow", "pass:flow"
  bool arp_only = false;
  bool flow_start_only = false;              // hook flow_start: a flow's first packet
  uint8_t ip_protocol_only = 0;
  uint8_t bits_use[4] = {};                  // flowbits, flowints, host bits, pair bits: 0 none, 1 tests, 2 both, 3 sets

  // Fast pattern: where the prefilter looks. use null: payload.
  bool has_fast_pattern = false;
  const BufferUse* fast_use = nullptr;
  const ContentNode* fast = nullptr;
  // Tests that may turn out otherwise at a later packet: until some part of a transaction has matched they are asked anew.
  [[nodiscard]] bool has_changing_tests() const { return !conditions.empty() || !packet_buffers.empty(); }
  [[nodiscard]] bool app_fits(AppProto p) const {
    if (apps.empty()) return true;
    for (const AppProto a : apps) {
      if (a == p) return true;
    }
    return false;
  }
};

}  // namespace vong::detect
