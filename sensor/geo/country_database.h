// Countries of addresses by a MaxMind database (GeoIP2 or GeoLite2 Country or City, or one of that form).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"

namespace vong::geo {

inline constexpr uint64_t kMaxDatabaseBytes = 1ull << 30;   // a larger file is refused

// ISO 3166-1 alpha-2, upper case.
using CountryCode = std::array<char, 2>;
[[nodiscard]] std::optional<CountryCode> country_code(std::string_view text);   // letters of any case; none: not two letters

class CountryDatabase {
 public:
  // An error line names the file.
  [[nodiscard]] static Result<std::shared_ptr<const CountryDatabase>> open(const std::string& path);
  ~CountryDatabase();
  CountryDatabase(const CountryDatabase&) = delete;
  CountryDatabase& operator=(const CountryDatabase&) = delete;

  // Where the address is, else where it is registered; none: the database does not know, or is damaged there.
  [[nodiscard]] std::optional<CountryCode> country(const IpAddress& address) const;

 private:
  struct Impl;
  explicit CountryDatabase(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vong::geo
