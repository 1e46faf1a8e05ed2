#include "sensor/detect/threshold.h"

#include <algorithm>

namespace vong::detect {
namespace {

constexpr int64_t kNsPerS = 1'000'000'000;

// The counting of one threshold; `fresh`: the entry was made for this match.
bool count_match(const ThresholdSpec& s, ThresholdEntry& e, bool fresh, int64_t now, bool& silent) {
  const int64_t window = static_cast<int64_t>(s.seconds) * kNsPerS;
  const bool inside = !fresh && now - e.start_ns <= window;
  silent = false;
  e.keep_until_ns = now + window;
  switch (s.type) {
    case ThresholdType::kLimit:
      if (!inside) {
        e.start_ns = now;
        e.count = 1;
        return true;
      }
      silent = ++e.count > s.count;
      return !silent;
    case ThresholdType::kThreshold:
      if (!inside) {
        e.start_ns = now;
        e.count = 1;
      } else {
        ++e.count;
      }
      if (e.count < s.count) return false;
      e.count = 0;
      return true;
    case ThresholdType::kBoth:
      if (!inside) {
        e.start_ns = now;
        e.count = 1;
      } else {
        ++e.count;
      }
      silent = e.count > s.count;
      return e.count == s.count;
    case ThresholdType::kBackoff:
      if (fresh) {
        e.count = 0;
        e.next = s.count;
      }
      e.keep_until_ns = now + 3600 * kNsPerS;
      if (++e.count < e.next) {
        silent = e.next > s.count;
        return false;
      }
      e.next = static_cast<uint32_t>(std::min<uint64_t>(uint64_t{e.next} * s.multiplier, 0xffffffffu));
      return true;
    case ThresholdType::kDetectionFilter:
      if (!inside) {
        e.start_ns = now;
        e.count = 1;
        return s.count == 0;
      }
      return ++e.count > s.count;
    case ThresholdType::kRate: break;
  }
  return true;
}

ThresholdKey key_of(const CompiledRule& rule, Track track, uint32_t kind, const Packet& p) {
  ThresholdKey key;
  key.rule = ThresholdConfig::key(rule.gid, rule.sid);
  key.kind = kind;
  switch (track) {
    case Track::kBySrc: key.a = p.src; break;
    case Track::kByDst: key.a = p.dst; break;
    case Track::kByBoth:
      key.a = std::min(p.src, p.dst);
      key.b = std::max(p.src, p.dst);
      break;
    case Track::kByRule: case Track::kByFlow: break;
  }
  // Equal keys of different ways of counting must not meet.
  key.kind = kind * 8 + static_cast<uint32_t>(track);
  return key;
}

// The entry that counts for this packet: of the flow, or in the shared table (`lock` then holds it).
ThresholdEntry* find_entry(const CompiledRule& rule, const ThresholdSpec& s, uint32_t kind, Runtime& rt, bool& fresh,
                           std::unique_lock<std::mutex>& lock, ThresholdEntry& of_flow, RuleCounter** counter) {
  if (s.track == Track::kByFlow) {
    if (rt.flow_state == nullptr) return nullptr;
    auto& counters = rt.flow_state->more().counters;
    const uint64_t id = ThresholdConfig::key(rule.gid, rule.sid) * 8 + kind;
    if (counters.size() >= kMaxRuleCountersPerFlow && !counters.contains(id)) {
      ++rt.counters->threshold_table_full;
      return nullptr;
    }
    const auto [it, inserted] = counters.try_emplace(id);
    fresh = inserted;
    of_flow.start_ns = it->second.start_ns;
    of_flow.count = it->second.count;
    of_flow.until_ns = it->second.until_ns;
    of_flow.next = it->second.next;
    *counter = &it->second;
    return &of_flow;
  }
  lock = std::unique_lock(rt.shared->thresholds.mutex);
  ThresholdEntry* e = rt.shared->thresholds.entry(key_of(rule, s.track, kind, *rt.packet), to_ns(rt.packet->ts), fresh);
  if (e == nullptr) ++rt.counters->threshold_table_full;
  return e;
}

// A distinct port counts once a window.
bool counts_as_new(const ThresholdSpec& s, ThresholdEntry& e, bool fresh, const Packet& p) {
  if (s.unique_on == 0) return true;
  const uint16_t port = s.unique_on == 1 ? p.sport : p.dport;
  const int64_t now = to_ns(p.ts);
  if (!e.seen) e.seen = std::make_unique<std::vector<uint16_t>>();
  if (fresh || now - e.start_ns > static_cast<int64_t>(s.seconds) * kNsPerS) e.seen->clear();
  const auto at = std::lower_bound(e.seen->begin(), e.seen->end(), port);
  if (at != e.seen->end() && *at == port) return false;
  e.seen->insert(at, port);
  return true;
}

ThresholdVerdict run(const CompiledRule& rule, const ThresholdSpec& s, uint32_t kind, Runtime& rt) {
  bool fresh = false, silent = false;
  std::unique_lock<std::mutex> lock;
  ThresholdEntry of_flow;
  RuleCounter* counter = nullptr;
  ThresholdEntry* e = find_entry(rule, s, kind, rt, fresh, lock, of_flow, &counter);
  if (e == nullptr) return s.track == Track::kByFlow && rt.flow_state == nullptr ? ThresholdVerdict::kNothing : ThresholdVerdict::kAlert;
  const int64_t now = to_ns(rt.packet->ts);
  bool alert = false;
  if (counts_as_new(s, *e, fresh, *rt.packet)) alert = count_match(s, *e, fresh, now, silent);
  else alert = s.type == ThresholdType::kDetectionFilter && e->count > s.count;
  if (counter != nullptr) *counter = {e->start_ns, e->count, e->next, e->until_ns};
  return alert ? ThresholdVerdict::kAlert : silent ? ThresholdVerdict::kSilent : ThresholdVerdict::kNothing;
}

// True while the filter's new action is in force.
bool run_rate(const CompiledRule& rule, const ThresholdSpec& s, uint32_t kind, Runtime& rt) {
  bool fresh = false;
  std::unique_lock<std::mutex> lock;
  ThresholdEntry of_flow;
  RuleCounter* counter = nullptr;
  ThresholdEntry* e = find_entry(rule, s, kind, rt, fresh, lock, of_flow, &counter);
  if (e == nullptr) return false;
  const int64_t now = to_ns(rt.packet->ts), window = static_cast<int64_t>(s.seconds) * kNsPerS;
  bool active = false;
  if (e->until_ns != 0 && now < e->until_ns) {
    active = true;
  } else {
    if (e->until_ns != 0 || fresh || now - e->start_ns > window) {
      e->until_ns = 0;
      e->start_ns = now;
      e->count = 1;
    } else {
      ++e->count;
    }
    if (e->count > s.count) {
      e->until_ns = s.timeout_s == 0 ? INT64_MAX : now + static_cast<int64_t>(s.timeout_s) * kNsPerS;
      active = true;
    }
  }
  e->keep_until_ns = std::max(now + window, e->until_ns);
  if (counter != nullptr) *counter = {e->start_ns, e->count, e->next, e->until_ns};
  return active;
}

bool suppressed(const std::vector<SuppressSpec>& list, const Packet& p) {
  for (const SuppressSpec& s : list) {
    const auto in = [&](const IpAddress& a) { return s.addresses == nullptr || s.addresses->contains(a); };
    switch (s.by) {
      case SuppressSpec::By::kAlways: return true;
      case SuppressSpec::By::kSrc: if (in(p.src)) return true; break;
      case SuppressSpec::By::kDst: if (in(p.dst)) return true; break;
      case SuppressSpec::By::kEither: if (in(p.src) || in(p.dst)) return true; break;
    }
  }
  return false;
}

// A rule's own line, else its generator's, else everybody's.
const RuleThresholds* find_rule(const ThresholdConfig& config, uint32_t gid, uint32_t sid) {
  const auto it = config.by_rule.find(ThresholdConfig::key(gid, sid));
  return it == config.by_rule.end() ? nullptr : &it->second;
}

}  // namespace

ThresholdResult apply_thresholds(const CompiledRule& rule, AlertAction action, const ThresholdConfig& config, Runtime& rt) {
  ThresholdResult result{ThresholdVerdict::kAlert, action};
  const RuleThresholds* scopes[] = {nullptr, nullptr, nullptr};
  if (!config.by_rule.empty()) {
    scopes[0] = find_rule(config, rule.gid, rule.sid);
    scopes[1] = find_rule(config, rule.gid, 0);
    scopes[2] = find_rule(config, 0, 0);
  }
  for (const RuleThresholds* r : scopes) {
    if (r != nullptr && suppressed(r->suppress, *rt.packet)) {
      result.verdict = ThresholdVerdict::kNothing;
      return result;
    }
  }
  const RuleBody& body = *rule.body;
  if (rt.observing) {   // counts nothing: what one match alone does not tell is not told
    const auto needs_more = [](const ThresholdSpec& s) { return s.type != ThresholdType::kLimit && s.count > 1; };
    const bool own = scopes[0] != nullptr && !scopes[0]->filters.empty();
    const auto& specs = own ? scopes[0]->filters : body.thresholds;
    if (body.detection_filter || std::any_of(specs.begin(), specs.end(), needs_more)) result.verdict = ThresholdVerdict::kNothing;
    return result;
  }
  if (body.detection_filter) {
    result.verdict = run(rule, *body.detection_filter, 0, rt);
    if (result.verdict == ThresholdVerdict::kNothing) return result;
  }
  // A line of threshold.config for this very rule stands for the rule's own thresholds; one for all rules only where it has none.
  std::span<const ThresholdSpec> specs = body.thresholds;
  if (scopes[0] != nullptr && !scopes[0]->filters.empty()) specs = scopes[0]->filters;
  for (int i = 1; i < 3 && specs.empty() && !body.detection_filter; ++i) {
    if (scopes[i] != nullptr) specs = scopes[i]->filters;
  }
  uint32_t kind = 1;
  for (const ThresholdSpec& spec : specs) {
    const ThresholdVerdict v = run(rule, spec, kind++, rt);
    if (v != ThresholdVerdict::kAlert) {
      result.verdict = v;
      return result;
    }
  }
  kind += 16;   // rate filters count by themselves
  for (const RuleThresholds* r : scopes) {
    if (r == nullptr) continue;
    for (const ThresholdSpec& rate : r->rates) {
      if (run_rate(rule, rate, ++kind, rt)) result.action = static_cast<AlertAction>(rate.new_action);
    }
  }
  return result;
}

ThresholdConfig ThresholdConfig::from(const std::vector<rules::ThresholdEntry>& entries) {
  ThresholdConfig config;
  for (const rules::ThresholdEntry& e : entries) {
    RuleThresholds& r = config.by_rule[key(e.gid, e.sid)];
    if (e.kind == rules::ThresholdEntry::Kind::kSuppress) {
      SuppressSpec s;
      s.addresses = e.suppressed;
      if (e.suppressed != nullptr) {
        s.by = e.suppress_track == rules::Track::kBySrc   ? SuppressSpec::By::kSrc
               : e.suppress_track == rules::Track::kByDst ? SuppressSpec::By::kDst
                                                          : SuppressSpec::By::kEither;
      }
      r.suppress.push_back(std::move(s));
      continue;
    }
    ThresholdSpec spec = spec_of(e.threshold);
    if (e.kind == rules::ThresholdEntry::Kind::kThreshold) {
      r.filters.push_back(spec);
      continue;
    }
    spec.type = ThresholdType::kRate;
    spec.timeout_s = e.timeout_s;
    spec.new_action = static_cast<uint8_t>(e.new_action == rules::NewAction::kDrop     ? AlertAction::kDrop
                                           : e.new_action == rules::NewAction::kReject ? AlertAction::kReject
                                           : e.new_action == rules::NewAction::kPass   ? AlertAction::kPass
                                                                                       : AlertAction::kAlert);
    r.rates.push_back(spec);
  }
  return config;
}

ThresholdSpec spec_of(const rules::Threshold& t) {
  ThresholdSpec s;
  switch (t.type) {
    case rules::ThresholdType::kLimit: s.type = ThresholdType::kLimit; break;
    case rules::ThresholdType::kThreshold: s.type = ThresholdType::kThreshold; break;
    case rules::ThresholdType::kBoth: s.type = ThresholdType::kBoth; break;
    case rules::ThresholdType::kBackoff: s.type = ThresholdType::kBackoff; break;
  }
  switch (t.track) {
    case rules::Track::kBySrc: s.track = Track::kBySrc; break;
    case rules::Track::kByDst: s.track = Track::kByDst; break;
    case rules::Track::kByBoth: s.track = Track::kByBoth; break;
    case rules::Track::kByRule: s.track = Track::kByRule; break;
    default: s.track = Track::kByFlow; break;
  }
  s.count = t.count;
  s.seconds = t.seconds;
  s.multiplier = t.multiplier;
  return s;
}

}  // namespace vong::detect
