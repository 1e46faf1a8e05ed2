#include "correlator/app/topics_setup.h"

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
    if (made.error().answer == kafka::Answer::kRefused) {
      spdlog::error("{}", made.error().message);
      return false;
    }
    spdlog::warn("{}", made.error().message);
    signals.wait(1000);
  }
  return true;
}

}  // namespace vong::correlator
