// What all programs have in common: their flags, exit status, log, signals. The mains are lists of
// steps over these:
//
//   int main(int argc, char** argv) {
//     app::CommonFlags flags;
//     CLI::App cli{"packets in, events out"};
//     app::add_common_flags(cli, flags);
//     cli.add_option(...);
//     if (auto status = app::parse_command_line(cli, argc, argv, "vong-sensor")) return *status;
//     app::start_log(flags, "vong-sensor");
//     app::Signals signals;                      // before any thread
//     app::Problems problems;
//     app::Config config = app::load_config(flags, problems);
//     ... read the configuration into the program's own struct, more problems ...
//     if (auto status = app::finish_check(flags, problems)) return *status;
//     ... run until signals.stop_requested() ...
//   }
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app_common/config.h"
#include "app_common/problems.h"

namespace vong::app {

// Exit status of every program.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // failed while running
inline constexpr int kExitUsage = 2;   // wrong usage, configuration or rules

enum class LogFormat { kAuto, kText, kJson };  // auto: text on a terminal, JSON lines otherwise

struct CommonFlags {
  std::string config_file;        // -c; empty when not given
  std::vector<std::string> sets;  // --set, in order
  bool test_only = false;         // -T
  int verbosity = 0;  // -v adds one, -q takes one: below 0 only warnings and errors, above 0 debug
  LogFormat log_format = LogFormat::kAuto;
};

[[nodiscard]] std::string_view version();  // "0.1.0"

// Adds -c, --set, -T, -v, -q, --log-format, --version (and --help, which CLI11 has). `flags` has to
// outlive the parsing.
void add_common_flags(CLI::App& cli, CommonFlags& flags);

// Parses. An exit status when the program is to end at once: 0 after --help and --version, 2 with
// one line on stderr after wrong usage, or when this build needs a newer CPU.
[[nodiscard]] std::optional<int> parse_command_line(CLI::App& cli, int argc, char** argv,
                                                    std::string_view program);

// The file of -c (none: an empty configuration) with every --set over it.
[[nodiscard]] Config load_config(const CommonFlags& flags, Problems& problems);

// Ends the check of a configuration: prints every problem to stderr; an exit status when there are
// errors (2), or when only the check was asked for (-T: 0 when there are none). The line that -T
// ends with goes to stderr too.
[[nodiscard]] std::optional<int> finish_check(const CommonFlags& flags, const Problems& problems);

// Sends spdlog's default logger to stderr in the chosen form; after this spdlog::info(...) and so
// on may be used from any thread. JSON lines: {"time","level","program","message"}.
void start_log(const CommonFlags& flags, std::string_view program);

// The process's signals: SIGTERM and SIGINT ask for a stop, SIGHUP and SIGUSR2 for a reload; SIGPIPE and SIGXFSZ
// are ignored, so that a closed pipe and a file at its limit are errors of the write. One per process, made by main before the
// first thread. Any thread may ask.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  [[nodiscard]] bool stop_requested() const;
  [[nodiscard]] bool take_reload();  // true once for each time that SIGHUP came since
  // Readable once a signal has come and until wait() or take_reload() is called: for poll(2) beside
  // other descriptors.
  [[nodiscard]] int fd() const;
  // Sleeps until a signal comes or the time is over; true when a stop is asked for.
  bool wait(int timeout_ms);
  // The same as SIGTERM from outside, for a program that has come to its end by itself.
  void request_stop();
};

// A progress bar on stderr, when that is a terminal and the program is not quiet. Single thread;
// cheap to call often.
class Progress {
 public:
  // `total` in any unit; 0 (no known end) shows nothing. `unit` is shown behind the numbers.
  Progress(const CommonFlags& flags, uint64_t total, std::string_view unit);
  ~Progress();  // clears the line
  void update(uint64_t done);

 private:
  uint64_t total_;
  std::string unit_;
  bool shown_;
  int64_t next_draw_ns_ = 0;
  bool drawn_ = false;
};

}  // namespace vong::app
