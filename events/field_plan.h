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
  // What stood at one place of an object the last time: records of one kind have their names in the
  // same order, so the next one is nearly always the same.
  struct Guess {
    uint64_t first = 0, second = 0;  // the name and its quote: 16 bytes, what is behind as zeros
    uint64_t first_mask = 0, second_mask = 0;
    const Child* child = nullptr;
    [[nodiscard]] bool holds(const char* raw) const {
      uint64_t words[2];
      std::memcpy(words, raw, sizeof words);
      return ((words[0] ^ first) & first_mask) == 0 && ((words[1] ^ second) & second_mask) == 0 &&
             first_mask != 0;
    }
  };
  // As child_at, with the guess corrected for the next time. `raw` has 16 readable bytes.
  [[nodiscard]] const Child* child_at(const Node& node, const char* raw, Guess& guess) const {
    if (guess.holds(raw)) [[likely]]
      return guess.child;
    const Child* child = child_at(node, raw);
    std::memcpy(&guess.first, raw, 8);
    std::memcpy(&guess.second, raw + 8, 8);
    if (const unsigned n = bytes_with_quote(guess.first); n <= 8) {
      guess.first_mask = low_bytes(n);
      guess.second_mask = 0;
    } else if (const unsigned m = bytes_with_quote(guess.second); m <= 8) {
      guess.first_mask = ~uint64_t{0};
      guess.second_mask = low_bytes(m);
    } else {
      guess.first_mask = 0;  // too long to be guessed
    }
    guess.child = child;
    return child;
  }

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
  // Up to and with the first quote; 9 when there is none.
  static unsigned bytes_with_quote(uint64_t word) {
    const uint64_t x = word ^ 0x2222222222222222ull;
    const uint64_t quote = (x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull;
    return quote == 0 ? 9 : (static_cast<unsigned>(__builtin_ctzll(quote)) >> 3) + 1;
  }
  static uint64_t low_bytes(unsigned n) {
    return n >= 8 ? ~uint64_t{0} : (uint64_t{1} << (n * 8)) - 1;
  }
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
