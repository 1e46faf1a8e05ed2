#include "app_common/config.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace vong::app {
namespace {

using namespace std::chrono_literals;

struct Read {
  Problems problems;
  Config config;
  explicit Read(std::string_view text) { config = Config::parse(text, "c.yaml", problems); }
  [[nodiscard]] std::string problem(std::size_t i = 0) const {
    return i < problems.all().size() ? problems.all()[i].to_string() : "";
  }
};

TEST(Config, ValuesAreFoundByKeyAndPath) {
  Read r(
      "%YAML 1.1\n---\nkafka:\n  brokers: a:1,b:2\noutputs:\n  - fast: {enabled: no}\n  - eve-log: "
      "{enabled: yes}\n");
  EXPECT_EQ(r.problems.errors(), 0u);
  EXPECT_EQ(r.config["kafka"]["brokers"].raw(), "a:1,b:2");
  EXPECT_TRUE(r.config.root().at_path("outputs.1.eve-log.enabled").boolean(false, r.problems));
  EXPECT_FALSE(r.config.root().at_path("outputs.2.eve-log"));
  EXPECT_FALSE(r.config["nothing"]["below"]);
}

TEST(Config, SyntaxErrorsNameLineAndColumn) {
  Read r("a: 1\nb: [1, 2\nc: 3\n");
  ASSERT_EQ(r.problems.errors(), 1u);
  EXPECT_EQ(r.problem().substr(0, 9), "c.yaml:3:") << r.problem();
}

TEST(Config, WrongValuesNameTheirPlaceAndLeaveTheFallback) {
  Read r("port: many\nsize: 5 parsecs\nflag: perhaps\nage:\n  - 1\n");
  EXPECT_EQ(r.config["port"].integer(9, 1, 65535, r.problems), 9);
  EXPECT_EQ(r.config["size"].bytes(7, 0, 100, r.problems), 7u);
  EXPECT_TRUE(r.config["flag"].boolean(true, r.problems));
  EXPECT_EQ(r.config["age"].duration(1s, 0s, 9s, r.problems), 1s);
  ASSERT_EQ(r.problems.errors(), 4u);
  EXPECT_EQ(r.problem(0),
            "c.yaml:1:7: error: expected a whole number from 1 to 65535, found 'many'");
  EXPECT_EQ(r.problem(3),
            "c.yaml:5:3: error: expected a time from 0s to 9s (as 250ms, 10s, 5m), found a list");
}

TEST(Config, MissingAndNullGiveTheFallbackWithoutComplaint) {
  Read r("empty:\ntilde: ~\n");
  EXPECT_EQ(r.config["empty"].text("x", r.problems), "x");
  EXPECT_EQ(r.config["tilde"].integer(4, 0, 9, r.problems), 4);
  EXPECT_EQ(r.config["gone"].bytes(3, 0, 9, r.problems), 3u);
  EXPECT_EQ(r.problems.errors(), 0u);
}

TEST(Config, SizesAndTimesHaveUnits) {
  EXPECT_EQ(parse_duration("250ms"), Duration(250ms));
  EXPECT_EQ(parse_duration("2h"), Duration(2h));
  EXPECT_EQ(parse_duration("3"), Duration(3s));
  EXPECT_FALSE(parse_duration("1e30s"));
}

TEST(Config, SetLaysScalarsOverMapsAndLists) {
  Read r("a: {b: 1}\nfiles: [x]\n");
  r.config.set("a.b=2", r.problems);
  r.config.set("a.c.d=[1, 2]", r.problems);
  r.config.set("files.1=y", r.problems);
  r.config.set("new=", r.problems);
  EXPECT_EQ(r.config["a"]["b"].raw(), "2");
  EXPECT_EQ(r.config["a"]["c"]["d"].raw(), "[1, 2]");
  EXPECT_EQ(r.config["files"].texts(r.problems), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(r.config["new"].is_scalar());
  EXPECT_EQ(r.config["a"]["b"].place().file, "--set");
  EXPECT_EQ(r.problems.errors(), 0u);
}

TEST(Config, SetWithoutKeyOrEqualsIsAnError) {
  Read r("");
  for (const char* bad : {"", "a", "=1", ".a=1", "a..b=1", "a.=1"}) r.config.set(bad, r.problems);
  EXPECT_EQ(r.problems.errors(), 6u);
}

TEST(Config, UnknownKeysNameTheNearestKnownOne) {
  Read r("brokrs: x\nzzz: y\n");
  r.config.root().report_unknown_keys({"brokers", "topic"}, Severity::kError, r.problems);
  EXPECT_EQ(r.problem(0), "c.yaml:1:9: error: unknown key 'brokrs', did you mean 'brokers'?");
  EXPECT_EQ(r.problem(1), "c.yaml:2:6: error: unknown key 'zzz'");
}

TEST(Config, LaterKeyReplacesEarlierWithAWarning) {
  Read r("a: 1\na: 2\n");
  EXPECT_EQ(r.config["a"].raw(), "2");
  EXPECT_EQ(r.problem(), "c.yaml:2:4: warning: 'a' replaces the one in line 1");
}

TEST(Config, AliasesAreCopiesAndABombIsRefused) {
  Read good("base: &b {x: 1}\nuse: *b\n");
  EXPECT_EQ(good.config["use"]["x"].raw(), "1");
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += std::string(k ? "," : "") + "*a" + std::to_string(i - 1);
    bomb += "]\n";
  }
  Read bad(bomb);
  ASSERT_EQ(bad.problems.errors(), 1u);
  EXPECT_NE(bad.problem().find("more than 500000 values"), std::string::npos) << bad.problem();
}

TEST(Config, DeepNestingIsRefused) {
  for (const int depth : {100, 1000, 100000}) {
    Read r(std::string(static_cast<std::size_t>(depth), '['));
    EXPECT_EQ(r.problems.errors(), 1u) << depth;
  }
}

TEST(Config, AListAtTheTopIsRefused) {
  EXPECT_EQ(Read("- a\n").problems.errors(), 1u);
  EXPECT_EQ(Read("just text\n").problems.errors(), 1u);
  EXPECT_EQ(Read("").problems.errors(), 0u);
}

class ConfigFiles : public testing::Test {
 protected:
  void SetUp() override {
    dir_ =
        std::filesystem::path(testing::TempDir()) / ("config_test_" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name) << text;
    return (dir_ / name).string();
  }
  std::filesystem::path dir_;
  Problems problems_;
};

TEST_F(ConfigFiles, IncludesAreReadBesideTheFile) {
  write("b.yaml", "x: 1\ny: 2\n");
  write("c.yaml", "k: 3\n");
  const Config config =
      Config::load(write("a.yaml", "include: b.yaml\npart: !include c.yaml\n"), problems_);
  EXPECT_EQ(problems_.errors(), 0u);
  EXPECT_EQ(config["y"].raw(), "2");
  EXPECT_EQ(config["part"]["k"].raw(), "3");
  EXPECT_TRUE(config["y"].place().file.ends_with("b.yaml"));
}

TEST_F(ConfigFiles, AnIncludeOfItselfIsRefused) {
  (void)Config::load(write("a.yaml", "include: a.yaml\n"), problems_);
  ASSERT_EQ(problems_.errors(), 1u);
  EXPECT_NE(problems_.all()[0].text.find("includes nested deeper"), std::string::npos);
}

TEST_F(ConfigFiles, AFileThatIsNotThereIsOneError) {
  (void)Config::load((dir_ / "none.yaml").string(), problems_);
  (void)Config::load(dir_.string(), problems_);
  EXPECT_EQ(problems_.errors(), 2u);
}

TEST_F(ConfigFiles, BinaryIsAnErrorNotACrash) {
  std::string bytes;
  uint32_t state = 1;
  for (int i = 0; i < 20000; ++i)
    bytes.push_back(static_cast<char>((state = state * 1664525 + 1013904223) >> 24));
  (void)Config::load(write("binary.yaml", bytes), problems_);
  EXPECT_GE(problems_.errors(), 1u);
}

}  // namespace
}  // namespace vong::app
