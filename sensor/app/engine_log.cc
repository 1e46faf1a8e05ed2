#include "sensor/app/engine_log.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/json_writer.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;

std::string line_of(const rules::Diagnostic& d, bool json) {
  if (!json) return d.format();
  std::string line;
  JsonWriter out(line);
  out.open_object();
  out.field("timestamp", std::chrono::time_point_cast<Timestamp::duration>(std::chrono::system_clock::now()));
  out.field("log_level", d.severity == rules::Severity::kError ? "Error" : "Warning");
  out.field("event_type", "engine");
  out.open_object("engine");
  out.field("message", d.message);
  out.close_object();
  out.close_object();
  return line;
}

}  // namespace

void write_engine_log(const Settings& settings, const std::string& folder, std::span<const rules::Diagnostic> diagnostics) {
  if (diagnostics.empty()) return;
  for (const std::string& i : settings.children("logging.outputs")) {
    const std::string file = "logging.outputs." + i + ".file";
    if (!settings.has(file) || !settings.flag(file + ".enabled", true)) continue;
    const fs::path name(std::string(settings.text(file + ".filename", "suricata.log")));
    const fs::path path = name.is_absolute() ? name : fs::path(folder) / name;
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::ofstream out(path, std::ios::app);
    const bool json = settings.text(file + ".type", "") == "json";
    for (const rules::Diagnostic& d : diagnostics) out << line_of(d, json) << '\n';
    if (!out) spdlog::warn("cannot write {}", path.string());
  }
}

}  // namespace vong::sensor
