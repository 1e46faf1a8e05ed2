#include "sensor/app/live_commands.h"

#include <spdlog/spdlog.h>

#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "app_common/clock.h"
#include "base/json_writer.h"
#include "fmt/format.h"
#include "sensor/app/command_names.h"
#include "sensor/app/tenant_changes.h"
#include "sensor/detect/dataset_access.h"
#include "sensor/detect/host_bits_access.h"

namespace vong::sensor {
namespace {

using control::Answer;
using control::Arguments;

constexpr auto kNames = std::to_array<std::string_view>(
    {"command-list", "help", "version", "uptime", "running-mode", "capture-mode", "conf-get", "shutdown", "iface-list", "iface-stat", "dump-counters", "reload-rules",
     "ruleset-reload-rules", "ruleset-reload-nonblocking", "ruleset-reload-time", "ruleset-stats", "ruleset-failed-rules", "reopen-log-files", "memcap-list", "memcap-show",
     "memcap-set", "dataset-add", "dataset-remove", "dataset-lookup", "register-tenant", "unregister-tenant", "reload-tenant", "reload-tenants", "register-tenant-handler",
     "unregister-tenant-handler", "add-hostbit", "remove-hostbit", "list-hostbit"});
constexpr auto kReloadStep = std::chrono::milliseconds(100);
constexpr int kStepsPerTurn = 10;
constexpr size_t kMaxFailedShown = 100;

std::string missing(std::string_view name) { return fmt::format("{} is missing", name); }

}  // namespace

Result<std::unique_ptr<LiveCommands>> LiveCommands::open(Parts parts, const std::string& folder, Timestamp now) {
  const std::string path = command_socket_path(parts.options.unix_socket, parts.plan.settings, folder);
  if (path.empty()) return nullptr;
  auto server = control::CommandServer::open(path);
  if (!server) return std::unexpected(server.error());
  spdlog::info("commands are taken at {}", path);
  return std::unique_ptr<LiveCommands>(new LiveCommands(std::move(parts), std::move(*server), now));
}

void LiveCommands::serve(int signal_fd, int timeout_ms) {
  server_->serve(signal_fd, timeout_ms, [this](std::string_view command, const Arguments& arguments) { return run(command, arguments, app::wall_clock()); });
}

Answer LiveCommands::run(std::string_view command, const Arguments& arguments, Timestamp now) {
  if (auto answer = common_command(command, arguments, kNames, parts_.plan.settings, now - start_, parts_.signals)) return *answer;
  if (command == "capture-mode") return Answer::text(parts_.plan.settings.text("capture.method", "af-packet") == "pcap" ? "PCAP_DEV" : "AF_PACKET_DEV");
  if (command == "iface-list") return interfaces();
  if (command == "iface-stat") return interface(arguments.text("iface").value_or(""));
  if (command == "ruleset-reload-nonblocking") return reload(false);
  if (command == "ruleset-reload-rules" || command == "reload-rules") return reload(true);
  if (command == "ruleset-stats") return rule_counts();
  if (command == "ruleset-failed-rules") return failed_rules();
  if (command.starts_with("dataset-")) return dataset(command, arguments);
  if (command.find("tenant") != command.npos) return tenants(command, arguments);
  if (command.ends_with("-hostbit")) return host_bits(command, arguments, now);
  Answer out;
  JsonWriter json(out.json);
  if (command == "reopen-log-files") {
    parts_.output.reopen();
    parts_.side.stats->reopen();
    return Answer::text("done");
  }
  if (command == "ruleset-reload-time") {
    json.open_array();
    json.open_object();
    json.field("id", 0);
    json.field("last_reload", parts_.rules.get().since);
    json.close_object();
    json.close_array();
    return out;
  }
  if (command == "dump-counters") {
    out.json = parts_.side.stats->json(now);
    return out.json.empty() ? Answer::refused("no output has stats") : out;
  }
  return Answer::refused("Unknown command");
}

Answer LiveCommands::interfaces() const {
  Answer out;
  JsonWriter json(out.json);
  json.open_object();
  json.field("count", static_cast<uint64_t>(parts_.options.interfaces.size()));
  json.open_array("ifaces");
  for (const auto& name : parts_.options.interfaces) json.string(name);
  json.close_array();
  json.close_object();
  return out;
}

Answer LiveCommands::interface(std::string_view name) const {
  uint64_t packets = 0, drops = 0;
  bool known = false;
  for (const auto& [interface, stats] : parts_.captures()) {
    if (interface != name) continue;
    known = true;
    packets += stats.received;
    drops += stats.kernel_drops + stats.interface_drops;
  }
  if (!known) return Answer::refused("iface does not exist");
  Answer out;
  JsonWriter json(out.json);
  json.open_object();
  json.field("pkts", packets);
  json.field("drop", drops);
  json.field("bypassed", 0);
  json.field("invalid-checksums", 0);
  json.close_object();
  return out;
}

Answer LiveCommands::reload(bool wait) {
  Reloader& reloader = parts_.ops.reloader();
  if (reloader.running()) return Answer::refused("Reload already in progress");
  const uint64_t before = reloader.counters().done.value();
  parts_.ops.reload();
  if (!wait) return Answer::text("done");
  for (int step = 1; reloader.running(); ++step) {
    std::this_thread::sleep_for(kReloadStep);
    if (step % kStepsPerTurn == 0) parts_.meanwhile();
  }
  return reloader.counters().done.value() != before ? Answer::text("done") : Answer::refused("Reload failed: the log says why");
}

Answer LiveCommands::rule_counts() const {
  const auto state = parts_.rules.get();
  Answer out;
  JsonWriter json(out.json);
  json.open_array();
  json.open_object();
  json.field("id", 0);
  json.field("rules_loaded", state.counts.loaded);
  json.field("rules_failed", state.counts.failed);
  json.field("rules_skipped", state.counts.skipped);
  json.close_object();
  json.close_array();
  return out;
}

Answer LiveCommands::failed_rules() const {
  const auto state = parts_.rules.get();
  Answer out;
  JsonWriter json(out.json);
  json.open_array();
  size_t shown = 0;
  if (state.problems != nullptr) {
    for (const auto& problem : *state.problems) {
      if (problem.severity != rules::Severity::kError || shown++ >= kMaxFailedShown) continue;
      json.open_object();
      json.field("tenant_id", 0);
      json.field("rule", problem.format());
      json.close_object();
    }
  }
  json.close_array();
  return out;
}

Answer LiveCommands::dataset(std::string_view command, const Arguments& arguments) const {
  using detect::DatasetEdit;
  for (const char* name : {"setname", "settype", "datavalue"}) {
    if (!arguments.text(name)) return Answer::refused(missing(name));
  }
  const bool looks = command == "dataset-lookup";
  if (!looks && command != "dataset-add" && command != "dataset-remove") return Answer::refused("Unknown command");
  const auto edit = looks ? DatasetEdit::kLookup : command == "dataset-add" ? DatasetEdit::kAdd : DatasetEdit::kRemove;
  const auto done = detect::edit_dataset(*parts_.rules.get().rules, *arguments.text("setname"), *arguments.text("settype"), *arguments.text("datavalue"), edit);
  if (!done) return Answer::refused(done.error().message);
  if (looks) return *done ? Answer::text("item found in set") : Answer::refused("item not found in set");
  if (edit == DatasetEdit::kAdd) return Answer::text(*done ? "data added" : "data already in set");
  return *done ? Answer::text("data removed") : Answer::refused("data not in set");
}

Answer LiveCommands::tenants(std::string_view command, const Arguments& arguments) {
  Reloader& reloader = parts_.ops.reloader();
  if (!reloader.settings().flag("multi-detect.enabled", false)) return Answer::refused("multi-detect is not enabled");
  if (reloader.running()) return Answer::refused("Reload already in progress");
  auto changed = change_tenants(reloader.settings(), command, arguments);
  if (!changed) return Answer::refused(changed.error().message);
  Settings before = reloader.settings();
  reloader.set_settings(std::move(*changed));
  Answer answer = reload(true);
  if (!answer.ok) reloader.set_settings(std::move(before));   // what stays in force is what stands there
  return answer;
}

Answer LiveCommands::host_bits(std::string_view command, const Arguments& arguments, Timestamp now) const {
  const auto address = IpAddress::parse(arguments.text("ipaddress").value_or(""));
  if (!address) return Answer::refused("ipaddress is missing or no address");
  if (command == "list-hostbit") {
    Answer out;
    JsonWriter json(out.json);
    const auto bits = detect::host_bits_of(parts_.shared, *address, now);
    json.open_object();
    json.field("count", static_cast<uint64_t>(bits.size()));
    json.open_array("hostbits");
    for (const auto& [name, left_s] : bits) {
      json.open_object();
      json.field("name", name);
      json.field("expire", left_s);
      json.close_object();
    }
    json.close_array();
    json.close_object();
    return out;
  }
  const auto bit = arguments.text("hostbit");
  if (!bit) return Answer::refused(missing("hostbit"));
  if (command == "remove-hostbit") return detect::remove_host_bit(parts_.shared, *address, *bit, now) ? Answer::text("hostbit removed") : Answer::refused("hostbit not found");
  if (command != "add-hostbit") return Answer::refused("Unknown command");
  const auto expire = arguments.number("expire");
  if (!expire || *expire < 1 || *expire > INT32_MAX) return Answer::refused("expire is missing or no number of seconds");
  return detect::add_host_bit(parts_.shared, *address, *bit, *expire, now) ? Answer::text("hostbit added") : Answer::refused("no room for it");
}

}  // namespace vong::sensor
