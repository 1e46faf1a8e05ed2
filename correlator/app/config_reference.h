// The configuration keys of the correlator, as a table: docs/correlator-configuration.md is made
// from it (vong-correlator --config-reference), and a test holds the two together.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vong::correlator {

struct ConfigKey {
  std::string_view path;      // * stands for a name or an index
  std::string_view fallback;  // what holds when it is not set
  std::string_view help;
};

// Without the broker's client's own keys (kafka::client_keys()).
[[nodiscard]] std::span<const ConfigKey> config_keys();
[[nodiscard]] std::string config_reference_markdown();

}  // namespace vong::correlator
