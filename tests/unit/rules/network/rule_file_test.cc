#include "rules/network/rule_file.h"

#include <gtest/gtest.h>

#include "rules/network/limits.h"

namespace vong::rules {
namespace {

const std::string kGood = "alert tcp any any -> any 80 (msg:\"x\"; sid:7;)";

std::unique_ptr<RuleFile> parse(std::string text, const ParseOptions& options = {}) {
  return RuleFile::parse("t.rules", std::move(text), options);
}

std::vector<std::string> problems(const RuleFile& file) {
  std::vector<std::string> result;
  for (const Diagnostic& diagnostic : file.diagnostics().items()) {
    result.push_back(diagnostic.format());
  }
  return result;
}

// The one problem of a bad rule; it stands between two good ones, which must survive.
std::string problem(const std::string& bad) {
  const auto file = parse(kGood + "\n" + bad + "\n" + kGood + "\n");
  EXPECT_EQ(file->rules().size(), 2u) << bad;
  EXPECT_EQ(file->rules_rejected(), 1u) << bad;
  const auto all = problems(*file);
  return all.size() == 1 ? all[0] : "not one problem but " + std::to_string(all.size());
}

TEST(RuleFile, ReadsEveryPartOfARule) {
  const auto file = parse(
      "drop:flow http1:request_line [10.0.0.0/8, !10.1.1.1] $P <> !$H [80, 90:] "
      "(msg:\"a\\;b\"; content:\"x:y\"; nocase; flow:; sid:12; gid:3; rev:4;)");
  ASSERT_EQ(problems(*file), std::vector<std::string>());
  ASSERT_EQ(file->rules().size(), 1u);
  const Rule& rule = file->rules()[0];
  EXPECT_EQ(rule.action, Action::kDrop);
  EXPECT_EQ(rule.scope, ActionScope::kFlow);
  EXPECT_EQ(rule.protocol, "http1");
  EXPECT_EQ(rule.hook, "request_line");
  EXPECT_EQ(rule.src, "[10.0.0.0/8, !10.1.1.1]");
  EXPECT_EQ(rule.src_port, "$P");
  EXPECT_EQ(rule.direction, Direction::kBoth);
  EXPECT_EQ(rule.dst, "!$H");
  EXPECT_EQ(rule.dst_port, "[80, 90:]");
  EXPECT_EQ(rule.sid, 12u);
  EXPECT_EQ(rule.gid, 3u);
  EXPECT_EQ(rule.rev, 4u);
  ASSERT_EQ(rule.options.size(), 7u);
  EXPECT_EQ(rule.options[0].value, "\"a\\;b\"");
  EXPECT_EQ(rule.options[1].name, "content");
  EXPECT_EQ(rule.options[1].value, "\"x:y\"");
  EXPECT_FALSE(rule.options[2].has_value);
  EXPECT_TRUE(rule.options[3].has_value);
  EXPECT_EQ(rule.options[3].value, "");
  EXPECT_EQ(rule.find("SID")->value, "12");
  EXPECT_EQ(rule.find("nothing"), nullptr);
}

TEST(RuleFile, KnowsEveryActionAndDirection) {
  const std::pair<const char*, Action> actions[] = {{"alert", Action::kAlert},
                                                    {"PASS", Action::kPass},
                                                    {"drop", Action::kDrop},
                                                    {"reject", Action::kReject},
                                                    {"rejectsrc", Action::kRejectSrc},
                                                    {"rejectdst", Action::kRejectDst},
                                                    {"rejectboth", Action::kRejectBoth},
                                                    {"config", Action::kConfig},
                                                    {"accept", Action::kAccept}};
  for (const auto& [name, action] : actions) {
    const auto file = parse(std::string(name) + " ip any any => any any (sid:1;)");
    ASSERT_EQ(file->rules().size(), 1u) << name;
    EXPECT_EQ(file->rules()[0].action, action);
    EXPECT_EQ(file->rules()[0].direction, Direction::kTransaction);
  }
}

TEST(RuleFile, PassesOverCommentsAndEmptyLines) {
  const auto file = parse("# alert of the day\n\n   \n#" + kGood + "\n;x\n" + kGood);
  EXPECT_EQ(problems(*file), std::vector<std::string>());
  ASSERT_EQ(file->rules().size(), 1u);
  EXPECT_EQ(file->rules()[0].pos, (SourcePos{6, 1}));
}

TEST(RuleFile, KeepsDisabledRulesWhenAsked) {
  const auto file =
      parse("# alert of the day\n## " + kGood + "\n" + kGood, {.keep_disabled = true});
  EXPECT_EQ(problems(*file), std::vector<std::string>());
  ASSERT_EQ(file->rules().size(), 2u);
  EXPECT_FALSE(file->rules()[0].enabled);
  EXPECT_EQ(file->rules()[0].pos, (SourcePos{2, 4}));
  EXPECT_TRUE(file->rules()[1].enabled);
}

TEST(RuleFile, ByteOrderMarkAndCarriageReturnsAreNotText) {
  const auto file = parse("\xEF\xBB\xBF" + kGood + "\r\n\r\n" + kGood + "\r\n");
  EXPECT_EQ(problems(*file), std::vector<std::string>());
  ASSERT_EQ(file->rules().size(), 2u);
  EXPECT_EQ(file->rules()[0].pos, (SourcePos{1, 1}));
  EXPECT_EQ(file->rules()[1].text, kGood);
}

TEST(RuleFile, ContinuedRuleKeepsItsPlaces) {
  const auto file =
      parse("\nalert tcp any any -> any 80 ( \\\r\n   msg:\"x\"; \\  \n\tsid:7; rev:x;)\n");
  EXPECT_EQ(problems(*file),
            std::vector<std::string>(
                {"t.rules:4:13: error: number expected after 'rev:', not 'x' (sid 7)"}));
  const auto good = parse("alert tcp any any -> any 80 (\\\nmsg:\"x\";\\\nsid:7;)");
  ASSERT_EQ(good->rules().size(), 1u);
  const Rule& rule = good->rules()[0];
  EXPECT_EQ(rule.text, "alert tcp any any -> any 80 (msg:\"x\";sid:7;)");
  EXPECT_EQ(rule.pos_of(rule.options[0].name), (SourcePos{2, 1}));
  EXPECT_EQ(rule.pos_of(rule.options[1].value), (SourcePos{3, 5}));
}

TEST(RuleFile, ColumnsCountCharactersNotBytes) {
  EXPECT_EQ(problem("alert tcp any any -> any any (msg:\"mã độc\"; rev:x; sid:1;)"),
            "t.rules:2:49: error: number expected after 'rev:', not 'x' (sid 1)");
}

TEST(RuleFile, LastLineNeedsNoNewline) { EXPECT_EQ(parse(kGood)->rules().size(), 1u); }

TEST(RuleFile, FileThatEndsInAContinuationIsWarnedOf) {
  const auto file = parse(kGood + " \\\n");
  EXPECT_EQ(file->rules().size(), 1u);
  EXPECT_EQ(problems(*file), std::vector<std::string>({"t.rules:1:1: warning: the file ends in a "
                                                       "line that says it is continued"}));
}

TEST(RuleFile, MissingParenthesesAreWarnings) {
  const auto file =
      parse("alert tcp any any -> any 80 (sid:7;\nalert tcp any any -> any 80 (sid:8;)");
  EXPECT_EQ(file->rules().size(), 2u);
  EXPECT_EQ(problems(*file), std::vector<std::string>({"t.rules:1:36: warning: ')' expected at the "
                                                       "end of the rule (sid 7)"}));
}

struct BadRule {
  std::string rule;
  std::string expected;
};

// Each diagnostic of the rule parser, one line.
const BadRule kBadRules[] = {
    {"allert tcp any any -> any any (sid:1;)",
     "t.rules:2:1: error: unknown action 'allert', did you mean 'alert'?"},
    {"\x01\x02 tcp", "t.rules:2:1: error: unknown action '\\x01\\x02'"},
    {"drop:world tcp any any -> any any (sid:1;)",
     "t.rules:2:6: error: unknown action scope 'world': packet, flow, tx or hook expected (sid 1)"},
    {"alert", "t.rules:2:6: error: protocol expected before the end of the rule"},
    {"alert (sid:1;)", "t.rules:2:7: error: protocol expected before '('"},
    {"alert http1: any any -> any any (sid:1;)",
     "t.rules:2:12: error: hook name expected after ':' (sid 1)"},
    {"alert tcp any any (sid:1;)",
     "t.rules:2:19: error: direction ->, <> or => expected before '('"},
    {"alert tcp any any <- any any (sid:1;)",
     "t.rules:2:19: error: direction ->, <> or => expected, not '<-'; swap source and destination"},
    {"alert tcp any any -> any (sid:1;)",
     "t.rules:2:26: error: destination port expected before '('"},
    {"alert tcp [1.1.1.1, any -> any any (sid:1;)", "t.rules:2:11: error: '[' without ']'"},
    {"alert tcp any any -> any any",
     "t.rules:2:29: error: rule options expected: '(msg:\"...\"; sid:...;)'"},
    {"alert tcp any any -> any any ()", "t.rules:2:1: error: rule has no sid"},
    {"alert tcp any any -> any any (msg:\"x\";)", "t.rules:2:1: error: rule has no sid"},
    {"alert tcp any any -> any any (sid:1)",
     "t.rules:2:36: error: ';' expected after option 'sid:1'"},
    {"alert tcp any any -> any any (msg:\"x\";; sid:1;)",
     "t.rules:2:39: error: option expected before ';' (sid 1)"},
    {"alert tcp any any -> any any (:x; sid:1;)",
     "t.rules:2:31: error: option name expected before ':' (sid 1)"},
    {"alert tcp any any -> any any (sid:1; sid:2;)",
     "t.rules:2:38: error: 'sid' is given twice (sid 1)"},
    {"alert tcp any any -> any any (sid:0;)", "t.rules:2:35: error: sid 0 is reserved"},
    {"alert tcp any any -> any any (sid:-1;)",
     "t.rules:2:35: error: number expected after 'sid:', not '-1'"},
    {"alert tcp any any -> any any (sid:4294967296;)",
     "t.rules:2:35: error: sid '4294967296' is too large, the largest is 4294967295"},
    {"alert tcp any any -> any any (sid:1; gid:;)",
     "t.rules:2:42: error: number expected after 'gid:', not '' (sid 1)"},
    {std::string("alert tcp any any -> any any (msg:\"\0\"; sid:1;)", 46),
     "t.rules:2:36: error: NUL byte in a rule: this is not a text file"},
};

TEST(RuleFile, EveryProblemIsToldAtItsPlace) {
  for (const BadRule& bad : kBadRules) {
    EXPECT_EQ(problem(bad.rule), bad.expected);
  }
}

TEST(RuleFile, SemicolonInsideQuotesIsExplained) {
  const auto file = parse("alert tcp any any -> any any (msg:\"a;b\"; sid:1;)");
  EXPECT_EQ(file->rules().size(), 0u);
  EXPECT_EQ(
      problems(*file)[0],
      "t.rules:1:35: error: quote of 'msg' is not closed before ';' (inside quotes write '\\;' "
      "or '|3b|') (sid 1)");
}

TEST(RuleFile, RuleLongerThanTheLimitIsRefused) {
  EXPECT_EQ(problem("alert tcp any any -> any any (msg:\"" + std::string(kMaxRuleBytes, 'x') +
                    "\"; sid:1;)"),
            "t.rules:2:1: error: rule of more than 65536 bytes");
  std::string continued = "alert tcp any any -> any any (msg:\"\\\n";
  for (int i = 0; i < 100; ++i) continued += std::string(1000, 'x') + "\\\n";
  const auto file = parse(continued + "\"; sid:1;)\n" + kGood);
  EXPECT_EQ(file->rules().size(), 1u);
  EXPECT_EQ(problems(*file),
            std::vector<std::string>({"t.rules:1:1: error: rule of more than 65536 bytes"}));
}

TEST(RuleFile, TooManyOptionsAreRefused) {
  std::string rule = "alert tcp any any -> any any (sid:1;";
  for (size_t i = 0; i < kMaxOptionsPerRule; ++i) rule += "nocase;";
  EXPECT_EQ(problem(rule + ")"), "t.rules:2:7198: error: more than 1024 options in a rule (sid 1)");
}

TEST(RuleFile, DiagnosticsAreCappedAndCounted) {
  std::string text;
  for (size_t i = 0; i < kMaxDiagnosticsPerFile + 5; ++i) text += "bad\n";
  const auto file = parse(text);
  EXPECT_EQ(file->diagnostics().items().size(), kMaxDiagnosticsPerFile);
  EXPECT_EQ(file->diagnostics().errors(), kMaxDiagnosticsPerFile + 5);
  EXPECT_EQ(file->diagnostics().suppressed(), 5u);
  EXPECT_EQ(file->rules_rejected(), kMaxDiagnosticsPerFile + 5);
}

TEST(RuleFile, MissingFileIsAnErrorThatNamesIt) {
  const auto file = RuleFile::load("/does/not/exist.rules");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().message, "/does/not/exist.rules: No such file or directory");
  EXPECT_EQ(RuleFile::load("/").error().message, "/: Is a directory");
}

TEST(Diagnostic, LeavesOutWhatItDoesNotKnow) {
  EXPECT_EQ((Diagnostic{Severity::kWarning, "f", {}, 0, "m"}.format()), "f: warning: m");
  EXPECT_EQ((Diagnostic{Severity::kError, "f", {3, 0}, 9, "m"}.format()), "f:3: error: m (sid 9)");
}

}  // namespace
}  // namespace vong::rules
