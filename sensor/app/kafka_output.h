// Events into the spool in front of Kafka, in the caller's thread. From there the forwarding process takes them, or, when only the spool is
// configured, vong-exporter: the broker's credentials are never in this process.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "base/settings.h"
#include "exporters/spool/spool_sink.h"
#include "sensor/app/forwarding.h"
#include "sensor/app/outputs.h"

namespace vong::sensor {

class KafkaOutput : public BatchSink {
 public:
  // Null when no spool is configured. `ruleset` is the hash of the rules in force; `forwarding` outlives it, null: another program forwards.
  [[nodiscard]] static Result<std::unique_ptr<KafkaOutput>> open(const Settings& settings, std::string ruleset, ForwardingProcess* forwarding);

  void write(const LineBatch& batch) override;
  void write_own(const LineBatch& batch) override;
  void add_to(ledger::Totals& totals) const override;
  [[nodiscard]] Result<> flush() override;
  void set_ruleset(const std::string& ruleset) override { ruleset_ = ruleset; }
  // After the last write: waits until the broker has everything, at most `timeout`. What it has not stays in the spool for the next start.
  [[nodiscard]] Result<> close(std::chrono::milliseconds timeout) override;

  // For their counters; any thread.
  [[nodiscard]] const spool::SpoolSink& sink() const { return *sink_; }
  [[nodiscard]] const ForwardingPage* forwarding() const { return forwarding_ == nullptr ? nullptr : &forwarding_->page(); }
  // What the forwarder has done; null where another program forwards.
  [[nodiscard]] const send::ForwarderCounters* sent() const { return forwarding_ == nullptr ? nullptr : &forwarding_->page().out; }

 private:
  KafkaOutput() = default;
  void tell_durable();
  void take(const LineBatch& batch);
  void tell_dropped(bool now);

  std::unique_ptr<spool::SpoolSink> sink_;
  ForwardingProcess* forwarding_ = nullptr;
  std::string ruleset_, sensor_;
  uint64_t own_ = 0, seq_before_ = 0;  // records about ourselves; last seq of the spool when we started
  std::vector<std::string> keys_;
  std::vector<sink::Item> items_;
  std::array<uint64_t, sink::kDropReasons> not_told_{};     // dropped, and not in the log yet
  std::chrono::steady_clock::time_point tell_again_{};
};

}  // namespace vong::sensor
