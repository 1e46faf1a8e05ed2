#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>

#include "app_common/program.h"
#include "base/json_writer.h"
#include "base/timestamp.h"

namespace vong::app {
namespace {

// One JSON object a line; whatever is in a message, the line stays valid JSON.
class JsonLineFormatter : public spdlog::formatter {
 public:
  explicit JsonLineFormatter(std::string program) : program_(std::move(program)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    line_.clear();
    JsonWriter json(line_);
    json.open_object();
    json.field("time", std::chrono::time_point_cast<Duration>(message.time));
    const auto level = spdlog::level::to_string_view(message.level);
    json.field("level", std::string_view(level.data(), level.size()));
    json.field("program", program_);
    json.field("message", std::string_view(message.payload.data(), message.payload.size()));
    json.close_object();
    line_.push_back('\n');
    out.append(line_.data(), line_.data() + line_.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonLineFormatter>(program_);
  }

 private:
  std::string program_;
  std::string line_;  // the sink calls format() under its lock
};

spdlog::level::level_enum level_of(int verbosity) {
  if (verbosity < 0) return spdlog::level::warn;
  return verbosity == 0 ? spdlog::level::info : spdlog::level::debug;
}

}  // namespace

void start_log(const CommonFlags& flags, std::string_view program) {
  auto logger = std::make_shared<spdlog::logger>(std::string(program),
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const bool text = flags.log_format == LogFormat::kText ||
                    (flags.log_format == LogFormat::kAuto && ::isatty(STDERR_FILENO) == 1);
  if (text) {
    logger->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e%z %l: %v"));
  } else {
    logger->set_formatter(std::make_unique<JsonLineFormatter>(std::string(program)));
  }
  logger->set_level(level_of(flags.verbosity));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace vong::app
