// Rules to atoms, expressions and triggers.
#include <algorithm>
#include <cassert>
#include <map>
#include <optional>

#include "base/string_map.h"
#include "base/strings.h"
#include "correlator/match/rule_matcher.h"

namespace vong::match {

using Kind = sigma::Expression::Kind;
using sigma::Test;
using sigma::TestOp;

namespace {

// Equal texts mean equal tests.
std::string canonical(const Test& t) {
  std::string s =
      t.field + '\x1f' + static_cast<char>('a' + static_cast<int>(t.op)) + (t.cased ? 'C' : 'c');
  switch (t.op) {
    case TestOp::kEquals:
    case TestOp::kLike:
      for (const uint16_t u : t.pattern.units()) {
        s.push_back(static_cast<char>(u & 0xff));
        s.push_back(static_cast<char>(u >> 8));
      }
      break;
    case TestOp::kRegex:
      s += t.regex;
      s += {'\x1f', t.ignore_case ? 'i' : '-', t.multiline ? 'm' : '-', t.dot_all ? 's' : '-'};
      break;
    case TestOp::kCidr:
      s += t.prefix.address.to_string() + "/" + std::to_string(t.prefix.length);
      break;
    case TestOp::kRange:
      s.append(reinterpret_cast<const char*>(&t.low), sizeof t.low);
      s.append(reinterpret_cast<const char*>(&t.high), sizeof t.high);
      break;
    case TestOp::kList:
      s += std::to_string(t.list);
      break;
    default:
      break;
  }
  return s;
}

bool is_indexed(const Test& t) {
  return t.op != TestOp::kTimePart && t.op != TestOp::kNull && t.op != TestOp::kFieldRef &&
         !(t.op == TestOp::kExists && !t.expected);
}

}  // namespace

class RuleCompiler {
 public:
  RuleCompiler(events::FieldPlan& plan, std::shared_ptr<const indicators::Source> indicators,
               std::vector<rules::Diagnostic>& diagnostics)
      : out_(new RuleMatcher()), plan_(plan), diagnostics_(diagnostics) {
    out_->indicators_ = std::move(indicators);
  }

  std::shared_ptr<const RuleMatcher> compile(std::span<const sigma::DetectionRule> rules) {
    for (const sigma::DetectionRule& rule : rules) {
      rule_ = &rule;
      failed_ = false;
      done_.assign(rule.expression.nodes.size(), std::nullopt);
      const uint32_t root = node(rule.expression.root);
      out_->rules_.push_back(failed_ ? leaf(Kind::kFalse) : root);
    }
    std::vector<const sigma::DetectionRule*> owner(rules.size());
    for (size_t i = 0; i < rules.size(); ++i) owner[i] = &rules[i];
    compile_fields(owner);
    pick_triggers();
    if (std::any_of(out_->fields_.begin(), out_->fields_.end(),
                    [](const auto& f) { return f && f->asks_lists(); })) {
      out_->host_ = field("http.hostname", {});
    } else {
      out_->indicators_ = nullptr;
    }
    return std::shared_ptr<const RuleMatcher>(std::move(out_));
  }

 private:
  uint32_t leaf(Kind kind) {
    out_->nodes_.push_back({kind});
    return static_cast<uint32_t>(out_->nodes_.size() - 1);
  }
  uint32_t branch(Kind kind, const std::vector<uint32_t>& children) {
    RuleMatcher::Node n{kind};
    n.children = static_cast<uint32_t>(out_->children_.size());
    n.count = static_cast<uint32_t>(children.size());
    out_->children_.insert(out_->children_.end(), children.begin(), children.end());
    out_->nodes_.push_back(n);
    return static_cast<uint32_t>(out_->nodes_.size() - 1);
  }

  uint32_t node(uint32_t index) {
    if (done_[index]) return *done_[index];
    const sigma::Expression::Node& from = rule_->expression.nodes[index];
    uint32_t result = 0;
    if (from.kind == Kind::kTest) {
      result = test(rule_->expression.tests[from.test]);
    } else if (from.kind == Kind::kOr && all_indexed(from)) {
      std::vector<const Test*> tests;
      for (const uint32_t c : from.children) tests.push_back(&test_of(c));
      result = atom_node(tests);
    } else if (from.kind == Kind::kTrue || from.kind == Kind::kFalse) {
      result = leaf(from.kind);
    } else {
      std::vector<Test> joined;
      std::vector<uint32_t> children;
      for (const uint32_t c : intervals(from, joined)) children.push_back(node(c));
      for (const Test& t : joined) children.push_back(test(t));
      result = branch(from.kind, children);
    }
    done_[index] = result;
    return result;
  }

  const Test& test_of(uint32_t index) const {
    return rule_->expression.tests[rule_->expression.nodes[index].test];
  }
  bool is_test(uint32_t index) const { return rule_->expression.nodes[index].kind == Kind::kTest; }
  bool all_indexed(const sigma::Expression::Node& n) const {
    return std::all_of(n.children.begin(), n.children.end(),
                       [&](uint32_t c) { return is_test(c) && is_indexed(test_of(c)); });
  }

  // "gte: 10" and "lte: 20" on one field become one interval: an index entry that is as rare as the
  // rule means it. Not for fields with several values, where two values may each hold one half;
  // that is Sigma's reading as well (one value, all tests).
  std::vector<uint32_t> intervals(const sigma::Expression::Node& n,
                                  std::vector<Test>& joined) const {
    if (n.kind != Kind::kAnd) return n.children;
    std::vector<uint32_t> rest;
    std::map<std::string, Test> by_field;
    for (const uint32_t c : n.children) {
      if (!is_test(c) || test_of(c).op != TestOp::kRange) {
        rest.push_back(c);
        continue;
      }
      const auto it = by_field.try_emplace(test_of(c).field, test_of(c)).first;
      it->second.low = std::max(it->second.low, test_of(c).low);
      it->second.high = std::min(it->second.high, test_of(c).high);
    }
    for (auto& [name, t] : by_field) joined.push_back(std::move(t));
    return rest;
  }

  uint32_t test(const Test& t) {
    if (is_indexed(t)) return atom_node({&t});
    if (t.op == TestOp::kFieldRef || t.op == TestOp::kTimePart) {
      RuleMatcher::Node n{Kind::kTest};
      n.direct = true;
      n.value = static_cast<uint32_t>(out_->direct_tests_.size());
      const events::FieldId id = field(t.field, t.pos);
      if (t.op == TestOp::kTimePart)
        out_->direct_tests_.push_back({id, id, {}, false, true, t.part, t.low, t.high});
      else
        out_->direct_tests_.push_back({id, field(t.other_field, t.pos), t.ref, t.cased});
      out_->nodes_.push_back(n);
      return static_cast<uint32_t>(out_->nodes_.size() - 1);
    }
    Test present;  // null and exists: false are "not present"
    present.op = TestOp::kExists;
    present.field = t.field;
    return branch(Kind::kNot, {atom_node({&present})});
  }

  events::FieldId field(const std::string& path, sigma::SourcePos pos) {
    const auto id = plan_.add(path);
    if (id) return *id;
    error(*rule_, pos, id.error().message);
    return 0;
  }

  uint32_t atom_node(const std::vector<const Test*>& tests) {
    std::vector<std::string> keys;
    for (const Test* t : tests) keys.push_back(canonical(*t));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    std::string key;
    for (const std::string& k : keys) key += std::to_string(k.size()) + ':' + k;
    const auto [it, fresh] = atoms_.emplace(std::move(key), static_cast<Atom>(weights_.size()));
    if (fresh) {
      weights_.push_back(weight(tests));
      users_.emplace_back();
      for (const Test* t : tests) index_for(*t).add(*t, it->second);
    }
    const auto rule_index = static_cast<uint32_t>(out_->rules_.size());
    auto& users = users_[it->second];
    if (users.empty() || users.back() != rule_index) users.push_back(rule_index);
    RuleMatcher::Node n{Kind::kTest};
    n.value = it->second;
    out_->nodes_.push_back(n);
    return static_cast<uint32_t>(out_->nodes_.size() - 1);
  }

  FieldIndex& index_for(const Test& t) {
    if (t.field.empty()) {
      if (!out_->record_) out_->record_ = std::make_unique<FieldIndex>();
      return *out_->record_;
    }
    const events::FieldId id = field(t.field, t.pos);
    if (out_->fields_.size() <= id) out_->fields_.resize(id + 1u);
    if (!out_->fields_[id]) out_->fields_[id] = std::make_unique<FieldIndex>();
    return *out_->fields_[id];
  }

  // How often an atom holds, guessed: what the kind of event says is common, "has the field" even
  // more.
  static uint64_t weight(const std::vector<const Test*>& tests) {
    uint64_t w = 0;
    for (const Test* t : tests) {
      if (t->op == TestOp::kExists)
        w += 1000;
      else if (t->field == "event_type" || t->field == "proto" || t->field == "app_proto" ||
               t->field == "alert.action")
        w += 300;
      else if (t->op == TestOp::kRange && (t->low < -1e300 || t->high > 1e300))
        w += 200;
      else if (t->field == "alert.severity" || t->field == "dest_port")
        w += 100;
      else
        w += 1;
    }
    return w;
  }

  void compile_fields(const std::vector<const sigma::DetectionRule*>& rules) {
    const auto report = [&](const std::vector<FieldIndex::Refused>& refused) {
      for (const auto& r : refused) {
        for (const uint32_t rule : users_[r.atom]) {
          out_->rules_[rule] = leaf(Kind::kFalse);
          error(*rules[rule], r.pos, r.message);
        }
      }
    };
    for (const auto& f : out_->fields_) {
      if (f) report(f->compile());
    }
    if (out_->record_) report(out_->record_->compile());
  }

  struct Trigger {
    std::vector<Atom> atoms;
    uint64_t weight = 0;
  };

  // Atoms of which one must hold when the node holds; nothing when there are no such atoms.
  std::optional<Trigger> trigger(uint32_t index) const {
    const RuleMatcher::Node& n = out_->nodes_[index];
    const std::span children(out_->children_.data() + n.children, n.count);
    switch (n.kind) {
      case Kind::kTest:
        if (n.direct) return std::nullopt;
        return Trigger{{n.value}, weights_[n.value] + users_[n.value].size()};
      case Kind::kFalse:
        return Trigger{};
      case Kind::kAnd: {
        std::optional<Trigger> best;
        for (const uint32_t c : children) {
          auto t = trigger(c);
          if (t && (!best || t->weight < best->weight)) best = std::move(t);
        }
        return best;
      }
      case Kind::kOr: {
        Trigger all;
        for (const uint32_t c : children) {
          auto t = trigger(c);
          if (!t) return std::nullopt;
          all.weight += t->weight;
          all.atoms.insert(all.atoms.end(), t->atoms.begin(), t->atoms.end());
        }
        return all;
      }
      default:
        return std::nullopt;
    }
  }

  void pick_triggers() {
    out_->triggers_.resize(weights_.size());
    for (uint32_t rule = 0; rule < out_->rules_.size(); ++rule) {
      const auto t = trigger(out_->rules_[rule]);
      if (!t) {
        out_->always_.push_back(rule);
        continue;
      }
      for (const Atom atom : t->atoms) {
        auto& list = out_->triggers_[atom];
        if (list.empty() || list.back() != rule) list.push_back(rule);
      }
    }
  }

  void error(const sigma::DetectionRule& rule, sigma::SourcePos pos, std::string message) {
    diagnostics_.push_back({rules::Severity::kError, rule.head.file, pos, 0, std::move(message)});
    failed_ = true;
  }

  std::unique_ptr<RuleMatcher> out_;
  events::FieldPlan& plan_;
  std::vector<rules::Diagnostic>& diagnostics_;
  const sigma::DetectionRule* rule_ = nullptr;
  bool failed_ = false;
  std::vector<std::optional<uint32_t>> done_;
  StringMap<Atom> atoms_;
  std::vector<uint64_t> weights_;             // by atom
  std::vector<std::vector<uint32_t>> users_;  // rules of each atom
};

std::shared_ptr<const RuleMatcher> RuleMatcher::compile(
    std::span<const sigma::DetectionRule> rules, events::FieldPlan& plan,
    std::vector<rules::Diagnostic>& diagnostics,
    std::shared_ptr<const indicators::Source> indicators) {
  return RuleCompiler(plan, std::move(indicators), diagnostics).compile(rules);
}

}  // namespace vong::match
