#include "events/incident.h"

#include <gtest/gtest.h>

#include <fstream>

namespace vong::events {
namespace {

Incident example() {
  Incident i;
  i.id = "0123456789abcdef0123456789abcdef";
  i.kind = IncidentKind::kCampaign;
  i.status = IncidentStatus::kUpdated;
  i.severity = Severity::kHigh;
  i.national = true;
  i.anonymised = true;
  i.rule = {"r", "Tiêu đề \"x\"", "value_count", "high", {"attack.t1110"}, {1, 2}, {5, 6}};
  i.techniques = {"T1110"};
  i.tactics = {"credential-access"};
  i.key = {{"src_ip", "192.0.2.1"}, {"http.url", "/\x01\xff"}};
  i.first_seen = i.opened = timestamp_from_ns(1795161600'000000000);
  i.last_seen = i.updated = timestamp_from_ns(1795161661'000001000);
  i.match_count = 2;
  i.event_count = 20;
  i.version = 3;
  i.rank = 71;
  i.reopened_count = 1;
  i.verdict = "true_positive";
  i.timeline = {{i.first_seen, "opened", ""}, {i.last_seen, "severity", "high"}};
  i.victims = {{"agency-0123", "ministry", 3, {"host-01"}}};
  i.systems = {{"s", "Hệ thống", 4}};
  i.sensors = {"a", "b"};
  i.related = {"fedcba9876543210fedcba9876543210"};
  i.evidence = {
      {"0123456789abcdef", i.first_seen, "a", "G01", "alert", 7, 2001, "192.0.2.1", "10.0.0.1"},
      {"0123456789abcde0", i.last_seen, "b", "G01", "sensor", 0, 0, "", "", 1204}};
  i.evidence_dropped = 18;
  i.recipients = {"national"};
  return i;
}

TEST(Incident, ReadsBackWhatItWrote) {
  std::string first, second;
  write_incident(example(), first);
  const auto back = read_incident(first);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->severity, Severity::kHigh);
  ASSERT_EQ(back->evidence.size(), 2u);
  EXPECT_EQ(back->evidence[0].latency_us, -1);
  EXPECT_EQ(back->evidence[1].latency_us, 1204);
  EXPECT_EQ(back->rule.nation_verdicts.false_positives, 6u);
  EXPECT_EQ(back->timeline.at(1).value, "high");
  EXPECT_EQ(back->verdict, "true_positive");
  write_incident(*back, second);
  EXPECT_EQ(first, second);  // the fields of the key in their order, too
}

TEST(Incident, ReaderNamesTheWrongField) {
  std::string json;
  write_incident(example(), json);
  const size_t at = json.find("\"updated\",\"severity\"");
  ASSERT_NE(at, json.npos);
  json.replace(at + 1, 7, "dubious");
  const auto back = read_incident(json);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().message, "incident: status has an unknown value");
  EXPECT_FALSE(read_incident("{}"));
  EXPECT_FALSE(read_incident("[]"));
  EXPECT_FALSE(read_incident("{"));
}

// What other people's readers are built on: read, written again, the same bytes.
TEST(Incident, GoldenRecordsKeepTheirBytes) {
  for (const char* name : {"incident-sequence", "incident-campaign", "incident-anonymised"}) {
    std::ifstream in(std::string(VONG_SOURCE_DIR "/events/golden/") + name + ".json");
    std::string golden, again;
    ASSERT_TRUE(std::getline(in, golden)) << name;
    const auto incident = read_incident(golden);
    ASSERT_TRUE(incident) << name << ": " << incident.error().message;
    write_incident(*incident, again);
    EXPECT_EQ(again, golden) << name;
  }
}

}  // namespace
}  // namespace vong::events
