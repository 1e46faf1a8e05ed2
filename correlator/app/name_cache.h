// Names that come again and again (agencies, sensors), each with its number: asked before the table
// that knows them all. One entry a slot, the newest wins. Single thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace vong::correlator {

class NameCache {
 public:
  // Null when it is not here.
  [[nodiscard]] const uint32_t* find(std::string_view name) const {
    const Entry& e = entries_[slot_of(name)];
    return e.name == name && !name.empty() ? &e.number : nullptr;
  }
  void put(std::string_view name, uint32_t number) {
    Entry& e = entries_[slot_of(name)];
    e.name.assign(name);
    e.number = number;
  }

 private:
  struct Entry {
    std::string name;
    uint32_t number = 0;
  };
  static constexpr size_t kSlotBits = 9;
  static size_t slot_of(std::string_view name) {
    uint64_t end = 0;
    const size_t n = name.size() < 8 ? name.size() : 8;
    if (n > 0) std::memcpy(&end, name.data() + name.size() - n, n);
    return (end ^ name.size()) * 0x9e3779b97f4a7c15ull >> (64 - kSlotBits);
  }
  std::array<Entry, size_t{1} << kSlotBits> entries_;
};

}  // namespace vong::correlator
