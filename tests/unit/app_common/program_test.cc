#include "app_common/program.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace vong::app {
namespace {

std::optional<int> parse(std::vector<std::string> arguments, CommonFlags& flags) {
  CLI::App cli{"test"};
  add_common_flags(cli, flags);
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  return parse_command_line(cli, static_cast<int>(argv.size()), argv.data(), "vong-test");
}

TEST(CommonFlags, AreReadAsTheContractsSay) {
  CommonFlags flags;
  EXPECT_EQ(parse({"-c", "x.yaml", "--set", "a=1", "--set", "b=2", "-T", "-v", "-v", "--log-format",
                   "json"},
                  flags),
            std::nullopt);
  EXPECT_EQ(flags.config_file, "x.yaml");
  EXPECT_EQ(flags.sets, (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_TRUE(flags.test_only);
  EXPECT_EQ(flags.verbosity, 2);
  EXPECT_EQ(flags.log_format, LogFormat::kJson);
}

TEST(CommonFlags, WrongUsageIsStatusTwo) {
  CommonFlags flags;
  EXPECT_EQ(parse({"--no-such-flag"}, flags), kExitUsage);
  EXPECT_EQ(parse({"--log-format", "xml"}, flags), kExitUsage);
  EXPECT_EQ(parse({"--help"}, flags), kExitDone);
  EXPECT_EQ(parse({"--version"}, flags), kExitDone);
}

TEST(FinishCheck, ErrorsAreStatusTwoAndACheckAloneEnds) {
  CommonFlags flags;
  Problems problems;
  EXPECT_EQ(finish_check(flags, problems), std::nullopt);
  problems.warning({"x", 1, 1}, "odd");
  EXPECT_EQ(finish_check(flags, problems), std::nullopt);
  flags.test_only = true;
  EXPECT_EQ(finish_check(flags, problems), kExitDone);
  problems.error({"x", 1, 1}, "wrong");
  EXPECT_EQ(finish_check(flags, problems), kExitUsage);
}

TEST(Signals, StopAndReloadAreSeen) {
  Signals signals;
  EXPECT_FALSE(signals.wait(0));
  EXPECT_FALSE(signals.take_reload());
  ::raise(SIGHUP);
  EXPECT_FALSE(signals.wait(1000));
  EXPECT_TRUE(signals.take_reload());
  EXPECT_FALSE(signals.take_reload());
  ::raise(SIGPIPE);
  ::raise(SIGTERM);
  EXPECT_TRUE(signals.wait(1000));
  EXPECT_TRUE(signals.stop_requested());
}

}  // namespace
}  // namespace vong::app
