#include "correlator/match/rule_matcher.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "events/limits.h"
#include "rules/sigma/loader.h"

namespace vong::match {
namespace {

using Rules = std::vector<uint32_t>;

class RuleMatcherTest : public ::testing::Test {
 protected:
  // Each text is what stands below "detection:" in flow style.
  void load(const std::vector<std::string>& detections,
            std::shared_ptr<const indicators::Source> lists = nullptr) {
    sigma::Placeholders placeholders;
    if (lists) placeholders.lists = lists->current()->names();
    sigma::Loader loader(placeholders);
    for (const std::string& d : detections) {
      loader.add_text("r.yml", "title: t\nlogsource: {product: suricata}\ndetection: " + d + "\n");
    }
    rules_ = loader.finish();
    ASSERT_EQ(rules_.detections.size(), detections.size()) << loader.diagnostics().at(0).format();
    events::add_time_fields(plan_);
    matcher_ = RuleMatcher::compile(rules_.detections, plan_, diagnostics_, std::move(lists));
    decoder_.emplace(plan_);
    session_.emplace(matcher_);
  }
  Rules match(const std::string& fields) {
    const std::string record = R"({"timestamp":"2026-11-20T08:00:00Z")" +
                               std::string(fields.empty() ? "" : ",") + fields + "}";
    buffer_ = record + std::string(events::kRecordPaddingBytes, ' ');
    EXPECT_EQ(decoder_->decode(std::string_view(buffer_).substr(0, record.size())),
              events::DecodeError::kNone)
        << record;
    const auto found = session_->match(*decoder_);
    return {found.begin(), found.end()};
  }
  sigma::RuleSet rules_;
  events::FieldPlan plan_;
  std::vector<rules::Diagnostic> diagnostics_;
  std::shared_ptr<const RuleMatcher> matcher_;
  std::optional<events::EveDecoder> decoder_;
  std::optional<Session> session_;
  std::string buffer_;
};

TEST_F(RuleMatcherTest, TextsIgnoreCaseUnlessCased) {
  load({"{s: {a: Foo}, condition: s}", "{s: {a|cased: Foo}, condition: s}",
        "{s: {a|contains: OO}, condition: s}", "{s: {a|contains|cased: OO}, condition: s}"});
  EXPECT_EQ(match(R"("a":"Foo")"), (Rules{0, 1, 2}));
  EXPECT_EQ(match(R"("a":"FOO")"), (Rules{0, 2, 3}));
  EXPECT_EQ(match(R"("a":"fo")"), Rules{});
}

TEST_F(RuleMatcherTest, WildcardsAreAnchored) {
  load({"{s: {a|startswith: ab}, condition: s}", "{s: {a|endswith: yz}, condition: s}",
        "{s: {a: 'a*z'}, condition: s}", "{s: {a: 'a?z'}, condition: s}",
        "{s: {a: 'a.z'}, condition: s}"});
  EXPECT_EQ(match(R"("a":"ab..yz")"), (Rules{0, 1, 2}));
  EXPECT_EQ(match(R"("a":"xab..yzx")"), Rules{});
  EXPECT_EQ(match(R"("a":"a.z")"), (Rules{2, 3, 4}));
  EXPECT_EQ(match(R"("a":"a\nz")"), (Rules{2, 3}));
}

TEST_F(RuleMatcherTest, NumbersCompareAsNumbers) {
  load({"{s: {n|gte: 10, n|lte: 20}, condition: s}", "{s: {n|gt: 10}, condition: s}",
        "{s: {n|lt: -1.5}, condition: s}", "{s: {n: 15}, condition: s}"});
  EXPECT_EQ(match(R"("n":10)"), Rules{0});
  EXPECT_EQ(match(R"("n":15)"), (Rules{0, 1, 3}));
  EXPECT_EQ(match(R"("n":20.5)"), Rules{1});
  EXPECT_EQ(match(R"("n":-2)"), Rules{2});
  EXPECT_EQ(match(R"("n":"15")"), (Rules{0, 1, 3}));
  EXPECT_EQ(match(R"("n":"many")"), Rules{});
}

TEST_F(RuleMatcherTest, NetworksOfBothFamilies) {
  load({"{s: {ip|cidr: [10.0.0.0/8, '2001:db8::/32']}, condition: s}",
        "{s: {ip|cidr: 10.1.0.0/16}, condition: s}"});
  EXPECT_EQ(match(R"("ip":"10.1.2.3")"), (Rules{0, 1}));
  EXPECT_EQ(match(R"("ip":"2001:0db8:0000:0000:0000:0000:0000:0001")"), Rules{0});
  EXPECT_EQ(match(R"("ip":"11.0.0.1")"), Rules{});
}

TEST_F(RuleMatcherTest, NotNullExistsAndFieldReferences) {
  load({"{s: {a: x}, f: {b: y}, condition: s and not f}", "{f: {b: y}, condition: not f}",
        "{s: {a|exists: false}, condition: s}", "{s: {a:}, condition: s}",
        "{s: {a|fieldref: c}, condition: s}", "{s: {a|neq: x}, condition: s}"});
  EXPECT_EQ(match(R"("a":"x")"), (Rules{0, 1}));
  EXPECT_EQ(match(R"("a":"x","b":"y","c":"X")"), Rules{4});
  EXPECT_EQ(match(R"("a":null,"b":"y")"), (Rules{2, 3, 5}));
  EXPECT_EQ(match(R"("b":"z")"), (Rules{1, 2, 3, 5}));
}

TEST_F(RuleMatcherTest, AnyElementOfAnArrayCounts) {
  load({"{s: {dns.answers.rdata: 192.0.2.1}, condition: s}"});
  EXPECT_EQ(match(R"("dns":{"answers":[{"rdata":"192.0.2.9"},{"rdata":"192.0.2.1"}]})"), Rules{0});
}

TEST_F(RuleMatcherTest, RegularExpressionsWithFlags) {
  load({"{s: {a|re: '^ab+c$'}, condition: s}", "{s: {a|re|i: '^ab+c$'}, condition: s}"});
  EXPECT_EQ(match(R"("a":"abbc")"), (Rules{0, 1}));
  EXPECT_EQ(match(R"("a":"ABBC")"), Rules{1});
}

TEST_F(RuleMatcherTest, WordsWithoutFieldAreSoughtInTheWholeRecord) {
  load({"{k: [jndi, log4j], condition: k}"});
  EXPECT_EQ(match(R"("http":{"x":"${JNDI:ldap}"})"), Rules{0});
  EXPECT_EQ(match(R"("http":{"x":"y"})"), Rules{});
}

TEST_F(RuleMatcherTest, ARefusedExpressionIsReportedAndTheOthersRun) {
  load({"{s: {a|re: '(?<=x)y'}, condition: s}", "{s: {a|re: 'y'}, condition: s}",
        "{s: {b: 1}, condition: s}"});
  ASSERT_EQ(diagnostics_.size(), 1u);
  EXPECT_EQ(match(R"("a":"xy","b":1)"), (Rules{1, 2}));
}

TEST_F(RuleMatcherTest, ManyRulesHaveTriggersOfTheirOwn) {
  std::vector<std::string> detections;
  for (int i = 0; i < 2000; ++i) {
    detections.push_back("{s: {event_type: alert, alert.signature_id: " + std::to_string(i) +
                         "}, condition: s}");
  }
  load(detections);
  EXPECT_EQ(matcher_->always_count(), 0u);
  EXPECT_EQ(match(R"("event_type":"alert","alert":{"signature_id":1234})"), Rules{1234});
  EXPECT_EQ(match(R"("event_type":"dns","alert":{"signature_id":1234})"), Rules{});
}

// The slow twin: every rule's expression by itself, without atoms, indices or triggers.
bool slow(const sigma::Expression& e, uint32_t node,
          const std::map<std::string, std::string>& event) {
  const auto& n = e.nodes[node];
  switch (n.kind) {
    case sigma::Expression::Kind::kAnd:
      return std::all_of(n.children.begin(), n.children.end(),
                         [&](uint32_t c) { return slow(e, c, event); });
    case sigma::Expression::Kind::kOr:
      return std::any_of(n.children.begin(), n.children.end(),
                         [&](uint32_t c) { return slow(e, c, event); });
    case sigma::Expression::Kind::kNot:
      return !slow(e, n.children[0], event);
    case sigma::Expression::Kind::kTest: {
      const sigma::Test& t = e.tests[n.test];
      const auto it = event.find(t.field);
      if (it == event.end()) return false;
      const std::string value = it->second, wanted = t.pattern.text();
      if (t.op == sigma::TestOp::kEquals) return value == wanted;
      const std::string inner = wanted.substr(1, wanted.size() - 2);  // only *x* is generated
      return value.find(inner) != value.npos;
    }
    default:
      return false;
  }
}

TEST_F(RuleMatcherTest, AgreesWithTheSlowTwinOnRandomRules) {
  std::mt19937 random(7);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto value = [&] {
    return std::string(1, static_cast<char>('a' + pick(3))) + static_cast<char>('a' + pick(3));
  };
  std::vector<std::string> detections;
  for (int i = 0; i < 200; ++i) {
    std::string d = "{";
    for (const char* s : {"p", "q", "r"}) {
      d += std::string(s) + ": {f" + std::to_string(pick(3)) + (pick(2) ? "|contains: " : ": ") +
           (pick(2) ? value() : "[" + value() + ", " + value() + "]") + "}, ";
    }
    const char* conditions[] = {"p and q",   "p or q",      "p and not q", "not (p or q) and r",
                                "1 of them", "all of them", "not p",       "p or not r"};
    detections.push_back(d + "condition: " + conditions[pick(8)] + "}");
  }
  load(detections);
  for (int i = 0; i < 300; ++i) {
    std::map<std::string, std::string> event;
    std::string json;
    for (int f = 0; f < 3; ++f) {
      if (pick(4) == 0) continue;
      const std::string name = "f" + std::to_string(f);
      event[name] = value() + (pick(2) ? value() : "");
      json += (json.empty() ? "\"" : ",\"") + name + "\":\"" + event[name] + "\"";
    }
    Rules expected;
    for (uint32_t r = 0; r < rules_.detections.size(); ++r) {
      const sigma::Expression& e = rules_.detections[r].expression;
      if (slow(e, e.root, event)) expected.push_back(r);
    }
    ASSERT_EQ(match(json), expected) << json;
  }
}

TEST_F(RuleMatcherTest, ListsOfIndicatorsAreAskedAtTheEventsTimeAndReloadedWithoutNewRules) {
  const std::string path = ::testing::TempDir() + "matcher_list.csv";
  std::ofstream(path) << "evil.example\n203.0.113.0/24,cidr,2026-11-20T08:00:01Z\n"
                         "198.51.100.1,ip,2026-11-20T08:00:00Z\nevil.example/x\n";
  auto source = std::make_shared<indicators::Source>(
      std::vector<indicators::ListFile>{{"other", path + ".none"}, {"ncsc", path}});
  std::vector<rules::Diagnostic> found;
  (void)source->load(found);
  load({"{s: {dest_ip|expand: '%ncsc%'}, condition: s}",
        "{s: {dns.queries.rrname|expand: '%ncsc%', proto: UDP}, condition: s}",
        "{s: {http.url|expand: ['%ncsc%', '%other%']}, condition: s}",
        "{s: {proto: TCP}, f: {dest_ip|expand: '%ncsc%'}, condition: s and not f}",
        "{s: {dest_ip|expand: '%other%'}, condition: s}"},
       source);
  EXPECT_EQ(match(R"("dest_ip":"203.0.113.4")"), Rules{0});
  EXPECT_EQ(match(R"("dest_ip":"198.51.100.1")"), Rules{}) << "expired";
  EXPECT_EQ(match(R"("dest_ip":"203.0.113.4","proto":"TCP")"), Rules{0});
  EXPECT_EQ(match(R"("dest_ip":"192.0.2.4","proto":"TCP")"), Rules{3});
  EXPECT_EQ(
      match(
          R"("dns":{"queries":[{"rrname":"good.example"},{"rrname":"a.evil.example"}]},"proto":"UDP")"),
      Rules{1});
  EXPECT_EQ(match(R"("http":{"hostname":"evil.example","url":"/x"})"), Rules{2});
  EXPECT_EQ(match(R"("http":{"url":"/x"})"), Rules{});
  std::ofstream(path) << "192.0.2.4\n";
  std::ofstream(path + ".none") << "192.0.2.5\n";
  ASSERT_TRUE(source->load(found));
  EXPECT_EQ(match(R"("dest_ip":"203.0.113.4")"), Rules{});
  EXPECT_EQ(match(R"("dest_ip":"192.0.2.4","proto":"TCP")"), Rules{0});
  EXPECT_EQ(match(R"("dest_ip":"192.0.2.5")"), Rules{4});
}

}  // namespace
}  // namespace vong::match
