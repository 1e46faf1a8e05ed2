#include <gtest/gtest.h>

#include "rules/network/class_config.h"
#include "rules/network/threshold.h"

namespace vong::rules {
namespace {

std::vector<std::string> problems(const Diagnostics& diagnostics) {
  std::vector<std::string> result;
  for (const Diagnostic& diagnostic : diagnostics.items()) result.push_back(diagnostic.format());
  return result;
}

class ThresholdConfig : public ::testing::Test {
 protected:
  ThresholdConfig() : lists_((variables_.set_addresses("DMZ", "10.9.0.0/16"), variables_)) {}

  ThresholdFile parse(const std::string& text) {
    return parse_threshold_file("t.config", text, lists_);
  }
  std::string problem(const std::string& line) {
    const auto file =
        parse("suppress gen_id 1, sig_id 1\n" + line + "\nsuppress gen_id 1, sig_id 1");
    EXPECT_EQ(file.entries.size(), 2u) << line;
    const auto all = problems(file.diagnostics);
    return all.size() == 1 ? all[0] : "not one problem";
  }

  Variables variables_;
  ListCache lists_;
};

TEST_F(ThresholdConfig, EveryCommand) {
  const auto file = parse(
      "# comment\r\n"
      "suppress gen_id 1, sig_id 2002087\r\n"
      "suppress gen_id 1, sig_id 5, track by_either, ip [$DMZ,!10.9.1.1]\n"
      "threshold gen_id 1, sig_id 6, type both, track by_flow, count 5, seconds 60\n"
      "event_filter gen_id 0, sig_id 0, track by_src, \\\n  type limit, seconds 10, count 1\n"
      "rate_filter gen_id 1, sig_id 7, track by_rule, count 100, seconds 60, new_action drop, "
      "timeout 300\n");
  EXPECT_EQ(problems(file.diagnostics), std::vector<std::string>());
  ASSERT_EQ(file.entries.size(), 5u);
  EXPECT_EQ(file.entries[0].sid, 2002087u);
  EXPECT_EQ(file.entries[0].suppressed, nullptr);
  EXPECT_EQ(file.entries[1].suppress_track, Track::kByEither);
  EXPECT_TRUE(file.entries[1].suppressed->contains(*IpAddress::parse("10.9.1.2")));
  EXPECT_FALSE(file.entries[1].suppressed->contains(*IpAddress::parse("10.9.1.1")));
  EXPECT_EQ(file.entries[2].kind, ThresholdEntry::Kind::kThreshold);
  EXPECT_EQ(file.entries[2].threshold.type, ThresholdType::kBoth);
  EXPECT_EQ(file.entries[2].threshold.track, Track::kByFlow);
  EXPECT_EQ(file.entries[2].threshold.count, 5u);
  EXPECT_EQ(file.entries[2].threshold.seconds, 60u);
  EXPECT_EQ(file.entries[3].threshold.type, ThresholdType::kLimit);
  EXPECT_EQ(file.entries[3].threshold.seconds, 10u);
  EXPECT_EQ(file.entries[3].pos, (SourcePos{5, 1}));
  EXPECT_EQ(file.entries[4].kind, ThresholdEntry::Kind::kRateFilter);
  EXPECT_EQ(file.entries[4].new_action, NewAction::kDrop);
  EXPECT_EQ(file.entries[4].timeout_s, 300u);
}

TEST_F(ThresholdConfig, EveryMistakeIsToldAtItsPlace) {
  EXPECT_EQ(problem("supress gen_id 1, sig_id 1"),
            "t.config:2:1: error: unknown command 'supress', did you mean 'suppress'?");
  EXPECT_EQ(problem("suppress gen_id 1"), "t.config:2:10: error: 'sig_id' expected");
  EXPECT_EQ(problem("suppress gen_id 1, sig_id x"),
            "t.config:2:27: error: number expected, not 'x'");
  EXPECT_EQ(problem("suppress gen_id 0, sig_id 3"),
            "t.config:2:27: error: gen_id 0 means every rule: sig_id must be 0 too");
  EXPECT_EQ(problem("suppress gen_id 1, sig_id 1, sig_id 2"),
            "t.config:2:30: error: 'sig_id' is given twice");
  EXPECT_EQ(problem("suppress gen_id 1,, sig_id 1"),
            "t.config:2:19: error: 'key value' expected between the commas");
  EXPECT_EQ(problem("suppress gen_id 1, sig_id 1, track by_src"),
            "t.config:2:30: error: 'ip' expected besides 'track'");
  EXPECT_EQ(problem("suppress gen_id 1, sig_id 1, track by_sorc, ip 1.1.1.1"),
            "t.config:2:36: error: unknown track 'by_sorc', did you mean 'by_src'?");
  EXPECT_EQ(problem("suppress gen_id 1, sig_id 1, track by_src, ip [1.1.1.1,$X]"),
            "t.config:2:56: error: unknown variable '$X'");
  EXPECT_EQ(problem("suppress gen_id 1, sig_id 1, trac by_src"),
            "t.config:2:30: error: unknown part 'trac', did you mean 'track'?");
  EXPECT_EQ(problem("threshold gen_id 1, sig_id 1, track by_src, count 1, seconds 1"),
            "t.config:2:11: error: 'type' expected");
  EXPECT_EQ(problem("threshold gen_id 1, sig_id 1, type limits, track by_src, count 1, seconds 1"),
            "t.config:2:36: error: unknown type 'limits', did you mean 'limit'?");
  EXPECT_EQ(problem("threshold gen_id 1, sig_id 1, type limit, track by_src, count 0, seconds 1"),
            "t.config:2:63: error: 'count' must be at least 1");
  EXPECT_EQ(problem("rate_filter gen_id 1, sig_id 1, track by_src, count 1, seconds 1, new_action "
                    "dorp, timeout 1"),
            "t.config:2:78: error: unknown new_action 'dorp', did you mean 'drop'?");
}

TEST(Threshold, KeywordTakesItsPartsInAnyOrder) {
  const auto threshold = parse_threshold("count 5, track by_dst, seconds 60, type threshold");
  ASSERT_TRUE(threshold);
  EXPECT_EQ(threshold->type, ThresholdType::kThreshold);
  EXPECT_EQ(threshold->track, Track::kByDst);
  EXPECT_EQ(threshold->count, 5u);
  EXPECT_EQ(threshold->seconds, 60u);
  const auto backoff = parse_threshold("type backoff, track by_flow, count 1, multiplier 10");
  ASSERT_TRUE(backoff);
  EXPECT_EQ(backoff->multiplier, 10u);
  EXPECT_FALSE(parse_threshold("type backoff, track by_src, count 1, multiplier 10"));
  EXPECT_FALSE(parse_threshold("type backoff, track by_flow, count 1, multiplier 1"));
  EXPECT_FALSE(parse_threshold("type limit, track by_src, count 1"));
  EXPECT_FALSE(parse_threshold(""));
}

TEST(Threshold, DetectionFilterHasNoType) {
  const auto filter = parse_detection_filter("track by_src, count 15, seconds 2");
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->count, 15u);
  EXPECT_EQ(parse_detection_filter("type limit, track by_src, count 15, seconds 2").error().message,
            "unknown part 'type'");
}

TEST(Classification, ReadsEntriesAndTellsMistakes) {
  const auto config =
      ClassificationConfig::parse("c.config",
                                  "# c\n"
                                  "config classification: a-b,Text, with a comma,2\n"
                                  "config classification: A-B,again,3\n"
                                  "config clasification: x,y,1\n"
                                  "confg classification: x,y,1\n"
                                  "config classification: x,y\n"
                                  "config classification: x y,z,1\n"
                                  "config classification: x,y,0\n"
                                  "config classification: x,y,256\n");
  ASSERT_EQ(config.size(), 1u);
  const Classification* entry = config.find("A-b");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->description, "Text, with a comma");
  EXPECT_EQ(entry->priority, 2u);
  EXPECT_EQ(config.find("x"), nullptr);
  EXPECT_EQ(config.nearest("a_c"), "a-b");
  EXPECT_EQ(problems(config.diagnostics()),
            std::vector<std::string>(
                {"c.config:3:1: warning: 'a-b' is known already, the first one counts",
                 "c.config:4:8: error: 'classification:' expected after 'config'",
                 "c.config:5:1: error: 'config classification:' expected, not 'confg'",
                 "c.config:6:24: error: name,description,priority expected",
                 "c.config:7:24: error: name of letters, digits, '-' and '_' expected, not 'x y'",
                 "c.config:8:28: error: priority of 1 to 255 expected, not 0",
                 "c.config:9:28: error: '256' is too large, the largest is 255"}));
}

TEST(Reference, ReadsEntriesAndTellsMistakes) {
  const auto config = ReferenceConfig::parse("r.config",
                                             "config reference: CVE   http://c/?name=\nconfig "
                                             "reference: url http://\nconfig reference: x\n");
  ASSERT_NE(config.find("cve"), nullptr);
  EXPECT_EQ(*config.find("cve"), "http://c/?name=");
  EXPECT_EQ(*config.find("URL"), "http://");
  EXPECT_EQ(config.find("x"), nullptr);
  EXPECT_EQ(problems(config.diagnostics()),
            std::vector<std::string>(
                {"r.config:3:19: error: system name and beginning of its addresses expected"}));
}

TEST(ConfigFiles, MissingFileIsAnError) {
  EXPECT_FALSE(ClassificationConfig::load("/does/not/exist"));
  EXPECT_FALSE(ReferenceConfig::load("/does/not/exist"));
}

}  // namespace
}  // namespace vong::rules
