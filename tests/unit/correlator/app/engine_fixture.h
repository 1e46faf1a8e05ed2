// What tests of the engine and of those around it need: rules and agencies from text, records in,
// the last state of each incident out.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "base/timestamp.h"
#include "correlator/app/engine.h"
#include "events/limits.h"
#include "rules/sigma/loader.h"

namespace vong::correlator {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kStart = 1'795'140'000 * kSecond;

inline sigma::RuleSet rules_of(std::string_view yaml) {
  sigma::Loader loader;
  loader.add_text("r.yml", yaml);
  sigma::RuleSet rules = loader.finish();
  EXPECT_TRUE(loader.diagnostics().empty()) << loader.diagnostics().at(0).format();
  return rules;
}

inline enrich::Registry registry_of(std::string_view yaml) {
  rules::Diagnostics found("agencies.yaml");
  enrich::Registry registry = enrich::Registry::parse(yaml, found);
  EXPECT_TRUE(found.items().empty());
  return registry;
}

inline std::string eve_time(int64_t ns) {
  char time[kEveTimeSize];
  format_eve_time(timestamp_from_ns(ns), time);
  return {time, sizeof time};
}

// An alert; what tells events of a case apart.
inline std::string alert_json(int64_t ns, uint64_t flow_id, std::string_view src_ip,
                              std::string_view dest_ip, uint32_t signature_id) {
  return R"({"timestamp":")" + eve_time(ns) + R"(","flow_id":)" + std::to_string(flow_id) +
         R"(,"event_type":"alert","src_ip":")" + std::string(src_ip) + R"(","dest_ip":")" +
         std::string(dest_ip) + R"(","alert":{"signature_id":)" + std::to_string(signature_id) +
         "}}";
}

inline ReadResult read_json(Engine& engine, const std::string& json, const RecordSource& source) {
  const std::string padded = json + std::string(events::kRecordPaddingBytes, ' ');
  return engine.read(std::string_view(padded).substr(0, json.size()), source);
}

inline void load(Engine& engine, const sigma::RuleSet& rules) {
  std::vector<rules::Diagnostic> diagnostics;
  engine.load(rules, diagnostics);
  EXPECT_TRUE(diagnostics.empty()) << diagnostics.at(0).format();
}

using Told = std::map<std::string, std::string>;  // id -> the last state of the incident

inline void tell(Told& told, const events::Incident& i) {
  if (i.status == events::IncidentStatus::kRetracted) {
    told.erase(i.id);
    return;
  }
  std::string json;
  events::write_incident(i, json);
  told[i.id] = json;
}

// The incidents that are not the same, both ways.
inline std::string differences(const Told& got, const Told& wanted) {
  std::string out;
  for (const auto& [id, json] : wanted) {
    const auto it = got.find(id);
    if (it == got.end())
      out += "missing " + json + "\n";
    else if (it->second != json)
      out += "got    " + it->second + "\nwanted " + json + "\n";
  }
  for (const auto& [id, json] : got) {
    if (!wanted.contains(id)) out += "unexpected " + json + "\n";
  }
  return out;
}

}  // namespace vong::correlator
