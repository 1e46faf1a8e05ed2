#include "sensor/applayer/http/message.h"

#include "base/strings.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {

namespace {

// Below this many headers looking at all hashes is faster than any index.
constexpr size_t kIndexFrom = 48;

uint32_t name_hash(std::string_view name) {
  uint32_t h = 2166136261U;  // FNV-1a: not secret, so every hit is compared, and their number is
                             // bounded by kHeadersMax
  for (const char c : name) {
    if (c != '\0') h = (h ^ static_cast<uint8_t>(ascii_lower(c))) * 16777619U;
  }
  return h;
}

bool same_name(std::string_view a, std::string_view b) {
  size_t j = 0;
  for (const char c : a) {
    if (c == '\0') continue;
    while (j < b.size() && b[j] == '\0') ++j;
    if (j == b.size() || ascii_lower(c) != ascii_lower(b[j])) return false;
    ++j;
  }
  while (j < b.size() && b[j] == '\0') ++j;
  return j == b.size();
}

}  // namespace

Header* Message::find_same(std::string_view name) {
  const uint32_t hash = name_hash(name);
  if (by_hash_.empty()) {
    for (Header& h : headers) {
      if (h.hash == hash && same_name(text(h.name), name)) return &h;
    }
    return nullptr;
  }
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    if (same_name(text(headers[it->second].name), name)) return &headers[it->second];
  }
  return nullptr;
}

Header* Message::find(std::string_view lower_name) { return find_same(lower_name); }

const Header* Message::find(std::string_view lower_name) const {
  return const_cast<Message*>(this)->find_same(lower_name);
}

void Message::push(Slice name, Slice value) {
  headers.push_back({name, value, name_hash(text(name)), false});
  if (!by_hash_.empty()) {
    by_hash_.emplace(headers.back().hash, static_cast<uint32_t>(headers.size() - 1));
  } else if (headers.size() >= kIndexFrom) {
    for (uint32_t i = 0; i < headers.size(); ++i) by_hash_.emplace(headers[i].hash, i);
  }
}

void Message::reset_head() {
  raw.clear();
  cooked.clear();
  headers.clear();
  by_hash_.clear();
  line = {};
  headers_at = headers_end = lines_seen = repetitions = 0;
}

std::optional<std::string_view> Message::value_of(std::string_view lower_name) const {
  const Header* h = find(lower_name);
  if (h == nullptr) return std::nullopt;
  return text(h->value);
}

std::span<const applayer::EventDef> event_defs() {
  static constexpr auto kDefs = std::to_array<applayer::EventDef>({
#define VONG_HTTP_EVENT(id, name) {name, ""},
      VONG_HTTP_EVENTS(VONG_HTTP_EVENT)
#undef VONG_HTTP_EVENT
  });
  return kDefs;
}

}  // namespace vong::http
