// An event as bytes between a sink and a sender: what the spool keeps and the forwarder sends.
// Little endian:
//
//   u8  version, 1
//   u16 size of the key, the key
//   u8  size of the ruleset, the ruleset
//   the value: all that is left
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "exporters/sink/sink.h"

namespace vong::sink {

inline constexpr std::size_t kMaxKeyBytes =
    1024;  // longer keys are cut: they only spread and order
inline constexpr std::size_t kMaxRulesetBytes = 128;  // a longer one is cut

struct StoredEvent {
  std::string_view key;
  std::string_view ruleset;
  std::string_view value;
};

// Appends the item to `out`.
void encode(const Item& item, std::string& out);
// Views into `bytes`; nothing when they are not such a record.
[[nodiscard]] std::optional<StoredEvent> decode(Bytes bytes);

}  // namespace vong::sink
