#include "sensor/evidence/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace vong::evidence {
namespace {

constexpr std::string_view kPrefix = "ring-", kSuffix = ".pcap";
constexpr size_t kDigits = 10;

}  // namespace

std::string segment_path(const std::string& folder, uint64_t number) {
  return fmt::format("{}/ring-{:010}.pcap", folder, number);
}
std::string index_path(const std::string& folder, uint64_t number) {
  return fmt::format("{}/ring-{:010}.idx", folder, number);
}

std::vector<uint64_t> list_segments(const std::string& folder) {
  std::vector<uint64_t> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.size() != kPrefix.size() + kDigits + kSuffix.size() || !name.starts_with(kPrefix) ||
        !name.ends_with(kSuffix))
      continue;
    uint64_t number = 0;
    const char* digits = name.data() + kPrefix.size();
    const auto [stop, wrong] = std::from_chars(digits, digits + kDigits, number);
    if (wrong == std::errc() && stop == digits + kDigits && number > 0) out.push_back(number);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace vong::evidence
