#include "correlator/enrich/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

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

}  // namespace
}  // namespace vong::enrich
