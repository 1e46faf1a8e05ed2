#include "app_common/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#ifndef VONG_VERSION
#error "VONG_VERSION comes from CMake"
#endif

namespace vong::app {

std::string_view version() { return VONG_VERSION; }

void add_common_flags(CLI::App& cli, CommonFlags& flags) {
  cli.add_option("-c,--config", flags.config_file, "configuration file (YAML)")->type_name("FILE");
  cli.add_option("--set", flags.sets, "key.path=value over the file, any number of times")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  cli.add_flag("-T", flags.test_only, "check the configuration, print every problem, exit");
  cli.add_flag_function(
      "-v,--verbose", [&flags](int64_t n) { flags.verbosity += static_cast<int>(n); },
      "more on stderr");
  cli.add_flag_function(
      "-q,--quiet", [&flags](int64_t n) { flags.verbosity -= static_cast<int>(n); },
      "only warnings and errors on stderr");
  cli.add_option_function<std::string>(
         "--log-format",
         [&flags](const std::string& form) {
           flags.log_format = form == "text"   ? LogFormat::kText
                              : form == "json" ? LogFormat::kJson
                                               : LogFormat::kAuto;
         },
         "form of the log lines; auto: text on a terminal, JSON lines otherwise")
      ->check(CLI::IsMember({"auto", "text", "json"}));
}

std::optional<int> parse_command_line(CLI::App& cli, int argc, char** argv,
                                      std::string_view program) {
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2")) {
    fmt::print(stderr, "{}: this build needs a CPU with AVX2 (x86-64-v3)\n", program);
    return kExitUsage;
  }
#endif
  cli.name(std::string(program));
  cli.set_version_flag("-V,--version", fmt::format("{} {}", program, version()));
  try {
    cli.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", cli.help());
    return kExitDone;
  } catch (const CLI::CallForAllHelp&) {
    fmt::print("{}", cli.help("", CLI::AppFormatMode::All));
    return kExitDone;
  } catch (const CLI::CallForVersion& e) {
    fmt::print("{}\n", e.what());
    return kExitDone;
  } catch (const CLI::ParseError& e) {
    std::string what = e.what();
    for (char& c : what) c = c == '\n' ? ' ' : c;
    fmt::print(stderr, "{}: {} (--help says what there is)\n", program, what);
    return kExitUsage;
  }
  return std::nullopt;
}

Config load_config(const CommonFlags& flags, Problems& problems) {
  Config config;
  if (!flags.config_file.empty()) config = Config::load(flags.config_file, problems);
  for (const std::string& assignment : flags.sets) config.set(assignment, problems);
  return config;
}

std::optional<int> finish_check(const CommonFlags& flags, const Problems& problems) {
  problems.print(stderr);
  if (problems.errors() > 0) {
    if (flags.test_only)
      fmt::print(stderr, "configuration: {} errors, {} warnings\n", problems.errors(),
                 problems.warnings());
    return kExitUsage;
  }
  if (!flags.test_only) return std::nullopt;
  if (flags.verbosity >= 0)
    fmt::print(stderr, "configuration: no errors, {} warnings\n", problems.warnings());
  return kExitDone;
}

namespace {
int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}
}  // namespace

Progress::Progress(const CommonFlags& flags, uint64_t total, std::string_view unit)
    : total_(total),
      unit_(unit),
      shown_(total > 0 && flags.verbosity >= 0 && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(uint64_t done) {
  if (!shown_) return;
  constexpr int64_t kDrawEveryNs = 200'000'000;
  const int64_t now = steady_ns();
  if (now < next_draw_ns_) return;
  next_draw_ns_ = now + kDrawEveryNs;
  constexpr std::size_t kWidth = 30;
  const double part =
      done >= total_ ? 1.0 : static_cast<double>(done) / static_cast<double>(total_);
  const auto filled = static_cast<std::size_t>(part * kWidth);
  fmt::print(stderr, "\r[{}{}] {:3.0f} % of {} {}\x1b[K", std::string(filled, '#'),
             std::string(kWidth - filled, ' '), part * 100, total_, unit_);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace vong::app
