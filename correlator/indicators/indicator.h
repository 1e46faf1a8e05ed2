// One indicator of compromise, and the one form in which lists hold it and events are asked for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vong::indicators {

enum class Kind : uint8_t { kIp, kCidr, kDomain, kUrl, kMd5, kSha1, kSha256, kJa3, kJa4 };
inline constexpr size_t kKinds = 9;
[[nodiscard]] std::string_view name_of(
    Kind kind);  // ip, cidr, domain, url, md5, sha1, sha256, ja3, ja4
[[nodiscard]] std::optional<Kind> kind_of_name(std::string_view name);  // other people's names too

struct Indicator {
  Kind kind = Kind::kIp;
  std::string value;  // canonical: lower case, a URL without its scheme
  int64_t from_ns = INT64_MIN, until_ns = INT64_MAX;  // event time: from <= t < until
};

// The kind that `value` has by its form alone: a hash of 32 digits is taken for an MD5.
[[nodiscard]] std::optional<Kind> guess_kind(std::string_view value);

// Nothing when `value` is none of that kind.
[[nodiscard]] std::optional<std::string> canonical(Kind kind, std::string_view value);

// "https://User@Evil.Example:443/A?b" -> "evil.example/A?b": what is written in one way only. Also
// for a host and a path apart (EVE's http.hostname and http.url).
[[nodiscard]] std::string canonical_url(std::string_view host, std::string_view path);
[[nodiscard]] std::optional<std::string> canonical_url(std::string_view url);

}  // namespace vong::indicators
