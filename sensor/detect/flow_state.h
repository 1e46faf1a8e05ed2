// What detection keeps with a flow (FlowSlot::kDetect): flow bits and variables, which one-time rules have run, tags. Small while a flow
// has none of it: the rest stands behind a pointer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/bytes.h"
#include "base/timestamp.h"
#include "sensor/flow/flow.h"

namespace vong::detect {

// Names of bits and variables get numbers when rules load. One table for all rule sets of the program, so that a flow's bits survive a
// reload. Grows only, capped; thread-safe.
using NameId = uint32_t;
inline constexpr NameId kNoName = 0;
[[nodiscard]] NameId intern_name(std::string_view name);    // kNoName when the table is full
[[nodiscard]] const std::string& name_of(NameId id);

struct RuleCounter {
  int64_t start_ns = 0;
  uint32_t count = 0, next = 0;
  int64_t until_ns = 0;      // of a rate filter's timeout
};

struct FlowExtra {
  std::vector<NameId> bits;                                   // in the order of setting
  std::vector<std::pair<NameId, uint32_t>> ints;
  std::vector<std::pair<std::string, std::string>> vars;      // name -> bytes
  std::vector<std::pair<std::string_view, double>> entropies; // buffer's name (static or of the program) -> last value
  std::vector<std::pair<NameId, int64_t>> timed;              // xbits on the transaction/flow: name -> expiry, ns
  absl::flat_hash_map<uint64_t, RuleCounter> counters;        // threshold by_flow: rule and kind
  // Packets behind a match that are to be logged. The packet of the match counts and is not logged.
  struct Tag {
    enum class Metric : uint8_t { kPackets, kBytes, kSeconds };
    uint64_t rule = 0;               // gid << 32 | sid: a rule tags a flow or host once at a time
    uint64_t limit = 0, used = 0;    // packets, bytes
    int64_t until_ns = 0;            // seconds
    Metric metric = Metric::kPackets;
    bool begun = false;
    // Counts a packet. False: the tag is used up. `log`: the packet is to be logged.
    bool take(uint64_t packet_bytes, int64_t now_ns, bool& log);
  };
  std::vector<Tag> tags;
};

struct FlowDetect : flow::FlowState {
  uint32_t generation = 0;                  // of the rule set that the lists below belong to
  bool ip_only_done[kDirections] = {};
  uint8_t protocol_known[kDirections] = {}; // the application protocol for which detection was seen as done
  bool pass = false, drop = false, bypass = false, alerted = false, logging_off = false;
  uint32_t driver_events_seen = 0;
  void* header_view[kDirections] = {};      // the worker's Detector's, of its present rule set: what headers say of these packets
  std::unique_ptr<FlowExtra> extra;

  void on_swap_direction() override {
    std::swap(ip_only_done[0], ip_only_done[1]);
    std::swap(protocol_known[0], protocol_known[1]);
    header_view[0] = header_view[1] = nullptr;
  }

  FlowExtra& more() {
    if (!extra) extra = std::make_unique<FlowExtra>();
    return *extra;
  }
  [[nodiscard]] bool has_bit(NameId id) const;
  bool set_bit(NameId id);                  // false: full
  void clear_bit(NameId id);
  [[nodiscard]] const uint32_t* find_int(NameId id) const;
  bool set_int(NameId id, uint32_t value);
  bool set_var(std::string_view name, Bytes value);
  bool set_entropy(std::string_view buffer, double value);
};

[[nodiscard]] inline FlowDetect* flow_detect(const flow::Flow& f) {
  return static_cast<FlowDetect*>(f.slot(flow::FlowSlot::kDetect));
}
[[nodiscard]] FlowDetect& ensure_flow_detect(flow::Flow& f);
// The same bits, variables and verdicts for a flow that stands beside another; rules on addresses alone are done with there.
[[nodiscard]] std::unique_ptr<FlowDetect> copy_for_observer(const FlowDetect& state);

}  // namespace vong::detect
