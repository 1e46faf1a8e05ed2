// Writes one JSON value after another into a growing buffer: the hot-path encoder of EVE records. No tree, no allocation
// except the buffer's growth. Commas are placed by the writer. Keys are trusted (our own constants or already checked), values
// are not: strings are escaped, and bytes that are not UTF-8 come out as the text \xHH (an escaped backslash, x, two digits), so
// the output is valid JSON for every input.
//
// Not for reading or editing JSON (nlohmann-json), and not checked for balance except by asserts.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/timestamp.h"

namespace vong {

class JsonWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  void open_object() { begin_value(); out_.push_back('{'); need_comma_ = false; }
  void close_object() { out_.push_back('}'); need_comma_ = true; }
  void open_array() { begin_value(); out_.push_back('['); need_comma_ = false; }
  void close_array() { out_.push_back(']'); need_comma_ = true; }
  void open_object(std::string_view key) { this->key(key); open_object(); }
  void open_array(std::string_view key) { this->key(key); open_array(); }

  // The key of the next value in an object. `key` is written as it is: no escaping.
  void key(std::string_view key) {
    put(key.size() + 4, [&](char* to) {
      if (need_comma_) *to++ = ',';
      *to++ = '"';
      std::memcpy(to, key.data(), key.size());   // of a constant key a few moves
      to += key.size();
      *to++ = '"';
      *to++ = ':';
      return to;
    });
    need_comma_ = false;
  }
  // A key that comes from outside: escaped like a string.
  void key_escaped(std::string_view key);

  void string(std::string_view text);            // UTF-8 or any bytes
  void string(Bytes bytes) { string(as_text(bytes)); }
  void hex(Bytes bytes);                         // "0a1b..."
  void base64(Bytes bytes);
  void printable(Bytes bytes);                   // EVE's payload_printable: text, CR and LF kept; all else a dot
  void number(uint64_t value);
  void number(int64_t value);
  void real(double value);                       // shortest form that reads back; never NaN (null instead)
  void boolean(bool value) { begin_value(); out_.append(value ? "true" : "false"); need_comma_ = true; }
  void null() { begin_value(); out_.append("null"); need_comma_ = true; }
  void address(const IpAddress& address);
  void time(Timestamp t);
  void raw(std::string_view json) { begin_value(); out_.append(json); need_comma_ = true; }  // already JSON

  void field(std::string_view k, std::string_view v) { key(k); string(v); }
  void field(std::string_view k, const char* v) { key(k); string(std::string_view(v)); }
  void field(std::string_view k, Bytes v) { key(k); string(v); }
  void field(std::string_view k, bool v) { key(k); boolean(v); }
  void field(std::string_view k, const IpAddress& v) { key(k); address(v); }
  void field(std::string_view k, Timestamp v) { key(k); time(v); }
  template <typename T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  void field(std::string_view k, T v) {
    key(k);
    if constexpr (std::is_signed_v<T>) number(static_cast<int64_t>(v));
    else number(static_cast<uint64_t>(v));
  }

  [[nodiscard]] std::string& buffer() { return out_; }

 private:
  void begin_value() {
    if (need_comma_) out_.push_back(',');
  }
  void append_escaped(std::string_view text);
  // Grows the buffer once by at most `n` characters: write(begin) fills in and gives their end.
  template <typename Write>
  void put(size_t n, Write write) {
    const size_t before = out_.size();
    out_.resize_and_overwrite(before + n, [&](char* text, size_t) { return static_cast<size_t>(write(text + before) - text); });
  }
  // A value as write(begin) fills it in, at most `n` characters long, with its comma.
  template <typename Write>
  void put_value(size_t n, Write write) {
    put(n + 1, [&](char* to) {
      if (need_comma_) *to++ = ',';
      return write(to);
    });
    need_comma_ = true;
  }

  std::string& out_;
  bool need_comma_ = false;
};

}  // namespace vong
