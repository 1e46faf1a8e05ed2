#include "sensor/app/ledger_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "app_common/program.h"
#include "telemetry/ledger/verify.h"

namespace vong::sensor {
namespace {

void print_summary(const ledger::Verifier& verifier) {
  const ledger::Summary& s = verifier.summary();
  fmt::print("{} records of {} runs: chain whole, every hop balances\n", s.records, s.runs);
  if (!s.first_previous.empty())
    fmt::print("the first record names {} before it, which is not among these\n", s.first_previous);
  if (s.unclean_ends > 0)
    fmt::print(
        "{} runs ended without their last record: what they did in their last interval is not "
        "known\n",
        s.unclean_ends);
  if (!verifier.ended()) fmt::print("the last run has not ended\n");
  using ledger::Hop;
  fmt::print("{} packets, {} events\n", s.in[static_cast<size_t>(Hop::kInterface)],
             s.in[static_cast<size_t>(Hop::kEmit)]);
  for (size_t i = 0; i < ledger::kReasons; ++i) {
    const auto reason = static_cast<ledger::Reason>(i);
    if (s.reasons[i] != 0)
      fmt::print("  {} {} {}\n", name_of(kind_of(reason)), name_of(reason), s.reasons[i]);
  }
}

int verify(const std::vector<std::string>& files) {
  ledger::Verifier verifier;
  for (const std::string& path : files) {
    std::ifstream in(path);
    if (!in) {
      fmt::print(stderr, "vong-sensor: cannot read {}\n", path);
      return app::kExitUsage;
    }
    std::string line;
    for (uint64_t number = 1; std::getline(in, line); ++number) {
      if (auto wrong = verifier.add(line)) {
        fmt::print(stderr, "{}:{}: {}\n", path, number, *wrong);
        return app::kExitFailed;
      }
    }
    if (in.bad()) {
      fmt::print(stderr, "vong-sensor: cannot read {}\n", path);
      return app::kExitFailed;
    }
  }
  if (verifier.summary().records == 0) {
    fmt::print(stderr, "vong-sensor: no record in {}\n", files.front());
    return app::kExitFailed;
  }
  print_summary(verifier);
  return app::kExitDone;
}

}  // namespace

std::optional<int> ledger_command(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "ledger") return std::nullopt;
  CLI::App cli{"vong-sensor ledger: the loss ledger"};
  CLI::App* const check = cli.add_subcommand(
      "verify", "check chain and balance of these files' records, in this order");
  std::vector<std::string> files;
  check->add_option("FILE", files, "oldest first")->required();
  cli.require_subcommand(1);
  if (const auto status = app::parse_command_line(cli, argc - 1, argv + 1, "vong-sensor ledger"))
    return status;
  return verify(files);
}

}  // namespace vong::sensor
