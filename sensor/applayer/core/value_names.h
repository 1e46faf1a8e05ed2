// Names of a number field's values, for records.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sensor/applayer/core/protocol.h"

namespace vong::applayer {

// The first name of `value`; `otherwise` when it has none.
[[nodiscard]] constexpr std::string_view name_of_value(std::span<const NumberDef::Value> names,
                                                       uint64_t value, std::string_view otherwise) {
  for (const auto& each : names) {
    if (each.value == value) return each.name;
  }
  return otherwise;
}

}  // namespace vong::applayer
