#include "sensor/app/kafka_output.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "app_common/clock.h"

namespace vong::sensor {
namespace {

constexpr std::chrono::seconds kTellDroppedEvery{10};

using app::wall_clock;

sink::Priority priority_of(const LineBatch::Line& line) {
  if (line.event_type == "alert") return line.severity <= 1 ? sink::Priority::kCritical : sink::Priority::kAlert;
  if (line.event_type == "anomaly") return sink::Priority::kAlert;
  if (line.event_type == "flow" || line.event_type == "netflow" || line.event_type == "stats") return sink::Priority::kBulk;
  if (line.event_type == "ledger" || line.event_type == "sensor") return sink::Priority::kCritical;
  return sink::Priority::kRecord;
}

}  // namespace

Result<std::unique_ptr<KafkaOutput>> KafkaOutput::open(const Settings& settings, std::string ruleset, ForwardingProcess* forwarding) {
  const std::string folder(settings.text("kafka.spool.dir", ""));
  if (folder.empty()) return nullptr;
  auto out = std::unique_ptr<KafkaOutput>(new KafkaOutput());
  out->ruleset_ = std::move(ruleset);
  out->forwarding_ = forwarding;
  out->sensor_ = settings.text("sensor-name", "");
  spool::Writer::Options writing;
  writing.directory = folder;
  writing.bytes_max = settings.size_bytes("kafka.spool.bytes-max", writing.bytes_max);
  auto writer = spool::Writer::open(spool::real_file_system(), writing);
  if (!writer) return std::unexpected(writer.error());
  out->sink_ = std::make_unique<spool::SpoolSink>(std::move(*writer));
  out->seq_before_ = out->sink_->writer().last_seq();
  out->tell_durable();
  return out;
}

void KafkaOutput::tell_durable() {
  if (forwarding_ != nullptr) forwarding_->set_durable(sink_->writer().durable_seq());
}

void KafkaOutput::write(const LineBatch& batch) {
  if (batch.further() != 0) {   // lines of further files are no events
    LineBatch events;
    for (const auto& line : batch.lines()) {
      if (line.output == 0) events.line(batch.view(line), {line.event_type, line.severity, line.flow_id, 0});
    }
    return write(events);
  }
  keys_.clear();
  for (const auto& line : batch.lines()) keys_.push_back(line.flow_id != 0 ? fmt::format("{}", line.flow_id) : std::string());
  take(batch);
}

void KafkaOutput::write_own(const LineBatch& batch) {
  keys_.assign(batch.lines().size(), sensor_);
  own_ += batch.lines().size();
  take(batch);
}

void KafkaOutput::add_to(ledger::Totals& totals) const {
  using ledger::Reason;
  // The forwarder first: it never is ahead of what we read of the spool behind it.
  ledger::HopTotals broker;
  if (forwarding_ != nullptr) {
    const ForwardingPage& page = forwarding_->page();
    const send::ForwarderCounters& sent = page.out;
    const uint64_t acknowledged = page.acknowledged_at_start.load(std::memory_order_acquire);
    broker.present = true;
    broker.out = sent.sent_records.value() + sent.caught_up_records.value();
    // As long as the forwarder has not looked, nothing of it went out.
    if (acknowledged != ForwardingPage::kNotLooked) broker[Reason::kBacklog] = seq_before_ - std::min(seq_before_, acknowledged);
    broker[Reason::kRejected] = sent.rejected_records.value() + sent.unreadable_records.value();
    broker[Reason::kDamaged] = page.spool.lost_records.value();
  }
  ledger::HopTotals& spool = totals[ledger::Hop::kSpool];
  const sink::SinkCounters& in = sink_->counters();
  spool.present = true;
  spool.in = in.in_events.value() - own_;
  spool[Reason::kOwn] = own_;
  constexpr std::pair<sink::DropReason, Reason> kDrops[] = {
      {sink::DropReason::kShed, Reason::kShed},           {sink::DropReason::kFull, Reason::kFull},
      {sink::DropReason::kTooLarge, Reason::kTooLarge},   {sink::DropReason::kDiskError, Reason::kDiskError},
      {sink::DropReason::kRejected, Reason::kRejected},   {sink::DropReason::kClosed, Reason::kClosed}};
  static_assert(std::size(kDrops) == sink::kDropReasons);
  for (const auto& [drop, reason] : kDrops) spool[reason] = in.dropped_events[static_cast<std::size_t>(drop)].value();
  const uint64_t accepted = in.accepted_events.value();
  spool.held = std::min(accepted, static_cast<uint64_t>(sink_->writer().counters().pending_records.value()));
  spool.out = accepted - spool.held;
  if (!broker.present) return;
  broker.in = spool.out;
  broker.held = static_cast<uint64_t>(std::max<int64_t>(0, broker.balance()));
  totals[ledger::Hop::kKafka] = broker;
}

void KafkaOutput::take(const LineBatch& batch) {
  items_.clear();
  for (size_t i = 0; i < batch.lines().size(); ++i) {
    items_.push_back({keys_[i], batch.view(batch.lines()[i]), ruleset_, priority_of(batch.lines()[i])});
  }
  const auto outcome = sink_->accept(items_, wall_clock());
  tell_durable();  // a full group is synced at once
  if (outcome.accepted == items_.size()) return;
  for (size_t i = 0; i < outcome.dropped.size(); ++i) not_told_[i] += outcome.dropped[i];
  tell_dropped(std::chrono::steady_clock::now() >= tell_again_);
}

// What is dropped is counted by the sink, with its reason. The log has a line of it in a while: a full spool must not fill the log too.
void KafkaOutput::tell_dropped(bool now) {
  if (!now || std::all_of(not_told_.begin(), not_told_.end(), [](uint64_t n) { return n == 0; })) return;
  tell_again_ = std::chrono::steady_clock::now() + kTellDroppedEvery;
  std::string reasons;
  for (size_t i = 0; i < not_told_.size(); ++i) {
    if (not_told_[i] == 0) continue;
    reasons += fmt::format(" {} {}", not_told_[i], sink::drop_reason_name(static_cast<sink::DropReason>(i)));
  }
  spdlog::warn("spool: events dropped:{}", reasons);
  not_told_.fill(0);
}

Result<> KafkaOutput::flush() {
  auto flushed = sink_->flush(wall_clock());
  tell_durable();
  return flushed;
}

Result<> KafkaOutput::close(std::chrono::milliseconds timeout) {
  tell_dropped(true);
  auto closed = sink_->close(wall_clock());
  tell_durable();
  if (!closed) {
    closed = fail(fmt::format("{}; {} events are not in the spool", closed.error().message,
                              sink_->writer().counters().pending_records.value()));
  }
  if (forwarding_ == nullptr) return closed;
  const bool drained = forwarding_->drain(timeout);
  forwarding_->stop();
  if (!closed) return closed;
  if (!drained) spdlog::warn("the broker has not taken all events yet: the rest stays in the spool for the next start");
  return {};
}

}  // namespace vong::sensor
