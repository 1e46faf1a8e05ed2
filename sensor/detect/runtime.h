// What conditions and effects of rules see while a rule is evaluated: the packet, its flow, the transaction, and the worker's scratch.
// One per Detector; the engine fills it in before each rule. Nothing here outlives the call.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "sensor/applayer/core/transaction.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/detect/alert.h"
#include "sensor/detect/detector.h"
#include "sensor/detect/flow_state.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/regex.h"
#include "sensor/packet/packet.h"

namespace vong::detect {

struct CompiledRule;
}
namespace vong::applayer {
struct File;
struct Frame;
}
namespace vong::detect {

struct Runtime {
  Packet* packet = nullptr;
  flow::Flow* flow = nullptr;
  FlowDetect* flow_state = nullptr;                 // null without a flow
  Direction direction = Direction::kToServer;
  const applayer::Transaction* tx = nullptr;        // of a transaction rule
  applayer::AppProto proto = applayer::AppProto::kUnknown;   // of the flow in this direction
  uint32_t new_driver_events = 0;                   // bits of applayer::DriverEvent that this packet brought
  SharedState::Impl* shared = nullptr;
  bool (*dce_little_endian)(const Runtime&) = nullptr;      // byte order of the DCERPC fragment in view; null: big endian
  DetectCounters* counters = nullptr;
  bool observing = false;                           // Detector::set_observing: what others share stays as it is
  const CompiledRule* rule = nullptr;
  std::vector<NameId>* tx_bits = nullptr;           // of the transaction in view
  applayer::File* file = nullptr;                   // of a file keyword
  applayer::Frame* frame = nullptr;                 // of a rule on frames

  // --- of the buffer and rule being evaluated
  std::array<uint64_t, kMaxVariablesPerRule> variables{};
  RegexScratch regex;
  uint32_t recursion_limit = kDefaultRecursionLimit;
  uint32_t work_left = kDefaultPacketWork;          // of this packet
  void spend(uint32_t units) { work_left -= std::min(work_left, units); }
  std::string decoded;                              // base64_decode's result
  std::vector<std::pair<std::string, std::string>> packet_vars;   // captures of this packet

  // A capture waits until the whole rule has matched.
  struct PendingCapture {
    Regex::Scope scope;
    std::string_view name;
    std::string value;
  };
  std::vector<PendingCapture> captures;
  std::vector<std::pair<std::string, std::string>> contexts;      // JSON that data sets have for what they found
  std::vector<MatchedContent> evidence;             // of this rule
};

// How long a packet's payload is, at least and at most; none when they have crossed.
struct PayloadSizes {
  uint16_t least = 0, most = UINT16_MAX;
};

// Part of a rule that does not look into a buffer: a test on the packet, the flow, their state.
class Condition {
 public:
  virtual ~Condition() = default;
  [[nodiscard]] virtual bool match(Runtime& rt) const = 0;
  // Above 0: asks only for sizes of the packet and of the stream, so that it may be asked before the rule's pattern is searched for. The higher,
  // the fewer packets fit as a rule.
  [[nodiscard]] virtual int selects() const { return 0; }
  // Packets of other sizes never match.
  [[nodiscard]] virtual PayloadSizes payload_sizes() const { return {}; }
};

// What a rule does once everything matched: sets bits, tags, stores files.
class Effect {
 public:
  virtual ~Effect() = default;
  virtual void apply(Runtime& rt) const = 0;
};

}  // namespace vong::detect
