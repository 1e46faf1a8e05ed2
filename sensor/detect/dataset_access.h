// Data sets of a rule set in force, as an operator asks for them by name: add, remove, look up one value. Any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sensor/detect/rule_set.h"

namespace vong::detect {

enum class DatasetEdit : uint8_t { kAdd, kRemove, kLookup };

// `value` as in a data set's file: base64 of a string, hexadecimal digits of a hash, an address. True: it was added, was removed, is there.
// An error says what is wrong: no such set, another type, not a value of that type, a full set.
[[nodiscard]] Result<bool> edit_dataset(const RuleSet& rules, std::string_view name, std::string_view type, std::string_view value, DatasetEdit edit);

// The bytes that such a value stands for.
[[nodiscard]] Result<std::string> dataset_value(std::string_view type, std::string_view text);

}  // namespace vong::detect
