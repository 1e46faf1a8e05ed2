// What a worker gives up when it cannot keep up, in a chosen order, one step after another, and
// takes back as the load falls. Pure: pressure and time come in. Worker's thread.
//
// Pressure is how full the ring is, or how far the packets' time is behind the clock as a part of
// overload.lag-max, whichever is more. At or above `high` for `step-up` the next step is taken; at
// or below `low` for `step-down` the last one is taken back. Between the two nothing changes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/timestamp.h"

namespace vong::sensor {

enum class OverloadStep : uint8_t {
  kPayloadDepth,  // behind the first bytes of a flow only rules of high severity are tried
  kRecords,       // records of protocols are not written, but for flows with an alert
  kFlows,  // large flows are not followed: their packets are seen by rules of high severity alone
};
inline constexpr size_t kOverloadSteps = 3;
[[nodiscard]] std::string_view name_of(OverloadStep step);  // "payload-depth"

struct OverloadConfig {
  bool enabled = true;
  std::vector<OverloadStep> order{OverloadStep::kPayloadDepth, OverloadStep::kRecords,
                                  OverloadStep::kFlows};
  double high = 0.75, low = 0.25;
  Duration step_up = std::chrono::milliseconds(500), step_down = std::chrono::seconds(10),
           lag_max = std::chrono::seconds(2);
  uint64_t payload_depth_bytes = 64 << 10;  // of a flow, both directions
  uint64_t flow_bytes = 1 << 20;            // flows beyond it are large
  uint8_t keep_priority = 1;                // rules up to this priority are always tried
  double elephant_share =
      0.5;  // of a worker's bytes in a second: such a flow is large whatever its size

  [[nodiscard]] static Result<OverloadConfig> from(const Settings& settings);
};

class OverloadControl {
 public:
  explicit OverloadControl(OverloadConfig config) : config_(std::move(config)) {}

  struct Change {
    bool changed = false;
    size_t before = 0, after = 0;  // steps taken
  };
  // A few times a second.
  [[nodiscard]] Change note(double pressure, Timestamp now);

  [[nodiscard]] size_t steps_taken() const { return taken_; }
  [[nodiscard]] bool active(OverloadStep step) const {
    for (size_t i = 0; i < taken_; ++i) {
      if (config_.order[i] == step) return true;
    }
    return false;
  }
  [[nodiscard]] const OverloadConfig& config() const { return config_; }
  [[nodiscard]] std::string names() const;  // "none", "payload-depth,records"

 private:
  OverloadConfig config_;
  size_t taken_ = 0;
  Timestamp above_since_{}, below_since_{};
};

// Which flow of a worker takes more than its share: the few flows with the most bytes of the last
// second, by the counting of Misra and Gries (1982): no flow with more than a ninth of the bytes is
// missed, and memory does not grow.
class HeavyFlows {
 public:
  void note(uint64_t flow, uint32_t bytes, Timestamp now);
  // The flow that has surely had at least this part of the last whole second's bytes; 0: none.
  [[nodiscard]] uint64_t above(double share) const;

 private:
  struct Entry {
    uint64_t flow = 0, bytes = 0;
  };
  std::array<Entry, 8> entries_{};
  Entry heaviest_{};  // of the last whole second
  uint64_t total_ = 0, last_total_ = 0;
  Timestamp second_{};
};

struct OverloadCounters {
  uint64_t steps_taken = 0, steps_undone = 0, elephants = 0, flows_shed = 0, packets_shed = 0,
           packets_limited = 0;
};

// Control, heavy flows and the flows that are not followed, put together.
class LoadShedder {
 public:
  explicit LoadShedder(const OverloadConfig& config) : control_(config) {}

  struct Change : OverloadControl::Change {
    uint64_t elephant = 0;  // a flow that is not followed from now on, because it takes more than
                            // its share; 0: none
  };
  [[nodiscard]] Change note(double pressure, Timestamp now);

  enum class Verdict : uint8_t {
    kFull,
    kHighSeverity,  // only rules of high severity are tried on the packet
    kNotFollowed,   // the same, and its flow is not followed
  };
  // Of a packet of a flow with `flow_bytes` so far. A flow with an alert is always followed.
  [[nodiscard]] Verdict judge(uint64_t flow, uint64_t flow_bytes, bool alerted,
                              uint32_t packet_bytes, Timestamp now) {
    if (!busy_) [[likely]]
      return Verdict::kFull;
    return judge_busy(flow, flow_bytes, alerted, packet_bytes, now);
  }
  // The flow has ended: nothing is kept of it.
  void forget(uint64_t flow) {
    if (busy_) [[unlikely]] not_followed_.erase(flow);
  }
  [[nodiscard]] bool busy() const { return busy_; }  // some verdict may be other than kFull
  [[nodiscard]] bool sheds_records() const { return control_.active(OverloadStep::kRecords); }
  [[nodiscard]] const OverloadControl& control() const { return control_; }
  [[nodiscard]] const OverloadCounters& counters() const { return counters_; }

 private:
  Verdict judge_busy(uint64_t flow, uint64_t flow_bytes, bool alerted, uint32_t packet_bytes,
                     Timestamp now);
  static constexpr size_t kFlowsMax =
      65'536;  // not followed at a time; beyond it large flows are followed

  OverloadControl control_;
  HeavyFlows heavy_;
  absl::flat_hash_set<uint64_t> not_followed_;
  bool busy_ = false;
  Timestamp calm_since_{};
  OverloadCounters counters_;
};

}  // namespace vong::sensor
