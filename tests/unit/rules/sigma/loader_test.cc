#include "rules/sigma/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vong::sigma {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHead = "title: t\nname: n\nlogsource: {product: suricata}\n";

struct Loaded {
  RuleSet rules;
  std::vector<std::string> problems;
};

Loaded load(std::string_view text) {
  Loader loader({.values = {{"admins", {"root", "admin"}}}, .lists = {"ncsc"}});
  loader.add_text("f.yml", text);
  Loaded l;
  l.rules = loader.finish();
  for (const auto& d : loader.diagnostics()) l.problems.push_back(d.format());
  return l;
}

Loaded load_detection(std::string_view detection) {
  return load(std::string(kHead) + std::string(detection));
}

// A rule's condition in a readable form.
std::string show(const Expression& e, uint32_t node) {
  const Expression::Node& n = e.nodes[node];
  std::string out;
  const auto list = [&](std::string_view name) {
    out = std::string(name) + "(";
    for (size_t i = 0; i < n.children.size(); ++i) out += (i ? "," : "") + show(e, n.children[i]);
    return out + ")";
  };
  switch (n.kind) {
    case Expression::Kind::kAnd:
      return list("and");
    case Expression::Kind::kOr:
      return list("or");
    case Expression::Kind::kNot:
      return list("not");
    case Expression::Kind::kTest: {
      const Test& t = e.tests[n.test];
      if (t.op == TestOp::kEquals || t.op == TestOp::kLike) return t.field + "=" + t.pattern.text();
      if (t.op == TestOp::kRegex) return t.field + "~" + t.regex;
      if (t.op == TestOp::kExists) return t.field + (t.expected ? " exists" : " absent");
      if (t.op == TestOp::kNull) return t.field + " null";
      if (t.op == TestOp::kCidr)
        return t.field + " in " + t.prefix.address.to_string() + "/" +
               std::to_string(t.prefix.length);
      if (t.op == TestOp::kFieldRef) return t.field + "==" + t.other_field;
      return t.field + " range";
    }
    default:
      return n.kind == Expression::Kind::kTrue ? "true" : "false";
  }
}

std::string condition_of(const Loaded& l) {
  EXPECT_EQ(l.rules.detections.size(), 1u) << (l.problems.empty() ? "" : l.problems[0]);
  if (l.rules.detections.empty()) return "";
  const Expression& e = l.rules.detections[0].expression;
  return show(e, e.root);
}

TEST(SigmaDetection, MapIsAndListIsOrAllIsAnd) {
  EXPECT_EQ(condition_of(load_detection("detection: {s: {a: 1, b: [x, y]}, condition: s}")),
            "and(a=1,or(b=x,b=y))");
  EXPECT_EQ(condition_of(load_detection("detection: {s: [{a: 1}, {b: 2}], condition: s}")),
            "or(a=1,b=2)");
  EXPECT_EQ(condition_of(load_detection("detection: {s: {a|contains|all: [x, y]}, condition: s}")),
            "and(a=*x*,a=*y*)");
  EXPECT_EQ(condition_of(load_detection("detection: {s: [foo, bar], condition: s}")),
            "or(=*foo*,=*bar*)");
}

TEST(SigmaDetection, ConditionsBindNotBeforeAndBeforeOr) {
  const std::string searches =
      "detection: {a: {f: 1}, b: {f: 2}, c1: {f: 3}, c2: {f: 4}, _h: {f: 5}, condition: ";
  EXPECT_EQ(condition_of(load_detection(searches + "a or b and not c1}")),
            "or(f=1,and(f=2,not(f=3)))");
  EXPECT_EQ(condition_of(load_detection(searches + "(a or b) and c1}")), "and(or(f=1,f=2),f=3)");
  EXPECT_EQ(condition_of(load_detection(searches + "1 of c*}")), "or(f=3,f=4)");
  EXPECT_EQ(condition_of(load_detection(searches + "all of them}")), "and(f=1,f=2,f=3,f=4)");
  EXPECT_EQ(condition_of(load_detection(searches + "not any of c*}")), "not(or(f=3,f=4))");
}

TEST(SigmaDetection, ModifiersDoWhatTheirNamesSay) {
  const auto one = [](std::string line) {
    return condition_of(load_detection("detection:\n  s:\n    " + line + "\n  condition: s\n"));
  };
  EXPECT_EQ(one("a|startswith: x"), "a=x*");
  EXPECT_EQ(one("a|endswith: x"), "a=*x");
  EXPECT_EQ(one("a|re: ^x.*$"), "a~^x.*$");
  EXPECT_EQ(one("a|cidr: 10.1.2.3/8"), "a in 10.0.0.0/8");
  EXPECT_EQ(one("a|exists: true"), "a exists");
  EXPECT_EQ(one("a|exists: false"), "a absent");
  EXPECT_EQ(one("a:"), "a null");
  EXPECT_EQ(one("a: null"), "a null");
  EXPECT_EQ(one("a: ''"), "a=");
  EXPECT_EQ(one("a|fieldref: b"), "a==b");
  EXPECT_EQ(one("a|neq: x"), "not(a=x)");
  EXPECT_EQ(one("a: '*'"), "a exists");
  EXPECT_EQ(one("a|base64: ping"), "a=cGluZw==");
  EXPECT_EQ(one("a|base64offset|contains: /bin/sh"),
            "or(a=*L2Jpbi9za*,a=*9iaW4vc2*,a=*vYmluL3No*)");
  EXPECT_EQ(one("a|wide|base64offset|contains: ab"), "or(a=*YQBiA*,a=*EAYg*,a=*hAGIA*)");
  EXPECT_EQ(one("a|expand: '%admins%'"), "or(a=root,a=admin)");
  EXPECT_EQ(one("a|windash|contains: ' -x'"),
            "or(a=* -x*,a=* /x*,a=* \xe2\x80\x93x*,a=* \xe2\x80\x94x*,a=* \xe2\x80\x95x*)");
  EXPECT_EQ(one("a: 'x\\*y\\\\z'"), "a=x*y\\z");
}

TEST(SigmaDetection, ForeignFieldNamesBecomeEvePaths) {
  EXPECT_EQ(condition_of(load_detection(
                "detection: {s: {source.ip: 1, DestinationIp: 2, id.resp_p: 3}, condition: s}")),
            "and(src_ip=1,dest_ip=2,dest_port=3)");
  EXPECT_EQ(condition_of(load("title: t\nlogsource: {product: zeek, service: dns}\ndetection: {s: "
                              "{query: x}, condition: s}")),
            "and(event_type=dns,dns.rrname=x)");
}

struct BadCase {
  const char* text;
  const char* problem;
};

TEST(SigmaDiagnostics, NamePlaceAndNearestName) {
  const BadCase cases[] = {
      {"detection:\n  s:\n    a|contians: x\n  condition: s\n",
       "f.yml:6:7: error: unknown modifier 'contians', did you mean 'contains'?"},
      {"detection:\n  selection: {a: 1}\n  condition: selektion\n",
       "f.yml:6:14: error: no search is called 'selektion', did you mean 'selection'?"},
      {"detection:\n  s: {a: 1}\n  condition: s and\n",
       "f.yml:6:19: error: a name is expected at the end of the condition"},
      {"detection:\n  s: {a: 1}\n  condition: (s\n", "missing ')'"},
      {"detection:\n  s: {a: 1}\n  condition: s | count() > 5\n", "write a correlation rule"},
      {"detection:\n  s: {a|cidr: 10.0.0/8}\n  condition: s\n", "not a network: '10.0.0/8'"},
      {"detection:\n  s: {a|gte: many}\n  condition: s\n", "not a number: 'many'"},
      {"detection:\n  s: {a|expand: '%nobody%'}\n  condition: s\n",
       "placeholder %nobody% has no values"},
      {"detection:\n  s: {a: 1}\n", "detection has no condition"},
      {"detection:\n  s: {alert.signature_ud: 1}\n  condition: s\n",
       "warning: unknown field 'alert.signature_ud', did you mean 'alert.signature_id'?"},
      {"level: hihg\ndetection: {s: {a: 1}, condition: s}\n",
       "unknown level 'hihg', did you mean 'high'?"},
      {"detection: {s: {a: 1}, condition: s}\nvong: {scop: national}\n",
       "unknown key 'scop' in vong, did you mean 'scope'?"},
  };
  for (const BadCase& c : cases) {
    const Loaded l = load_detection(c.text);
    ASSERT_FALSE(l.problems.empty()) << c.text;
    EXPECT_THAT(l.problems[0], HasSubstr(c.problem));
  }
}

TEST(SigmaDiagnostics, BrokenYamlIsOneClearLine) {
  EXPECT_THAT(load("title: [unclosed").problems.at(0), HasSubstr("f.yml:1:"));
  EXPECT_THAT(load(std::string("title: a\0b", 10)).problems.at(0), HasSubstr("zero byte"));
  EXPECT_THAT(load(std::string(200, '[')).problems.at(0), HasSubstr("nested too deep"));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(load(bomb).problems.at(0), HasSubstr("too many values"));
}

TEST(SigmaDiagnostics, AnUnknownLogsourceLoadsAndNeverMatches) {
  const Loaded l = load(
      "title: t\nlogsource: {product: windows, category: process_creation}\ndetection: {s: {a: 1}, "
      "condition: s}");
  EXPECT_EQ(condition_of(l), "false");
  EXPECT_THAT(l.problems.at(0), HasSubstr("never matches"));
}

constexpr std::string_view kTwoRules =
    "title: a\nname: a\nlogsource: {product: suricata}\ndetection: {s: {x: 1}, condition: s}\n---\n"
    "title: b\nname: b\nlogsource: {product: suricata}\ndetection: {s: {x: 2}, condition: "
    "s}\n---\n";

TEST(SigmaCorrelation, ReadsEveryPart) {
  const Loaded l = load(std::string(kTwoRules) +
                        "title: c\ncorrelation:\n  type: temporal_ordered\n  rules: [a, b]\n  "
                        "group-by: [victim, proto]\n  timespan: 10m\n"
                        "  aliases: {victim: {a: dst_ip, b: src_ip}}\nvong: {scope: national, "
                        "after_match: silent, silent_for: 1h}\n");
  EXPECT_TRUE(l.problems.empty()) << l.problems[0];
  ASSERT_EQ(l.rules.correlations.size(), 1u);
  const CorrelationRule& c = l.rules.correlations[0];
  EXPECT_EQ(c.type, CorrelationType::kTemporalOrdered);
  EXPECT_EQ(c.targets, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(c.timespan, std::chrono::minutes(10));
  EXPECT_EQ(c.aliases[0].fields[0].second, "dest_ip");
  EXPECT_EQ(c.head.extension.silent_for, std::chrono::hours(1));
}

TEST(SigmaCorrelation, ChainsAreOrderedAndCirclesRefused) {
  const std::string chain = std::string(kTwoRules) +
                            "title: top\nname: top\ncorrelation: {type: temporal, rules: [low, b], "
                            "group-by: [src_ip], timespan: 1h}\n---\n"
                            "title: low\nname: low\ncorrelation: {type: event_count, rules: [a], "
                            "group-by: [src_ip], timespan: 1m, condition: {gte: 3}}\n";
  const Loaded good = load(chain);
  EXPECT_TRUE(good.problems.empty()) << good.problems[0];
  ASSERT_EQ(good.rules.correlations.size(), 2u);
  EXPECT_EQ(good.rules.correlations[0].head.name, "low");
  EXPECT_EQ(good.rules.correlations[1].targets, (std::vector<uint32_t>{2, 1}));
  const Loaded circle = load(
      "title: x\nname: x\ncorrelation: {type: temporal, rules: [y, y], timespan: 1h}\n---\n"
      "title: y\nname: y\ncorrelation: {type: temporal, rules: [x, x], timespan: 1h}\n");
  EXPECT_THAT(circle.problems.at(0), HasSubstr("circle"));
  EXPECT_TRUE(circle.rules.correlations.empty());
}

TEST(SigmaCorrelation, MistakesAreNamed) {
  const auto first = [](std::string correlation) {
    const Loaded l = load(std::string(kTwoRules) + "title: c\ncorrelation: " + correlation);
    return l.problems.empty() ? std::string() : l.problems[0];
  };
  EXPECT_THAT(first("{type: event_cuont, rules: [a], timespan: 1m, condition: {gte: 3}}"),
              HasSubstr("did you mean 'event_count'?"));
  EXPECT_THAT(first("{type: event_count, rules: [aa], timespan: 1m, condition: {gte: 3}}"),
              HasSubstr("no rule has the name or id 'aa'"));
  EXPECT_THAT(first("{type: event_count, rules: [a], timespan: 1 minute, condition: {gte: 3}}"),
              HasSubstr("is not a timespan"));
  EXPECT_THAT(first("{type: event_count, rules: [a], timespan: 1m}"), HasSubstr("no 'condition'"));
  EXPECT_THAT(first("{type: value_count, rules: [a], timespan: 1m, condition: {gte: 3}}"),
              HasSubstr("needs 'field'"));
  EXPECT_THAT(
      first("{type: event_count, rules: [a], timespan: 1m, condition: {gte: 3}, group_by: [x]}"),
      HasSubstr("did you mean 'group-by'?"));
}

TEST(SigmaCorrelation, RiskIsTheRulesOrFollowsFromItsLevel) {
  const auto risk = [](std::string more) {
    const Loaded l = load(
        "title: d\nlogsource: {category: alert}\ndetection: {s: {a: 1}, condition: s}\n" + more);
    return l.problems.empty()
               ? std::to_string(static_cast<int>(risk_of(l.rules.detections.at(0).head)))
               : l.problems[0];
  };
  EXPECT_EQ(risk(""), "30");
  EXPECT_EQ(risk("level: informational"), "0");
  EXPECT_EQ(risk("level: critical"), "100");
  EXPECT_EQ(risk("level: critical\nvong: {risk: 7}"), "7");
  for (const char* wrong : {"-1", "many", "1e9", "[1]", "nan"})
    EXPECT_THAT(risk(std::string("vong: {risk: ") + wrong + "}"),
                HasSubstr("risk must be a number"));
}

TEST(SigmaCorrelation, TimespansHaveUnits) {
  using std::chrono::hours;
  for (const auto& [text, hours_of] : {std::pair{"1h", 1}, {"1d", 24}, {"1w", 168}, {"1M", 720}}) {
    Loader loader;
    loader.add_text(
        "f", std::string(kTwoRules) +
                 "title: c\ncorrelation: {type: temporal, rules: [a, b], timespan: " + text + "}");
    const RuleSet r = loader.finish();
    ASSERT_EQ(r.correlations.size(), 1u);
    EXPECT_EQ(r.correlations[0].timespan, hours(hours_of)) << text;
  }
}

TEST(SigmaLoader, AListOfIndicatorsIsOneTestAndTakesWholeValuesOnly) {
  const auto with = [](const std::string& line) {
    return load(std::string(kHead) + "detection: {s: {" + line + "}, condition: s}\n");
  };
  const Loaded good = with("dest_ip|expand: '%ncsc%'");
  ASSERT_EQ(good.rules.detections.size(), 1u);
  ASSERT_GE(good.rules.detections[0].expression.tests.size(), 1u);
  EXPECT_EQ(good.rules.detections[0].expression.tests[0].op, TestOp::kList);
  for (const char* bad : {"http.url|contains|expand: '%ncsc%'", "http.url|expand: 'x%ncsc%'",
                          "'|expand': '%ncsc%'", "dest_ip|expand: '%nobody%'"}) {
    const Loaded l = with(bad);
    EXPECT_TRUE(l.rules.detections.empty()) << bad;
    EXPECT_EQ(l.problems.size(), 1u) << bad;
  }
}

}  // namespace
}  // namespace vong::sigma
