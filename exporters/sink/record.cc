#include "exporters/sink/record.h"

#include "base/byte_reader.h"

namespace vong::sink {
namespace {
constexpr uint8_t kVersion = 1;
}

void encode(const Item& item, std::string& out) {
  const std::string_view key = item.key.substr(0, kMaxKeyBytes);
  const std::string_view ruleset = item.ruleset.substr(0, kMaxRulesetBytes);
  out.push_back(static_cast<char>(kVersion));
  out.push_back(static_cast<char>(key.size() & 0xff));
  out.push_back(static_cast<char>(key.size() >> 8));
  out.append(key);
  out.push_back(static_cast<char>(ruleset.size()));
  out.append(ruleset);
  out.append(item.value);
}

std::optional<StoredEvent> decode(Bytes bytes) {
  ByteReader reader(bytes);
  if (reader.u8() != kVersion) return std::nullopt;
  StoredEvent event;
  event.key = as_text(reader.bytes(reader.u16_le()));
  event.ruleset = as_text(reader.bytes(reader.u8()));
  if (!reader.ok()) return std::nullopt;
  event.value = as_text(reader.rest());
  return event;
}

}  // namespace vong::sink
