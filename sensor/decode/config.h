// What of decoding can be configured. Read once at the start; shared by all workers, never written.
#pragma once

#include <array>
#include <cstdint>

#include "base/settings.h"
#include "sensor/decode/limits.h"

namespace vong::decode {

// A short list of UDP ports.
struct PortSet {
  std::array<uint16_t, kMaxTunnelPorts> ports{};
  uint8_t count = 0;
  bool any = false;

  [[nodiscard]] bool has(uint16_t port) const {
    if (any) return true;
    for (uint8_t i = 0; i < count; ++i) {
      if (ports[i] == port) return true;
    }
    return false;
  }
};

// A fresh Config is what the reference does with the configuration that it ships.
struct Config {
  int max_layers = kDefaultMaxLayers;
  bool vxlan_enabled = true, geneve_enabled = true, teredo_enabled = true;
  bool vxlan_reserved_bits_checked = true;
  PortSet vxlan_ports{{4789}, 1}, geneve_ports{{6081}, 1}, teredo_ports{{3544}, 1};
  bool vlan_tracking =
      true;  // vlan.use-for-tracking: the flow table and defragmentation tell VLANs apart

  // decoder.max-layers, decoder.{vxlan,geneve,teredo}.{enabled,ports}, vlan.use-for-tracking.
  // Ports: "4789", "[1, 2]", a sequence, or a variable of vars.port-groups. What is not set stays
  // as it is above.
  [[nodiscard]] static Config from(const Settings& settings);
};

}  // namespace vong::decode
