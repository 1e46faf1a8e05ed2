// Records that are no events: verdicts. They become facts, so that they are put in order with the
// events, stored and replayed like them.
#include <cstring>

#include "correlator/app/engine.h"
#include "correlator/app/fact.h"
#include "correlator/verdicts/verdict.h"

namespace vong::correlator {

using enrich::kNoAgency;

void Engine::write_control(Control kind, int64_t time_ns, uint64_t stream, uint64_t position,
                           std::string_view bytes) {
  state::EventRef ref;
  ref.time_ns = time_ns;
  ref.position = position;
  ref.event_type = static_cast<uint16_t>(kind);
  key_ = {time_ns, stream, position};
  sensor_print_ = stream;
  control_time_ns_ = time_ns;
  fact_.assign(sizeof ref + 4, '\0');
  std::memcpy(fact_.data(), &ref, sizeof ref);
  fact_.append(bytes);
}

// Bytes of a verdict's fact: '1' or '0', the incident's id, who says it.
ReadResult Engine::read_verdict(std::string_view record, uint64_t position) {
  counters_->records.add();
  const auto verdict = verdicts::read_verdict(record);
  if (!verdict) {
    refuse(verdict.error().message);
    return ReadResult::kRefused;
  }
  verdict_agency_ = registry_.find(verdict->agency);
  if (!verdict->agency.empty() && verdict->agency != routing::kNational &&
      verdict_agency_ == kNoAgency) {
    refuse("verdict: unknown agency");
    return ReadResult::kRefused;
  }
  static const uint64_t stream = stable_print("vong.verdicts");
  write_control(Control::kVerdict, to_ns(verdict->time), stream, position,
                (verdict->true_positive ? "1" : "0") + verdict->incident_id + verdict->agency);
  return ReadResult::kFact;
}

void Engine::control(const FactView& fact, std::string_view bytes) {
  const std::string_view payload = bytes.substr(sizeof fact.ref + 4);
  if (fact.control() == Control::kVerdict) take_verdict(fact.ref.time_ns, payload);
}

// An agency speaks of its own incidents, the centre of all that reach it.
void Engine::take_verdict(int64_t time_ns, std::string_view payload) {
  const bool true_positive = payload[0] == '1';
  const std::string_view id = payload.substr(1, 32);
  const std::string_view who = payload.substr(33);
  const auto* judged = verdicts_.find(id);
  const bool centre = who.empty() || who == routing::kNational;
  if (judged == nullptr || (centre && !shares(judged->agency)) ||
      (!centre && registry_.find(who) != judged->agency)) {
    counters_->verdicts_refused.add();
    return;
  }
  const verdicts::History::Judged what = *judged;
  (void)verdicts_.judge(id, true_positive);
  (true_positive ? counters_->verdicts_true : counters_->verdicts_false).add();
  figures_.judged(what.rule, what.agency, time_ns);
  (void)store_->judge(id, true_positive, standing_of(what.rule, what.agency), time_ns);
}

void Engine::tell_figures(const Figures::Sink& sink) {
  if (!figures_.changed()) return;
  const auto rule_of = [this](uint64_t print) -> const events::IncidentRule* {
    const auto it = rules_by_print_.find(print);
    return it == rules_by_print_.end() ? nullptr : &rules_.facts[it->second].rule;
  };
  figures_.tell(verdicts_, rule_of, sink);
}

}  // namespace vong::correlator
