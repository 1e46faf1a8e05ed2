#include "sensor/decode/config.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/strings.h"

namespace vong::decode {
namespace {

void add_port(PortSet& set, std::string_view text) {
  text = strip(text);
  if (text == "any") {
    set.any = true;
    return;
  }
  uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc() || end != text.data() + text.size() || set.count >= kMaxTunnelPorts) return;
  set.ports[set.count++] = port;
}

void add_ports(PortSet& set, std::string_view text) {
  if (text.starts_with('[')) text.remove_prefix(1);
  if (text.ends_with(']')) text.remove_suffix(1);
  for (const auto part : split(text, ',')) add_port(set, part);
}

PortSet read_ports(const Settings& settings, const std::string& path, const PortSet& fallback) {
  if (!settings.has(path)) return fallback;
  PortSet set;
  if (const auto text = settings.get(path)) {
    std::string_view value = strip(*text);
    if (value.starts_with('$')) {
      value = settings.text("vars.port-groups." + std::string(value.substr(1)), "");
      if (value.empty()) return fallback;
    }
    add_ports(set, value);
  }
  for (const auto& child : settings.children(path))
    add_ports(set, settings.text(path + "." + child, ""));
  return set;
}

}  // namespace

Config Config::from(const Settings& settings) {
  Config config;
  config.max_layers = static_cast<int>(
      std::clamp<int64_t>(settings.integer("decoder.max-layers", config.max_layers), 1, 255));
  config.vxlan_enabled = settings.flag("decoder.vxlan.enabled", true);
  config.vxlan_reserved_bits_checked =
      settings.text("decoder.vxlan.reserved-bits-check", "strict") != "permissive";
  config.geneve_enabled = settings.flag("decoder.geneve.enabled", true);
  config.teredo_enabled = settings.flag("decoder.teredo.enabled", true);
  config.vxlan_ports = read_ports(settings, "decoder.vxlan.ports", config.vxlan_ports);
  config.geneve_ports = read_ports(settings, "decoder.geneve.ports", config.geneve_ports);
  config.teredo_ports = read_ports(settings, "decoder.teredo.ports", config.teredo_ports);
  config.vlan_tracking = settings.flag("vlan.use-for-tracking", true);
  return config;
}

}  // namespace vong::decode
