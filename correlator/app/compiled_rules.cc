#include "correlator/app/compiled_rules.h"

#include <algorithm>
#include <set>

#include "correlator/app/fact.h"
#include "rules/sigma/content.h"

namespace vong::correlator {
namespace {

events::Severity severity_of(sigma::Level level) {
  return static_cast<events::Severity>(static_cast<int>(level) + 1);
}

incidents::RuleFacts facts_of(const sigma::RuleHead& head, std::string type,
                              events::IncidentKind kind) {
  incidents::RuleFacts f;
  f.rule = {
      head.key(), head.title, std::move(type), std::string(sigma::name_of(head.level)), head.tags,
      {},         {}};
  f.kind = kind;
  f.severity = severity_of(head.level);
  f.close_after_ns = head.extension.close_after.count();
  f.reopen_within_ns = head.extension.reopen_within.count();
  incidents::read_attack_tags(head.tags, f);
  return f;
}

bool evaluate(const sigma::Expression& e, uint32_t node, uint64_t steps) {
  const sigma::Expression::Node& n = e.nodes[node];
  const auto holds = [&](uint32_t c) { return evaluate(e, c, steps); };
  switch (n.kind) {
    case sigma::Expression::Kind::kTest:
      return steps >> n.test & 1;
    case sigma::Expression::Kind::kNot:
      return !holds(n.children[0]);
    case sigma::Expression::Kind::kAnd:
      return std::all_of(n.children.begin(), n.children.end(), holds);
    case sigma::Expression::Kind::kOr:
      return std::any_of(n.children.begin(), n.children.end(), holds);
    default:
      return n.kind == sigma::Expression::Kind::kTrue;
  }
}

class Compiler {
 public:
  Compiler(const sigma::RuleSet& rules, size_t keys_max, events::FieldPlan& plan,
           std::vector<rules::Diagnostic>& diagnostics)
      : rules_(rules), keys_max_(keys_max), plan_(plan), diagnostics_(diagnostics) {}

  CompiledRules compile(const CampaignSettings& campaign,
                        std::shared_ptr<const indicators::Source> indicators, bool with_matcher) {
    if (with_matcher) {
      out_.matcher = match::RuleMatcher::compile(rules_.detections, plan_, diagnostics_,
                                                 std::move(indicators));
    }
    for (const sigma::DetectionRule& rule : rules_.detections) detection(rule);
    for (const sigma::CorrelationRule& rule : rules_.correlations) correlation(rule);
    for (CorrelationPlan& c : out_.correlations) c.route_print = stable_print(c.route);
    campaigns(campaign);
    make_prints();
    return std::move(out_);
  }

 private:
  void error(const sigma::RuleHead& head, sigma::SourcePos pos, std::string message) {
    diagnostics_.push_back({rules::Severity::kError, head.file, pos, 0, std::move(message)});
  }

  Column column(const sigma::RuleHead& head, const std::string& path) {
    if (path == "agency") return kAgencyColumn;
    const auto it = std::find(out_.columns.begin(), out_.columns.end(), path);
    if (it != out_.columns.end()) return static_cast<Column>(it - out_.columns.begin());
    if (const auto id = plan_.add(path); !id) error(head, head.pos, id.error().message);
    out_.columns.push_back(path);
    return static_cast<Column>(out_.columns.size() - 1);
  }

  void detection(const sigma::DetectionRule& rule) {
    DetectionPlan d;
    d.national = rule.head.extension.scope == sigma::Scope::kNational;
    std::vector<std::string> fields = rule.head.extension.group_by;
    if (fields.empty()) fields = {"src_ip"};
    for (const std::string& f : fields) d.key.push_back(column(rule.head, f));
    d.incident_rule = static_cast<uint32_t>(out_.facts.size());
    out_.facts.push_back(facts_of(rule.head, "detection", events::IncidentKind::kDetection));
    out_.facts.back().key_fields = std::move(fields);
    out_.detections.push_back(std::move(d));
  }

  operators::Spec spec_of(const sigma::CorrelationRule& rule) const {
    operators::Spec s;
    s.type = sigma::name_of(rule.type);
    s.timespan_ns = rule.timespan.count();
    s.steps = rule.targets.size();
    for (const auto& [compare, value] : rule.conditions)
      s.conditions.emplace_back(static_cast<operators::Compare>(compare), value);
    s.percentile = rule.percentile;
    s.after_match = static_cast<operators::AfterMatch>(rule.head.extension.after_match);
    s.silent_for_ns = rule.head.extension.silent_for.count();
    s.keys_max = keys_max_;
    s.learn_ns = rule.head.extension.learn.value_or(Duration(-1)).count();
    if (rule.rule_condition) {
      s.wanted_steps = [e = *rule.rule_condition](uint64_t steps) {
        return evaluate(e, e.root, steps);
      };
    }
    return s;
  }

  // What `name` (a field or an alias) is called in events of the rule that the correlation refers
  // to as `reference`.
  static std::string field_in(const sigma::CorrelationRule& rule, const std::string& name,
                              const std::string& reference) {
    for (const sigma::Alias& alias : rule.aliases) {
      if (alias.name != name) continue;
      for (const auto& [r, field] : alias.fields) {
        if (r == reference) return field;
      }
    }
    return name;
  }

  static bool is_numeric(const sigma::CorrelationRule& rule) {
    return rule.type >= sigma::CorrelationType::kValueSum &&
           rule.type <= sigma::CorrelationType::kValueMedian;
  }

  [[nodiscard]] const sigma::RuleHead& head_of(uint32_t target) const {
    const size_t detections = rules_.detections.size();
    return target < detections ? rules_.detections[target].head
                               : rules_.correlations[target - detections].head;
  }

  void correlation(const sigma::CorrelationRule& rule) {
    const auto index = static_cast<uint32_t>(out_.correlations.size());
    CorrelationPlan c;
    auto op = operators::make_operator(spec_of(rule));
    if (!op) {
      error(rule.head, rule.head.pos, op.error().message);
    } else {
      c.op = std::move(*op);
    }
    c.national = rule.head.extension.scope == sigma::Scope::kNational;
    c.numeric = is_numeric(rule);
    c.timed = c.op && c.op->timed();
    c.key_fields = rule.group_by;
    c.incident_rule = static_cast<uint32_t>(out_.facts.size());
    out_.facts.push_back(facts_of(rule.head, std::string(sigma::name_of(rule.type)),
                                  events::IncidentKind::kCorrelation));
    out_.facts.back().key_fields = rule.group_by;
    c.route = rule.head.key();
    joined_route_.clear();
    if (c.op) {
      for (size_t i = 0; i < rule.targets.size(); ++i) refer(rule, index, i, c.national);
    }
    c.whole = !joined_route_.empty();
    if (c.whole) c.route = joined_route_;
    out_.correlations.push_back(std::move(c));
  }

  void refer(const sigma::CorrelationRule& rule, uint32_t index, size_t i, bool national) {
    const std::string& reference = rule.rules[i].first;
    const uint32_t target = rule.targets[i];
    const bool chained = target >= rules_.detections.size();
    Step s;
    s.correlation = index;
    s.bit = uint64_t{1} << i;
    CorrelationPlan* source =
        chained ? &out_.correlations[target - rules_.detections.size()] : nullptr;
    const auto column_of = [&](const std::string& name) -> Column {
      const std::string field = field_in(rule, name, reference);
      if (!chained) return column(rule.head, field);
      if (field == "agency") return kAgencyColumn;
      const auto it = std::find(source->key_fields.begin(), source->key_fields.end(), field);
      if (it == source->key_fields.end()) {
        error(
            rule.head, rule.rules[i].second,
            "'" + reference + "' does not group by '" + field + "', so its matches do not have it");
        return 0;
      }
      return static_cast<Column>(it - source->key_fields.begin());
    };
    if (chained && source->national && !national) {
      return error(
          rule.head, rule.rules[i].second,
          "a correlation of one agency cannot build on '" + reference + "', which is national");
    }
    for (const std::string& name : rule.group_by) s.key.push_back(column_of(name));
    for (const std::string& name : rule.condition_fields) {
      if (is_numeric(rule) && field_in(rule, name, reference) == sigma::kRiskField)
        s.risk = sigma::risk_of(head_of(target));
      else
        s.values.push_back(column_of(name));
    }
    if (chained) {
      join(*source);
      source->steps.push_back(std::move(s));
      source->emits &= rule.generate;
    } else {
      out_.detections[target].steps.push_back(std::move(s));
      out_.detections[target].standalone &= rule.generate;
    }
  }

  // A rule that others begin to build on, so that it makes no incidents of its own any more, is
  // another.
  void make_prints() {
    std::vector<uint64_t> contents, targets;
    for (const sigma::DetectionRule& r : rules_.detections) contents.push_back(content_print(r));
    for (const sigma::CorrelationRule& r : rules_.correlations) {
      targets.clear();
      for (const uint32_t t : r.targets) targets.push_back(contents[t]);
      contents.push_back(content_print(r, targets));
    }
    std::set<uint64_t> used;
    const auto add = [&](uint64_t print, bool makes_incidents) {
      print = print * 2 + makes_incidents;
      while (!used.insert(print).second) ++print;
      out_.prints.push_back(print);
    };
    for (size_t i = 0; i < contents.size(); ++i) {
      const size_t c = i - out_.detections.size();
      add(contents[i],
          i < out_.detections.size() ? out_.detections[i].standalone : out_.correlations[c].emits);
    }
    while (out_.prints.size() < out_.facts.size())
      add(stable_print(out_.facts[out_.prints.size()].rule.id), true);
    out_.since.assign(out_.prints.size(), 0);
  }

  // Correlations that build on each other have one route, that of the first: the one that is being
  // made builds on `source`.
  void join(CorrelationPlan& source) {
    source.whole = true;
    if (joined_route_.empty()) joined_route_ = source.route;
    const std::string from = source.route;
    for (CorrelationPlan& c : out_.correlations) {
      if (c.whole && c.route == from) c.route = joined_route_;
    }
  }

  void campaigns(const CampaignSettings& settings) {
    operators::Spec s;
    s.type = "value_count";
    s.timespan_ns = settings.window_ns;
    s.conditions = {{operators::Compare::kGte, static_cast<double>(settings.agencies)}};
    s.keys_max = keys_max_;
    if (settings.enabled) {
      if (auto op = operators::make_operator(s)) out_.campaign = std::move(*op);
    }
    const auto add = [&](CampaignBy by, const char* title, events::Severity severity) {
      incidents::RuleFacts f;
      f.rule = {"vong-campaign-" + std::string(name_of(by)),
                title,
                "campaign",
                std::string(events::name_of(severity)),
                {},
                {},
                {}};
      f.kind = events::IncidentKind::kCampaign;
      f.severity = severity;
      f.key_fields = {std::string(key_field_of(by))};
      f.close_after_ns = settings.window_ns;
      out_.facts.push_back(std::move(f));
      out_.campaign_rules[static_cast<size_t>(by)] = static_cast<uint32_t>(out_.facts.size() - 1);
    };
    using enum CampaignBy;
    add(kSource, "The same source in incidents of several agencies", events::Severity::kHigh);
    add(kDomain, "The same domain in incidents of several agencies", events::Severity::kHigh);
    add(kCertificate, "The same certificate in incidents of several agencies",
        events::Severity::kHigh);
    add(kJa4, "The same client fingerprint in incidents of several agencies",
        events::Severity::kMedium);
    add(kTechnique, "The same technique in incidents of several agencies",
        events::Severity::kMedium);
    add(kRule, "The same rule in incidents of several agencies", events::Severity::kMedium);
    if (!settings.enabled) return;
    const auto wants = [&](CampaignBy by) { return settings.by >> static_cast<size_t>(by) & 1; };
    const sigma::RuleHead nobody;
    if (wants(kDomain)) {
      out_.sni = column(nobody, "tls.sni");
      out_.hostname = column(nobody, "http.hostname");
      out_.rrname = column(nobody, "dns.queries.rrname");
    }
    if (wants(kCertificate)) out_.certificate = column(nobody, "tls.fingerprint");
    if (wants(kJa4)) out_.ja4 = column(nobody, "tls.ja4");
  }

  const sigma::RuleSet& rules_;
  size_t keys_max_;
  events::FieldPlan& plan_;
  std::vector<rules::Diagnostic>& diagnostics_;
  CompiledRules out_;
  std::string joined_route_;  // of the correlation that is being made; empty: it builds on none
};

}  // namespace

std::string_view name_of(CampaignBy by) {
  static constexpr std::string_view kNames[kCampaignKinds] = {"source", "domain",    "certificate",
                                                              "ja4",    "technique", "rule"};
  return kNames[static_cast<size_t>(by)];
}

std::string_view key_field_of(CampaignBy by) {
  static constexpr std::string_view kNames[kCampaignKinds] = {
      "src_ip", "domain", "tls.fingerprint", "tls.ja4", "technique", "rule"};
  return kNames[static_cast<size_t>(by)];
}

CompiledRules compile_rules(const sigma::RuleSet& rules, const CampaignSettings& campaign,
                            size_t keys_max, events::FieldPlan& plan,
                            std::vector<rules::Diagnostic>& diagnostics,
                            std::shared_ptr<const indicators::Source> indicators,
                            bool with_matcher) {
  return Compiler(rules, keys_max, plan, diagnostics)
      .compile(campaign, std::move(indicators), with_matcher);
}

}  // namespace vong::correlator
