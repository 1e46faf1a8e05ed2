#include "correlator/app/broker_run.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "correlator/app/access.h"
#include "correlator/app/topics.h"
#include "kafka/admin.h"

namespace vong::correlator {

using namespace std::chrono_literals;

bool make_topics(const Options& options, const enrich::Registry& registry, app::Signals& signals) {
  if (!options.create_topics && !options.create_acls) return true;
  if (options.create_acls && !kafka::knows_transactional_id_rights()) {
    spdlog::warn(
        "librdkafka {} cannot give rights of transactional ids: give sensors and the correlator "
        "WRITE and DESCRIBE of theirs with kafka-acls",
        kafka::library_version());
  }
  while (!signals.stop_requested()) {
    kafka::KafkaResult<> made;
    if (options.create_topics)
      made = kafka::create_topics(options.kafka, topics_of(options, registry), 30s);
    if (made && options.create_acls)
      made = kafka::create_acls(options.kafka, rights_of(registry), 30s);
    if (made) return true;
    if (is_refused(made.error())) return false;
    signals.wait(1000);
  }
  return true;
}

bool is_refused(const kafka::KafkaError& error) {
  const bool refused = error.answer == kafka::Answer::kRefused;
  spdlog::log(refused ? spdlog::level::err : spdlog::level::warn, "{}", error.message);
  return refused;
}

bool open_metrics_page(const Options& options, const telemetry::Registry& metrics,
                       std::optional<telemetry::Server>& server) {
  if (options.metrics_listen.empty()) return true;
  auto started = telemetry::Server::start(options.metrics_listen, metrics);
  if (!started) {
    spdlog::error("{}", started.error().message);
    return false;
  }
  server.emplace(std::move(*started));
  return true;
}

void log_swap(const Engine::Swapped& s) {
  spdlog::info(
      "rules reloaded: {} stay with their state, {} new or changed, {} changed or removed; with "
      "them went {} group keys and {} open incidents{}",
      s.kept, s.added, s.dropped, s.dropped_keys, s.dropped_incidents,
      s.campaigns_anew ? "; campaigns begin anew" : "");
}

kafka::KafkaResult<> transact(kafka::Producer& producer,
                              std::span<const kafka::TopicOffset> offsets,
                              const kafka::GroupMetadata& group, std::chrono::milliseconds patience,
                              const app::Signals& signals,
                              const std::function<kafka::KafkaResult<>()>& write) {
  if (auto ok = producer.begin(); !ok) return ok;
  if (auto ok = write(); !ok) return ok;
  if (auto ok = producer.send_offsets(offsets, group, patience); !ok) return ok;
  for (;;) {
    auto ok = producer.commit(patience);
    if (ok || ok.error().answer != kafka::Answer::kRetry || signals.stop_requested()) return ok;
  }
}

kafka::KafkaResult<> undo(kafka::Producer& producer, const kafka::KafkaError& error,
                          std::chrono::milliseconds patience) {
  if (error.answer != kafka::Answer::kAbort) return std::unexpected(error);
  spdlog::warn("{}", error.message);
  return producer.abort(patience);
}

}  // namespace vong::correlator
