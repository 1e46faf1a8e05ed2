#include "sensor/app/kafka_output.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "exporters/send/kafka_transport.h"
#include "exporters/spool/reader.h"

namespace vong::sensor {
namespace {

Timestamp wall_clock() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

sink::Priority priority_of(const LineBatch::Line& line) {
  if (line.event_type == "alert") return line.severity <= 1 ? sink::Priority::kCritical : sink::Priority::kAlert;
  if (line.event_type == "anomaly") return sink::Priority::kAlert;
  if (line.event_type == "flow" || line.event_type == "netflow" || line.event_type == "stats") return sink::Priority::kBulk;
  return sink::Priority::kRecord;
}

// The kafka section: what the client knows goes to it, the rest is ours.
Result<kafka::ClientConfig> client_config(const Settings& settings) {
  kafka::ClientConfig client;
  for (const auto& [path, value] : settings.all()) {
    if (!path.starts_with("kafka.")) continue;
    const std::string_view key = std::string_view(path).substr(6);
    if (key.starts_with("spool.") || key == "compression" || key == "topic") continue;
    if (auto set = kafka::set(client, key, value); !set) return std::unexpected(set.error());
  }
  if (client.client_id.empty()) client.client_id = "vong-sensor";
  if (auto checked = kafka::check(client); !checked) return std::unexpected(checked.error());
  return client;
}

void tell(send::Severity severity, const std::string& text) {
  switch (severity) {
    case send::Severity::kInfo: return spdlog::info("{}", text);
    case send::Severity::kWarning: return spdlog::warn("{}", text);
    case send::Severity::kError: return spdlog::error("{}", text);
  }
}

}  // namespace

Result<std::unique_ptr<KafkaOutput>> KafkaOutput::open(const Settings& settings, std::string ruleset) {
  const bool forwards = !settings.text("kafka.brokers", "").empty();
  if (!forwards && settings.text("kafka.spool.dir", "").empty()) return nullptr;
  const std::string sensor(settings.text("sensor-name", "")), agency(settings.text("agency", "")), folder(settings.text("kafka.spool.dir", ""));
  if (forwards && (sensor.empty() || agency.empty() || folder.empty())) {
    return fail("kafka.brokers needs sensor-name, agency and kafka.spool.dir beside it");
  }

  auto out = std::unique_ptr<KafkaOutput>(new KafkaOutput());
  out->ruleset_ = std::move(ruleset);
  spool::Writer::Options writing;
  writing.directory = folder;
  writing.bytes_max = settings.size_bytes("kafka.spool.bytes-max", writing.bytes_max);
  auto writer = spool::Writer::open(spool::real_file_system(), writing);
  if (!writer) return std::unexpected(writer.error());
  out->sink_ = std::make_unique<spool::SpoolSink>(std::move(*writer));
  if (!forwards) return out;

  auto client = client_config(settings);
  if (!client) return std::unexpected(client.error());
  auto reader = spool::Reader::open(spool::real_file_system(), {folder, &out->sink_->writer().durable_seq()});
  if (!reader) return std::unexpected(reader.error());

  send::KafkaTransport::Options sending;
  sending.client = std::move(*client);
  sending.topic = settings.text("kafka.topic", fmt::format("vong.events.{}", agency));
  sending.sensor = sensor;
  sending.agency = agency;
  sending.compression = settings.text("kafka.compression", sending.compression);
  out->forwarder_ = std::make_unique<send::Forwarder>(std::move(*reader), std::make_unique<send::KafkaTransport>(std::move(sending)),
                                                      send::ForwarderOptions(), tell);
  out->forwarder_->start();
  return out;
}

KafkaOutput::~KafkaOutput() {
  if (forwarder_ != nullptr) forwarder_->stop();
}

void KafkaOutput::write(const LineBatch& batch) {
  keys_.clear();
  items_.clear();
  for (const auto& line : batch.lines()) keys_.push_back(line.flow_id != 0 ? fmt::format("{}", line.flow_id) : std::string());
  for (size_t i = 0; i < batch.lines().size(); ++i) {
    items_.push_back({keys_[i], batch.view(batch.lines()[i]), ruleset_, priority_of(batch.lines()[i])});
  }
  // What is dropped is counted by the sink, with its reason.
  const auto outcome = sink_->accept(items_, wall_clock());
  if (outcome.accepted < items_.size()) {
    std::string reasons;
    for (size_t i = 0; i < outcome.dropped.size(); ++i) {
      if (outcome.dropped[i] == 0) continue;
      reasons += fmt::format(" {} {}", outcome.dropped[i], sink::drop_reason_name(static_cast<sink::DropReason>(i)));
    }
    spdlog::warn("spool: of {} events dropped:{}", items_.size(), reasons);
  }
}

Result<> KafkaOutput::flush() { return sink_->flush(wall_clock()); }

Result<> KafkaOutput::close(std::chrono::milliseconds timeout) {
  auto closed = sink_->close(wall_clock());
  if (!closed) {
    closed = fail(fmt::format("{}; {} events are not in the spool", closed.error().message,
                              sink_->writer().counters().pending_records.value()));
  }
  if (forwarder_ == nullptr) return closed;
  const bool drained = forwarder_->drain(timeout);
  forwarder_->stop();
  if (!closed) return closed;
  if (!drained) spdlog::warn("the broker has not taken all events yet: the rest stays in the spool for the next start");
  return {};
}

}  // namespace vong::sensor
