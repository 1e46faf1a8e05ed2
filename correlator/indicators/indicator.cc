#include "correlator/indicators/indicator.h"

#include <algorithm>

#include "base/ip_prefix_map.h"
#include "base/strings.h"
#include "correlator/indicators/limits.h"

namespace vong::indicators {
namespace {

constexpr std::string_view kNames[kKinds] = {"ip",   "cidr",   "domain", "url", "md5",
                                             "sha1", "sha256", "ja3",    "ja4"};
struct OtherName {
  std::string_view name;
  Kind kind;
};
// MISP's and STIX's names of the same.
constexpr OtherName kOtherNames[] = {{"ip-src", Kind::kIp},
                                     {"ip-dst", Kind::kIp},
                                     {"ipv4-addr", Kind::kIp},
                                     {"ipv6-addr", Kind::kIp},
                                     {"ipv4", Kind::kIp},
                                     {"ipv6", Kind::kIp},
                                     {"network", Kind::kCidr},
                                     {"hostname", Kind::kDomain},
                                     {"domain-name", Kind::kDomain},
                                     {"uri", Kind::kUrl},
                                     {"ja3-fingerprint-md5", Kind::kJa3}};

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
  });
}

size_t digits_of(Kind kind) { return kind == Kind::kSha1 ? 40 : kind == Kind::kSha256 ? 64 : 32; }

// RFC 1035 with the underscores of practice; at least two labels, so that no single word is one.
bool is_domain(std::string_view text) {
  if (text.size() > 253 || text.find('.') == text.npos) return false;
  size_t label = 0;
  for (const char c : text) {
    if (c == '.') {
      if (label == 0 || label > 63) return false;
      label = 0;
    } else if (is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '-' ||
               c == '_' || static_cast<uint8_t>(c) >= 0x80) {
      ++label;
    } else {
      return false;
    }
  }
  return label > 0 && label <= 63 && !is_digit(text.back());
}

// "t13d1516h2_8daaf6152771_b186095e22b6": ten, twelve and twelve characters.
bool is_ja4(std::string_view text) {
  return text.size() == 36 && (text[0] == 't' || text[0] == 'q' || text[0] == 'd') &&
         text[10] == '_' && text[23] == '_' && is_hex(text.substr(11, 12)) &&
         is_hex(text.substr(24));
}

std::string_view without_scheme(std::string_view url, std::string_view& scheme) {
  const size_t at = url.find("://");
  scheme = at == url.npos ? std::string_view() : url.substr(0, at);
  return at == url.npos ? url : url.substr(at + 3);
}

}  // namespace

std::string_view name_of(Kind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<Kind> kind_of_name(std::string_view name) {
  const std::string lower = to_lower(name);
  const auto* it = std::find(std::begin(kNames), std::end(kNames), lower);
  if (it != std::end(kNames)) return static_cast<Kind>(it - kNames);
  for (const OtherName& o : kOtherNames) {
    if (o.name == lower) return o.kind;
  }
  return std::nullopt;
}

std::optional<Kind> guess_kind(std::string_view value) {
  if (IpAddress::parse(value)) return Kind::kIp;
  if (value.find("://") != value.npos) return Kind::kUrl;
  if (IpPrefix::parse(value)) return Kind::kCidr;
  if (is_hex(value)) {
    if (value.size() == 32) return Kind::kMd5;
    if (value.size() == 40) return Kind::kSha1;
    if (value.size() == 64) return Kind::kSha256;
  }
  if (is_ja4(value)) return Kind::kJa4;
  if (value.find('/') != value.npos) return Kind::kUrl;
  if (is_domain(value)) return Kind::kDomain;
  return std::nullopt;
}

std::optional<std::string> canonical(Kind kind, std::string_view value) {
  if (value.empty() || value.size() > kValueBytesMax) return std::nullopt;
  switch (kind) {
    case Kind::kIp: {
      const auto address = IpAddress::parse(value);
      return address ? std::optional(address->to_string()) : std::nullopt;
    }
    case Kind::kCidr: {
      const auto prefix = IpPrefix::parse(value);
      if (!prefix) return std::nullopt;
      return prefix->address.to_string() + "/" + std::to_string(prefix->length);
    }
    case Kind::kDomain: {
      if (value.starts_with("*.")) value.remove_prefix(2);
      if (value.ends_with('.')) value.remove_suffix(1);
      return is_domain(value) ? std::optional(to_lower(value)) : std::nullopt;
    }
    case Kind::kUrl:
      return canonical_url(value);
    case Kind::kJa4:
      return is_ja4(value) ? std::optional(to_lower(value)) : std::nullopt;
    case Kind::kMd5:
    case Kind::kSha1:
    case Kind::kSha256:
    case Kind::kJa3:
      if (value.size() != digits_of(kind) || !is_hex(value)) return std::nullopt;
      return to_lower(value);
  }
  return std::nullopt;
}

std::string canonical_url(std::string_view host, std::string_view path) {
  if (const size_t at = host.rfind('@'); at != host.npos) host.remove_prefix(at + 1);
  for (const std::string_view port : {":80", ":443"}) {
    if (host.ends_with(port)) host.remove_suffix(port.size());
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string out = to_lower(host);
  out += path.substr(0, path.find('#'));
  if (path.empty()) out.push_back('/');
  return out;
}

std::optional<std::string> canonical_url(std::string_view url) {
  std::string_view scheme;
  const std::string_view rest = without_scheme(url, scheme);
  const size_t slash = rest.find_first_of("/?#");
  const std::string_view host = rest.substr(0, slash);
  if (host.empty() || host.find(' ') != host.npos) return std::nullopt;
  std::string path(slash == rest.npos ? std::string_view() : rest.substr(slash));
  if (!path.empty() && path[0] != '/') path.insert(0, "/");
  return canonical_url(host, path);
}

}  // namespace vong::indicators
