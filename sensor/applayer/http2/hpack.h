// HPACK (RFC 7541): header blocks into fields, with the dynamic table of one direction of a
// connection. Lenient: a field that cannot be decoded is reported in its place and the rest is
// read.
//
//   1xxxxxxx              indexed field
//   01xxxxxx              literal, added to the table
//   001xxxxx              new size of the table
//   0000xxxx / 0001xxxx   literal, not added / never to be added
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/bytes.h"

namespace vong::http2 {

enum class FieldStatus : uint8_t {
  kOk,
  kSizeUpdate,  // no field: the table's size changes to `size_update`
  kBadString,   // Huffman code that cannot be decoded
  kNoSuchIndex,
  kOverflow,  // an integer beyond 32 bits
};

// Text that fields and table share: a reference of one byte to a long entry costs no copy. Null:
// empty.
using Text = std::shared_ptr<const std::string>;

struct Field {
  Text shared_name, shared_value;
  uint64_t size_update = 0;
  FieldStatus status = FieldStatus::kOk;

  [[nodiscard]] std::string_view name() const { return of(shared_name); }
  [[nodiscard]] std::string_view value() const { return of(shared_value); }

 private:
  static std::string_view of(const Text& t) {
    return t == nullptr ? std::string_view() : std::string_view(*t);
  }
};

class HpackDecoder {
 public:
  explicit HpackDecoder(size_t table_bytes_max) : table_bytes_max_(table_bytes_max) {}

  struct Result {
    size_t consumed = 0;   // less than the block: its end is cut off
    bool limited = false;  // a cap was reached: fields were dropped
  };
  // One whole block; fields are appended to `out` until it holds `fields_max` or the appended
  // strings take more than `bytes_room`. The table is kept up to date in any case.
  [[nodiscard]] Result decode(Bytes block, size_t fields_max, size_t bytes_room,
                              std::vector<Field>& out);

  [[nodiscard]] size_t table_bytes() const { return table_bytes_; }
  [[nodiscard]] size_t table_entries() const { return table_.size(); }

 private:
  struct Entry {
    Text name, value;
    size_t bytes;
  };
  static constexpr size_t kEntryOverhead = 32;
  static constexpr size_t kDefaultTableBytes = 4096;

  enum class Read : uint8_t { kOk, kCut, kOverflow, kBadString };
  [[nodiscard]] static Read read_integer(ByteReader& in, int prefix_bits, uint64_t& value);
  [[nodiscard]] static Read read_string(ByteReader& in, Text& out);
  [[nodiscard]] Read read_field(ByteReader& in, Field& out);
  [[nodiscard]] Read read_literal(ByteReader& in, int prefix_bits, bool add, Field& out);
  [[nodiscard]] bool look_up(uint64_t index, bool with_value, Field& out) const;
  void add(const Field& f);
  void resize(uint64_t bytes);
  void evict(size_t room);

  size_t table_bytes_max_;
  size_t capacity_ = kDefaultTableBytes, table_bytes_ = 0;
  std::deque<Entry> table_;  // newest first
};

}  // namespace vong::http2
