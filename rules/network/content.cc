// Quotes, escapes and the content keyword's notation.
#include <fmt/format.h>

#include <optional>

#include "rules/network/limits.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"
#include "rules/network/value.h"

namespace vong::rules {
namespace {

constexpr bool is_escapable(char c) { return c == '"' || c == ';' || c == ':' || c == '\\'; }

class ContentDecoder {
 public:
  explicit ContentDecoder(std::string_view text) : text_(text) { bytes_.reserve(text.size()); }

  Parsed<std::string> decode() {
    while (pos_ < text_.size() && !error_) {
      const char c = text_[pos_];
      if (c == '|') {
        hex();
      } else if (c == '\\') {
        escape();
      } else if (c == '"') {
        refuse(pos_, 1, "'\"' inside a content must be written \\\" or |22|");
      } else {
        bytes_ += c;
        ++pos_;
      }
    }
    if (error_) return std::unexpected(std::move(*error_));
    if (bytes_.size() > kMaxContentBytes) {
      return value_error(text_, fmt::format("content of more than {} bytes", kMaxContentBytes));
    }
    return std::move(bytes_);
  }

 private:
  void escape() {
    if (pos_ + 1 >= text_.size()) {
      return refuse(pos_, 1, "backslash at the end of a content must be written \\\\");
    }
    const char c = text_[pos_ + 1];
    if (!is_escapable(c)) {
      return refuse(pos_, 2,
                    fmt::format("{} is no escape: only \\\" \\; \\: \\\\ are, other bytes are "
                                "written in hex between bars",
                                shown(text_.substr(pos_, 2))));
    }
    bytes_ += c;
    pos_ += 2;
  }

  void hex() {
    const size_t open = pos_++;
    int high = -1;
    for (; pos_ < text_.size() && text_[pos_] != '|'; ++pos_) {
      if (is_space(text_[pos_])) continue;
      const int digit = hex_value(text_[pos_]);
      if (digit < 0) {
        return refuse(
            pos_, 1,
            fmt::format("hexadecimal digit or '|' expected, not {}", shown(text_.substr(pos_, 1))));
      }
      if (high < 0) {
        high = digit;
      } else {
        bytes_ += static_cast<char>(high << 4 | digit);
        high = -1;
      }
    }
    if (pos_ == text_.size()) return refuse(open, 1, "'|' is not closed");
    if (high >= 0) return refuse(pos_ - 1, 1, "hexadecimal byte of two digits expected");
    ++pos_;
  }

  void refuse(size_t at, size_t n, std::string message) {
    error_ = ValueError{text_.substr(at, n), std::move(message)};
  }

  std::string_view text_;
  size_t pos_ = 0;
  std::string bytes_;
  std::optional<ValueError> error_;
};

}  // namespace

Parsed<Unquoted> unquote(std::string_view value, Quotes quotes, bool negatable) {
  Unquoted result;
  std::string_view text = value;
  if (negatable && text.starts_with('!')) {
    result.negated = true;
    text = trim_left(text.substr(1));
  }
  const bool opens = text.starts_with('"');
  if (opens && text.size() >= 2 && text.ends_with('"')) {
    result.text = text.substr(1, text.size() - 2);
    return result;
  }
  if (opens)
    return value_error(text, fmt::format("closing '\"' expected at the end of {}", shown(text)));
  if (quotes == Quotes::kRequired) {
    return value_error(
        text, text.empty() ? "value in double quotes expected"
                           : fmt::format("value in double quotes expected, not {}", shown(text)));
  }
  result.text = text;
  return result;
}

std::string unescape_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && is_escapable(text[i + 1])) ++i;
    result += text[i];
  }
  return result;
}

Parsed<std::string> decode_content(std::string_view text) { return ContentDecoder(text).decode(); }

Parsed<Content> parse_content(std::string_view value) {
  const Parsed<Unquoted> inner = unquote(value, Quotes::kRequired, true);
  if (!inner) return std::unexpected(inner.error());
  Parsed<std::string> bytes = decode_content(inner->text);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  if (bytes->empty()) return value_error(value, "content is empty");
  return Content{std::move(*bytes), inner->negated};
}

std::string encode_content(std::string_view bytes) {
  std::string result;
  bool in_hex = false;
  for (const char c : bytes) {
    const bool plain = c >= 0x20 && c < 0x7F && !is_escapable(c) && c != '|';
    if (plain) {
      if (in_hex) result += '|';
      result += c;
    } else {
      result += fmt::format("{}{:02x}", in_hex ? " " : "|", static_cast<unsigned char>(c));
    }
    in_hex = !plain;
  }
  if (in_hex) result += '|';
  return result;
}

}  // namespace vong::rules
