#include "correlator/enrich/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/timestamp.h"

namespace vong::enrich {
namespace {

std::vector<std::string> problems_of(std::string_view text) {
  rules::Diagnostics d("a.yaml");
  (void)Registry::parse(text, d);
  std::vector<std::string> out;
  for (const auto& item : d.items()) out.push_back(item.format());
  return out;
}

TEST(Registry, FindsByIdAliasSensorAndLongestNetwork) {
  rules::Diagnostics d("a.yaml");
  const Registry r = Registry::parse(
      "agencies:\n"
      "  - {id: G01, aliases: [OLD.NAME], sensors: [s1], networks: [10.0.0.0/8]}\n"
      "  - {id: H02.1, special: true, networks: [10.2.0.0/16, '2001:db8:2::/48']}\n"
      "systems:\n  - {id: portal, level: 4, owner: OLD.NAME, networks: [10.1.1.0/24]}\n",
      d);
  EXPECT_TRUE(d.empty());
  EXPECT_EQ(r.find("G01"), 0);
  EXPECT_EQ(r.find("OLD.NAME"), 0);
  EXPECT_EQ(r.find("g01"), kNoAgency);
  EXPECT_EQ(r.by_sensor("s1"), 0);
  EXPECT_EQ(r.by_address(*IpAddress::parse("10.2.3.4")), 1);
  EXPECT_EQ(r.by_address(*IpAddress::parse("10.3.3.4")), 0);
  EXPECT_EQ(r.by_address(*IpAddress::parse("192.0.2.1")), kNoAgency);
  EXPECT_EQ(r.agencies()[1].sharing, Sharing::kNothing);  // special, and it says nothing else
  ASSERT_NE(r.system_at(*IpAddress::parse("10.1.1.9")), nullptr);
  EXPECT_EQ(r.system_at(*IpAddress::parse("10.1.1.9"))->owner, 0);
}

TEST(Registry, MistakesHavePlaceAndReason) {
  EXPECT_THAT(problems_of("agencies:\n  - {id: g01}\n").at(0),
              ::testing::HasSubstr("a.yaml:2:10: error: an agency's id"));
  EXPECT_THAT(problems_of("agencies:\n  - {id: G01, sharing: ful}\n").at(0),
              ::testing::HasSubstr("did you mean 'full'?"));
  EXPECT_THAT(problems_of("agencies:\n  - {id: G01}\n  - {id: G01}\n").at(0),
              ::testing::HasSubstr("two agencies claim"));
  EXPECT_THAT(problems_of("agencies:\n  - {id: G01, networks: [10.0.0.0/8]}\n  - {id: G02, "
                          "networks: [10.0.0.0/8]}\n")
                  .at(0),
              ::testing::HasSubstr("belongs to an agency already"));
  EXPECT_THAT(problems_of("agencies:\n  - {id: G01, networks: [10.0.0/8]}\n").at(0),
              ::testing::HasSubstr("not a network"));
  EXPECT_THAT(problems_of("").at(0), ::testing::HasSubstr("empty"));
  EXPECT_THAT(problems_of("- x").at(0), ::testing::HasSubstr("is a map"));
}

TEST(Registry, ShippedSampleHas38AgenciesAndSevenSystems) {
  std::ifstream in(VONG_SOURCE_DIR "/deploy/agencies.yaml");
  std::stringstream text;
  text << in.rdbuf();
  rules::Diagnostics d("agencies.yaml");
  const Registry r = Registry::parse(text.str(), d);
  EXPECT_TRUE(d.empty()) << d.items().at(0).format();
  EXPECT_EQ(r.agencies().size(), 38u);
  EXPECT_EQ(r.systems().size(), 7u);
  EXPECT_EQ(std::count_if(r.agencies().begin(), r.agencies().end(),
                          [](const Agency& a) { return a.kind == "ministry"; }),
            22);
}

TEST(AgencyId, HasTheFormOfTheDecision) {
  for (const char* good : {"G01", "H31.05.2", "000.00.01.G04"})
    EXPECT_TRUE(is_agency_id(good)) << good;
  for (const char* bad :
       {"", ".", "G01.", ".G01", "G01..2", "g01", "G-01", "A23456789012345678901234567890123456"})
    EXPECT_FALSE(is_agency_id(bad)) << bad;
}

int64_t at(const char* time) { return to_ns(*parse_eve_time(time)); }

constexpr const char* kHistory =
    "agencies:\n"
    "  - {id: OLD1, sensors: [s1], networks: [10.1.0.0/16]}\n"
    "  - {id: OLD2, sensors: [s2], networks: [10.2.0.0/16]}\n"
    "  - {id: BOTH, sensors: [s1, s2, s3], networks: [10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16]}\n"
    "  - {id: WEST, sensors: [s1], networks: [10.1.0.0/16]}\n"
    "  - {id: EAST, sensors: [s2, s3], networks: [10.2.0.0/16, 10.3.0.0/16]}\n"
    "  - {id: EAST2, sensors: [s2, s3], networks: [10.2.0.0/16, 10.3.0.0/16]}\n"
    "changes:\n"
    "  - {at: 2025-07-01, kind: merge, from: [OLD1, OLD2], into: [BOTH]}\n"
    "  - {at: 2026-01-01, kind: split, from: [BOTH], into: [WEST, EAST]}\n"
    "  - {at: '2026-03-01T12:00:00+0700', kind: rename, from: [EAST], into: [EAST2], note: law}\n";

TEST(RegistryHistory, AnEventBelongsToWhoWasThereAtItsTime) {
  rules::Diagnostics d("a.yaml");
  const Registry r = Registry::parse(kHistory, d);
  ASSERT_TRUE(d.empty()) << d.items().at(0).format();
  const IpAddress west = *IpAddress::parse("10.1.0.9"), east = *IpAddress::parse("10.3.0.9");
  const auto owner = [&](const char* name, const char* time, const char* sensor = "",
                         IpAddress dest = IpAddress()) {
    return r.agencies()[r.owner_at(r.find(name), at(time), sensor, dest, IpAddress())].id;
  };
  EXPECT_EQ(owner("OLD1", "2025-06-30T23:59:59Z"), "OLD1");
  EXPECT_EQ(owner("OLD1", "2025-07-01T00:00:00Z"), "BOTH");
  EXPECT_EQ(owner("OLD2", "2026-02-01T00:00:00Z", "s2"), "EAST");
  EXPECT_EQ(owner("OLD2", "2026-02-01T00:00:00Z", "", west), "WEST") << "by its network";
  EXPECT_EQ(owner("BOTH", "2026-02-01T00:00:00Z", "s2", west), "EAST") << "the sensor says more";
  EXPECT_EQ(owner("BOTH", "2026-02-01T00:00:00Z"), "WEST") << "nothing tells: the first";
  EXPECT_EQ(owner("OLD1", "2026-04-01T00:00:00Z", "", east), "EAST2");
  EXPECT_EQ(owner("EAST", "2026-03-01T04:59:59Z"), "EAST");
  EXPECT_EQ(owner("EAST", "2026-03-01T05:00:00Z"), "EAST2");
  EXPECT_EQ(r.agencies()[r.by_address(west, at("2024-01-01T00:00:00Z"))].id, "OLD1");
  EXPECT_EQ(r.agencies()[r.by_address(west, at("2025-12-01T00:00:00Z"))].id, "BOTH");
  EXPECT_EQ(r.agencies()[r.by_address(west)].id, "WEST");
  EXPECT_EQ(r.agencies()[r.by_sensor("s3")].id, "EAST2");
  EXPECT_EQ(r.predecessors(r.find("EAST2")).size(), 4u);
  EXPECT_EQ(r.predecessors(r.find("OLD1")).size(), 0u);
}

TEST(RegistryHistory, AnAgencyThatTakesAnotherInGoesOn) {
  rules::Diagnostics d("a.yaml");
  const Registry r = Registry::parse(
      "agencies:\n  - {id: A, networks: [10.1.0.0/16]}\n  - {id: B, networks: [10.2.0.0/16]}\n"
      "changes:\n  - {at: 2025-07-01, kind: merge, from: [A, B], into: [A]}\n",
      d);
  ASSERT_TRUE(d.empty()) << d.items().at(0).format();
  EXPECT_EQ(r.owner_at(1, at("2025-08-01T00:00:00Z"), "", {}, {}), 0);
  EXPECT_EQ(r.owner_at(0, at("2025-08-01T00:00:00Z"), "", {}, {}), 0);
}

TEST(RegistryHistory, WhatCannotBeIsRefusedAtItsPlace) {
  const std::string two = "agencies:\n  - {id: A}\n  - {id: B}\n  - {id: C}\nchanges:\n";
  for (const char* bad : {"  - {kind: rename, from: A, into: B}\n",
                          "  - {at: 2025-07-01, kind: merge, from: A, into: B}\n",
                          "  - {at: 2025-07-01, kind: rename, from: A, into: X}\n",
                          "  - {at: 2025-07-01, kind: renam, from: A, into: B}\n",
                          "  - {at: 2025-07-01, kind: rename, from: A, into: B}\n"
                          "  - {at: 2025-08-01, kind: rename, from: A, into: C}\n",
                          "  - {at: 2025-07-01, kind: rename, from: A, into: B}\n"
                          "  - {at: 2025-06-01, kind: rename, from: B, into: A}\n"})
    EXPECT_FALSE(problems_of(two + bad).empty()) << bad;
}

TEST(RegistryShare, IsByFieldAndASpecialAgencyNeverSharesFully) {
  rules::Diagnostics d("a.yaml");
  const Registry r = Registry::parse(
      "agencies:\n  - {id: A, share: {address: counters, name: nothing}}\n"
      "  - {id: B, sharing: anonymised, share: {evidence: nothing}}\n",
      d);
  ASSERT_TRUE(d.empty()) << d.items().at(0).format();
  EXPECT_EQ(r.agencies()[0].share[static_cast<size_t>(Field::kAddress)], Share::kCounters);
  EXPECT_EQ(r.agencies()[0].share[static_cast<size_t>(Field::kAgency)], Share::kFull);
  EXPECT_EQ(r.agencies()[1].share[static_cast<size_t>(Field::kAgency)], Share::kPseudonymous);
  EXPECT_EQ(r.agencies()[1].share[static_cast<size_t>(Field::kEvidence)], Share::kNothing);
  EXPECT_FALSE(problems_of("agencies:\n  - {id: A, special: true, sharing: full}\n").empty());
  EXPECT_FALSE(problems_of("agencies:\n  - {id: A, special: true, sharing: anonymised, "
                           "share: {address: full}}\n")
                   .empty());
  EXPECT_FALSE(problems_of("agencies:\n  - {id: A, share: {colour: full}}\n").empty());
}

}  // namespace
}  // namespace vong::enrich
