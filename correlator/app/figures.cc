#include "correlator/app/figures.h"

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"
#include "base/timestamp.h"

namespace vong::correlator {
namespace {

using enrich::AgencyIndex;
using enrich::kNoAgency;

constexpr int64_t kDay = 86'400'000'000'000;  // ns

double rounded(double share) { return std::round(share * 1e4) / 1e4; }

std::string date_of(int64_t day) {
  char time[kEveTimeSize];
  format_eve_time(timestamp_from_ns(day * kDay), time);
  return {time, 10};
}

}  // namespace

Figures::Figures(const enrich::Registry& registry, const routing::Router& router)
    : registry_(registry), router_(router) {
  for (AgencyIndex i = 0; i < registry.agencies().size(); ++i) {
    if (registry.agencies()[i].sharing != enrich::Sharing::kCounters) continue;
    const auto name = router.name_for_centre(i);
    if (!name) continue;
    group_names_[i] = *name;
    groups_[*name].agencies.insert(i);
  }
}

Figures::Group* Figures::group_of(AgencyIndex agency) {
  const auto it = group_names_.find(agency);
  return it == group_names_.end() ? nullptr : &groups_[it->second];
}

void Figures::opened(uint64_t rule, AgencyIndex agency, events::Severity severity,
                     int64_t time_ns) {
  Group* g = group_of(agency);
  if (g == nullptr) return;
  g->newest_ns = std::max(g->newest_ns, time_ns);
  std::map<uint64_t, Counts>& day = g->days[time_ns / kDay];
  if (!day.contains(rule) && g->rows >= kRowsMax) return;
  const auto [row, is_new] = day.try_emplace(rule);
  g->rows += is_new;
  ++row->second[std::min(static_cast<size_t>(severity), kSeverities) - 1];
  const auto oldest = g->newest_ns / kDay - static_cast<int64_t>(kDaysMax) + 1;
  while (g->days.begin()->first < oldest) {
    g->rows -= g->days.begin()->second.size();
    g->days.erase(g->days.begin());
  }
  counted_.insert(group_names_[agency]);
}

void Figures::judged(uint64_t rule, AgencyIndex agency, int64_t time_ns) {
  if (Group* g = group_of(agency); g != nullptr) {
    g->newest_ns = std::max(g->newest_ns, time_ns);
    g->judged.emplace(rule, agency);
    counted_.insert(group_names_[agency]);
  }
  if (!router_.takes_part(agency)) return;
  int64_t& own = judged_.try_emplace({rule, agency}, time_ns).first->second;
  own = std::max(own, time_ns);
  if (agency == kNoAgency) return;
  int64_t& nation = judged_.try_emplace({rule, kNoAgency}, time_ns).first->second;
  nation = std::max(nation, time_ns);
}

void Figures::forget(uint64_t rule) {
  std::erase_if(judged_, [&](const auto& j) { return j.first.first == rule; });
  for (auto& [name, g] : groups_) {
    for (auto& [day, rows] : g.days) g.rows -= rows.erase(rule);
    std::erase_if(g.days, [](const auto& d) { return d.second.empty(); });
    std::erase_if(g.judged, [&](const auto& j) { return j.first == rule; });
  }
}

void Figures::tell(const verdicts::History& history, const RuleOf& rule_of, const Sink& sink) {
  for (const auto& [what, time_ns] : judged_) {
    if (const events::IncidentRule* about = rule_of(what.first))
      tell_precision(what.first, what.second, time_ns, history, *about, sink);
  }
  judged_.clear();
  for (const std::string& name : counted_) tell_counters(name, groups_[name], history, sink);
  counted_.clear();
}

void Figures::tell_precision(uint64_t rule, AgencyIndex agency, int64_t time_ns,
                             const verdicts::History& history, const events::IncidentRule& about,
                             const Sink& sink) {
  const bool nation = agency == kNoAgency;
  const auto name = nation ? std::optional<std::string>("nation") : router_.name_for_centre(agency);
  if (!name || name->empty()) return;  // it counts for the nation alone
  const events::VerdictCounts c =
      nation ? history.of_nation(rule) : history.of_agency(rule, agency);
  json_.clear();
  JsonWriter w(json_);
  w.open_object();
  w.field("timestamp", timestamp_from_ns(time_ns));
  w.field("scope", "precision");
  w.open_object("rule");
  w.field("id", about.id);
  w.field("title", about.title);
  w.close_object();
  if (!nation) w.field("agency", *name);
  w.field("true_positives", uint64_t{c.true_positives});
  w.field("false_positives", uint64_t{c.false_positives});
  w.key("precision");
  w.real(c.total() == 0 ? 0 : rounded(static_cast<double>(c.true_positives) / c.total()));
  w.close_object();
  sink("precision/" + *name + "/" + about.id, json_);
}

void Figures::tell_counters(const std::string& name, const Group& g,
                            const verdicts::History& history, const Sink& sink) {
  events::VerdictCounts judged;
  for (const auto& [rule, agency] : g.judged) {
    const events::VerdictCounts c = history.of_agency(rule, agency);
    judged.true_positives += c.true_positives;
    judged.false_positives += c.false_positives;
  }
  json_.clear();
  JsonWriter w(json_);
  w.open_object();
  w.field("timestamp", timestamp_from_ns(g.newest_ns));
  w.field("scope", "counters");
  if (!name.empty()) w.field("agency", name);
  w.field("agencies", uint64_t{g.agencies.size()});
  w.open_array("days");
  for (const auto& [day, rows] : g.days) {
    Counts sum{};
    for (const auto& [rule, counts] : rows) {
      for (size_t s = 0; s < kSeverities; ++s) sum[s] += counts[s];
    }
    w.open_object();
    w.field("date", date_of(day));
    w.open_object("incidents");
    for (size_t s = 0; s < kSeverities; ++s)
      w.field(events::name_of(static_cast<events::Severity>(s + 1)), sum[s]);
    w.close_object();
    w.close_object();
  }
  w.close_array();
  w.field("true_positives", uint64_t{judged.true_positives});
  w.field("false_positives", uint64_t{judged.false_positives});
  w.close_object();
  sink(name.empty() ? "counters" : "counters/" + name, json_);
}

}  // namespace vong::correlator
