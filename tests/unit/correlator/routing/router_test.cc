#include "correlator/routing/router.h"

#include <gtest/gtest.h>

#include "correlator/routing/warning.h"

namespace vong::routing {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() {
    rules::Diagnostics d("a.yaml");
    registry_ = enrich::Registry::parse(
        "agencies:\n"
        "  - {id: FULL, sensors: [sf], networks: [10.1.0.0/16]}\n"
        "  - {id: ANON, sharing: anonymised, sensors: [sa], networks: [10.2.0.0/16]}\n"
        "  - {id: COUNT, sharing: counters, networks: [10.3.0.0/16]}\n"
        "  - {id: NONE, special: true, networks: [10.4.0.0/16]}\n",
        d);
    EXPECT_TRUE(d.empty());
  }
  static events::Incident of(const std::string& agency, const std::string& inner,
                             const std::string& sensor) {
    events::Incident i;
    i.id = "x";
    i.agency = agency;
    i.key = {{"src_ip", "203.0.113.1"}, {"dest_ip", inner}, {"http.hostname", "secret.example"}};
    i.sensors = {sensor};
    events::Evidence e;
    e.event_id = "0123456789abcdef";
    e.agency = agency;
    e.sensor = sensor;
    e.src_ip = "203.0.113.1";
    e.dest_ip = inner;
    i.evidence = {e};
    return i;
  }
  std::string national_copy(const events::Incident& i) const {
    for (const Copy& c : router().route(i)) {
      if (c.recipient != kNational) continue;
      std::string out;
      events::write_incident(c.incident, out);
      return out;
    }
    return "";
  }
  Router router() const { return Router(registry_, "0123456789abcdef"); }
  enrich::Registry registry_;
};

TEST_F(RouterTest, AnAgencyAlwaysGetsItsOwnWhole) {
  for (const char* agency : {"FULL", "ANON", "COUNT", "NONE"}) {
    const auto copies = router().route(of(agency, "10.2.0.9", "s"));
    ASSERT_FALSE(copies.empty());
    EXPECT_EQ(copies[0].recipient, agency);
    EXPECT_EQ(copies[0].incident.evidence[0].dest_ip, "10.2.0.9");
    EXPECT_FALSE(copies[0].incident.anonymised);
  }
}

TEST_F(RouterTest, FullGoesToTheCentreAsItIs) {
  const std::string copy = national_copy(of("FULL", "10.1.0.9", "sf"));
  EXPECT_NE(copy.find("10.1.0.9"), copy.npos);
  EXPECT_NE(copy.find("\"anonymised\":false"), copy.npos);
}

TEST_F(RouterTest, AnonymisedLeavesNoWordOfTheVictim) {
  const std::string copy = national_copy(of("ANON", "10.2.0.9", "sa"));
  for (const char* secret : {"10.2.0.9", "ANON", "\"sa\"", "secret.example", "0123456789abcdef\""})
    EXPECT_EQ(copy.find(secret), copy.npos) << secret;
  EXPECT_NE(copy.find("203.0.113.1"),
            copy.npos);  // the attacker's address is what the centre needs
  EXPECT_NE(copy.find("\"anonymised\":true"), copy.npos);
}

TEST_F(RouterTest, CountersAndNothingStayAtHome) {
  for (const char* agency : {"COUNT", "NONE"})
    EXPECT_EQ(router().route(of(agency, "10.3.0.9", "s")).size(), 1u) << agency;
  EXPECT_TRUE(router().takes_part(0));
  EXPECT_TRUE(router().takes_part(1));
  EXPECT_FALSE(router().takes_part(2));
  EXPECT_FALSE(router().takes_part(3));
}

TEST_F(RouterTest, ANationalIncidentHidesOnlyWhoAskedForIt) {
  events::Incident i;
  i.national = true;
  i.key = {{"src_ip", "203.0.113.1"}};
  i.victims = {{"ANON", "ministry", 1, {"10.2.0.9", "8.8.8.8"}},
               {"FULL", "ministry", 1, {"10.1.0.9"}}};
  i.evidence = {of("ANON", "10.2.0.9", "sa").evidence[0], of("FULL", "10.1.0.9", "sf").evidence[0]};
  i.sensors = {"sa", "sf"};
  const std::string copy = national_copy(i);
  for (const char* secret : {"10.2.0.9", "ANON", "\"sa\""})
    EXPECT_EQ(copy.find(secret), copy.npos) << secret;
  for (const char* open : {"10.1.0.9", "FULL", "\"sf\"", "8.8.8.8"})
    EXPECT_NE(copy.find(open), copy.npos) << open;
}

TEST_F(RouterTest, PseudonymsAreStableAndKeyed) {
  EXPECT_EQ(router().pseudonym("host", "10.2.0.9"), router().pseudonym("host", "10.2.0.9"));
  EXPECT_NE(router().pseudonym("host", "10.2.0.9"), router().pseudonym("host", "10.2.0.8"));
  EXPECT_NE(router().pseudonym("host", "10.2.0.9"),
            Router(registry_, "another key here").pseudonym("host", "10.2.0.9"));
}

TEST_F(RouterTest, AWarningNamesNoAgency) {
  events::Incident i;
  i.national = true;
  i.key = {{"src_ip", "203.0.113.1"}};
  i.victims = {{"FULL", "", 1, {"10.1.0.9"}}};
  std::string out;
  write_warning(i, "GREEN", out);
  EXPECT_NE(out.find("203.0.113.1"), out.npos);
  EXPECT_EQ(out.find("FULL"), out.npos);
  EXPECT_EQ(out.find("10.1.0.9"), out.npos);
}

TEST_F(RouterTest, AWarningCountsWhoLetsItselfOnlyBeCounted) {
  events::Incident i;
  i.national = true;
  i.victims = {{"FULL", "", 1, {}, 0}};
  i.unnamed_agencies = 2;
  std::string out;
  write_warning(i, "GREEN", out);
  EXPECT_NE(out.find("\"agency_count\":3,"), out.npos) << out;
}

TEST_F(RouterTest, EachFieldHasItsOwnPolicy) {
  rules::Diagnostics d("a.yaml");
  registry_ = enrich::Registry::parse(
      "agencies:\n"
      "  - {id: PART, sensors: [sp], networks: [10.7.0.0/16],\n"
      "     share: {address: counters, name: nothing, sensor: pseudonymous, evidence: counters}}\n"
      "  - {id: FULL, sensors: [sf], networks: [10.1.0.0/16]}\n"
      "  - {id: MANY, networks: [10.8.0.0/16], share: {agency: counters}}\n",
      d);
  ASSERT_TRUE(d.empty());
  const std::string copy = national_copy(of("PART", "10.7.0.9", "sp"));
  for (const char* secret : {"10.7.0.9", "secret.example", "\"sp\"", "0123456789abcdef"})
    EXPECT_EQ(copy.find(secret), copy.npos) << secret;
  EXPECT_NE(copy.find("\"agency\":\"PART\""), copy.npos) << "it shares its name";
  EXPECT_NE(copy.find("\"evidence\":[],\"evidence_dropped\":1"), copy.npos) << copy;
  EXPECT_NE(copy.find("\"anonymised\":true"), copy.npos);
  events::Incident i;
  i.national = true;
  i.key = {{"src_ip", "203.0.113.1"}};
  i.victims = {{"PART", "", 1, {"10.7.0.9", "10.7.0.8"}, 0},
               {"FULL", "", 1, {"10.1.0.9"}, 0},
               {"MANY", "", 1, {"10.8.0.1"}, 0}};
  const std::string national = national_copy(i);
  EXPECT_NE(national.find("\"addresses\":[],\"address_count\":2"), national.npos) << national;
  EXPECT_NE(national.find("\"unnamed_agencies\":1"), national.npos) << national;
  EXPECT_EQ(national.find("MANY"), national.npos);
  EXPECT_NE(national.find("10.1.0.9"), national.npos);
}

}  // namespace
}  // namespace vong::routing
