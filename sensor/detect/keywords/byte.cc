// byte_test, byte_jump, byte_extract, byte_math, isdataat: numbers in the bytes.
#include <bit>

#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

constexpr int64_t kFar = 0x7fffffff;   // offsets are 32-bit numbers

// Options that all four know. True when `word` was one of them.
rules::Parsed<bool> field_option(NumberField& f, std::string_view word) {
  if (word == "relative") f.relative = true;
  else if (word == "little") f.endian = Endian::kLittle;
  else if (word == "big") f.endian = Endian::kBig;
  else if (word == "dce") f.endian = Endian::kDce;
  else if (word == "string") { if (f.base == NumberBase::kBinary) f.base = NumberBase::kDecimal; }
  else if (word == "dec") f.base = NumberBase::kDecimal;
  else if (word == "hex") f.base = NumberBase::kHexadecimal;
  else if (word == "oct") f.base = NumberBase::kOctal;
  else if (word.starts_with("bitmask")) {
    const auto mask = rules::parse_unsigned(rules::split_key(word).value, 0xffffffffu);
    if (!mask) return std::unexpected(mask.error());
    if (*mask == 0) return value_error(word, "the mask cannot be 0");
    f.mask = static_cast<uint32_t>(*mask);
    f.mask_shift = static_cast<uint8_t>(std::countr_zero(f.mask));
  } else {
    return false;
  }
  return true;
}

Status check_field(const NumberField& f, std::string_view at) {
  if (f.bytes.variable >= 0) return {};
  const int64_t max = f.base == NumberBase::kBinary ? 8 : 23, min = f.base == NumberBase::kBinary ? 1 : 0;
  if (f.bytes.value < min || f.bytes.value > max) return value_error(at, fmt::format("1 to {} bytes", max));
  return {};
}

rules::Parsed<std::vector<std::string_view>> parts_of(std::string_view value, size_t least) {
  auto parts = rules::split_parts(value);
  if (parts && parts->size() < least) return value_error(value, fmt::format("expected at least {} parts", least));
  return parts;
}

Status setup_byte_test(RuleBuilder& b, const rules::Option& o) {
  const auto parts = parts_of(o.value, 4);
  if (!parts) return std::unexpected(parts.error());
  ByteTestNode n{};
  const auto bytes = b.operand((*parts)[0], 0, 23);
  if (!bytes) return std::unexpected(bytes.error());
  n.field.bytes = place_of(*bytes);
  std::string_view op = (*parts)[1];
  if (op.starts_with("!")) {
    n.negated = true;
    op = rules::trim(op.substr(1));
  }
  if (op == "<") n.compare = ByteCompare::kLess;
  else if (op == ">") n.compare = ByteCompare::kGreater;
  else if (op == "=" || op == "==" || (op.empty() && n.negated)) n.compare = ByteCompare::kEqual;
  else if (op == "<=") n.compare = ByteCompare::kLessEqual;
  else if (op == ">=") n.compare = ByteCompare::kGreaterEqual;
  else if (op == "&") n.compare = ByteCompare::kAnd;
  else if (op == "^") n.compare = ByteCompare::kOr;
  else return value_error((*parts)[1], "expected one of < > = <= >= & ^, with or without !");
  const std::string_view value = (*parts)[2];
  if (!value.empty() && rules::is_digit(value[0])) {
    const auto x = rules::parse_unsigned(value);
    if (!x) return std::unexpected(x.error());
    n.value = Operand{static_cast<int64_t>(*x), -1};
  } else {
    const auto x = b.operand(value, 0, INT64_MAX);
    if (!x) return std::unexpected(x.error());
    n.value = *x;
  }
  const auto offset = b.operand((*parts)[3], -kFar, kFar);
  if (!offset) return std::unexpected(offset.error());
  n.field.offset = place_of(*offset);
  for (size_t i = 4; i < parts->size(); ++i) {
    const auto known = field_option(n.field, (*parts)[i]);
    if (!known) return std::unexpected(known.error());
    if (!*known) return value_error((*parts)[i], "unknown part of byte_test");
  }
  if (auto s = check_field(n.field, (*parts)[0]); !s) return s;
  Node node;
  node.kind = NodeKind::kByteTest;
  node.byte_test = n;
  return b.add_node(node, o.value);
}

Status setup_byte_jump(RuleBuilder& b, const rules::Option& o) {
  const auto parts = parts_of(o.value, 2);
  if (!parts) return std::unexpected(parts.error());
  ByteJumpNode n{};
  n.multiplier = 1;
  const auto bytes = b.operand((*parts)[0], 0, 23), offset = b.operand((*parts)[1], -kFar, kFar);
  if (!bytes) return std::unexpected(bytes.error());
  if (!offset) return std::unexpected(offset.error());
  n.field.bytes = place_of(*bytes);
  n.field.offset = place_of(*offset);
  for (size_t i = 2; i < parts->size(); ++i) {
    const std::string_view word = (*parts)[i];
    const auto [key, value] = rules::split_key(word);
    const auto known = field_option(n.field, word);
    if (!known) return std::unexpected(known.error());
    if (*known) continue;
    if (word == "align") n.align = true;
    else if (word == "from_beginning") n.from_beginning = true;
    else if (word == "from_end") n.from_end = true;
    else if (key == "multiplier") {
      const auto m = rules::parse_unsigned(value, 65'535);
      if (!m || *m == 0) return value_error(word, "the multiplier is 1 to 65535");
      n.multiplier = static_cast<uint32_t>(*m);
    } else if (key == "post_offset") {
      const auto p = b.operand(value, -kFar, kFar);
      if (!p) return std::unexpected(p.error());
      n.post_offset = place_of(*p);
    } else {
      return value_error(word, "unknown part of byte_jump");
    }
  }
  if (n.field.bytes.variable >= 0 || n.field.bytes.value != 0) {
    if (auto s = check_field(n.field, (*parts)[0]); !s) return s;
  }
  if (n.from_beginning && n.from_end) return value_error(o.value, "from_beginning and from_end exclude each other");
  Node node;
  node.kind = NodeKind::kByteJump;
  node.byte_jump = n;
  return b.add_node(node, o.value);
}

Status setup_byte_extract(RuleBuilder& b, const rules::Option& o) {
  const auto parts = parts_of(o.value, 3);
  if (!parts) return std::unexpected(parts.error());
  ByteExtractNode n{};
  n.multiplier = 1;
  const auto bytes = rules::parse_unsigned((*parts)[0], 23);
  if (!bytes) return std::unexpected(bytes.error());
  const auto offset = b.operand((*parts)[1], -kFar, kFar);
  if (!offset) return std::unexpected(offset.error());
  n.field.bytes = Place{static_cast<int32_t>(*bytes), -1};
  n.field.offset = place_of(*offset);
  for (size_t i = 3; i < parts->size(); ++i) {
    const std::string_view word = (*parts)[i];
    const auto [key, value] = rules::split_key(word);
    const auto known = field_option(n.field, word);
    if (!known) return std::unexpected(known.error());
    if (*known) continue;
    const auto number = rules::parse_unsigned(value, 65'535);
    if (key == "multiplier" && number && *number > 0) n.multiplier = static_cast<uint32_t>(*number);
    else if (key == "align" && number && (*number == 2 || *number == 4)) n.align = static_cast<uint8_t>(*number);
    else return value_error(word, "unknown part of byte_extract");
  }
  if (auto s = check_field(n.field, (*parts)[0]); !s) return s;
  if ((*parts)[2].empty() || rules::is_digit((*parts)[2][0])) return value_error((*parts)[2], "not a variable's name");
  const auto v = b.variable((*parts)[2], true);
  if (!v) return value_error((*parts)[2], "too many variables in one rule");
  n.variable = *v;
  Node node;
  node.kind = NodeKind::kByteExtract;
  node.byte_extract = n;
  return b.add_node(node, o.value);
}

rules::Parsed<MathOperator> math_operator(std::string_view text) {
  if (text == "+") return MathOperator::kAdd;
  if (text == "-") return MathOperator::kSubtract;
  if (text == "*") return MathOperator::kMultiply;
  if (text == "/") return MathOperator::kDivide;
  if (text == "<<") return MathOperator::kShiftLeft;
  if (text == ">>") return MathOperator::kShiftRight;
  return value_error(text, "expected one of + - * / << >>");
}

// Keys with values, in any order: bytes, offset, oper, rvalue, result are needed.
Status setup_byte_math(RuleBuilder& b, const rules::Option& o) {
  const auto parts = parts_of(o.value, 5);
  if (!parts) return std::unexpected(parts.error());
  ByteMathNode n{};
  std::string_view result, rvalue;
  int have = 0;
  for (const std::string_view word : *parts) {
    const auto [key, value] = rules::split_key(word);
    if (key == "bytes" || key == "offset") {
      const auto x = b.operand(value, key == "bytes" ? 0 : -kFar, kFar);
      if (!x) return std::unexpected(x.error());
      (key == "bytes" ? n.field.bytes : n.field.offset) = place_of(*x);
      have |= key == "bytes" ? 1 : 2;
    } else if (key == "oper") {
      const auto op = math_operator(value);
      if (!op) return std::unexpected(op.error());
      n.op = *op;
      have |= 4;
    } else if (key == "rvalue") {
      rvalue = value;
      have |= 8;
    } else if (key == "result") {
      result = value;
      have |= 16;
    } else if (key == "endian") {
      const auto known = field_option(n.field, value);
      if (!known || !*known) return value_error(word, "the byte order is big or little");
    } else if (key == "string") {
      n.field.base = value == "hex" ? NumberBase::kHexadecimal : value == "oct" ? NumberBase::kOctal : NumberBase::kDecimal;
    } else {
      const auto known = field_option(n.field, word);
      if (!known) return std::unexpected(known.error());
      if (!*known) return value_error(word, "unknown part of byte_math");
    }
  }
  if (have != 31) return value_error(o.value, "needs bytes, offset, oper, rvalue and result");
  const auto operand = b.operand(rvalue, 0, 0xffffffff);
  if (!operand) return std::unexpected(operand.error());
  n.operand = *operand;
  if (n.op == MathOperator::kDivide && operand->variable < 0 && operand->value == 0) return value_error(rvalue, "division by 0");
  if (auto s = check_field(n.field, o.value); !s) return s;
  const auto v = b.variable(result, true);
  if (!v) return value_error(result, "too many variables in one rule");
  n.variable = *v;
  Node node;
  node.kind = NodeKind::kByteMath;
  node.byte_math = n;
  return b.add_node(node, o.value);
}

Status setup_isdataat(RuleBuilder& b, const rules::Option& o) {
  std::string_view text = o.value;
  IsDataAtNode n{};
  if (text.starts_with("!")) {
    n.negated = true;
    text = rules::trim(text.substr(1));
  }
  const auto parts = parts_of(text, 1);
  if (!parts) return std::unexpected(parts.error());
  const auto at = b.operand((*parts)[0], 0, 65'535);
  if (!at) return std::unexpected(at.error());
  n.at = place_of(*at);
  for (size_t i = 1; i < parts->size(); ++i) {
    if ((*parts)[i] == "relative") n.relative = true;
    else if ((*parts)[i] != "rawbytes") return value_error((*parts)[i], "expected relative or rawbytes");
  }
  Node node;
  node.kind = NodeKind::kIsDataAt;
  node.is_data_at = n;
  return b.add_node(node, o.value);
}

constexpr Keyword kKeywords[] = {
    {"byte_test", "", KeywordKind::kContent, ValueUse::kRequired, setup_byte_test, nullptr, 0,
     "<bytes>, [!]<operator>, <value>, <offset>[, relative][, little|big][, string, hex|dec|oct][, dce][, bitmask <mask>]",
     "Compares a number in the bytes."},
    {"byte_jump", "", KeywordKind::kContent, ValueUse::kRequired, setup_byte_jump, nullptr, 0,
     "<bytes>, <offset>[, relative][, multiplier <n>][, little|big][, string, ...][, align][, from_beginning|from_end][, post_offset <n>][, dce][, "
     "bitmask <mask>]",
     "Goes on as far as a number in the bytes says."},
    {"byte_extract", "", KeywordKind::kContent, ValueUse::kRequired, setup_byte_extract, nullptr, 0,
     "<bytes>, <offset>, <variable>[, relative][, multiplier <n>][, little|big][, string, ...][, align 2|4][, dce]",
     "Keeps a number in the bytes as a variable of the rule."},
    {"byte_math", "", KeywordKind::kContent, ValueUse::kRequired, setup_byte_math, nullptr, 0,
     "bytes <n>, offset <n>, oper <+|-|*|/|<<|>>>, rvalue <n|variable>, result <variable>[, relative][, endian big|little][, string hex|dec|oct][, "
     "dce][, bitmask <mask>]",
     "Calculates with a number in the bytes and keeps the result as a variable."},
    {"isdataat", "", KeywordKind::kContent, ValueUse::kRequired, setup_isdataat, nullptr, 0, "[!]<position|variable>[, relative]",
     "The buffer has (or has no) data at this position."},
};

}  // namespace

std::span<const Keyword> byte_keywords() { return kKeywords; }

}  // namespace vong::detect
