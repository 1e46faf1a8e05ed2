// What a rule asks of one buffer: a list of nodes (contents, regular expressions, numbers in the bytes), evaluated in order by
// inspect.h. Plain data, owned by the rule set's arena.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "rules/network/value.h"

namespace vong::vietnamese {
class Phrase;
}

namespace vong::detect {

class Regex;
struct Runtime;

// What a node sees of the buffer it looks at.
struct BufferInput {
  Bytes data;
  uint64_t offset = 0;       // of data[0] in the whole
  bool complete = true;      // no more will follow
  std::string_view name = {};   // of the buffer, for evidence; static or of the rule set
};

// Keywords that judge a buffer as a whole or in a way of their own: dataset, entropy, asn1 ...
class BufferCondition {
 public:
  virtual ~BufferCondition() = default;
  // `position`: end of the previous match in the list.
  [[nodiscard]] virtual bool match(Runtime& rt, const BufferInput& in, size_t position) const = 0;
  // `absent` and the like match without the buffer too.
  [[nodiscard]] virtual bool matches_missing() const { return false; }
};

// A number of the rule, or the variable that holds it.
template <typename T>
struct NumberOrVariable {
  T value = 0;
  int16_t variable = -1;     // index into Runtime::variables
};
using Operand = NumberOrVariable<int64_t>;
// A place in a buffer or a number of its bytes; small, for a rule set holds a million.
using Place = NumberOrVariable<int32_t>;
[[nodiscard]] constexpr Place place_of(const Operand& o) {
  assert(o.value >= INT32_MIN && o.value <= INT32_MAX);   // whoever parsed it has asked
  return {static_cast<int32_t>(o.value), o.variable};
}

enum class NodeKind : uint8_t {
  kContent, kPcre, kIsDataAt, kByteTest, kByteJump, kByteExtract, kByteMath, kBase64Decode, kSize, kCondition,
};

enum class Endian : uint8_t { kBig, kLittle, kDce };
enum class NumberBase : uint8_t { kBinary, kDecimal, kHexadecimal, kOctal };

struct ContentNode {
  const uint8_t* bytes;      // lower case when nocase
  uint32_t length;
  bool nocase, negated, starts_with, ends_with, has_offset, has_depth, has_distance, has_within;
  bool relative_next;        // the next node is relative to this one: try every occurrence
  bool fast_pattern, fast_pattern_only;
  uint16_t chop_offset, chop_length;   // fast_pattern:offset,length (length 0: whole)
  Place offset, depth, distance, within;
  const vietnamese::Phrase* phrase;    // vn_text: found in any encoding instead of `bytes`; `length` is the shortest spelling's
  [[nodiscard]] bool relative() const { return has_distance || has_within; }
};
struct PcreNode {
  const Regex* regex;
  bool negated, relative, relative_next;
};
struct IsDataAtNode {
  Place at;
  bool relative, negated;
};
enum class ByteCompare : uint8_t { kLess, kGreater, kEqual, kLessEqual, kGreaterEqual, kAnd, kOr };
// Where and how a number stands in the buffer.
struct NumberField {
  Place bytes;               // how many
  Place offset;
  bool relative;
  Endian endian;
  NumberBase base;           // kBinary unless `string`
  uint32_t mask;             // 0: none
  uint8_t mask_shift;        // trailing zeros of the mask
};
struct ByteTestNode {
  NumberField field;
  ByteCompare compare;
  bool negated;
  Operand value;
};
struct ByteJumpNode {
  NumberField field;
  uint32_t multiplier;
  Place post_offset;
  bool align, from_beginning, from_end;
};
struct ByteExtractNode {
  NumberField field;
  uint32_t multiplier;
  uint8_t align;             // 0, 2, 4
  uint16_t variable;
};
enum class MathOperator : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kShiftLeft, kShiftRight };
struct ByteMathNode {
  NumberField field;
  MathOperator op;
  Operand operand;
  uint16_t variable;
};
struct Node;
struct Base64DecodeNode {
  uint32_t bytes;            // 0: all
  uint32_t offset;
  bool relative;
  const Node* nodes;         // the base64_data list
  uint32_t node_count;
};
struct SizeNode {
  rules::NumberTest test;
};

struct Node {
  NodeKind kind;
  union {
    ContentNode content;
    PcreNode pcre;
    IsDataAtNode is_data_at;
    ByteTestNode byte_test;
    ByteJumpNode byte_jump;
    ByteExtractNode byte_extract;
    ByteMathNode byte_math;
    Base64DecodeNode base64;
    SizeNode size;
    const BufferCondition* condition;
  };
  Node() : kind(NodeKind::kCondition), condition(nullptr) {}
  [[nodiscard]] bool relative() const;
};
static_assert(sizeof(Node) <= 80, "a rule set has hundreds of thousands of them");

}  // namespace vong::detect
