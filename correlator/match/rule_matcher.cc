#include "correlator/match/rule_matcher.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "base/strings.h"

namespace vong::match {

std::span<const uint32_t> Session::match(const events::EveDecoder& event) {
  if (++epoch_ == 0) {  // 2^32 events later: forget, once
    std::fill(atom_epoch_.begin(), atom_epoch_.end(), 0u);
    std::fill(rule_epoch_.begin(), rule_epoch_.end(), 0u);
    epoch_ = 1;
  }
  candidates_.clear();
  matched_.clear();
  if (rules_->indicators_) {
    if (rules_->indicators_->generation() != lists_generation_) take_lists();
    scratch_.now_ns = to_ns(event.time());
    scratch_.host = event.text(rules_->host_);
  }
  const auto on_atom = [this](Atom atom) { hold(atom); };
  for (const events::FieldValue& value : event.values()) {
    if (value.field < rules_->fields_.size() && rules_->fields_[value.field]) {
      rules_->fields_[value.field]->ask(value, scratch_, on_atom);
    }
  }
  if (rules_->record_) rules_->record_->ask_text(event.record(), scratch_, on_atom);
  for (const uint32_t rule : candidates_) {
    if (evaluate(rules_->rules_[rule], event)) matched_.push_back(rule);
  }
  for (const uint32_t rule : rules_->always_) {
    if (evaluate(rules_->rules_[rule], event)) matched_.push_back(rule);
  }
  if (matched_.size() > 1) std::sort(matched_.begin(), matched_.end());
  return matched_;
}

Session::Session(std::shared_ptr<const RuleMatcher> rules)
    : rules_(std::move(rules)),
      atom_epoch_(rules_->triggers_.size()),
      rule_epoch_(rules_->rules_.size()) {
  for (const auto& field : rules_->fields_) {
    if (field && !field->prepare(scratch_)) throw std::bad_alloc();
  }
  if (rules_->record_ && !rules_->record_->prepare(scratch_)) throw std::bad_alloc();
}

void Session::take_lists() {
  lists_generation_ = rules_->indicators_->generation();
  lists_ = rules_->indicators_->current();
  scratch_.lists = lists_.get();
}

void Session::hold(Atom atom) {
  if (atom_epoch_[atom] == epoch_) return;
  atom_epoch_[atom] = epoch_;
  for (const uint32_t rule : rules_->triggers_[atom]) {
    if (rule_epoch_[rule] == epoch_) continue;
    rule_epoch_[rule] = epoch_;
    candidates_.push_back(rule);
  }
}

// Depth is bounded by the nesting cap of conditions.
bool Session::evaluate(uint32_t index, const events::EveDecoder& event) const {
  const RuleMatcher::Node& node = rules_->nodes_[index];
  const std::span children(rules_->children_.data() + node.children, node.count);
  switch (node.kind) {
    case sigma::Expression::Kind::kTest:
      return node.direct ? evaluate_direct(rules_->direct_tests_[node.value], event)
                         : atom_epoch_[node.value] == epoch_;
    case sigma::Expression::Kind::kAnd:
      return std::all_of(children.begin(), children.end(),
                         [&](uint32_t c) { return evaluate(c, event); });
    case sigma::Expression::Kind::kOr:
      return std::any_of(children.begin(), children.end(),
                         [&](uint32_t c) { return evaluate(c, event); });
    case sigma::Expression::Kind::kNot:
      return !evaluate(children[0], event);
    case sigma::Expression::Kind::kTrue:
      return true;
    case sigma::Expression::Kind::kFalse:
      return false;
  }
  return false;
}

bool Session::evaluate_direct(const RuleMatcher::DirectTest& test,
                              const events::EveDecoder& event) const {
  if (test.time_part) return time_part_holds(test, event);
  const events::FieldValue *a = event.first(test.field), *b = event.first(test.other);
  if (a == nullptr || b == nullptr || a->type == events::ValueType::kNull ||
      b->type == events::ValueType::kNull)
    return false;
  std::string x(a->text), y(b->text);
  if (!test.cased) {
    x = to_lower(x);
    y = to_lower(y);
  }
  switch (test.ref) {
    case sigma::RefCompare::kEquals:
      return x == y;
    case sigma::RefCompare::kContains:
      return x.find(y) != x.npos;
    case sigma::RefCompare::kStartsWith:
      return x.starts_with(y);
    case sigma::RefCompare::kEndsWith:
      return x.ends_with(y);
  }
  return false;
}

// The part as it is written, in the writer's own time zone: "at night" means the night of the
// people concerned. A number (Zeek) is seconds since the epoch, UTC.
bool Session::time_part_holds(const RuleMatcher::DirectTest& test,
                              const events::EveDecoder& event) {
  using namespace std::chrono;
  for (const events::FieldValue& v : event.values()) {
    if (v.field != test.field) continue;
    local_seconds at{};
    if (v.type == events::ValueType::kNumber) {
      const auto s = events::number_of(v);
      if (!s || *s < 0 || *s > 4e9) continue;
      at = local_seconds(seconds(static_cast<int64_t>(*s)));
    } else {
      // Read as if it were UTC: only what stands there counts.
      const auto written = v.text.size() < 19
                               ? std::nullopt
                               : parse_eve_time(std::string(v.text.substr(0, 19)) + "Z");
      if (!written) continue;
      at = local_seconds(floor<seconds>(written->time_since_epoch()));
    }
    const auto day = floor<days>(at);
    const year_month_day date(day);
    const auto time = at - day;
    double part = 0;
    switch (test.part) {
      case sigma::TimePart::kMinute:
        part = static_cast<double>(floor<minutes>(time).count() % 60);
        break;
      case sigma::TimePart::kHour:
        part = static_cast<double>(floor<hours>(time).count());
        break;
      case sigma::TimePart::kDay:
        part = static_cast<unsigned>(date.day());
        break;
      case sigma::TimePart::kWeek: {  // ISO 8601: the week of its Thursday
        const auto thursday = day - (weekday(day) - Monday) + days(3);
        const auto first = local_days(year_month_day(thursday).year() / January / 1);
        part = static_cast<double>((thursday - first).count() / 7 + 1);
        break;
      }
      case sigma::TimePart::kMonth:
        part = static_cast<unsigned>(date.month());
        break;
      case sigma::TimePart::kYear:
        part = static_cast<int>(date.year());
        break;
    }
    if (part >= test.low && part <= test.high) return true;
  }
  return false;
}

}  // namespace vong::match
