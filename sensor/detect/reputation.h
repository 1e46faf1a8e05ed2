// IP reputation (`iprep`): categories and scores of addresses and networks from files. Read once at the start.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "base/settings.h"

namespace vong::detect {

class Reputation {
 public:
  static constexpr int kMaxCategories = 60;
  // reputation-categories-file, default-reputation-path, reputation-files.
  void configure(const Settings& settings);
  // 0: none.
  [[nodiscard]] uint8_t score(const IpAddress& a, uint8_t category) const;
  // Number of a category's short name; 0 when there is none.
  [[nodiscard]] uint8_t category(std::string_view short_name) const;
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  void load_categories(const std::string& path);
  void load_scores(const std::string& path);
  struct Key {
    IpAddress network;
    uint8_t prefix;
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) { return H::combine(std::move(h), k.network, k.prefix); }
  };
  absl::flat_hash_map<Key, std::array<uint8_t, kMaxCategories>> scores_;
  std::vector<uint8_t> prefixes4_, prefixes6_;     // in use, longest first
  std::vector<std::pair<std::string, uint8_t>> categories_;
  std::vector<std::string> problems_;
};

}  // namespace vong::detect
