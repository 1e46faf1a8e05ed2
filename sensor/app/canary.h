// The life signal: a signed datagram that is put where the traffic is (an interface, or the
// worker's own ring), goes the way of all packets, is found by a rule that the sensor adds to its
// own, and becomes an event of kind `canary` with the time that it took. Only what was sent, byte
// by byte with its signature (HMAC-SHA-256), and has not come back yet counts, so nobody else's
// packet and no recorded one can keep a dead sensor alive.
//
// Threads: make(), take_seen() and take_lost() by the control thread, take_out() by any worker.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "base/timestamp.h"
#include "sensor/detect/alert.h"
#include "sensor/packet/packet.h"

namespace vong::sensor {

struct CanaryConfig {
  bool enabled = false;
  std::string sensor, key, interface;  // interface empty: handed to a worker
  Duration interval = std::chrono::seconds(60), lost_after = std::chrono::seconds(30);

  // By canary.*; the key is the first line of canary.key-file, which others must not be able to
  // read.
  [[nodiscard]] static Result<CanaryConfig> from(const Settings& settings);
};

// The rule that finds it: added to those that are configured. Documentation addresses (RFC 5737),
// discard port (RFC 863).
inline constexpr uint32_t kCanarySid = 4'200'000'000;
[[nodiscard]] std::string canary_rule();

struct CanaryCounters {
  uint64_t sent = 0, seen = 0, lost = 0, forged = 0;
};

class Canary {
 public:
  explicit Canary(CanaryConfig config) : config_(std::move(config)) {}

  // The next one when it is due: a whole Ethernet frame.
  [[nodiscard]] std::optional<std::string> make(Timestamp now);

  struct Seen {
    uint64_t number = 0;
    Timestamp sent{}, seen{};
    std::string signature;
  };
  // What has come back since the last call, and the numbers of those that did not within
  // lost-after.
  [[nodiscard]] std::vector<Seen> take_seen();
  [[nodiscard]] std::vector<uint64_t> take_lost(Timestamp now);

  // The packet's alerts without those of the canary's rule; when there are such, looks whether it
  // is ours. The answer lives until the next call on this thread.
  [[nodiscard]] std::span<const detect::Alert> take_out(const Packet& packet,
                                                        std::span<const detect::Alert> alerts);

  [[nodiscard]] const CanaryConfig& config() const { return config_; }
  [[nodiscard]] CanaryCounters counters() const;
  // Fields of the record: {"number", "phase", "sent", "latency_us", "signature"}.
  [[nodiscard]] static std::string fields(const Seen& seen);

 private:
  struct Waiting {
    uint64_t number;
    Timestamp sent;
    std::string payload;
  };
  void note(Bytes payload);

  const CanaryConfig config_;
  mutable std::mutex mutex_;
  CanaryCounters counters_;
  uint64_t next_ = 1;
  Timestamp last_sent_{};
  std::vector<Waiting> waiting_;
  std::vector<Seen> seen_;
};

}  // namespace vong::sensor
