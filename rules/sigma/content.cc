#include "rules/sigma/content.h"

#include <cstring>
#include <type_traits>

namespace vong::sigma {
namespace {

// FNV-1a over values with their sizes: no two contents give the same bytes.
class Print {
 public:
  void add(std::string_view text) {
    add(text.size());
    bytes(text.data(), text.size());
  }
  template <typename T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void add(T value) {
    bytes(&value, sizeof value);
  }
  void add(const std::vector<std::string>& texts) {
    add(texts.size());
    for (const std::string& t : texts) add(std::string_view(t));
  }
  void add(const RuleHead& h);
  void add(const Expression& e);
  void add(const Test& t);
  [[nodiscard]] uint64_t value() const { return hash_; }

 private:
  void bytes(const void* from, size_t size) {
    for (size_t i = 0; i < size; ++i)
      hash_ = (hash_ ^ static_cast<const uint8_t*>(from)[i]) * 0x100000001b3ull;
  }
  uint64_t hash_ = 0xcbf29ce484222325ull;
};

void Print::add(const RuleHead& h) {
  add(std::string_view(h.key()));
  add(std::string_view(h.title));
  add(h.level);
  add(h.tags);
  const Extension& x = h.extension;
  add(x.scope);
  add(x.after_match);
  for (const Duration d : {x.silent_for, x.close_after, x.reopen_within}) add(d.count());
  add(x.learn.has_value());
  add(x.learn.value_or(Duration(0)).count());
  add(x.group_by);
  if (x.risk) add(*x.risk);
}

void Print::add(const Test& t) {
  add(t.op);
  add(std::string_view(t.field));
  add(t.cased);
  add(t.pattern.units().size());
  for (const uint16_t unit : t.pattern.units()) add(unit);
  add(std::string_view(t.regex));
  for (const bool flag : {t.ignore_case, t.multiline, t.dot_all, t.expected}) add(flag);
  const Bytes address = t.prefix.address.bytes();
  add(std::string_view(reinterpret_cast<const char*>(address.data()), address.size()));
  add(t.prefix.length);
  add(t.low);
  add(t.high);
  add(t.part);
  add(t.list);
  add(std::string_view(t.other_field));
  add(t.ref);
}

void Print::add(const Expression& e) {
  add(e.root);
  add(e.nodes.size());
  for (const Expression::Node& n : e.nodes) {
    add(n.kind);
    add(n.test);
    add(n.children.size());
    for (const uint32_t child : n.children) add(child);
  }
  add(e.tests.size());
  for (const Test& t : e.tests) add(t);
}

}  // namespace

uint64_t content_print(const DetectionRule& rule) {
  Print p;
  p.add(rule.head);
  p.add(std::string_view(rule.category));
  p.add(std::string_view(rule.product));
  p.add(std::string_view(rule.service));
  p.add(rule.expression);
  return p.value();
}

uint64_t content_print(const CorrelationRule& rule, std::span<const uint64_t> targets) {
  Print p;
  p.add(rule.head);
  p.add(rule.type);
  p.add(rule.rules.size());
  for (const auto& [name, pos] : rule.rules) p.add(std::string_view(name));
  p.add(targets.size());
  for (const uint64_t target : targets) p.add(target);
  p.add(rule.group_by);
  p.add(rule.aliases.size());
  for (const Alias& a : rule.aliases) {
    p.add(std::string_view(a.name));
    p.add(a.fields.size());
    for (const auto& [reference, field] : a.fields) {
      p.add(std::string_view(reference));
      p.add(std::string_view(field));
    }
  }
  p.add(rule.timespan.count());
  p.add(rule.generate);
  p.add(rule.conditions.size());
  for (const auto& [compare, value] : rule.conditions) {
    p.add(compare);
    p.add(value);
  }
  p.add(rule.condition_fields);
  p.add(rule.percentile);
  p.add(rule.rule_condition.has_value());
  if (rule.rule_condition) p.add(*rule.rule_condition);
  return p.value();
}

}  // namespace vong::sigma
