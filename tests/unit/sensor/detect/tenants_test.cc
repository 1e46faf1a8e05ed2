// Whose packets are whose.
#include "sensor/detect/tenants.h"

#include <gtest/gtest.h>

#include "sensor/detect/detector.h"

namespace vong::detect {
namespace {

Packet tagged(std::initializer_list<uint16_t> vlans) {
  Packet p;
  for (const uint16_t v : vlans) p.vlan_tci[p.vlan_count++] = v;
  return p;
}

TEST(TenantMap, TheOutermostVlanDecidesWithoutItsPriorityBits) {
  TenantMap map(TenantMap::Selector::kVlan);
  ASSERT_TRUE(map.add_vlan(100, 7));
  EXPECT_EQ(map.of(tagged({100})), 7u);
  EXPECT_EQ(map.of(tagged({0xe000 | 100, 5})), 7u);
  EXPECT_EQ(map.of(tagged({5, 100})), kNoTenant);
  EXPECT_EQ(map.of(tagged({})), kNoTenant);
}

TEST(TenantMap, AVlanOutOfRangeOrOfTwoTenantsIsRefused) {
  TenantMap map(TenantMap::Selector::kVlan);
  EXPECT_FALSE(map.add_vlan(0, 1));
  EXPECT_FALSE(map.add_vlan(4095, 1));
  EXPECT_FALSE(map.add_vlan(-1, 1));
  ASSERT_TRUE(map.add_vlan(4094, 1));
  EXPECT_TRUE(map.add_vlan(4094, 1));
  EXPECT_FALSE(map.add_vlan(4094, 2));
}

TEST(TenantMap, ATupleMatchesAsManyTagsAndZeroIsAny) {
  TenantMap map(TenantMap::Selector::kVlanTuple);
  ASSERT_TRUE(map.add_vlan_tuple({0, 302}, 1));
  ASSERT_TRUE(map.add_vlan_tuple({3000, 1000, 40}, 2));
  EXPECT_EQ(map.of(tagged({9, 302})), 1u);
  EXPECT_EQ(map.of(tagged({302})), kNoTenant);
  EXPECT_EQ(map.of(tagged({3000, 1000, 40})), 2u);
  EXPECT_EQ(map.of(tagged({3000, 1000, 41})), kNoTenant);
  EXPECT_FALSE(map.add_vlan_tuple({}, 3));
  EXPECT_FALSE(map.add_vlan_tuple({1, 2, 3, 4}, 3));
}

TEST(TenantMap, AFlowsVlansDecideForPacketsWithoutTags) {
  TenantMap map(TenantMap::Selector::kVlan);
  ASSERT_TRUE(map.add_vlan(100, 7));
  flow::Flow flow;
  flow.key.vlan_id = {100, 0, 0};
  Packet p;   // as those at a flow's end
  p.flow = &flow;
  EXPECT_EQ(map.of(p), 7u);
}

TEST(TenantMap, DevicesByTheirNumber) {
  TenantMap map(TenantMap::Selector::kDevice);
  ASSERT_TRUE(map.add_device(1, 7));
  Packet p;
  EXPECT_EQ(map.of(p), kNoTenant);
  p.interface = 1;
  EXPECT_EQ(map.of(p), 7u);
  p.interface = 2;
  EXPECT_EQ(map.of(p), kNoTenant);
}

std::shared_ptr<const RuleSet> load(const std::vector<std::pair<TenantId, std::string>>& tenants, LoadReport& report,
                                    std::shared_ptr<const RuleSet> previous = nullptr) {
  auto plan = std::make_shared<TenantPlan>();
  plan->map = TenantMap(TenantMap::Selector::kVlan);
  plan->loaders = 3;
  for (const auto& [id, text] : tenants) {
    TenantPlan::One one;
    one.id = id;
    one.load.extra_rules = text;
    plan->tenants.push_back(std::move(one));
    EXPECT_TRUE(plan->map.add_vlan(id, id));
  }
  LoadOptions options;
  options.tenants = plan;
  options.previous = std::move(previous);
  auto rules = RuleSet::load(options, Settings(), report);
  EXPECT_TRUE(rules);
  return rules ? *rules : nullptr;
}

constexpr const char* kRule = "alert ip any any -> any any (content:\"x\"; sid:1;)\n";

TEST(Tenants, ThoseWithTheSameRulesShareOneSetAndCountEach) {
  LoadReport report;
  const auto rules = load({{1, kRule}, {2, kRule}, {3, "alert ip any any -> any any (content:\"y\"; filemd5:x; sid:1;)\n"}}, report);
  const Tenants& tenants = *rules->tenants();
  EXPECT_EQ(tenants.all[0].rules, tenants.all[1].rules);
  EXPECT_NE(tenants.all[0].rules, tenants.all[2].rules);
  EXPECT_EQ(report.counts.loaded, 2u);
  EXPECT_EQ(report.counts.failed, 1u);
}

TEST(Tenants, DataSetsAreATenantsOwn) {
  LoadReport report;
  const std::string rule = "alert dns any any -> any any (dns.query; dataset:set,names,type string; sid:1;)\n";
  const auto rules = load({{1, rule}, {2, rule}}, report);
  EXPECT_NE(rules->tenants()->all[0].rules, rules->tenants()->all[1].rules);
}

TEST(Tenants, TheHashIsThatOfAllRules) {
  LoadReport report;
  const auto one = load({{1, kRule}}, report), same = load({{1, kRule}}, report), other = load({{2, kRule}}, report);
  EXPECT_EQ(one->hash(), same->hash());
  EXPECT_NE(one->hash(), other->hash());
}

TEST(Tenants, AReloadTakesTenantsAwayAndBringsThem) {
  LoadReport report;
  auto rules = load({{1, kRule}, {2, kRule}}, report);
  const Settings settings;
  SharedState shared(settings);
  Detector detector(rules, settings, shared);
  const uint8_t bytes[] = {'x'};
  const auto alerts = [&](uint16_t vlan) {
    Packet p = tagged({vlan});
    p.ip.version = 4;
    p.src = p.dst = *IpAddress::parse("10.0.0.1");
    p.payload = bytes;
    return detector.inspect(p).size();
  };
  EXPECT_EQ(alerts(1), 1u);
  EXPECT_EQ(alerts(2), 1u);
  EXPECT_EQ(alerts(3), 0u);
  detector.set_rules(load({{2, kRule}, {3, kRule}}, report, rules));
  EXPECT_EQ(alerts(1), 0u);
  EXPECT_EQ(alerts(2), 1u);
  EXPECT_EQ(alerts(3), 1u);
  EXPECT_EQ(detector.counters().alerts, 4u);
}

}  // namespace
}  // namespace vong::detect
