#include "correlator/verdicts/verdict.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "correlator/verdicts/limits.h"

namespace vong::verdicts {

Result<Verdict> read_verdict(std::string_view json) {
  if (json.size() > kRecordBytesMax) return fail("verdict: record too long");
  const auto root = nlohmann::json::parse(json, nullptr, false);
  if (!root.is_object()) return fail("verdict: not a JSON object");
  const auto text = [&](const char* key) {
    const auto it = root.find(key);
    return it != root.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  Verdict v;
  v.incident_id = text("incident_id");
  const bool is_id = v.incident_id.size() == 32 &&
                     std::all_of(v.incident_id.begin(), v.incident_id.end(),
                                 [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
  if (!is_id) return fail("verdict: incident_id is missing or not one");
  const std::string word = text("verdict");
  if (word != "true_positive" && word != "false_positive")
    return fail("verdict: must be true_positive or false_positive");
  v.true_positive = word == "true_positive";
  const auto time = parse_eve_time(text("timestamp"));
  if (!time) return fail("verdict: timestamp is missing or not a time");
  v.time = *time;
  v.agency = text("agency");
  return v;
}

}  // namespace vong::verdicts
