#include "sensor/detect/number_field.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "sensor/detect/buffer_catalog.h"
#include "sensor/detect/limits.h"

namespace vong::detect {
namespace {

// `dce`: the transaction says in which order its sender writes numbers; without one, network order.
bool sender_is_little_endian(const Runtime& rt) {
  static const NumberName* const order = Catalog::standard().number("dcerpc.little_endian");
  if (order == nullptr || rt.tx == nullptr) return false;
  const applayer::NumberDef* def = order->by_proto[static_cast<size_t>(rt.proto)];
  return def != nullptr && def->get(*rt.tx, rt.direction, 0).value_or(0) != 0;
}


constexpr int kMaxBinaryBytes = 8, kMaxTextBytes = 23;

int64_t operand(const Place& o, const Runtime& rt) {
  return o.variable < 0 ? o.value : static_cast<int64_t>(rt.variables[static_cast<size_t>(o.variable)]);
}

bool read_text(Bytes text, NumberBase base, uint64_t& value, size_t& used) {
  size_t i = 0;
  while (i < text.size() && is_space(static_cast<char>(text[i]))) ++i;
  bool minus = false;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) minus = text[i++] == '-';
  const uint64_t radix = base == NumberBase::kDecimal ? 10 : base == NumberBase::kHexadecimal ? 16 : 8;
  if (radix == 16 && i + 1 < text.size() && text[i] == '0' && (text[i + 1] | 0x20) == 'x') i += 2;
  const size_t digits_at = i;
  uint64_t x = 0;
  for (; i < text.size(); ++i) {
    const uint8_t c = ascii_lower(text[i]);
    uint64_t digit = 99;
    if (c >= '0' && c <= '9') digit = c - '0';
    else if (c >= 'a' && c <= 'f') digit = c - 'a' + 10u;
    if (digit >= radix) break;
    if (x > (~uint64_t{0} - digit) / radix) return false;
    x = x * radix + digit;
  }
  if (i == digits_at) return false;
  value = minus ? ~x + 1 : x;
  used = i;
  return true;
}

constexpr std::array<int8_t, 256> make_base64() {
  std::array<int8_t, 256> t{};
  for (auto& x : t) x = -1;
  for (int i = 0; i < 26; ++i) {
    t[static_cast<size_t>('A' + i)] = static_cast<int8_t>(i);
    t[static_cast<size_t>('a' + i)] = static_cast<int8_t>(26 + i);
  }
  for (int i = 0; i < 10; ++i) t[static_cast<size_t>('0' + i)] = static_cast<int8_t>(52 + i);
  t['+'] = 62;
  t['/'] = 63;
  return t;
}
constexpr auto kBase64 = make_base64();

}  // namespace

FieldValue read_number(const NumberField& field, Bytes data, int64_t position, const Runtime& rt, bool masked) {
  const auto size = static_cast<int64_t>(data.size());
  const int64_t count = operand(field.bytes, rt), offset = operand(field.offset, rt);
  const int64_t at = field.relative ? position + offset : offset;
  if (at < 0 || at > size || count < 0) return {};
  if (field.base != NumberBase::kBinary) {
    // 0 bytes: as far as the digits go.
    const int64_t n = std::min<int64_t>(count == 0 ? size - at : count, kMaxTextBytes);
    if (n > size - at) return {};
    uint64_t value = 0;
    size_t used = 0;
    if (!read_text(data.subspan(static_cast<size_t>(at), static_cast<size_t>(n)), field.base, value, used)) return {};
    if (masked && field.mask != 0) value = (value & field.mask) >> field.mask_shift;
    return {true, value, at + n};
  }
  if (count > size - at || count > kMaxBinaryBytes) return {};
  uint64_t value = 0;
  const Bytes bytes = data.subspan(static_cast<size_t>(at), static_cast<size_t>(count));
  bool little = field.endian == Endian::kLittle;
  if (field.endian == Endian::kDce) little = sender_is_little_endian(rt);
  for (size_t i = 0; i < bytes.size(); ++i) {
    value = value << 8 | (little ? bytes[bytes.size() - 1 - i] : bytes[i]);
  }
  if (masked && field.mask != 0) value = (value & field.mask) >> field.mask_shift;
  return {true, value, at + count};
}

void decode_base64_prefix(Bytes encoded, std::string& out) {
  uint32_t bits = 0;
  int have = 0;
  for (const uint8_t c : encoded) {
    if (c == '\r' || c == '\n' || c == ' ' || c == '\t') continue;
    const int8_t v = kBase64[c];
    if (v < 0) break;
    bits = bits << 6 | static_cast<uint32_t>(v);
    if (++have == 4) {
      out.push_back(static_cast<char>(bits >> 16));
      out.push_back(static_cast<char>(bits >> 8));
      out.push_back(static_cast<char>(bits));
      have = 0;
      bits = 0;
      if (out.size() >= kMaxDecodedBytes) return;
    }
  }
  if (have == 2) out.push_back(static_cast<char>(bits >> 4));
  if (have == 3) {
    out.push_back(static_cast<char>(bits >> 10));
    out.push_back(static_cast<char>(bits >> 2));
  }
}

bool size_is_final(const rules::NumberTest& test, const BufferInput& in) {
  if (in.complete) return true;
  return test.compare == rules::Compare::kGreater || test.compare == rules::Compare::kGreaterEqual;
}

}  // namespace vong::detect
