// The detection engine of one worker: takes each packet after flow, stream and application layer were updated, gives the alerts.
//
//   detect::SharedState shared(settings);                    // one for the program: what workers share (hosts' bits, thresholds, data sets)
//   detect::Detector detector(rule_set, settings, shared);   // one per worker
//   for (const Alert& alert : detector.inspect(packet)) ...
//
// Thread: a Detector belongs to its worker. SharedState may be used by all.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/settings.h"
#include "sensor/detect/alert.h"
#include "sensor/detect/rule_set.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

namespace vong::detect {

// State that outlives packets and rule sets and is keyed by hosts, not by flows: hostbits, xbits, thresholds, iprep, data sets. Bounded by
// limits.h; with one worker the results depend on the input alone.
class SharedState {
 public:
  explicit SharedState(const Settings& settings);
  ~SharedState();
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

  // Writes data sets with `save`/`state` to their files. At the end of the run.
  [[nodiscard]] Result<> save();

  // What tenant `tenant` keeps apart from the others, made when first asked for; the tables' caps are shared by `tenants` of them.
  [[nodiscard]] SharedState& of_tenant(uint32_t tenant, size_t tenants);

  struct Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  explicit SharedState(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Closed list; telemetry gives each a counter.
struct DetectCounters {
  uint64_t packets = 0, alerts = 0, alerts_suppressed = 0 /* thresholds */, alert_queue_overflow = 0;
  uint64_t prefilter_scans = 0, prefilter_bytes = 0, candidates = 0, rules_evaluated = 0;
  uint64_t pcre_limit_reached = 0, recursion_limit_reached = 0, tx_state_full = 0, flow_state_full = 0, host_table_full = 0,
           threshold_table_full = 0, dataset_full = 0, transform_failed = 0;
  uint64_t packets_passed = 0;        // not looked at: a rule or policy has decided on the flow or packet
  uint64_t packets_without_rules = 0; // no rule in force speaks of such packets
  uint64_t packets_work_limit = 0;    // detect.packet-work was used up: the rest of their candidates was not tried
  uint64_t rules_shed = 0;            // candidates not tried because of set_priority_limit
};

class Detector {
 public:
  Detector(std::shared_ptr<const RuleSet> rules, const Settings& settings, SharedState& shared);
  ~Detector();
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  // Every packet, with or without flow (packet.flow), also the pseudo packets at a flow's end (one per direction, is_pseudo). Looks at the
  // packet, at the raw stream and at the transactions of the packet's direction. Marks transactions as inspected. The alerts stand in
  // order of evaluation (action order, then what rules set and test, then priority, then the order of loading); they and the views in
  // them live until the next call.
  [[nodiscard]] std::span<const Alert> inspect(Packet& packet);

  // What the last packet's rules decided for its flow and packet besides alerts: EVE's flow.action, flow bypass.
  struct Verdict { bool pass_flow = false, drop_flow = false, drop_packet = false, bypass_flow = false; };
  [[nodiscard]] const Verdict& verdict() const;

  // The bytes of the stream that the last packet's rules looked at, where there are alerts; valid until the next call.
  [[nodiscard]] Bytes stream_payload() const;

  // What expressions captured from the last packet (pkt:NAME): EVE's metadata.pktvars.
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> packet_vars() const;

  // A packet that `tag` rules ask to log besides their alerts: true when the packet just inspected is one.
  [[nodiscard]] bool tagged() const;

  // Reload: takes effect with the next packet. State of flows that points to the old rules is dropped when met.
  void set_rules(std::shared_ptr<const RuleSet> rules);
  // The set that looked at the last packet: a tenant's, or that of the program.
  [[nodiscard]] const RuleSet& rules() const;
  // That of the program, with its tenants.
  [[nodiscard]] const RuleSet& all_rules() const;

  // With the selector `direct`: whose packets come from now on; 0: nobody's.
  void set_tenant(uint32_t tenant);

  [[nodiscard]] const DetectCounters& counters() const;

  // For looking at bytes as others may have read them: what is shared between flows stays as it is (hosts' bits, tags of hosts, data sets,
  // thresholds; of these only suppression holds, and what asks for several matches is not told).
  void set_observing();
  // The rules that matched the last packet, whatever thresholds and pass rules made of it: gid << 32 | sid each. Appended to `out`.
  void matched_rules(std::vector<uint64_t>& out) const;

  // Overload: only rules of at most this priority number (1 is the highest severity), and those that set bits for others, are tried. Until
  // set otherwise; kAllPriorities lifts it.
  static constexpr uint8_t kAllPriorities = 255;
  void set_priority_limit(uint8_t priority);

  struct Impl;

 private:
  [[nodiscard]] Impl* of_packet(Packet& packet);
  [[nodiscard]] Impl* of_tenant(uint32_t tenant);

  std::unique_ptr<Impl> impl_;   // of packets that are no tenant's
  std::map<uint32_t, std::unique_ptr<Impl>> tenants_;   // of those that have had packets
  Impl* now_ = nullptr;          // that looked at the last packet
  uint32_t direct_tenant_ = 0;
};

// What rules have decided for a flow: EVE's flow.action.
struct FlowDecision {
  bool passed = false, dropped = false, bypassed = false;
};
[[nodiscard]] FlowDecision flow_decision(const flow::Flow& flow);

// Flow variables for EVE's metadata object ("flowbits", "flowints", "flowvars"); empty when the flow has none.
struct FlowVariables {
  std::vector<std::string> flowbits;                              // in the order in which they were set
  std::vector<std::pair<std::string, uint32_t>> flowints;
  std::vector<std::pair<std::string, std::string>> flowvars;      // pcre captures and the like
  std::vector<std::pair<std::string_view, double>> entropies;     // by buffer, as the keyword `entropy` last found them
  [[nodiscard]] bool empty() const { return flowbits.empty() && flowints.empty() && flowvars.empty() && entropies.empty(); }
};
[[nodiscard]] FlowVariables flow_variables(const flow::Flow& flow);

}  // namespace vong::detect
