// Events to Kafka: into the spool in the caller's thread, from there to the agency's topic by a forwarder's thread, or, when only the
// spool is configured, by vong-exporter: then the broker's credentials are in that process alone.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/settings.h"
#include "exporters/send/forwarder.h"
#include "exporters/spool/spool_sink.h"
#include "sensor/app/outputs.h"

namespace vong::sensor {

class KafkaOutput : public BatchSink {
 public:
  // What `kafka.*`, `sensor-name` and `agency` say; null when neither brokers nor a spool are configured. `ruleset` is the hash of the rules in force.
  [[nodiscard]] static Result<std::unique_ptr<KafkaOutput>> open(const Settings& settings, std::string ruleset);
  ~KafkaOutput() override;

  void write(const LineBatch& batch) override;
  [[nodiscard]] Result<> flush() override;
  void set_ruleset(std::string ruleset) { ruleset_ = std::move(ruleset); }
  // After the last write: waits until the broker has everything, at most `timeout`. What it has not stays in the spool for the next start.
  [[nodiscard]] Result<> close(std::chrono::milliseconds timeout) override;

  // For their counters; any thread.
  [[nodiscard]] const spool::SpoolSink& sink() const { return *sink_; }
  [[nodiscard]] const send::Forwarder* forwarder() const { return forwarder_.get(); }  // null: another process forwards

 private:
  KafkaOutput() = default;

  std::unique_ptr<spool::SpoolSink> sink_;
  std::unique_ptr<send::Forwarder> forwarder_;
  std::string ruleset_;
  std::vector<std::string> keys_;
  std::vector<sink::Item> items_;
};

}  // namespace vong::sensor
