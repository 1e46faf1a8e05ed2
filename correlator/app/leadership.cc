#include "correlator/app/leadership.h"

namespace vong::correlator {

using namespace std::chrono_literals;

Leadership::Leadership(const Options& options) {
  options_.client = options.kafka;
  options_.group = leader_topic(options);
  options_.session_timeout = kSessionTimeout;
}

kafka::KafkaResult<bool> Leadership::poll() {
  if (!consumer_) {
    auto opened = kafka::Consumer::open(options_, this);
    if (!opened) return std::unexpected(opened.error());
    const std::string topics[] = {options_.group};
    if (auto ok = opened->subscribe(topics); !ok) return std::unexpected(ok.error());
    consumer_.emplace(std::move(*opened));
  }
  const auto polled = consumer_->poll(leads_ ? 0ms : 500ms);
  if (!polled && polled.error().answer != kafka::Answer::kRetry) {
    consumer_.reset();
    leads_ = false;
    return std::unexpected(polled.error());
  }
  return leads_;
}

void Leadership::on_assigned(std::span<const kafka::TopicPartition> partitions) {
  leads_ |= !partitions.empty();
}
void Leadership::on_revoked(std::span<const kafka::TopicPartition> partitions, bool) {
  if (!partitions.empty()) leads_ = false;
}

}  // namespace vong::correlator
