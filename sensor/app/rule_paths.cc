#include "sensor/app/rule_paths.h"

#include <glob.h>

#include <filesystem>
#include <vector>

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> expand(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  glob_t found{};
  std::vector<std::string> out;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return out;
}

// A name from the configuration: absolute, or below default-rule-path; where that does not exist,
// beside the configuration file.
std::string rule_path(const std::string& name, const Settings& settings,
                      const std::string& config_file) {
  if (name.starts_with('/')) return name;
  const fs::path folder(std::string(settings.text("default-rule-path", "")));
  const fs::path below = folder / name;
  if (fs::exists(below) || config_file.empty()) return below.string();
  const fs::path beside = fs::path(config_file).parent_path() / folder / name;
  return fs::exists(beside) ? beside.string() : below.string();
}

// A file named in the configuration; "" when it is not set.
std::string configured_file(const Settings& settings, std::string_view key,
                            const std::string& config_file) {
  const std::string name(settings.text(key, ""));
  if (name.empty() || name.starts_with('/') || fs::exists(name) || config_file.empty()) return name;
  const fs::path beside = fs::path(config_file).parent_path() / name;
  return fs::exists(beside) ? beside.string() : name;
}

}  // namespace

void add_rule_file(const std::string& name, const std::string& config_file, detect::LoadOptions& load, app::Problems& problems) {
  const auto paths = expand(name);
  if (paths.empty()) problems.warning({config_file.empty() ? "-" : config_file, 1, 1}, "no rule file matches " + name);
  load.files.insert(load.files.end(), paths.begin(), paths.end());
}

void add_rule_files(const Settings& settings, const std::string& config_file, detect::LoadOptions& load, app::Problems& problems) {
  for (const auto& i : settings.children("rule-files"))
    add_rule_file(rule_path(std::string(settings.text("rule-files." + i, "")), settings, config_file), config_file, load, problems);
}

void add_config_files(const Settings& settings, const std::string& config_file, detect::LoadOptions& load) {
  load.classification_file = configured_file(settings, "classification-file", config_file);
  load.reference_file = configured_file(settings, "reference-config-file", config_file);
  load.threshold_file = configured_file(settings, "threshold-file", config_file);
}

}  // namespace vong::sensor
