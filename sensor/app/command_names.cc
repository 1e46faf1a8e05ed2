#include "sensor/app/command_names.h"

#include <array>
#include <chrono>
#include <filesystem>

#include "base/json_writer.h"
#include "fmt/format.h"

namespace vong::sensor {
namespace {

using control::Answer;

struct Memcap {
  std::string_view name, key, fallback;
};
// Names as the guide has them.
constexpr auto kMemcaps = std::to_array<Memcap>({{"stream", "stream.memcap", "64mb"},
                                                 {"stream-reassembly", "stream.reassembly.memcap", "256mb"},
                                                 {"flow", "flow.memcap", "128mb"},
                                                 {"defrag", "defrag.memcap", "32mb"},
                                                 {"http-byterange", "app-layer.protocols.http.byterange.memcap", "100mb"}});

Answer memcaps(const Settings& settings) {
  Answer out;
  JsonWriter json(out.json);
  json.open_array();
  for (const Memcap& m : kMemcaps) {
    json.open_object();
    json.field("name", m.name);
    json.field("value", settings.text(m.key, m.fallback));
    json.close_object();
  }
  json.close_array();
  return out;
}

Answer memcap(const Settings& settings, std::string_view name) {
  for (const Memcap& m : kMemcaps) {
    if (m.name != name) continue;
    Answer out;
    JsonWriter json(out.json);
    json.open_object();
    json.field("value", settings.text(m.key, m.fallback));
    json.close_object();
    return out;
  }
  return Answer::refused("Memcap value not found. Use 'memcap-list' to show all");
}

bool is_secret(std::string_view key) { return key.find("password") != key.npos || key.find("secret") != key.npos; }

Answer number(int64_t value) {
  Answer out;
  out.json = fmt::format("{}", value);
  return out;
}

Answer list(std::span<const std::string_view> names) {
  Answer out;
  JsonWriter json(out.json);
  json.open_object();
  json.field("count", static_cast<uint64_t>(names.size()));
  json.open_array("commands");
  for (const std::string_view name : names) json.string(name);
  json.close_array();
  json.close_object();
  return out;
}

}  // namespace

std::optional<Answer> common_command(std::string_view command, const control::Arguments& arguments, std::span<const std::string_view> names, const Settings& settings,
                                     Duration uptime, app::Signals& signals) {
  if (command == "command-list" || command == "help") return list(names);
  if (command == "version") return Answer::text(fmt::format("{} RELEASE", app::version()));
  if (command == "uptime") return number(std::chrono::duration_cast<std::chrono::seconds>(uptime).count());
  if (command == "running-mode") return Answer::text("workers");
  if (command == "memcap-list") return memcaps(settings);
  if (command == "memcap-show") return memcap(settings, arguments.text("config").value_or(""));
  if (command == "memcap-set") return Answer::refused("memory caps are those of the start");
  if (command == "shutdown") {
    signals.request_stop();
    return Answer::text("Closing");
  }
  if (command == "conf-get") {
    const auto key = arguments.text("variable");
    if (!key) return Answer::refused("variable is missing");
    const auto value = settings.get(*key);
    if (!value) return Answer::refused("Unable to get value");
    return Answer::text(is_secret(*key) ? "(not shown)" : *value);
  }
  return std::nullopt;
}

std::string command_socket_path(const std::string& given, const Settings& settings, const std::string& folder) {
  std::string name = given == "true" ? "" : given;
  if (given.empty() && !settings.flag("unix-command.enabled", false)) return {};   // "auto" is none: who wants commands says so
  if (name.empty()) name = settings.text("unix-command.filename", "sensor-command.socket");
  const std::filesystem::path path(name);
  if (path.is_absolute() || (!given.empty() && given != "true") || folder == "-") return name;
  return (std::filesystem::path(folder) / path).string();
}

}  // namespace vong::sensor
