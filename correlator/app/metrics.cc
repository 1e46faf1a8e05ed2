#include "correlator/app/metrics.h"

namespace vong::correlator {
namespace {

using telemetry::Kind;

constexpr telemetry::MetricInfo kMetrics[] = {
    {"vong_correlator_records_total", Kind::kCounter, "",
     "Records read from the input; those read again to rebuild the state do not count"},
    {"vong_correlator_records_matched_total", Kind::kCounter, "",
     "Records that at least one detection rule matched"},
    {"vong_correlator_dead_letters_total", Kind::kCounter, "reason",
     "Records that could not be read and went to the dead letters"},
    {"vong_correlator_facts_total", Kind::kCounter, "",
     "Matched events that were processed in order of event time"},
    {"vong_correlator_late_facts_total", Kind::kCounter, "",
     "Matched events that came after their time had been processed: they set off a correction"},
    {"vong_correlator_facts_skipped_total", Kind::kCounter, "reason",
     "Matched events that a correlation could not take"},
    {"vong_correlator_matches_total", Kind::kCounter, "", "Matches of correlation rules"},
    {"vong_correlator_incidents_opened_total", Kind::kCounter, "kind", "Incidents opened"},
    {"vong_correlator_verdicts_total", Kind::kCounter, "verdict",
     "Analysts' verdicts on incidents; refused: of an incident that nobody knows or that is not "
     "theirs"},
    {"vong_correlator_incidents_open", Kind::kGauge, "", "Incidents that are open now"},
    {"vong_correlator_state_keys", Kind::kGauge, "", "Group keys held by all correlations"},
    {"vong_correlator_transactions_total", Kind::kCounter, "outcome", "Kafka transactions"},
    {"vong_correlator_restores_total", Kind::kCounter, "",
     "Times that state was rebuilt by reading the events again"},
    {"vong_correlator_corrections_total", Kind::kCounter, "",
     "Times that late events made the incidents be worked out again"},
    {"vong_correlator_reloads_total", Kind::kCounter, "outcome",
     "Reloads of the rules: done, or refused with the old rules left in force"},
    {"vong_correlator_reload_dropped_total", Kind::kCounter, "what",
     "What reloads took away with rules that were changed or removed: group keys, open incidents "
     "(told as closed)"},
    {"vong_correlator_sensors_registered", Kind::kGauge, "", "Sensors that should be there"},
    {"vong_correlator_sensors_alive", Kind::kGauge, "",
     "Sensors whose last status is younger than three of its intervals"},
    {"vong_correlator_agencies_complete", Kind::kGauge, "",
     "Agencies with four measured layers of protection"},
    {"vong_correlator_national_coverage_percent", Kind::kGauge, "",
     "The same as a part of all agencies: the national share"},
    {"vong_correlator_lag_records", Kind::kGauge, "", "Records not read yet"},
    {"vong_correlator_sensors_active", Kind::kGauge, "", "Sensors that hold the watermark"},
    {"vong_correlator_watermark_seconds", Kind::kGauge, "",
     "Event time up to which everything is processed"},
    {"vong_correlator_settled_state", Kind::kGauge, "",
     "1 while no sensor sends and everything that was read is in the incidents, else 0"},
};

}  // namespace

std::span<const telemetry::MetricInfo> metrics_table() { return kMetrics; }

void add_metrics(telemetry::Registry& r, const EngineCounters& e, const OnlineCounters& o) {
  r.add("vong_correlator_records_total", {}, e.records);
  r.add("vong_correlator_records_matched_total", {}, e.records_matched);
  r.add("vong_correlator_dead_letters_total", {{"reason", "refused"}}, e.records_refused);
  r.add("vong_correlator_facts_total", {}, e.facts_processed);
  r.add("vong_correlator_late_facts_total", {}, o.late_facts);
  r.add("vong_correlator_facts_skipped_total", {{"reason", "no_group_value"}}, e.facts_without_key);
  r.add("vong_correlator_matches_total", {}, e.matches);
  r.add("vong_correlator_incidents_opened_total", {{"kind", "agency_or_national"}},
        e.incidents_opened);
  r.add("vong_correlator_incidents_opened_total", {{"kind", "campaign"}}, e.campaigns_opened);
  r.add("vong_correlator_verdicts_total", {{"verdict", "true_positive"}}, e.verdicts_true);
  r.add("vong_correlator_verdicts_total", {{"verdict", "false_positive"}}, e.verdicts_false);
  r.add("vong_correlator_verdicts_total", {{"verdict", "refused"}}, e.verdicts_refused);
  r.add("vong_correlator_incidents_open", {}, o.open_incidents);
  r.add("vong_correlator_state_keys", {}, o.keys);
  r.add("vong_correlator_transactions_total", {{"outcome", "committed"}}, o.transactions);
  r.add("vong_correlator_transactions_total", {{"outcome", "aborted"}}, o.transactions_aborted);
  r.add("vong_correlator_restores_total", {}, o.restores);
  r.add("vong_correlator_corrections_total", {}, o.corrections);
  r.add("vong_correlator_reloads_total", {{"outcome", "done"}}, o.reloads);
  r.add("vong_correlator_reloads_total", {{"outcome", "refused"}}, o.reloads_refused);
  r.add("vong_correlator_reload_dropped_total", {{"what", "keys"}}, o.reload_dropped_keys);
  r.add("vong_correlator_reload_dropped_total", {{"what", "incidents"}},
        o.reload_dropped_incidents);
  r.add("vong_correlator_sensors_registered", {}, o.sensors_registered);
  r.add("vong_correlator_sensors_alive", {}, o.sensors_alive);
  r.add("vong_correlator_agencies_complete", {}, o.agencies_complete);
  r.add("vong_correlator_national_coverage_percent", {}, o.national_percent);
  r.add("vong_correlator_lag_records", {}, o.lag_records);
  r.add("vong_correlator_sensors_active", {}, o.sensors_active);
  r.add("vong_correlator_watermark_seconds", {}, o.watermark_seconds);
  r.add("vong_correlator_settled_state", {}, o.settled);
}

}  // namespace vong::correlator
