// A Sigma rule as the engine sees it: names resolved to EVE field paths, modifiers applied, the condition one expression over
// tests. Sigma specification 2.1: detection rules, correlation rules. Values, no behaviour; immutable after loading.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_prefix_map.h"
#include "base/timestamp.h"
#include "rules/network/diagnostic.h"

namespace vong::sigma {

using rules::Diagnostics;
using rules::SourcePos;

// Text with wildcards: values 0..255 are bytes, the two above stand for Sigma's * and ?.
class Pattern {
 public:
  static constexpr uint16_t kAny = 256;  // *
  static constexpr uint16_t kOne = 257;  // ?

  Pattern() = default;
  // Sigma's escapes: \* \? \\ are the characters, any other backslash is itself.
  [[nodiscard]] static Pattern parse(std::string_view text);
  [[nodiscard]] static Pattern literal(std::string_view text);

  void prepend_any();
  void append_any();
  [[nodiscard]] bool is_literal() const;
  [[nodiscard]] bool matches_everything() const { return units_.size() == 1 && units_[0] == kAny; }
  [[nodiscard]] std::string text() const;  // the bytes; wildcards as * and ?
  [[nodiscard]] std::string regex() const;  // anchored, every byte that is not a letter or digit escaped
  [[nodiscard]] const std::vector<uint16_t>& units() const { return units_; }
  [[nodiscard]] bool operator==(const Pattern&) const = default;

 private:
  std::vector<uint16_t> units_;
};

enum class TestOp : uint8_t {
  kEquals,    // pattern is literal
  kLike,      // pattern has wildcards
  kRegex,     // regex, searched
  kCidr,      // prefix
  kRange,     // low <= number <= high
  kExists,    // present == expected
  kNull,      // absent or null
  kFieldRef,  // compared with other_field by ref
  kTimePart,  // low <= part of the time as it is written <= high
  kList,      // the list of indicators number `list` holds the value
};

enum class TimePart : uint8_t { kMinute, kHour, kDay, kWeek, kMonth, kYear };
enum class RefCompare : uint8_t { kEquals, kContains, kStartsWith, kEndsWith };

struct Test {
  TestOp op = TestOp::kEquals;
  std::string field;  // EVE path; empty: the record's whole text
  bool cased = false;
  Pattern pattern;
  std::string regex;
  bool ignore_case = false, multiline = false, dot_all = false;  // of the regex
  IpPrefix prefix;
  double low = 0, high = 0;
  TimePart part = TimePart::kHour;
  uint32_t list = 0;  // index into Placeholders::lists
  bool expected = true;
  std::string other_field;
  RefCompare ref = RefCompare::kEquals;
  SourcePos pos;
};

struct Expression {
  enum class Kind : uint8_t { kAnd, kOr, kNot, kTest, kTrue, kFalse };
  struct Node {
    Kind kind;
    std::vector<uint32_t> children;  // nodes; one for kNot
    uint32_t test = 0;               // of kTest
  };
  std::vector<Node> nodes;  // children stand before their parents
  std::vector<Test> tests;
  uint32_t root = 0;
};

enum class Level : uint8_t { kInformational, kLow, kMedium, kHigh, kCritical };
[[nodiscard]] std::string_view name_of(Level level);

// What Vong adds under the custom attribute "vong:"; see rules/sigma/README.md.
enum class Scope : uint8_t { kAgency, kNational };
enum class AfterMatch : uint8_t { kGrow, kRestart, kSilent };
struct Extension {
  Scope scope = Scope::kAgency;
  AfterMatch after_match = AfterMatch::kGrow;
  Duration silent_for{0};
  Duration close_after{std::chrono::hours(1)};  // an incident without news for so long is closed
  Duration reopen_within{std::chrono::hours(24)};  // a closed one that comes back is reopened
  std::optional<Duration> learn;                // of first_seen and rate: nothing is said before
  std::vector<std::string> group_by;            // of a detection rule's incidents
  std::optional<double> risk;                   // see risk_of()
};

struct RuleHead {
  std::string id, name, title, description, author, status;
  Level level = Level::kMedium;
  std::vector<std::string> tags, references, false_positives;
  std::string file;
  SourcePos pos;
  Extension extension;

  // id, else name, else title: what an incident calls the rule.
  [[nodiscard]] const std::string& key() const { return !id.empty() ? id : !name.empty() ? name : title; }
};

// What a match of the rule adds where a correlation sums up the field kRiskField: what the rule says, else by its level.
inline constexpr std::string_view kRiskField = "risk";
inline constexpr double kRiskMax = 1'000'000;
[[nodiscard]] double risk_of(const RuleHead& head);

struct DetectionRule {
  RuleHead head;
  std::string category, product, service;  // logsource
  Expression expression;
};

enum class CorrelationType : uint8_t {
  kEventCount,
  kValueCount,
  kTemporal,
  kTemporalOrdered,
  kValueSum,
  kValueAvg,
  kValuePercentile,
  kValueMedian,
  kAbsence,    // ours: the first rule, not followed by the others within the timespan
  kFirstSeen,  // ours: a key (or value) that was not there within the timespan
  kRate,       // ours: events of a timespan, against the key's own mean
};
[[nodiscard]] std::string_view name_of(CorrelationType type);

enum class Compare : uint8_t { kLt, kLte, kGt, kGte, kEq, kNeq };

// One way that a group field or a condition field is called in the referred rules.
struct Alias {
  std::string name;
  std::vector<std::pair<std::string, std::string>> fields;  // rule reference -> EVE path
};

struct CorrelationRule {
  RuleHead head;
  CorrelationType type = CorrelationType::kEventCount;
  std::vector<std::pair<std::string, SourcePos>> rules;  // names or ids as written
  std::vector<uint32_t> targets;                         // the same, resolved: indices into RuleSet (see Target)
  std::vector<std::string> group_by;                     // EVE paths or alias names
  std::vector<Alias> aliases;
  Duration timespan{0};
  bool generate = false;
  std::vector<std::pair<Compare, double>> conditions;
  std::vector<std::string> condition_fields;  // EVE paths or aliases of value_*; several only for value_count
  double percentile = 50;
  std::optional<Expression> rule_condition;  // extended temporal: over `rules`, test.field is the index as text
};

// A target below detections.size() is that detection rule, above it the correlation rule target - detections.size().
struct RuleSet {
  std::vector<DetectionRule> detections;
  std::vector<CorrelationRule> correlations;  // a correlation stands behind every correlation that it refers to
  std::string text;                           // all files as one, to be loaded again; see Loader::keep_text()
};

}  // namespace vong::sigma
