#include "rules/network/rule_parser.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "rules/network/limits.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"

namespace vong::rules {
namespace {

struct ActionName {
  std::string_view name;
  Action action;
};
constexpr std::array<ActionName, 9> kActions = {{{"alert", Action::kAlert},
                                                 {"pass", Action::kPass},
                                                 {"drop", Action::kDrop},
                                                 {"reject", Action::kReject},
                                                 {"rejectsrc", Action::kRejectSrc},
                                                 {"rejectdst", Action::kRejectDst},
                                                 {"rejectboth", Action::kRejectBoth},
                                                 {"config", Action::kConfig},
                                                 {"accept", Action::kAccept}}};
constexpr std::array<std::string_view, 9> kActionNames = {
    "alert", "pass", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth", "config", "accept"};
constexpr std::array<std::string_view, 4> kScopeNames = {"packet", "flow", "tx", "hook"};

class RuleParser {
 public:
  RuleParser(Rule& rule, Diagnostics& diagnostics)
      : rule_(rule), diagnostics_(diagnostics), rest_(rule.text) {}

  bool parse() {
    const bool header_ok = parse_header();
    if (header_ok) parse_options();
    // Told last, so that they carry the sid even when it stands at the rule's end.
    for (Problem& problem : problems_) {
      diagnostics_.add(problem.severity, problem.pos, std::move(problem.message), rule_.sid);
    }
    return !failed_;
  }

 private:
  struct Problem {
    Severity severity;
    SourcePos pos;
    std::string message;
  };

  void error(const char* at, std::string message) {
    failed_ = true;
    problems_.push_back({Severity::kError, rule_.pos_of(at), std::move(message)});
  }
  void warning(const char* at, std::string message) {
    problems_.push_back({Severity::kWarning, rule_.pos_of(at), std::move(message)});
  }

  bool parse_header() {
    if (const void* nul = std::memchr(rule_.text.data(), 0, rule_.text.size())) {
      error(static_cast<const char*>(nul), "NUL byte in a rule: this is not a text file");
      return false;
    }
    if (!parse_action()) return false;
    const std::string_view protocol = word();
    if (!require(protocol, "protocol")) return false;
    const size_t colon = protocol.find(':');
    rule_.protocol = protocol.substr(0, colon);
    if (colon != std::string_view::npos) {
      rule_.hook = protocol.substr(colon + 1);
      if (rule_.hook.empty()) error(protocol.data() + colon, "hook name expected after ':'");
    }
    return require(rule_.src = list(), "source address") &&
           require(rule_.src_port = list(), "source port") && parse_direction() &&
           require(rule_.dst = list(), "destination address") &&
           require(rule_.dst_port = list(), "destination port");
  }

  bool parse_action() {
    const std::string_view whole = word();
    const size_t colon = whole.find(':');
    const std::string_view name = whole.substr(0, colon);
    bool found = false;
    for (const ActionName& known : kActions) {
      if (!equal_nocase(known.name, name)) continue;
      rule_.action = known.action;
      found = true;
    }
    if (!found) {
      error(whole.data(),
            fmt::format("unknown action {}{}", shown(name), suggestion(name, kActionNames)));
      return false;
    }
    if (colon == std::string_view::npos) return true;
    const std::string_view scope = whole.substr(colon + 1);
    for (size_t i = 0; i < kScopeNames.size(); ++i) {
      if (equal_nocase(kScopeNames[i], scope)) rule_.scope = static_cast<ActionScope>(i + 1);
    }
    if (rule_.scope == ActionScope::kDefault) {
      error(scope.data(), fmt::format("unknown action scope {}: packet, flow, tx or hook expected",
                                      shown(scope)));
    }
    return true;
  }

  bool parse_direction() {
    const std::string_view text = word();
    if (!require(text, "direction ->, <> or =>")) return false;
    if (text == "->") {
      rule_.direction = Direction::kToDestination;
    } else if (text == "<>") {
      rule_.direction = Direction::kBoth;
    } else if (text == "=>") {
      rule_.direction = Direction::kTransaction;
    } else {
      error(text.data(), fmt::format("direction ->, <> or => expected, not {}{}", shown(text),
                                     text == "<-" ? "; swap source and destination" : ""));
      return false;
    }
    return true;
  }

  bool require(std::string_view part, const char* what) {
    if (!part.empty()) return true;
    if (failed_) return false;  // told already
    error(rest_.data(), fmt::format("{} expected{}", what,
                                    rest_.empty() ? " before the end of the rule" : " before '('"));
    return false;
  }

  // The next run of characters without a space; empty at the options or the end.
  std::string_view word() {
    rest_ = trim_left(rest_);
    size_t n = 0;
    while (n < rest_.size() && !is_space(rest_[n]) && rest_[n] != '(') ++n;
    return take(n);
  }

  // The same, but spaces inside brackets belong to it.
  std::string_view list() {
    rest_ = trim_left(rest_);
    size_t n = 0;
    int depth = 0;
    for (; n < rest_.size() && rest_[n] != '('; ++n) {
      if (rest_[n] == '[') ++depth;
      if (rest_[n] == ']') --depth;
      if (depth <= 0 && is_space(rest_[n])) break;
    }
    if (depth > 0) {
      error(rest_.data(), "'[' without ']'");
      return {};
    }
    return trim_right(take(n));
  }

  std::string_view take(size_t n) {
    const std::string_view result = rest_.substr(0, n);
    rest_ = rest_.substr(n);
    return result;
  }

  void parse_options() {
    rest_ = trim_left(rest_);
    if (rest_.empty())
      return error(rest_.data(), "rule options expected: '(msg:\"...\"; sid:...;)'");
    if (rest_.front() == '(') {
      rest_ = rest_.substr(1);
    } else {
      warning(rest_.data(), "'(' expected before the rule's options");
    }
    rest_ = trim_right(rest_);
    if (!rest_.empty() && rest_.back() == ')') {
      rest_ = rest_.substr(0, rest_.size() - 1);
    } else {
      warning(rest_.data() + rest_.size(), "')' expected at the end of the rule");
    }
    rule_.options.reserve(16);
    for (rest_ = trim(rest_); !rest_.empty(); rest_ = trim_left(rest_)) {
      if (!parse_option()) break;
    }
    if (!sid_seen_ && !failed_) error(rule_.text.data(), "rule has no sid");
  }

  bool parse_option() {
    size_t end = rest_.find(';');
    while (end != std::string_view::npos && end > 0 && rest_[end - 1] == '\\') {
      end = rest_.find(';', end + 1);
    }
    if (end == std::string_view::npos) {
      error(rest_.data() + rest_.size(), fmt::format("';' expected after option {}", shown(rest_)));
      return false;
    }
    const std::string_view whole = trim_right(take(end));
    rest_ = rest_.substr(1);
    if (whole.empty()) {
      error(rest_.data() - 1, "option expected before ';'");
      return true;
    }
    if (rule_.options.size() >= kMaxOptionsPerRule) {
      error(whole.data(), fmt::format("more than {} options in a rule", kMaxOptionsPerRule));
      return false;
    }
    add_option(whole);
    return true;
  }

  void add_option(std::string_view whole) {
    const size_t colon = whole.find(':');
    Option option;
    option.name = trim_right(whole.substr(0, colon));
    if (colon != std::string_view::npos) {
      option.has_value = true;
      option.value = trim_left(whole.substr(colon + 1));
    }
    if (option.name.empty()) return error(whole.data(), "option name expected before ':'");
    check_quotes(option);
    if (option.name == "sid") {
      id_option(option, rule_.sid, sid_seen_);
      if (sid_seen_ && rule_.sid == 0 && !failed_) error(option.value.data(), "sid 0 is reserved");
    } else if (option.name == "gid") {
      id_option(option, rule_.gid, gid_seen_);
    } else if (option.name == "rev") {
      id_option(option, rule_.rev, rev_seen_);
    }
    rule_.options.push_back(option);
  }

  // A value that opens a quote and does not close it: nearly always a ';' inside quotes.
  void check_quotes(const Option& option) {
    std::string_view value = option.value;
    if (!value.empty() && value.front() == '!') value = trim_left(value.substr(1));
    if (value.empty() || value.front() != '"') return;
    if (value.size() >= 2 && value.back() == '"') return;
    if (value.find('"', 1) != std::string_view::npos) return;  // the keyword knows better
    error(value.data(), fmt::format("quote of '{}' is not closed before ';' (inside quotes write "
                                    "'\\;' or '|3b|')",
                                    option.name));
  }

  void id_option(const Option& option, uint32_t& id, bool& seen) {
    const char* at = option.has_value ? option.value.data() : option.name.data();
    if (seen) return error(option.name.data(), fmt::format("'{}' is given twice", option.name));
    seen = true;
    const std::string_view text = option.value;
    uint32_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code == std::errc::result_out_of_range) {
      return error(at, fmt::format("{} {} is too large, the largest is 4294967295", option.name,
                                   shown(text)));
    }
    if (code != std::errc() || end != text.data() + text.size()) {
      return error(at,
                   fmt::format("number expected after '{}:', not {}", option.name, shown(text)));
    }
    id = value;
  }

  Rule& rule_;
  Diagnostics& diagnostics_;
  std::string_view rest_;
  std::vector<Problem> problems_;
  bool failed_ = false;
  bool sid_seen_ = false;
  bool gid_seen_ = false;
  bool rev_seen_ = false;
};

}  // namespace

bool parse_rule(Rule& rule, Diagnostics& diagnostics) {
  return RuleParser(rule, diagnostics).parse();
}

}  // namespace vong::rules
