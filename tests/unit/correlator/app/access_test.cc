#include "correlator/app/access.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "correlator/app/topics.h"

namespace vong::correlator {
namespace {

using Operation = kafka::Acl::Operation;
using Resource = kafka::Acl::Resource;

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    rules::Diagnostics d("a.yaml");
    registry_ = enrich::Registry::parse(
        "agencies:\n  - {id: G1, sensors: [s1]}\n  - {id: G1.2, sensors: [s2]}\n  - {id: OLD}\n"
        "changes:\n  - {at: 2025-07-01, kind: rename, from: OLD, into: G1.2}\n",
        d);
    EXPECT_TRUE(d.empty()) << d.items().at(0).format();
    acls_ = rights_of(registry_);
  }
  [[nodiscard]] bool may(const std::string& who, Operation what, const std::string& topic,
                         Resource resource = Resource::kTopic) const {
    return std::any_of(acls_.begin(), acls_.end(), [&](const kafka::Acl& a) {
      return a.principal == "User:" + who && a.resource == resource && a.operation == what &&
             (a.prefix ? topic.starts_with(a.name) : topic == a.name);
    });
  }
  enrich::Registry registry_;
  std::vector<kafka::Acl> acls_;
};

TEST_F(AccessTest, AnAgencyHasItsOwnAndItsPredecessorsTopicsOnly) {
  EXPECT_TRUE(may("G1", Operation::kRead, "vong.incidents.G1"));
  EXPECT_TRUE(may("G1", Operation::kRead, "vong.warnings"));
  EXPECT_FALSE(may("G1", Operation::kRead, "vong.incidents.G1.2"))
      << "an identifier that begins so";
  EXPECT_FALSE(may("G1", Operation::kRead, "vong.events.G1.2"));
  EXPECT_TRUE(may("G1.2", Operation::kRead, "vong.incidents.OLD"));
  EXPECT_FALSE(may("G1", Operation::kRead, "vong.incidents.OLD"));
  for (const char* topic :
       {"vong.incidents.national", "vong.facts", "vong.verdicts", "vong.status"})
    EXPECT_FALSE(may("G1", Operation::kRead, topic)) << topic;
  EXPECT_TRUE(may("G1", Operation::kWrite, "vong.verdicts"));
  for (const char* topic :
       {"vong.incidents.G1", "vong.events.G1", "vong.warnings", "vong.rulepacks"})
    EXPECT_FALSE(may("G1", Operation::kWrite, topic)) << topic;
  EXPECT_TRUE(may("G1", Operation::kRead, "G1-soc", Resource::kGroup));
  EXPECT_FALSE(may("G1", Operation::kRead, "G1.2-soc", Resource::kGroup));
}

TEST_F(AccessTest, ASensorWritesAndReadsOnlyRulePacks) {
  EXPECT_TRUE(may("s1", Operation::kWrite, "vong.events.G1"));
  EXPECT_FALSE(may("s1", Operation::kWrite, "vong.events.G1.2"));
  EXPECT_FALSE(may("s1", Operation::kRead, "vong.events.G1"));
  EXPECT_TRUE(may("s1", Operation::kRead, "vong.rulepacks"));
  EXPECT_TRUE(
      may("s1", Operation::kWrite, "vong-forward-vong.events.G1-s1", Resource::kTransactionalId));
}

TEST_F(AccessTest, TheCentreReadsNoAgencysTopics) {
  EXPECT_TRUE(may("national", Operation::kRead, "vong.incidents.national"));
  EXPECT_FALSE(may("national", Operation::kRead, "vong.incidents.G1"));
  EXPECT_FALSE(may("national", Operation::kRead, "vong.events.G1"));
  EXPECT_TRUE(may("correlator", Operation::kWrite, "vong.incidents.G1"));
}

TEST_F(AccessTest, TheTopicsAreThoseOfTheRegistryAndThoseOfAll) {
  Options options;
  options.topic_partitions = 3;
  const auto names = [&] {
    std::vector<std::string> out;
    for (const kafka::NewTopic& t : topics_of(options, registry_)) out.push_back(t.name);
    return out;
  };
  const auto has = [&](std::string_view name) {
    const auto all = names();
    return std::find(all.begin(), all.end(), name) != all.end();
  };
  for (const char* name :
       {"vong.events.G1.2", "vong.incidents.OLD", "vong.incidents.national", "vong.warnings",
        "vong.verdicts", "vong.status", "vong.coverage", "vong.rulepacks", "vong.dead-letter"})
    EXPECT_TRUE(has(name)) << name;
  const size_t alone = names().size();
  options.standby = true;
  EXPECT_EQ(names().size(), alone + 1) << "where it is decided who leads";
  EXPECT_TRUE(has(state_topic(options)));
  options.facts_partitions = 2;
  EXPECT_TRUE(has(state_topic(options))) << "divided work keeps the rules in force there too";
  EXPECT_TRUE(has(options.facts_topic));
  options.facts_partitions = 0;
  for (const kafka::NewTopic& t : topics_of(options, registry_))
    EXPECT_EQ(!t.settings.empty(), t.name == "vong.status" || t.name == "vong.coverage" ||
                                       t.name == "vong.rulepacks" ||
                                       t.name == state_topic(options));
}

}  // namespace
}  // namespace vong::correlator
