#include "sensor/detect/reputation.h"

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "fmt/format.h"
#include "rules/network/read_file.h"
#include "rules/network/value.h"

namespace vong::detect {
namespace {

constexpr size_t kMaxReputationEntries = 4'000'000;

IpAddress network_of(const IpAddress& a, uint8_t prefix) {
  std::array<uint8_t, 16> bytes{};
  const Bytes raw = a.bytes();
  std::copy(raw.begin(), raw.end(), bytes.begin());
  for (size_t i = 0; i < raw.size(); ++i) {
    const int left = static_cast<int>(prefix) - static_cast<int>(i) * 8;
    if (left <= 0) bytes[i] = 0;
    else if (left < 8) bytes[i] = static_cast<uint8_t>(bytes[i] & (0xff << (8 - left)));
  }
  return a.is_v4() ? IpAddress::v4(bytes.data()) : IpAddress::v6(bytes.data());
}

template <typename F>
void for_each_line(const std::string& text, F f) {
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view line = strip(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!line.empty() && line.front() != '#') f(line);
  }
}

}  // namespace

void Reputation::configure(const Settings& settings) {
  const std::string categories(settings.text("reputation-categories-file", ""));
  if (categories.empty()) return;
  load_categories(categories);
  const std::filesystem::path base(std::string(settings.text("default-reputation-path", "")));
  for (const std::string& i : settings.children("reputation-files")) {
    load_scores((base / std::string(settings.text("reputation-files." + i, ""))).string());
  }
  std::sort(prefixes4_.rbegin(), prefixes4_.rend());
  std::sort(prefixes6_.rbegin(), prefixes6_.rend());
}

// "1,BadHosts,Known bad hosts"
void Reputation::load_categories(const std::string& path) {
  const auto text = rules::read_file(path);
  if (!text) {
    problems_.push_back(text.error().message);
    return;
  }
  for_each_line(*text, [&](std::string_view line) {
    const auto parts = split(line, ',');
    if (parts.size() < 2) return;
    const auto id = rules::parse_unsigned(strip(parts[0]), kMaxCategories - 1);
    if (!id || *id == 0) problems_.push_back(fmt::format("{}: not a category: {}", path, line.substr(0, 80)));
    else categories_.emplace_back(strip(parts[1]), static_cast<uint8_t>(*id));
  });
}

// "1.2.3.0/24,1,10": network, category, score
void Reputation::load_scores(const std::string& path) {
  const auto text = rules::read_file(path);
  if (!text) {
    problems_.push_back(text.error().message);
    return;
  }
  for_each_line(*text, [&](std::string_view line) {
    const auto parts = split(line, ',');
    if (parts.size() < 3 || scores_.size() >= kMaxReputationEntries) return;
    const size_t slash = parts[0].find('/');
    const auto address = IpAddress::parse(strip(parts[0].substr(0, slash)));
    const auto category = rules::parse_unsigned(strip(parts[1]), kMaxCategories - 1), score = rules::parse_unsigned(strip(parts[2]), 127);
    if (!address || !category || !score) {
      problems_.push_back(fmt::format("{}: not an entry: {}", path, line.substr(0, 80)));
      return;
    }
    const uint64_t full = address->is_v4() ? 32 : 128;
    const auto given = slash == std::string_view::npos ? full : rules::parse_unsigned(strip(parts[0].substr(slash + 1)), full).value_or(full);
    const auto prefix = static_cast<uint8_t>(given);
    auto& list = address->is_v4() ? prefixes4_ : prefixes6_;
    if (std::find(list.begin(), list.end(), prefix) == list.end()) list.push_back(prefix);
    scores_[{network_of(*address, prefix), prefix}][*category] = static_cast<uint8_t>(*score);
  });
}

uint8_t Reputation::score(const IpAddress& a, uint8_t category) const {
  if (scores_.empty() || category >= kMaxCategories) return 0;
  for (const uint8_t prefix : a.is_v4() ? prefixes4_ : prefixes6_) {
    const auto it = scores_.find({network_of(a, prefix), prefix});
    if (it != scores_.end() && it->second[category] != 0) return it->second[category];
  }
  return 0;
}

uint8_t Reputation::category(std::string_view short_name) const {
  for (const auto& [name, id] : categories_) {
    if (name == short_name) return id;
  }
  return 0;
}

}  // namespace vong::detect
