// The configuration keys that shape the sensor, as a table: docs/configuration.md is made from it (vong-sensor --config-reference), and
// a test holds the two together.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vong::sensor {

struct ConfigKey {
  std::string_view path;      // * stands for an index or a name
  std::string_view fallback;  // what holds when it is not set
  std::string_view help;
};

[[nodiscard]] std::span<const ConfigKey> config_keys();
[[nodiscard]] std::string config_reference_markdown();

}  // namespace vong::sensor
