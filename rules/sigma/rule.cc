#include "rules/sigma/rule.h"

#include <algorithm>

namespace vong::sigma {

Pattern Pattern::parse(std::string_view text) {
  Pattern p;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size() && (text[i + 1] == '*' || text[i + 1] == '?' || text[i + 1] == '\\')) {
      p.units_.push_back(static_cast<uint8_t>(text[++i]));
    } else if (c == '*') {
      p.append_any();
    } else if (c == '?') {
      p.units_.push_back(kOne);
    } else {
      p.units_.push_back(static_cast<uint8_t>(c));
    }
  }
  return p;
}

Pattern Pattern::literal(std::string_view text) {
  Pattern p;
  for (const char c : text) p.units_.push_back(static_cast<uint8_t>(c));
  return p;
}

void Pattern::prepend_any() {
  if (units_.empty() || units_.front() != kAny) units_.insert(units_.begin(), kAny);
}

void Pattern::append_any() {
  if (units_.empty() || units_.back() != kAny) units_.push_back(kAny);
}

bool Pattern::is_literal() const {
  return std::none_of(units_.begin(), units_.end(), [](uint16_t u) { return u >= kAny; });
}

std::string Pattern::text() const {
  std::string out;
  for (const uint16_t u : units_) out.push_back(u == kAny ? '*' : u == kOne ? '?' : static_cast<char>(u));
  return out;
}

std::string Pattern::regex() const {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  const bool open_start = !units_.empty() && units_.front() == kAny;
  const bool open_end = !units_.empty() && units_.back() == kAny;
  if (!open_start) out += "\\A";
  for (size_t i = open_start ? 1 : 0; i + (open_end ? 1 : 0) < units_.size(); ++i) {
    const uint16_t u = units_[i];
    if (u == kAny) {
      out += ".*";
    } else if (u == kOne) {
      out += '.';
    } else if ((u >= '0' && u <= '9') || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z')) {
      out += static_cast<char>(u);
    } else {
      out += "\\x";
      out += kHex[u >> 4];
      out += kHex[u & 15];
    }
  }
  if (!open_end) out += "\\z";
  return out;
}

std::string_view name_of(Level level) {
  static constexpr std::string_view kNames[] = {"informational", "low", "medium", "high", "critical"};
  return kNames[static_cast<size_t>(level)];
}

std::string_view name_of(CorrelationType type) {
  static constexpr std::string_view kNames[] = {"event_count", "value_count", "temporal",         "temporal_ordered",
                                                "value_sum",   "value_avg",   "value_percentile", "value_median",
                                                "absence",     "first_seen",  "rate"};
  return kNames[static_cast<size_t>(type)];
}

double risk_of(const RuleHead& head) {
  static constexpr double kByLevel[] = {0, 10, 30, 60, 100};
  return head.extension.risk.value_or(kByLevel[static_cast<size_t>(head.level)]);
}

}  // namespace vong::sigma
