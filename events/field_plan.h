// Which fields of a record somebody wants: dotted paths ("alert.signature_id"), each with a dense
// id. Filled while rules load, read-only afterwards, so any number of decoders may share it between
// threads.
//
// A path is looked for nested ({"alert":{"signature_id":1}}) and flat ({"alert.signature_id":1}, as
// Zeek and flattened ECS write it). An array on the way is walked: "dns.answers.rdata" gives one
// value per answer. Fields that Zeek's logs and ECS call otherwise are found under these names too.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/string_map.h"
#include "base/strings.h"

namespace vong::events {

using FieldId = uint16_t;
inline constexpr FieldId kNoField = 0xffff;

class FieldPlan {
 public:
  FieldPlan();

  // The id of `path`, new or known. Fails for an empty or overlong path and beyond kFieldsMax.
  [[nodiscard]] Result<FieldId> add(std::string_view path);
  // kNoField when the path was never added.
  [[nodiscard]] FieldId find(std::string_view path) const;
  [[nodiscard]] const std::string& path(FieldId id) const { return paths_[id]; }
  [[nodiscard]] size_t size() const { return paths_.size(); }

  // --- for the decoder ---
  struct Child {
    std::string name;
    uint64_t key;  // prefix_key() of the name
    uint32_t node;
  };
  struct Node {
    FieldId field = kNoField;  // a path ends here
    FieldId also = kNoField;   // as other people's name of another field
    std::vector<Child> children;
    std::vector<int16_t> table;  // open addressing over children by key, size a power of two
  };
  [[nodiscard]] const Node& node(uint32_t index) const { return nodes_[index]; }
  // The child whose name stands at `raw` and is followed by a quote; null when there is none. `raw`
  // has 8 readable bytes, and a quote ends it.
  [[nodiscard]] const Child* child_at(const Node& node, const char* raw) const {
    if (node.table.empty()) return nullptr;
    const uint64_t key = prefix_key(raw);
    const size_t mask = node.table.size() - 1;
    for (size_t slot = slot_of(key) & mask;; slot = (slot + 1) & mask) {
      const int16_t index = node.table[slot];
      if (index < 0) return nullptr;
      const Child& child = node.children[static_cast<size_t>(index)];
      if (child.key == key && ends_alike(child.name, raw)) return &child;
    }
  }
  [[nodiscard]] const Child* child_named(const Node& node, std::string_view name) const;

 private:
  // The first eight bytes of a name, bytes from its closing quote on set to zero.
  static uint64_t prefix_key(const char* raw) {
    uint64_t word;
    std::memcpy(&word, raw, sizeof word);
    const uint64_t x = word ^ 0x2222222222222222ull;  // '"' becomes 0
    const uint64_t quote = (x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull;
    if (quote == 0) return word;
    return word & ((uint64_t{1} << (__builtin_ctzll(quote) - 7)) - 1);
  }
  // What the key does not say: the bytes from the eighth on.
  static bool ends_alike(const std::string& name, const char* raw) {
    if (name.size() < 8) return true;
    const size_t rest = name.size() - 8;
    return (rest == 0 || std::strncmp(raw + 8, name.c_str() + 8, rest) == 0) &&
           raw[name.size()] == '"';
  }
  static size_t slot_of(uint64_t key) {
    return static_cast<size_t>(key * 0x9e3779b97f4a7c15ull >> 40);
  }
  void insert_path(std::string_view path, FieldId id, bool other_name);
  void insert(const std::vector<std::string_view>& parts, FieldId id, bool other_name);
  static void rebuild_table(Node& node);

  std::vector<std::string> paths_;
  StringMap<FieldId> ids_;
  std::vector<Node> nodes_;  // nodes_[0] is the record itself
};

}  // namespace vong::events
