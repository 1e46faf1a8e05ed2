#include "sensor/app/confinement.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "sensor/app/command_names.h"
#include "sensor/app/options.h"
#include "sensor/app/plan.h"
#include "sensor/app/tenants_from_config.h"
#include "sensor/app/worker.h"
#include "sensor/capture/pcap_file.h"
#include "sensor/confine/files.h"
#include "sensor/confine/privileges.h"
#include "sensor/confine/system_calls.h"
#include "sensor/detect/rule_set.h"
#include "sensor/detect/tenants.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizer = true;  // it needs calls and files of its own at the end
#else
constexpr bool kSanitizer = false;
#endif

// What libraries look up while they work: magic, time zones, entropy, the number of processors,
// this process's own state.
constexpr auto kSystemReadable = std::to_array<const char*>(
    {"/usr/share", "/usr/lib", "/lib", "/etc/magic", "/etc/magic.mgc", "/etc/localtime",
     "/etc/timezone", "/etc/ssl", "/dev/urandom", "/dev/random", "/proc/self", "/proc/stat",
     "/proc/meminfo", "/proc/cpuinfo", "/proc/loadavg", "/proc/uptime", "/sys/devices/system/cpu",
     "/sys/class/net", "/sys/devices"});
// What the forwarder needs besides: names of hosts and certificates.
constexpr auto kNetworkReadable = std::to_array<const char*>(
    {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
     "/etc/services", "/etc/protocols", "/etc/krb5.conf", "/etc/sasl2", "/etc/ca-certificates",
     "/run/systemd/resolve", "/etc/passwd", "/etc/group"});
// A configured path under one of these names is written; every other one is read.
constexpr auto kWrittenKeys = std::to_array<std::string_view>(
    {"dir", "certs-log-dir", "cache-dir", "default-log-dir", "default-data-dir", "save", "state", "filename"});

bool wanted(const Settings& settings) {
  return !kSanitizer && settings.flag("security.confine", true);
}

std::string folder_of(const std::string& path) {
  const auto parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

void add_list(const Settings& settings, const std::string& key, std::vector<std::string>& out) {
  for (const auto& i : settings.children(key)) out.emplace_back(settings.text(key + "." + i, ""));
}

// Paths that the configuration names, whatever their key: what an operator has written there is
// meant to be used.
void add_configured(const Settings& settings, confine::FileAccess& access) {
  for (const auto& [key, value] : settings.all()) {
    if (!value.starts_with('/') || key.starts_with("kafka.ssl") || key.starts_with("kafka.sasl"))
      continue;
    const std::string_view last = std::string_view(key).substr(key.rfind('.') + 1);
    const bool written =
        std::find(kWrittenKeys.begin(), kWrittenKeys.end(), last) != kWrittenKeys.end();
    if (!written) {
      access.readable.push_back(value);
    } else {
      std::error_code error;
      access.writable.push_back(fs::is_directory(value, error) ? value : folder_of(value));
    }
  }
  add_list(settings, "security.read", access.readable);
  add_list(settings, "security.write", access.writable);
}

// Rules are read again with each reload, from files that may be replaced: their folders. Patterns that match nothing now may match then.
void add_rules(const Options& options, const Settings& settings, confine::FileAccess& access) {
  const auto add = [&](const std::string& path) {
    if (!path.empty()) access.readable.push_back(folder_of(path));
  };
  app::Problems told_before;
  const auto load = rule_options(options, settings, told_before);
  for (const auto* paths : {&load.files, &options.only_rules, &options.more_rules}) {
    for (const auto& path : *paths) add(path);
  }
  for (const auto& path : {load.classification_file, load.reference_file, load.threshold_file, options.common.config_file}) add(path);
  add(std::string(settings.text("geoip-database", "")));
  if (load.tenants != nullptr) {
    for (const auto& one : load.tenants->tenants) {
      for (const auto& path : one.load.files) add(path);
      for (const auto& path : {one.load.classification_file, one.load.reference_file, one.load.threshold_file}) add(path);
    }
    for (const auto& i : settings.children("multi-detect.tenants")) add(tenant_yaml(settings, "multi-detect.tenants." + i, options.common.config_file));
  }
  for (const auto& i : settings.children("rule-files")) {
    if (const auto path = settings.text("rule-files." + i, ""); path.starts_with('/'))
      add(std::string(path));
  }
}

// Links in a folder of captures lead out of it.
void add_captures(const Options& options, std::vector<std::string>& out) {
  for (const auto& path : options.captures) {
    if (path == "-") continue;
    out.push_back(path);
    const auto captures = capture::list_captures(path);
    if (!captures) continue;   // whoever opens it says so
    for (const auto& capture : *captures) {
      std::error_code error;
      if (!fs::is_symlink(capture, error)) continue;
      if (const auto target = fs::canonical(capture, error); !error) out.push_back(target.string());
    }
  }
}

// A data set that rules save by a relative name stands in the data folder, without one where the
// sensor was started.
bool saves_in_working_folder(const Options& options, const detect::RuleSet& rules) {
  if (!options.data_dir.empty()) return false;
  if (rules.tenants() != nullptr) {
    for (const auto& one : rules.tenants()->all) {
      if (saves_in_working_folder(options, *one.rules)) return true;
    }
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto text = rules.rule(i).text;
    if (const auto at = text.find("dataset");
        at != std::string_view::npos && (text.find("save", at) != std::string_view::npos ||
                                         text.find("state", at) != std::string_view::npos))
      return true;
  }
  return false;
}

Result<confine::User> configured_user(const Settings& settings, const std::string& section) {
  return confine::find_user(std::string(settings.text(section + ".user", "")),
                            std::string(settings.text(section + ".group", "")));
}

Result<> become_configured(const Settings& settings, const std::string& section) {
  if (::geteuid() != 0) return {};  // whoever started us has chosen
  auto user = configured_user(settings, section);
  if (!user) return std::unexpected(user.error());
  return confine::become(*user);
}

Result<> restrict_to(const confine::FileAccess& access) {
  if (auto ok = confine::no_new_privileges(); !ok) return ok;
  const auto outcome = confine::restrict_files(access);
  if (!outcome) return std::unexpected(outcome.error());
  if (*outcome == confine::FilesOutcome::kNotSupported)
    spdlog::warn(
        "this kernel has no Landlock: files outside the sensor's folders are kept from it by their "
        "rights alone");
  return {};
}

}  // namespace

Result<> check_confinement(const Settings& settings) {
  for (const char* section : {"run-as", "kafka.run-as"}) {
    if (settings.text(std::string(section) + ".user", "").empty()) continue;
    if (auto user = configured_user(settings, section); !user)
      return fail(std::string(section) + ": " + user.error().message);
  }
  return {};
}

Result<> become_sensor_user(const Settings& settings, bool live) {
  const bool named = !settings.text("run-as.user", "").empty();
  if (named) {
    if (auto ok = become_configured(settings, "run-as"); !ok) return ok;
  }
  if (!wanted(settings)) {
    if (kSanitizer || named) return {};
    spdlog::info(
        "security.confine is off: the sensor keeps its capabilities, system calls and files");
    return {};
  }
  const bool root = ::geteuid() == 0;
  if (root && live) spdlog::warn("the sensor stays root: name its user with run-as.user");
  return confine::drop_capabilities(root);
}

Result<> confine_files(const Options& options, const Plan& plan, const std::string& log_folder) {
  if (!wanted(plan.settings)) return {};
  confine::FileAccess access;
  access.readable.assign(kSystemReadable.begin(), kSystemReadable.end());
  access.writable = {"/dev/null", "/dev/stdout", "/dev/stderr"};
  add_configured(plan.settings, access);
  add_rules(options, plan.settings, access);
  const bool deletes =
      options.delete_files || plan.settings.flag("pcap-file.delete-when-done", false);
  add_captures(options, deletes ? access.writable : access.readable);
  if (log_folder != "-") {
    std::error_code error;
    fs::create_directories(log_folder, error);  // those that write there say what is wrong with it
    access.writable.push_back(log_folder);
    if (fs::path(plan.eve.filename).is_absolute()) access.writable.push_back(folder_of(plan.eve.filename));
    for (const auto& further : plan.eve.further) {
      if (fs::path(further.filename).is_absolute()) access.writable.push_back(folder_of(further.filename));
    }
  }
  if (!options.data_dir.empty()) access.writable.push_back(options.data_dir);
  for (const char* key : {"rules.cache-dir", "kafka.spool.dir", "evidence.dir"}) {  // relative ones too
    if (const auto dir = plan.settings.text(key, ""); !dir.empty()) access.writable.emplace_back(dir);
  }
  if (const auto socket = command_socket_path(options.unix_socket, plan.settings, log_folder); !socket.empty()) access.writable.push_back(folder_of(socket));
  if (!options.pid_file.empty()) access.writable.push_back(folder_of(options.pid_file));
  if (saves_in_working_folder(options, *plan.rules)) access.writable.push_back(".");
  if (const size_t threads = confine::thread_count(); threads > 1)
    spdlog::warn("{} threads before files are restricted: the others stay free", threads);
  return restrict_to(access);
}

Result<> confine_calls(const Settings& settings) {
  if (!wanted(settings)) return {};
  if (auto ok = confine::no_new_privileges(); !ok) return ok;
  return confine::restrict_system_calls(confine::Role::kPackets);
}

Result<> become_forwarder(const Settings& settings) {
  for (const char* section : {"kafka.run-as", "run-as"}) {
    if (settings.text(std::string(section) + ".user", "").empty()) continue;
    if (auto ok = become_configured(settings, section); !ok) return ok;
    break;
  }
  if (!wanted(settings)) return {};
  return confine::drop_capabilities(::geteuid() == 0);
}

Result<> confine_forwarder(const Settings& settings) {
  if (!wanted(settings)) return {};
  confine::FileAccess access;
  access.readable.assign(kSystemReadable.begin(), kSystemReadable.end());
  access.readable.insert(access.readable.end(), kNetworkReadable.begin(), kNetworkReadable.end());
  for (const auto& [key, value] : settings.all()) {
    if (key.starts_with("kafka.ssl") || key.starts_with("kafka.sasl"))
      access.readable.push_back(value);
  }
  access.writable = {"/dev/null", std::string(settings.text("kafka.spool.dir", ""))};
  if (auto ok = restrict_to(access); !ok) return ok;
  return confine::restrict_system_calls(confine::Role::kForwarder);
}

}  // namespace vong::sensor
