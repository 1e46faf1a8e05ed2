#include "sensor/detect/keywords/geoip.h"

#include "sensor/detect/keywords/common.h"
#include "sensor/geo/country_database.h"

namespace vong::detect {
namespace {

constexpr size_t kMaxCountries = 300;   // there are some 250
constexpr std::string_view kSetting = "geoip-database";

enum class Ends : uint8_t { kSrc, kDst, kBoth, kAny };

std::optional<Ends> ends_by_name(std::string_view name) {
  if (name == "src") return Ends::kSrc;
  if (name == "dst" || name == "dest") return Ends::kDst;
  if (name == "both") return Ends::kBoth;
  if (name == "any") return Ends::kAny;
  return std::nullopt;
}

// Sorted.
struct Countries {
  std::vector<geo::CountryCode> wanted, refused;

  // An address whose country is not known is in none, and is outside none either.
  [[nodiscard]] bool contain(const geo::CountryDatabase& db, const IpAddress& address) const {
    const auto code = db.country(address);
    if (!code || std::binary_search(refused.begin(), refused.end(), *code)) return false;
    return wanted.empty() || std::binary_search(wanted.begin(), wanted.end(), *code);
  }
};

rules::Parsed<Countries> parse_countries(std::span<const std::string_view> parts, std::string_view value) {
  Countries out;
  if (parts.empty()) return value_error(value, "expected [src|dst|both|any,]<country>[,...]");
  if (parts.size() > kMaxCountries) return value_error(value, fmt::format("more than {} countries", kMaxCountries));
  for (const std::string_view part : parts) {
    const bool negated = part.starts_with("!");
    const auto code = geo::country_code(rules::trim(negated ? part.substr(1) : part));
    if (!code) return value_error(part, "expected a country's two letters (ISO 3166-1)");
    (negated ? out.refused : out.wanted).push_back(*code);
  }
  std::sort(out.wanted.begin(), out.wanted.end());
  std::sort(out.refused.begin(), out.refused.end());
  return out;
}

}  // namespace

Status setup_geoip(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  std::vector<std::string_view> names(parts->begin(), parts->end());
  Ends ends = Ends::kAny;
  if (const auto named = names.empty() ? std::nullopt : ends_by_name(names.front())) {
    ends = *named;
    names.erase(names.begin());
  }
  auto countries = parse_countries(names, o.value);
  if (!countries) return std::unexpected(countries.error());
  const std::string path(b.env.settings.text(kSetting, ""));
  if (path.empty()) return value_error(o.name, fmt::format("needs a database of countries: the setting {} names none", kSetting));
  auto opened = geo::CountryDatabase::open(path);
  if (!opened) return value_error(o.name, fmt::format("{} cannot be used: {}", kSetting, opened.error().message));
  add_condition(b, [db = std::move(*opened), ends, c = std::move(*countries)](Runtime& rt) {
    const Packet& p = *rt.packet;
    if (p.ip.version == 0) return false;
    if (ends == Ends::kSrc) return c.contain(*db, p.src);
    if (ends == Ends::kDst) return c.contain(*db, p.dst);
    const bool src = c.contain(*db, p.src);
    if (ends == Ends::kBoth) return src && c.contain(*db, p.dst);
    return src || c.contain(*db, p.dst);
  });
  return {};
}

}  // namespace vong::detect
