// A fact: what the correlations need of an event that a rule matched, as flat bytes that can be
// copied, sorted and spilled. Also the bytes of a group key.
//
// Layout of a fact: EventRef, counts, rule indices, sizes of the columns' values (kNoValue: none),
// the values. Indices mean something within one engine only.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "correlator/app/compiled_rules.h"
#include "correlator/state/event_ref.h"

namespace vong::correlator {

inline constexpr uint16_t kNoValue = 0xffff;

// Records that are no events but have their place among them in time: a fact without rules and
// columns, whose values are the control's own bytes. Stands in EventRef::event_type.
enum class Control : uint16_t { kNone = 0, kVerdict = 0xfff0 };

// A view of a fact's bytes, which must outlive it.
struct FactView {
  state::EventRef ref;
  std::span<const char> rules_bytes;
  std::span<const char> sizes_bytes;
  const char* values = nullptr;

  explicit FactView(std::string_view bytes) {
    uint16_t rule_count = 0, column_count = 0;
    const char* p = bytes.data();
    std::memcpy(static_cast<void*>(&ref), p, sizeof ref);
    p += sizeof ref;
    std::memcpy(&rule_count, p, 2);
    std::memcpy(&column_count, p + 2, 2);
    p += 4;
    rules_bytes = {p, rule_count * sizeof(uint32_t)};
    p += rules_bytes.size();
    sizes_bytes = {p, column_count * sizeof(uint16_t)};
    values = p + sizes_bytes.size();
  }
  [[nodiscard]] Control control() const {
    return ref.event_type >= static_cast<uint16_t>(Control::kVerdict)
               ? static_cast<Control>(ref.event_type)
               : Control::kNone;
  }
  [[nodiscard]] size_t rule_count() const { return rules_bytes.size() / sizeof(uint32_t); }
  [[nodiscard]] uint32_t rule(size_t i) const {
    uint32_t r;
    std::memcpy(&r, rules_bytes.data() + i * sizeof r, sizeof r);
    return r;
  }
  // False: the event has no such field.
  [[nodiscard]] bool column(Column c, std::string_view& out) const {
    const char* at = values;
    for (Column i = 0;; ++i) {
      uint16_t size;
      std::memcpy(&size, sizes_bytes.data() + static_cast<size_t>(i) * 2, 2);
      if (i == c) {
        out = {at, size == kNoValue ? 0u : size};
        return size != kNoValue;
      }
      at += size == kNoValue ? 0 : size;
    }
  }
};

// Who says a verdict, of its fact: empty for the centre. The bytes before are what it says of which
// incident (Engine::read_verdict).
inline std::string_view verdict_author(std::string_view fact) {
  return fact.substr(sizeof(state::EventRef) + 4 + 1 + 32);
}

// FNV-1a: only has to be the same everywhere, not to resist anybody.
inline uint64_t stable_print(std::string_view text) {
  uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : text) h = (h ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
  return h;
}

// A part of a group key, with its size: no two keys look alike.
inline void append_part(std::string& key, std::string_view value) {
  const auto size = static_cast<uint16_t>(value.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof size);
  key.append(value);
}

// The opposite of append_part, one after the other; empty when there is no more.
inline std::string_view take_part(std::string_view& key) {
  uint16_t size = 0;
  if (key.size() < sizeof size) return {};
  std::memcpy(&size, key.data(), sizeof size);
  key.remove_prefix(sizeof size);
  const std::string_view part = key.substr(0, size);
  key.remove_prefix(part.size());
  return part;
}

}  // namespace vong::correlator
