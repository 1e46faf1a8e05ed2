#include "sensor/detect/transform.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "fmt/format.h"
#include "sensor/content/office_text.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/number_field.h"
#include "sensor/detect/public_suffix.h"
#include "sensor/detect/regex.h"

namespace vong::detect {
namespace {

using rules::value_error;
using Made = rules::Parsed<std::unique_ptr<Transform>>;

// A transform that is a function of bytes alone.
template <auto F>
class Simple : public Transform {
 public:
  bool apply(Bytes in, std::string& out) const override { return F(in, out); }
};
template <auto F>
Made make_simple(std::string_view) {
  return std::make_unique<Simple<F>>();
}

bool office_text(Bytes in, std::string& out) { return content::office_text(in, out).is_container; }
bool dotprefix(Bytes in, std::string& out) {
  out.push_back('.');
  out.append(as_text(in));
  return true;
}
bool lowercase(Bytes in, std::string& out) {
  out.assign(as_text(in));
  for (char& c : out) c = ascii_lower(c);
  return true;
}
bool uppercase(Bytes in, std::string& out) {
  out.assign(as_text(in));
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return true;
}
bool strip_whitespace(Bytes in, std::string& out) {
  for (const uint8_t c : in) {
    if (!is_space(static_cast<char>(c))) out.push_back(static_cast<char>(c));
  }
  return true;
}
bool compress_whitespace(Bytes in, std::string& out) {
  bool before = false;
  for (const uint8_t c : in) {
    const bool space = is_space(static_cast<char>(c));
    if (!(space && before)) out.push_back(static_cast<char>(c));
    before = space;
  }
  return true;
}
// Header names of an HTTP header block in lower case, values as they are.
bool header_lowercase(Bytes in, std::string& out) {
  bool name = true;
  for (const uint8_t c : in) {
    if (name && c == ':') name = false;
    else if (c == '\n') name = true;
    out.push_back(static_cast<char>(name ? ascii_lower(c) : c));
  }
  return true;
}
// Takes lines out whose name begins with ':' (HTTP/2's pseudo headers).
bool strip_pseudo_headers(Bytes in, std::string& out) {
  std::string_view rest = as_text(in);
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end == std::string_view::npos ? rest.size() : end + 1);
    if (line.front() != ':') out.append(line);
    rest.remove_prefix(line.size());
  }
  return true;
}
int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
bool url_decode(Bytes in, std::string& out) {
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i] == '%' && i + 2 < in.size() && hex_digit(in[i + 1]) >= 0 && hex_digit(in[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(in[i + 1]) * 16 + hex_digit(in[i + 2])));
      i += 2;
    } else {
      out.push_back(in[i] == '+' ? ' ' : static_cast<char>(in[i]));
    }
  }
  return true;
}
template <auto Md>
bool digest(Bytes in, std::string& out) {
  unsigned char md[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  if (EVP_Digest(in.data(), in.size(), md, &n, Md(), nullptr) != 1) return false;
  out.assign(reinterpret_cast<const char*>(md), n);
  return true;
}

class Xor : public Transform {
 public:
  explicit Xor(std::string key) : key_(std::move(key)) {}
  bool apply(Bytes in, std::string& out) const override {
    out.assign(as_text(in));
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(out[i] ^ key_[i % key_.size()]);
    return true;
  }

 private:
  std::string key_;
};
Made make_xor(std::string_view value) {
  const auto text = rules::unquote(value, rules::Quotes::kOptional, false);
  if (!text) return std::unexpected(text.error());
  std::string key;
  const std::string_view hex = text->text;
  if (hex.empty() || hex.size() % 2 != 0 || hex.size() > 512) return value_error(value, "the key is 1 to 256 bytes in hexadecimal digits");
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int a = hex_digit(static_cast<uint8_t>(hex[i])), b = hex_digit(static_cast<uint8_t>(hex[i + 1]));
    if (a < 0 || b < 0) return value_error(hex.substr(i, 2), "not a hexadecimal digit");
    key.push_back(static_cast<char>(a * 16 + b));
  }
  return std::make_unique<Xor>(std::move(key));
}

class PcreXform : public Transform {
 public:
  explicit PcreXform(std::unique_ptr<Regex> r) : regex_(std::move(r)) {}
  bool apply(Bytes in, std::string& out) const override {
    thread_local RegexScratch scratch;
    size_t begin = 0, end = 0;
    if (regex_->search(in, 0, scratch, begin, end) != Regex::Outcome::kMatch) return false;
    out.assign(as_text(scratch.group(in, 1)));
    return true;
  }

 private:
  std::unique_ptr<Regex> regex_;
};
Made make_pcrexform(std::string_view value) {
  const auto text = rules::unquote(value, rules::Quotes::kOptional, false);
  if (!text) return std::unexpected(text.error());
  auto regex = Regex::compile(text->text, {}, {});
  if (!regex) return value_error(value, regex.error().message);
  if ((*regex)->capture_count() != 1) return value_error(value, "pcrexform needs exactly one capture group");
  return std::make_unique<PcreXform>(std::move(*regex));
}

// bytes, offset, mode of RFC 4648 decoding.
class FromBase64 : public Transform {
 public:
  enum class Mode : uint8_t { kStrict, kRfc4648, kRfc2045 };
  uint32_t bytes = 0, offset = 0;
  Mode mode = Mode::kRfc4648;
  bool apply(Bytes in, std::string& out) const override {
    if (offset >= in.size()) return false;
    in = in.subspan(offset);
    if (bytes != 0) in = in.first(std::min<size_t>(in.size(), bytes));
    if (mode == Mode::kRfc2045) {
      std::string clean;
      for (const uint8_t c : in) {
        if (std::isalnum(c) || c == '+' || c == '/' || c == '=') clean.push_back(static_cast<char>(c));
      }
      decode_base64_prefix(as_bytes(clean), out);
    } else {
      if (mode == Mode::kStrict && in.size() % 4 != 0) return false;
      decode_base64_prefix(in, out);
    }
    return !out.empty();
  }
};
Made make_from_base64(std::string_view value) {
  auto t = std::make_unique<FromBase64>();
  const auto parts = rules::split_parts(value);
  if (!parts) return std::unexpected(parts.error());
  for (const std::string_view part : *parts) {
    const auto [key, v] = rules::split_key(part);
    if (key == "mode") {
      if (v == "rfc4648") t->mode = FromBase64::Mode::kRfc4648;
      else if (v == "rfc2045") t->mode = FromBase64::Mode::kRfc2045;
      else if (v == "strict") t->mode = FromBase64::Mode::kStrict;
      else return value_error(part, "the mode is rfc4648, rfc2045 or strict");
      continue;
    }
    const auto n = rules::parse_unsigned(v, 65'535);
    if (!n) return std::unexpected(n.error());
    if (key == "bytes") t->bytes = static_cast<uint32_t>(*n);
    else if (key == "offset") t->offset = static_cast<uint32_t>(*n);
    else return value_error(part, "expected bytes, offset or mode");
  }
  return t;
}

class Subslice : public Transform {
 public:
  int64_t offset = 0;
  std::optional<int64_t> count;
  bool truncate = false;
  bool apply(Bytes in, std::string& out) const override {
    const auto size = static_cast<int64_t>(in.size());
    int64_t from = offset < 0 ? size + offset : offset;
    if (from < 0) {
      if (!truncate) from = 0;
      else from = 0;
    }
    if (from >= size) return false;
    int64_t to = size;
    if (count) to = *count < 0 ? size + *count : from + *count;
    if (to > size) to = size;
    if (to <= from) return false;
    out.assign(as_text(in.subspan(static_cast<size_t>(from), static_cast<size_t>(to - from))));
    return true;
  }
};
Made make_subslice(std::string_view value) {
  auto t = std::make_unique<Subslice>();
  const auto parts = rules::split_parts(value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->empty() || parts->size() > 3) return value_error(value, "expected <offset>[, <bytes>[, truncate]]");
  size_t i = 0;
  const auto number = [&](std::string_view text) { return rules::parse_signed(text, -65'535, 65'535); };
  const auto first = number((*parts)[i++]);
  if (!first) return std::unexpected(first.error());
  t->offset = *first;
  for (; i < parts->size(); ++i) {
    if ((*parts)[i] == "truncate") {
      t->truncate = true;
      continue;
    }
    const auto n = number((*parts)[i]);
    if (!n) return std::unexpected(n.error());
    t->count = *n;
  }
  return t;
}

// Parts of a host name by the public suffix list.
template <std::string_view (*Part)(std::string_view)>
bool part_of_name(Bytes in, std::string& out) {
  const std::string name = to_lower(as_text(in));
  out.assign(Part(name));
  return !out.empty();
}

constexpr TransformDef kTransforms[] = {
    {"compress_whitespace", false, make_simple<compress_whitespace>, "", "Runs of white space become their first character."},
    {"domain", false, make_simple<part_of_name<registered_domain>>, "", "The registered domain of a host name, by the public suffix list."},
    {"dotprefix", false, make_simple<dotprefix>, "", "Puts a dot before the buffer, so that \".example.org\" matches the domain and all below it."},
    {"from_base64", true, make_from_base64, "[bytes <n>][, offset <n>][, mode rfc4648|rfc2045|strict]", "Decodes base64."},
    {"gunzip", true, make_gunzip, "[max-size <bytes>]", "Decompresses gzip, to at most 1024 bytes when not said otherwise."},
    {"header_lowercase", false, make_simple<header_lowercase>, "", "Names in a block of headers in lower case."},
    {"office_text", false, make_simple<office_text>, "", "The text of an OOXML or OpenDocument file."},
    {"pcrexform", true, make_pcrexform, "\"<regex>\"", "The first capture of a regular expression."},
    {"strip_pseudo_headers", false, make_simple<strip_pseudo_headers>, "", "Takes HTTP/2's pseudo headers out of a block of headers."},
    {"strip_whitespace", false, make_simple<strip_whitespace>, "", "Takes all white space out."},
    {"subslice", true, make_subslice, "<offset>[, <bytes>[, truncate]]", "A part of the buffer; negative numbers count from its end."},
    {"tld", false, make_simple<part_of_name<public_suffix>>, "", "What a host name's domain is registered under (\"com\", \"co.uk\"), by the public suffix list."},
    {"to_lowercase", false, make_simple<lowercase>, "", "ASCII letters in lower case."},
    {"to_md5", false, make_simple<digest<EVP_md5>>, "", "MD5, 16 bytes."},
    {"to_sha1", false, make_simple<digest<EVP_sha1>>, "", "SHA-1, 20 bytes."},
    {"to_sha256", false, make_simple<digest<EVP_sha256>>, "", "SHA-256, 32 bytes."},
    {"to_uppercase", false, make_simple<uppercase>, "", "ASCII letters in upper case."},
    {"url_decode", false, make_simple<url_decode>, "", "Decodes %XX and + ."},
    {"xor", true, make_xor, "<hexadecimal key>", "Combines the bytes with a key by exclusive or."},
    {"zlib_deflate", true, make_zlib_deflate, "[max-size <bytes>]", "Decompresses zlib's format, to at most 1024 bytes when not said otherwise."},
};

}  // namespace

std::span<const TransformDef> transforms() { return kTransforms; }

const TransformDef* transform_by_name(std::string_view name) {
  const auto it = std::lower_bound(std::begin(kTransforms), std::end(kTransforms), name,
                                   [](const TransformDef& t, std::string_view n) { return t.name < n; });
  return it != std::end(kTransforms) && it->name == name ? it : nullptr;
}

}  // namespace vong::detect
