#include "correlator/app/outbox.h"

#include <spdlog/spdlog.h>

#include "correlator/app/outputs.h"
#include "correlator/routing/warning.h"

namespace vong::correlator {

void Outbox::send(const events::Incident& incident) {
  const std::vector<routing::Copy> copies = router_.route(incident);
  for (const routing::Copy& copy : copies) {
    Outgoing o{"vong.incidents." + copy.recipient, incident.id, {}};
    events::write_incident(copy.incident, o.value);
    outgoing_.push_back(std::move(o));
  }
  if (incident.kind == events::IncidentKind::kCampaign && !copies.empty()) {
    Outgoing o{"vong.warnings", incident.id, {}};
    routing::write_warning(copies.back().incident, router_.warning_tlp(), o.value);
    outgoing_.push_back(std::move(o));
  }
}

void Outbox::dead_letter(const kafka::TopicPartition& from, int64_t offset, std::string_view value,
                         std::string_view reason) {
  Outgoing o{dead_letter_topic_, {}, {}};
  write_dead_letter(reason, from.topic + "/" + std::to_string(from.partition),
                    static_cast<uint64_t>(offset), value, o.value);
  outgoing_.push_back(std::move(o));
}

kafka::KafkaResult<> Outbox::write(const std::vector<Outgoing>& outgoing,
                                   kafka::Producer& producer) {
  for (const Outgoing& o : outgoing) {
    for (;;) {
      auto ok = producer.send({o.topic, o.key, o.value, {}, kafka::kAnyPartition, 0});
      if (ok) break;
      if (ok.error().answer == kafka::Answer::kReject) {
        spdlog::error("{}", ok.error().message);
        break;
      }
      if (ok.error().answer != kafka::Answer::kRetry) return ok;
    }
  }
  return {};
}

}  // namespace vong::correlator
