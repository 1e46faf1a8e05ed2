#include "sensor/applayer/dnp3/objects.h"

#include <array>
#include <bit>
#include <optional>

#include "base/byte_reader.h"

namespace vong::dnp3 {
namespace {

constexpr size_t kMaxFields = 24;

uint64_t little_endian(ByteReader& in, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{in.u8()} << (8 * i);
  return value;
}

int64_t sign_extended(uint64_t value, size_t size) {
  return size == 2 ? static_cast<int16_t>(value) : static_cast<int32_t>(value);
}

// What stands before each point: nothing, an index, or the point's size.
struct Prefix {
  uint32_t value = 0;
  bool is_size = false, is_index = false;
};

std::optional<Prefix> read_prefix(ByteReader& in, uint8_t code) {
  if (code == 0) return Prefix{};
  if (code > 6) return std::nullopt;
  static constexpr std::array<uint8_t, 3> kSizes = {1, 2, 4};
  Prefix p;
  p.value = static_cast<uint32_t>(little_endian(in, kSizes[(code - 1) % 3]));
  p.is_index = code <= 3;
  p.is_size = !p.is_index;
  if (!in.ok()) return std::nullopt;
  return p;
}

// Reads one point, tells `out` its fields when there is one. False: malformed.
bool walk_point(const Layout& layout, const Prefix& prefix, ByteReader& in, JsonWriter* out) {
  std::array<uint64_t, kMaxFields> numbers{};
  const size_t begin = in.position();
  unsigned bits = 0, bits_used = 0;
  for (size_t i = 0; i < layout.size(); ++i) {
    const Field& f = layout[i];
    switch (f.kind) {
      case Kind::kBits:
        if (bits_used == 0) bits = in.u8();
        numbers[i] = bits >> bits_used & ((1U << f.size) - 1);
        bits_used = (bits_used + f.size) % 8;
        if (out != nullptr) out->field(f.name, numbers[i]);
        break;
      case Kind::kUnsigned:
        numbers[i] = little_endian(in, f.size);
        if (out != nullptr) out->field(f.name, numbers[i]);
        break;
      case Kind::kSigned:
        numbers[i] = little_endian(in, f.size);
        if (out != nullptr) out->field(f.name, sign_extended(numbers[i], f.size));
        break;
      case Kind::kFloat: {
        const uint64_t raw = little_endian(in, f.size);
        if (out == nullptr) break;
        out->key(f.name);
        out->real(f.size == 4 ? std::bit_cast<float>(static_cast<uint32_t>(raw))
                              : std::bit_cast<double>(raw));
        break;
      }
      case Kind::kText:
      case Kind::kBinary: {
        size_t size = f.size;
        if (f.length_of >= 0) {
          size = static_cast<size_t>(numbers[static_cast<size_t>(f.length_of)]);
        } else if (size == 0) {
          const size_t used = in.position() - begin;
          if (!prefix.is_size || !in.ok() || prefix.value < used) return false;
          size = prefix.value - used;
        }
        const Bytes bytes = in.bytes(size);
        if (out == nullptr) break;
        out->key(f.name);
        f.kind == Kind::kText ? out->string(bytes) : out->base64(bytes);
        break;
      }
      case Kind::kPacked1:
      case Kind::kPacked2:
        return false;  // whoever calls has seen to these
    }
    if (!in.ok()) return false;
  }
  return true;
}

void open_point(JsonWriter& out, const Prefix& prefix, uint32_t index) {
  out.open_object();
  out.field("prefix", prefix.value);
  out.field("index", index);
  if (prefix.is_size && prefix.value > 0) out.field("size", prefix.value);
}

// Reads `count` points, writes them when there is somewhere to. Gives how many were whole.
uint32_t walk_points(const Object& o, const Layout& layout, uint32_t count, ByteReader& in,
                     JsonWriter* out) {
  const Kind kind = layout.front().kind;
  const unsigned width = kind == Kind::kPacked1 ? 1 : kind == Kind::kPacked2 ? 2 : 0;
  unsigned bits = 0, bits_used = 0;
  for (uint32_t i = 0; i < count; ++i) {
    Prefix prefix;
    if (width == 0 || (o.prefix_code() != 0 && bits_used == 0)) {
      const auto read = read_prefix(in, o.prefix_code());
      if (!read) return i;
      prefix = *read;
    }
    if (out != nullptr)
      open_point(*out, prefix, prefix.is_index ? prefix.value : prefix.is_size ? 0 : o.start + i);
    bool ok = true;
    if (width != 0) {
      if (bits_used == 0) bits = in.u8();
      if (out != nullptr) out->field(layout.front().name, bits >> bits_used & ((1U << width) - 1));
      bits_used = (bits_used + width) % 8;
      ok = in.ok();
    } else {
      ok = walk_point(layout, prefix, in, out);
    }
    if (out != nullptr) out->close_object();
    if (!ok) return i;
  }
  return count;
}

// The range field behind an object's header. False: a range that makes no sense.
bool read_range(ByteReader& in, Object& o) {
  static constexpr std::array<uint8_t, 3> kSizes = {1, 2, 4};
  const uint8_t code = o.range_code();
  if (code <= 5) {
    const size_t size = kSizes[code % 3];
    o.start = static_cast<uint32_t>(little_endian(in, size));
    o.stop = static_cast<uint32_t>(little_endian(in, size));
    if (!in.ok() || o.stop < o.start || (o.start == 0 && o.stop == UINT32_MAX)) return false;
    o.count = o.stop - o.start + 1;
  } else if (code >= 7 && code <= 9) {
    o.count = static_cast<uint32_t>(little_endian(in, kSizes[code - 7]));
  } else if (code == 11) {
    o.count = in.u8();
  } else if (code != 6) {
    return false;
  }
  return in.ok();
}

}  // namespace

DecodeResult decode_objects(Bytes data, size_t points_max, size_t objects_max,
                            std::vector<Object>& out) {
  ByteReader in(data);
  size_t points = 0;
  while (!in.empty()) {
    if (out.size() >= objects_max) return DecodeResult::kTooManyObjects;
    Object o;
    o.group = in.u8();
    o.variation = in.u8();
    o.qualifier = in.u8();
    if (!in.ok()) return DecodeResult::kMalformed;
    const bool ranged = read_range(in, o);
    o.points_at = in.position();
    out.push_back(o);
    if (!ranged) return DecodeResult::kMalformed;
    if (o.variation == 0 || o.count == 0) continue;
    const Layout* layout = layout_of(o.group, o.variation);
    if (layout == nullptr) return DecodeResult::kUnknownObject;
    const size_t allowed = points_max - points;
    const auto wanted = static_cast<uint32_t>(std::min<size_t>(o.count, allowed));
    const uint32_t decoded = walk_points(o, *layout, wanted, in, nullptr);
    out.back().points = decoded;
    points += decoded;
    if (decoded < wanted) return DecodeResult::kMalformed;
    if (wanted < o.count) return DecodeResult::kTooManyPoints;
  }
  return DecodeResult::kOk;
}

void write_objects(const std::vector<Object>& objects, Bytes data, JsonWriter& out) {
  if (objects.empty()) return;
  out.open_array("objects");
  for (const Object& o : objects) {
    out.open_object();
    out.field("group", o.group);
    out.field("variation", o.variation);
    out.field("qualifier", o.qualifier);
    out.field("prefix_code", o.prefix_code());
    out.field("range_code", o.range_code());
    out.field("start", o.start);
    out.field("stop", o.stop);
    out.field("count", o.count);
    const Layout* layout = layout_of(o.group, o.variation);
    if (o.points > 0 && layout != nullptr && o.points_at <= data.size()) {
      out.open_array("points");
      ByteReader in(data.subspan(o.points_at));
      walk_points(o, *layout, o.points, in, &out);
      out.close_array();
    }
    out.close_object();
  }
  out.close_array();
}

}  // namespace vong::dnp3
