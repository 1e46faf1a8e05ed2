// The half of the engine that sees facts in order of event time.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "correlator/app/engine.h"
#include "correlator/app/fact.h"

namespace vong::correlator {

using enrich::AgencyIndex;
using enrich::kNoAgency;
using state::EventRef;

namespace {

constexpr size_t kChainDepthMax = 8;

// What is raised has an order that does not depend on which engine has the group. Of one fact: the
// fact's own place, then which of its steps, then which match of a chain. At a deadline, before the
// facts of that time: the correlation, then the group.
ingest::OrderKey order_of_task(const EventRef& ref, const std::vector<uint64_t>& sensor_prints,
                               uint32_t ordinal) {
  ingest::OrderKey order = facts_order({ref.time_ns, sensor_prints[ref.sensor], ref.position});
  order.position |= uint64_t{std::min<uint32_t>(ordinal, 0x3fff)} << 6;
  return order;
}
ingest::OrderKey order_of_deadline(int64_t now_ns, uint32_t correlation, std::string_view key) {
  return {now_ns, 0, uint64_t{correlation} << 48 | stable_print(key) >> 22 << 6};
}
void sort_by_print(operators::Matches& found) {
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return stable_print(a.key) < stable_print(b.key);
  });
}

}  // namespace

// What the operators have to be asked is prepared for all facts at once, so that the memory where
// their keys' states lie is on its way when their turn comes. The operators see the facts one after
// the other.
void Engine::process(std::span<const std::string_view> facts) {
  tasks_.clear();
  keys_.clear();
  for (const std::string_view bytes : facts) prepare(FactView(bytes));
  for (int stage = 0; facts.size() > 1 && stage < kWarmStages; ++stage) {
    for (const Task& t : tasks_) {
      if (t.step != nullptr) rules_.correlations[t.step->correlation].op->warm(t.print, stage);
    }
  }
  size_t next = 0;
  for (const std::string_view bytes : facts) {
    const FactView fact(bytes);
    counters_->facts_processed.add();
    advance(fact.ref.time_ns);
    if (fact.control() != Control::kNone) {
      control(fact, bytes);
      ++next;
      continue;
    }
    current_ = &fact;
    if (settings_.share.all() || settings_.share.leads()) raise_detections(fact);
    for (; tasks_[next].step != nullptr; ++next) run(fact.ref, tasks_[next]);
    current_ = nullptr;
    ++next;
  }
}

void Engine::raise_detections(const FactView& fact) {
  for (size_t i = 0; i < fact.rule_count(); ++i) {
    const DetectionPlan& d = rules_.detections[fact.rule(i)];
    if (!d.standalone || fact.ref.rules_epoch < since(d.incident_rule)) continue;
    group_key_.clear();
    if (!make_key(fact, d.key, d.national, group_key_)) continue;
    raise(d.incident_rule, d.national,
          {group_key_, fact.ref.time_ns, fact.ref.time_ns, 1, 1, {fact.ref}});
  }
}

// The steps of all matched rules, one task per correlation with the bits of all of them; then an
// empty one.
void Engine::prepare(const FactView& fact) {
  const size_t begin = tasks_.size();
  uint32_t ordinal = 0;
  for (size_t i = 0; i < fact.rule_count() && !settings_.share.leads(); ++i) {
    for (const Step& s : rules_.detections[fact.rule(i)].steps) {
      ++ordinal;
      const auto same = [&](const Task& t) {
        return t.step->correlation == s.correlation && t.step->key == s.key &&
               t.step->values == s.values && t.step->risk.has_value() == s.risk.has_value();
      };
      const auto it = std::find_if(tasks_.begin() + static_cast<long>(begin), tasks_.end(), same);
      if (it == tasks_.end()) {
        prepare(fact, s, ordinal);
        continue;
      }
      it->bits |= s.bit;
      if (s.risk) it->number += *s.risk;
    }
  }
  tasks_.emplace_back();
}

void Engine::prepare(const FactView& fact, const Step& step, uint32_t ordinal) {
  const CorrelationPlan& c = rules_.correlations[step.correlation];
  if (c.national && !takes_part_.empty() && !takes_part_[fact.ref.agency]) return;
  if (fact.ref.rules_epoch < since(c.incident_rule)) return;
  Task t;
  t.step = &step;
  t.bits = step.bit;
  t.ordinal = ordinal;
  t.key_at = keys_.size();
  bool complete = make_key(fact, step.key, c.national, keys_);
  t.key_size = t.value_at = keys_.size();
  t.key_size -= t.key_at;
  for (const Column column : step.values) {
    std::string_view value = agency_name(fact.ref.agency);
    complete = complete && (column == kAgencyColumn || fact.column(column, value));
    if (step.values.size() == 1)
      keys_.append(value);
    else
      append_part(keys_, value);
  }
  t.value_size = keys_.size() - t.value_at;
  if (step.risk) {
    t.number = *step.risk;
  } else if (complete && c.numeric) {
    const char *begin = keys_.data() + t.value_at, *end = begin + t.value_size;
    const auto [stop, error] = std::from_chars(begin, end, t.number);
    complete = error == std::errc() && stop == end && std::isfinite(t.number);
  }
  if (!complete) {
    keys_.resize(t.key_at);
    if (settings_.share.all()) counters_->facts_without_key.add();
    return;
  }
  if (!mine(c, std::string_view(keys_).substr(t.key_at, t.key_size))) {
    keys_.resize(t.key_at);
    return;
  }
  t.print = state::fingerprint_of(std::string_view(keys_).substr(t.key_at, t.key_size));
  tasks_.push_back(t);
}

void Engine::run(const EventRef& ref, const Task& t) {
  const std::string_view keys(keys_);
  const operators::Fact f{
      ref,      t.bits, keys.substr(t.key_at, t.key_size), keys.substr(t.value_at, t.value_size),
      t.number, t.print};
  matches_.clear();
  raise_order_ = order_of_task(ref, sensor_prints_, t.ordinal);
  rules_.correlations[t.step->correlation].op->on_fact(f, matches_);
  if (!matches_.empty()) take_matches(t.step->correlation, matches_, 0);
}

void Engine::take_matches(uint32_t correlation, operators::Matches& matches, size_t depth) {
  CorrelationPlan& c = rules_.correlations[correlation];
  const operators::Matches taken = std::move(matches);
  matches.clear();
  for (const operators::Match& m : taken) {
    if (current_ == nullptr && depth == 0)
      raise_order_ = order_of_deadline(now_ns_, correlation, m.key);
    ++c.matches;
    counters_->matches.add();
    if (c.emits) raise(c.incident_rule, c.national, m);
    if (!c.steps.empty() && depth < kChainDepthMax) chain(correlation, m, depth);
  }
}

// A match as a fact of the correlations that build on this one: its values are those of its group.
void Engine::chain(uint32_t correlation, const operators::Match& match, size_t depth) {
  for (const Step& step : rules_.correlations[correlation].steps) {
    CorrelationPlan& next = rules_.correlations[step.correlation];
    if (epoch_at_work() < since(next.incident_rule)) continue;
    std::string_view rest = match.key;
    const std::string_view agency = take_part(rest);
    std::vector<std::string_view> parts;
    while (!rest.empty()) parts.push_back(take_part(rest));
    const auto part = [&](Column c) {
      return c == kAgencyColumn ? agency : parts[static_cast<size_t>(c)];
    };
    std::string key;
    append_part(key, next.national ? std::string_view() : agency);
    for (const Column c : step.key) append_part(key, part(c));
    operators::Fact f{match.evidence.empty() ? EventRef() : match.evidence.back(),
                      step.bit,
                      key,
                      {},
                      match.value,
                      {}};
    f.ref.time_ns = match.last_ns;
    if (next.national && !takes_part_.empty() && f.ref.agency < takes_part_.size() &&
        !takes_part_[f.ref.agency])
      continue;
    std::string values;
    for (const Column c : step.values) {
      if (step.values.size() == 1)
        values = part(c);
      else
        append_part(values, part(c));
    }
    f.value = values;
    if (step.risk) {
      f.number = *step.risk;
    } else if (next.numeric) {  // of a chain: a value that the group is known by
      const auto [stop, error] =
          std::from_chars(values.data(), values.data() + values.size(), f.number);
      if (error != std::errc() || stop != values.data() + values.size()) continue;
    }
    operators::Matches found;
    next.op->on_fact(f, found);
    if (!found.empty()) take_matches(step.correlation, found, depth + 1);
  }
}

int64_t Engine::next_deadline_ns() const {
  int64_t next = operators::Operator::kNoDeadline;
  for (const uint32_t c : timed_)
    next = std::min(next, rules_.correlations[c].op->next_deadline_ns());
  return next;
}

// From one deadline to the next, and the incidents with them: the same comes out in however many
// steps the caller walks.
void Engine::advance(int64_t now_ns) {
  if (now_ns <= now_ns_) return;
  operators::Matches found;
  for (int64_t due = next_deadline_ns(); due <= now_ns && due != operators::Operator::kNoDeadline;
       due = next_deadline_ns()) {
    now_ns_ = std::max(now_ns_, due);
    store_->advance(now_ns_);
    for (const uint32_t c : timed_) {
      rules_.correlations[c].op->advance(due, found);
      if (found.size() > 1) sort_by_print(found);
      if (!found.empty()) take_matches(c, found, 0);
    }
  }
  now_ns_ = now_ns;
  store_->advance(now_ns);
}

void Engine::finish() {
  operators::Matches found;
  for (const uint32_t c : timed_) {
    rules_.correlations[c].op->finish(found);
    if (!found.empty()) take_matches(c, found, 0);
  }
  store_->finish();
}

std::vector<Engine::RuleMatches> Engine::correlation_matches() const {
  std::vector<RuleMatches> out;
  for (const CorrelationPlan& c : rules_.correlations)
    out.push_back({rules_.facts[c.incident_rule].rule.title, c.matches, {}, {}});
  return out;
}

std::vector<Engine::RuleMatches> Engine::rule_matches() const {
  std::vector<RuleMatches> out;
  const auto add = [&](uint32_t incident_rule, uint64_t matches) {
    const events::IncidentRule& r = rules_.facts[incident_rule].rule;
    out.push_back({r.title, matches, r.id, r.type});
  };
  for (size_t i = 0; i < rules_.detections.size(); ++i)
    add(rules_.detections[i].incident_rule, detection_matches_[i]);
  for (const CorrelationPlan& c : rules_.correlations) add(c.incident_rule, c.matches);
  return out;
}

size_t Engine::keys() const {
  size_t n = 0;
  for (const CorrelationPlan& c : rules_.correlations) n += c.op ? c.op->keys() : 0;
  return n;
}

}  // namespace vong::correlator
