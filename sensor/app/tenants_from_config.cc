#include "sensor/app/tenants_from_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "sensor/app/rule_paths.h"
#include "sensor/app/settings_from_config.h"
#include "sensor/detect/limits.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;
using detect::TenantId;
using detect::TenantMap;

constexpr std::array kRuleKeys = std::to_array<std::string_view>({"rule-files", "default-rule-path"});
constexpr std::array kTenantKeys = std::to_array<std::string_view>(
    {"rule-files", "default-rule-path", "classification-file", "reference-config-file", "threshold-file", "vars"});

std::string_view top_of(std::string_view key) { return key.substr(0, key.find('.')); }

template <typename Keys>
bool is_one_of(std::string_view key, const Keys& keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<TenantId> tenant_id(std::string_view text) {
  const auto value = number(text);
  if (!value || *value < 1 || *value > UINT32_MAX) return std::nullopt;
  return static_cast<TenantId>(*value);
}

// Below config-path when that is set; else from where the program was started, or beside the master's file.
std::string yaml_path(const std::string& name, const Settings& settings, const std::string& config_file) {
  if (name.starts_with('/')) return name;
  if (const auto folder = settings.text("multi-detect.config-path", ""); !folder.empty()) return (fs::path(folder) / name).string();
  std::error_code error;
  if (fs::exists(name, error) || config_file.empty()) return name;
  return (fs::path(config_file).parent_path() / name).string();
}

class Reader {
 public:
  Reader(const Options& options, const Settings& settings, const detect::LoadOptions& master, app::Problems& problems)
      : options_(options), settings_(settings), master_(master), problems_(problems) {}

  std::shared_ptr<const detect::TenantPlan> read() {
    plan_->map = TenantMap(selector());
    plan_->loaders = static_cast<int>(std::clamp<int64_t>(settings_.integer("multi-detect.loaders", 1), 1, detect::kMaxTenantLoaders));
    for (const auto& i : settings_.children("multi-detect.tenants")) read_tenant("multi-detect.tenants." + i);
    std::sort(plan_->tenants.begin(), plan_->tenants.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    if (plan_->map.selector() != TenantMap::Selector::kDirect) {
      for (const auto& i : settings_.children("multi-detect.mappings")) read_mapping("multi-detect.mappings." + i);
    }
    return plan_;
  }

 private:
  void error(std::string text) { problems_.error({options_.common.config_file.empty() ? "-" : options_.common.config_file, 1, 1}, "multi-detect: " + text); }
  void warning(std::string text) { problems_.warning({options_.common.config_file.empty() ? "-" : options_.common.config_file, 1, 1}, "multi-detect: " + text); }

  TenantMap::Selector selector() {
    const auto name = settings_.text("multi-detect.selector", "vlan");
    if (name == "direct") return TenantMap::Selector::kDirect;
    if (name == "device") return TenantMap::Selector::kDevice;
    if (name != "vlan" && name != "vlan-tuple") error(fmt::format("selector '{}' is not direct, vlan, vlan-tuple or device", name));
    if (!settings_.flag("vlan.use-for-tracking", true)) error("the selector vlan needs vlan.use-for-tracking: without it one flow may have several VLANs");
    return name == "vlan-tuple" ? TenantMap::Selector::kVlanTuple : TenantMap::Selector::kVlan;
  }

  void read_tenant(const std::string& path) {
    const auto id = tenant_id(settings_.text(path + ".id", ""));
    if (!id) return error(fmt::format("a tenant's id is '{}', not a number from 1 on", settings_.text(path + ".id", "")));
    if (std::any_of(plan_->tenants.begin(), plan_->tenants.end(), [&](const auto& one) { return one.id == *id; }))
      return error(fmt::format("tenant {} stands there twice", *id));
    if (plan_->tenants.size() >= detect::kMaxTenants) return error(fmt::format("more than {} tenants", detect::kMaxTenants));
    const std::string name(settings_.text(path + ".yaml", ""));
    if (name.empty()) return error(fmt::format("tenant {} has no yaml", *id));
    app::CommonFlags flags;
    flags.config_file = yaml_path(name, settings_, options_.common.config_file);
    const app::Config config = app::load_config(flags, problems_);
    const Settings own = settings_from(config.root());
    for (const auto& [key, node] : config.root().entries()) {
      if (!is_one_of(key, kTenantKeys)) problems_.warning(node.place(), fmt::format("'{}' is no setting of a tenant: the main file's holds", key));
    }
    detect::TenantPlan::One one;
    one.id = *id;
    one.settings = tenant_settings(settings_, own);
    one.load = master_;
    one.load.files.clear();
    one.load.tenants.reset();
    add_rule_files(one.settings, flags.config_file, one.load, problems_);
    add_config_files(own, flags.config_file, one.load);
    if (one.load.classification_file.empty()) one.load.classification_file = master_.classification_file;
    if (one.load.reference_file.empty()) one.load.reference_file = master_.reference_file;
    if (one.load.threshold_file.empty()) one.load.threshold_file = master_.threshold_file;
    if (one.load.files.empty()) warning(fmt::format("tenant {} has no rule files", *id));
    plan_->tenants.push_back(std::move(one));
  }

  void read_mapping(const std::string& path) {
    const auto id = tenant_id(settings_.text(path + ".tenant-id", ""));
    if (!id) return error(fmt::format("a mapping's tenant-id is '{}', not a number from 1 on", settings_.text(path + ".tenant-id", "")));
    if (std::none_of(plan_->tenants.begin(), plan_->tenants.end(), [&](const auto& one) { return one.id == *id; }))
      return error(fmt::format("a mapping names tenant {}, which is not among the tenants", *id));
    if (auto added = add_mapping(path, *id); !added) error(added.error().message);
  }

  Result<> add_mapping(const std::string& path, TenantId id) {
    switch (plan_->map.selector()) {
      case TenantMap::Selector::kDirect: return {};
      case TenantMap::Selector::kVlan: return plan_->map.add_vlan(number(settings_.text(path + ".vlan-id", "")).value_or(-1), id);
      case TenantMap::Selector::kVlanTuple: {
        std::vector<int64_t> vlans;
        for (const auto& i : settings_.children(path + ".vlan-tuple")) vlans.push_back(number(settings_.text(path + ".vlan-tuple." + i, "")).value_or(-1));
        return plan_->map.add_vlan_tuple(vlans, id);
      }
      case TenantMap::Selector::kDevice: {
        const std::string device(settings_.text(path + ".device", ""));
        const auto at = std::find(options_.interfaces.begin(), options_.interfaces.end(), device);
        if (at != options_.interfaces.end()) return plan_->map.add_device(static_cast<uint16_t>(at - options_.interfaces.begin()), id);
        warning(fmt::format("device '{}' of tenant {} is not watched", device, id));
        return {};
      }
    }
    return {};
  }

  const Options& options_;
  const Settings& settings_;
  const detect::LoadOptions& master_;
  app::Problems& problems_;
  std::shared_ptr<detect::TenantPlan> plan_ = std::make_shared<detect::TenantPlan>();
};

}  // namespace

std::string tenant_yaml(const Settings& settings, const std::string& path, const std::string& config_file) {
  const std::string name(settings.text(path + ".yaml", ""));
  return name.empty() ? name : yaml_path(name, settings, config_file);
}

bool has_tenants(const Settings& settings) { return settings.flag("multi-detect.enabled", false); }

Settings tenant_settings(const Settings& master, const Settings& tenant) {
  Settings merged;
  for (const auto& [key, value] : master.all()) {
    if (!is_one_of(top_of(key), kRuleKeys)) merged.set(key, value);
  }
  for (const auto& [key, value] : tenant.all()) {
    if (is_one_of(top_of(key), kTenantKeys)) merged.set(key, value);
  }
  return merged;
}

std::shared_ptr<const detect::TenantPlan> read_tenants(const Options& options, const Settings& settings, const detect::LoadOptions& master,
                                                       app::Problems& problems) {
  return Reader(options, settings, master, problems).read();
}

}  // namespace vong::sensor
