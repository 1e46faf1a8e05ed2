#include "sensor/app/tenant_changes.h"

#include <algorithm>
#include <string>

#include "fmt/format.h"

namespace vong::sensor {
namespace {

constexpr std::string_view kTenants = "multi-detect.tenants", kMappings = "multi-detect.mappings";

// The entry of a list whose `key` is `value`; empty: there is none.
std::string entry_with(const Settings& s, std::string_view list, std::string_view key, std::string_view value) {
  for (const auto& i : s.children(list)) {
    const std::string path = fmt::format("{}.{}", list, i);
    if (s.text(fmt::format("{}.{}", path, key), "") == value) return path;
  }
  return {};
}

// A path behind the last entry.
std::string next_entry(const Settings& s, std::string_view list) {
  int64_t next = 0;
  for (const auto& i : s.children(list)) next = std::max<int64_t>(next, std::atoll(i.c_str()) + 1);
  return fmt::format("{}.{}", list, next);
}

Settings without(const Settings& s, const std::string& path) {
  Settings out;
  for (const auto& [key, value] : s.all()) {
    if (!key.starts_with(path + ".")) out.set(key, value);
  }
  return out;
}

Result<Settings> change_mapping(const Settings& before, bool add, const std::string& id, const control::Arguments& arguments) {
  if (before.text("multi-detect.selector", "vlan") != "vlan" || arguments.text("htype") != std::optional<std::string_view>("vlan"))
    return fail("only mappings of the selector vlan change while the sensor works");
  const auto vlan = arguments.number("hargs");
  if (!vlan) return fail("hargs is missing or no VLAN");
  const std::string there = entry_with(before, kMappings, "vlan-id", fmt::format("{}", *vlan));
  if (!add) {
    if (there.empty() || before.text(there + ".tenant-id", "") != id) return fail(fmt::format("VLAN {} is not mapped to tenant {}", *vlan, id));
    return without(before, there);
  }
  if (!there.empty()) return fail(fmt::format("VLAN {} is mapped already", *vlan));
  Settings after = before;
  const std::string path = next_entry(before, kMappings);
  after.set(path + ".vlan-id", fmt::format("{}", *vlan));
  after.set(path + ".tenant-id", id);
  return after;
}

}  // namespace

Result<Settings> change_tenants(const Settings& before, std::string_view command, const control::Arguments& arguments) {
  if (command == "reload-tenants") return before;
  const auto number = arguments.number("id");
  if (!number || *number < 1) return fail("id is missing or no number from 1 on");
  const std::string id = fmt::format("{}", *number), there = entry_with(before, kTenants, "id", id);
  if (command != "register-tenant" && there.empty()) return fail(fmt::format("there is no tenant {}", id));
  const auto file = arguments.text("filename");
  if (command == "register-tenant") {
    if (!there.empty()) return fail(fmt::format("tenant {} is there already", id));
    if (!file) return fail("filename is missing");
    Settings after = before;
    const std::string path = next_entry(before, kTenants);
    after.set(path + ".id", id);
    after.set(path + ".yaml", std::string(*file));
    return after;
  }
  if (command == "reload-tenant") {
    Settings after = before;
    if (file) after.set(there + ".yaml", std::string(*file));
    return after;
  }
  if (command == "unregister-tenant") {
    if (const auto mapped = entry_with(before, kMappings, "tenant-id", id); !mapped.empty()) return fail(fmt::format("tenant {} has mappings: unregister them first", id));
    return without(before, there);
  }
  if (command == "register-tenant-handler" || command == "unregister-tenant-handler") return change_mapping(before, command == "register-tenant-handler", id, arguments);
  return fail("Unknown command");
}

}  // namespace vong::sensor
