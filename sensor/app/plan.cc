#include "sensor/app/plan.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/strings.h"
#include "sensor/app/canary.h"
#include "sensor/app/overload.h"
#include "sensor/app/rule_paths.h"
#include "sensor/app/settings_from_config.h"
#include "sensor/app/tenants_from_config.h"
#include "sensor/capture/bpf_filter.h"
#include "sensor/emit/file_store.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFilterBytes = 64 * 1024;

std::string top_of(const std::string& key) { return key.substr(0, key.find('.')); }

// The file of -c; a section of an --include replaces the one that was there; what --set says stands over all.
Settings merged_settings(const Options& options, app::Problems& problems) {
  const auto read = [&](const app::CommonFlags& flags) {
    const app::Config config = app::load_config(flags, problems);
    check_sections(config.root(), problems);
    return settings_from(config.root());
  };
  if (options.includes.empty()) return read(options.common);
  app::CommonFlags flags = options.common;
  flags.sets.clear();
  Settings merged = read(flags);
  for (const std::string& name : options.includes) {
    flags.config_file = name;
    const Settings included = read(flags);
    Settings next;
    for (const auto& [key, value] : merged.all()) {
      if (!included.has(top_of(key))) next.set(key, value);
    }
    for (const auto& [key, value] : included.all()) next.set(key, value);
    merged = std::move(next);
  }
  flags.config_file.clear();
  flags.sets = options.common.sets;
  const Settings sets = read(flags);
  for (const auto& [key, value] : sets.all()) merged.set(key, value);
  return merged;
}

// Words of the command line, or the file of -F without its comments; "" for none.
std::string packet_filter(const Options& options, app::Problems& problems) {
  std::string filter;
  for (const std::string& word : options.filter) filter += filter.empty() ? word : " " + word;
  if (options.filter_file.empty()) return filter;
  std::ifstream in(options.filter_file);
  if (!in) problems.error({options.filter_file, 1, 1}, "cannot read the packet filter");
  for (std::string line; std::getline(in, line) && filter.size() < kMaxFilterBytes;) {
    line = line.substr(0, line.find('#'));
    filter += filter.empty() ? line : " " + line;
  }
  return filter;
}

constexpr std::string_view kWrittenOutputs[] = {"eve-log", "fast", "http-log", "tls-log", "stats", "file-store", "tls-store", "pcap-log"};

// Outputs that are asked for and not written.
std::string outputs_without_effect(const Settings& settings) {
  std::string names;
  for (const auto& i : settings.children("outputs")) {
    for (const auto& name : settings.children("outputs." + i)) {
      if (std::find(std::begin(kWrittenOutputs), std::end(kWrittenOutputs), name) != std::end(kWrittenOutputs) || !settings.flag("outputs." + i + "." + name + ".enabled", true)) continue;
      names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    }
  }
  return names;
}

// What an output's records show, the parsers must compute.
void want_for_records(const emit::EveConfig& eve, Settings& settings) {
  const auto& logged = eve.file_hashes;
  for (const auto& [on, key] :
       {std::pair(logged.md5, "app-layer.files.md5"), std::pair(logged.sha1, "app-layer.files.sha1"),
        std::pair(logged.sha256, "app-layer.files.sha256"), std::pair(logged.magic, "app-layer.files.magic"),
        std::pair(eve.frame, "app-layer.frame-records")}) {
    if (on) settings.set(key, "yes");
  }
}

// --strict-rule-keywords.
void set_strict(std::string_view names, Settings& settings, app::Problems& problems) {
  constexpr std::string_view kKeywords[] = {"classtype", "reference", "app-layer-event"};
  const bool all = names == "true" || names == "all";
  while (!all && !names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
    if (std::find(std::begin(kKeywords), std::end(kKeywords), name) == std::end(kKeywords))
      problems.warning({"-", 1, 1}, fmt::format("--strict-rule-keywords: '{}' has no strict form: classtype, reference and app-layer-event have", name));
    settings.set(fmt::format("rules.strict.{}", name), "yes");
  }
  for (const std::string_view name : kKeywords) {
    if (all) settings.set(fmt::format("rules.strict.{}", name), "yes");
  }
}

}  // namespace

Settings read_settings(const Options& options, app::Problems& problems) {
  Settings settings = merged_settings(options, problems);
  if (const std::string filter = packet_filter(options, problems); !filter.empty()) {
    const auto right = capture::compile_bpf_filter(filter);
    if (!right) problems.error({options.filter_file.empty() ? "-" : options.filter_file, 1, 1}, right.error().message);
    settings.set("capture.filter", filter);
  }
  if (!options.user.empty()) settings.set("run-as.user", options.user);
  if (!options.group.empty()) settings.set("run-as.group", options.group);
  if (const std::string names = outputs_without_effect(settings); !names.empty()) {
    problems.warning({options.common.config_file.empty() ? "-" : options.common.config_file, 1, 1}, "outputs have no effect in this sensor: " + names);
  }
  if (emit::FileStore::sections(settings) > 1) {
    problems.error({options.common.config_file.empty() ? "-" : options.common.config_file, 1, 1}, "file-store is enabled twice in outputs");
  }
  const app::Place top{options.common.config_file.empty() ? "-" : options.common.config_file, 1, 1};
  if (auto overload = OverloadConfig::from(settings); !overload) problems.error(top, overload.error().message);
  if (!options.interfaces.empty()) {
    if (auto canary = CanaryConfig::from(settings); !canary) problems.error(top, canary.error().message);
  }
  if (options.simulate_ips) settings.set("stream.inline", "yes");
  if (!options.data_dir.empty()) settings.set("default-data-dir", options.data_dir);
  set_strict(options.strict_keywords, settings, problems);
  return settings;
}

detect::LoadOptions rule_options(const Options& options, const Settings& settings,
                                 app::Problems& problems) {
  detect::LoadOptions load;
  const std::string& config_file = options.common.config_file;
  const bool tenants = has_tenants(settings);
  const bool own_rules = !options.no_detection && (!tenants || settings.flag("multi-detect.default", false));
  if (!own_rules && !options.no_detection && !(options.only_rules.empty() && options.more_rules.empty())) {
    problems.warning({config_file.empty() ? "-" : config_file, 1, 1},
                     "rules of -S and -s are for traffic of no tenant, and multi-detect.default is off: they are not loaded");
  }
  if (options.only_rules.empty() && own_rules) add_rule_files(settings, config_file, load, problems);
  if (own_rules) {
    for (const auto* names : {&options.only_rules, &options.more_rules}) {
      for (const auto& name : *names) add_rule_file(name, config_file, load, problems);
    }
  }
  add_config_files(settings, config_file, load);
  load.cache_dir = settings.text("rules.cache-dir", "");
  load.data_dir = options.data_dir;
  load.threads = static_cast<int>(settings.integer("rules.compile-threads", 2));
  if (!options.interfaces.empty() && settings.flag("canary.enabled", false)) load.extra_rules = canary_rule();
  if (tenants && !options.no_detection) load.tenants = read_tenants(options, settings, load, problems);
  return load;
}

std::shared_ptr<const detect::RuleSet> load_rules(const detect::LoadOptions& load,
                                                  const Settings& settings,
                                                  detect::LoadReport& report) {
  auto rules = detect::RuleSet::load(load, settings, report);
  for (const auto& diagnostic : report.diagnostics) fmt::print(stderr, "{}\n", diagnostic.format());
  if (!rules) {
    spdlog::error("{}", rules.error().message);
    return nullptr;
  }
  const auto& c = report.counts;
  spdlog::info("rules: {} loaded, {} failed, {} skipped, from {} files", c.loaded, c.failed,
               c.skipped, load.files.size());
  for (const auto& [id, of_one] : report.tenants) spdlog::info("tenant {}: {} rules loaded, {} failed, {} skipped", id, of_one.loaded, of_one.failed, of_one.skipped);
  return *rules;
}

void fill_plan(Plan& plan, const Options& options, Settings settings,
               std::shared_ptr<const detect::RuleSet> rules) {
  const auto needs = rules->file_needs();
  // Rules on hashes and magic make the parsers compute them.
  for (const auto& [on, key] :
       {std::pair(needs.md5, "app-layer.files.md5"), std::pair(needs.sha1, "app-layer.files.sha1"),
        std::pair(needs.sha256, "app-layer.files.sha256"), std::pair(needs.magic, "app-layer.files.magic")}) {
    if (on) settings.set(key, "yes");
  }
  // So do rules on fingerprints of TLS and SSH sessions.
  for (const auto& [buffer, key] : {std::pair("ja3", "rules.need.ja3"), std::pair("ja4", "rules.need.ja4"),
                                    std::pair("ssh.hassh", "rules.need.hassh")}) {
    if (rules->uses_buffer(buffer)) settings.set(key, "yes");
  }
  plan.eve = emit::read_eve_config(settings);
  want_for_records(plan.eve, settings);
  for (const auto& further : plan.eve.further) want_for_records(further, settings);
  if (rules->uses_frames()) settings.set("app-layer.frames", "yes");
  plan.protocols = applayer::make_driver_config(settings);
  plan.check_checksums =
      options.checksums == "all" ||
      (options.checksums != "none" && settings.flag("stream.checksum-validation", true));
  plan.offline = options.interfaces.empty();
  // -k decides; without it files have a setting of their own.
  const std::string_view file_checks = settings.text("pcap-file.checksum-checks", "auto");
  const bool from_files = plan.offline && (options.checksums.empty() || options.checksums == "auto");
  plan.learn_checksums = from_files && file_checks == "auto";
  if (from_files && file_checks != "auto" && !parse_flag(file_checks).value_or(true)) plan.check_checksums = false;
  if (!plan.check_checksums) settings.set("stream.checksum-validation", "no");
  plan.settings = std::move(settings);
  plan.rules = std::move(rules);
}

}  // namespace vong::sensor
