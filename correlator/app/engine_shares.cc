// The engine when the work is divided over several: who has which group, what travels, and what the
// leader takes.
#include <fmt/format.h>

#include <algorithm>

#include "correlator/app/engine.h"
#include "correlator/app/fact.h"

namespace vong::correlator {
namespace {

uint32_t share_of(const CorrelationPlan& plan, std::string_view key, uint32_t of) {
  // Mixed once more: FNV-1a's low bits alone spread short keys badly.
  const uint64_t h = plan.route_print * 31 + (plan.whole ? 0 : stable_print(key));
  return static_cast<uint32_t>((h ^ h >> 29) * 0x9e3779b97f4a7c15ull >> 32) % of;
}

std::optional<uint32_t> number_of(const StringMap<uint32_t>& names, std::string_view name) {
  const auto it = names.find(name);
  return it == names.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace

bool Engine::mine(const CorrelationPlan& plan, std::string_view key) const {
  return settings_.share.all() || share_of(plan, key, settings_.share.of) == settings_.share.index;
}

void Engine::shares_of(std::string_view bytes, uint32_t of, std::vector<uint32_t>& out) {
  const FactView fact(bytes);
  if (fact.control() != Control::kNone) {
    out.push_back(of);
    return;
  }
  const size_t begin = out.size();
  for (size_t i = 0; i < fact.rule_count(); ++i) {
    if (!rules_.detections[fact.rule(i)].standalone) continue;
    out.push_back(of);
    break;
  }
  tasks_.clear();
  keys_.clear();
  prepare(fact);
  for (const Task& t : tasks_) {
    if (t.step == nullptr) continue;
    const uint32_t share = share_of(rules_.correlations[t.step->correlation],
                                    std::string_view(keys_).substr(t.key_at, t.key_size), of);
    if (std::find(out.begin() + static_cast<long>(begin), out.end(), share) == out.end())
      out.push_back(share);
  }
}

void Engine::send_away(uint32_t incident_rule, bool national, const operators::Match& match) {
  Raised r{incident_rule, national, raise_order_, match, {}};
  const auto columns = rules_.infrastructure();
  for (size_t i = 0; i < columns.size(); ++i) r.infrastructure[i] = column_of_current(columns[i]);
  raise_sink_(r);
  if ((raise_order_.position & 0x3f) != 0x3f) ++raise_order_.position;
}

void Engine::take(const Raised& raised) {
  advance(raised.order.time_ns);
  taken_ = &raised;
  raise(raised.incident_rule, raised.national, raised.match);
  taken_ = nullptr;
}

void Engine::make_names() {
  rule_names_.clear();
  rules_by_print_.clear();
  incident_rule_ids_.clear();
  detection_ids_.clear();
  for (uint32_t i = 0; i < rules_.facts.size(); ++i) {
    rule_names_.push_back(fmt::format("{}#{:016x}", rules_.facts[i].rule.id, rules_.prints[i]));
    rules_by_print_.emplace(rules_.prints[i], i);
    incident_rule_ids_.emplace(rule_names_[i], i);
  }
  for (uint32_t i = 0; i < rules_.detections.size(); ++i)
    detection_ids_.emplace(rule_names_[rules_.detections[i].incident_rule], i);
}

std::optional<uint32_t> Engine::detection_named(std::string_view id) const {
  return number_of(detection_ids_, id);
}
std::optional<uint32_t> Engine::incident_rule_named(std::string_view id) const {
  return number_of(incident_rule_ids_, id);
}

}  // namespace vong::correlator
