#include "sensor/detect/inspect.h"

#include <algorithm>
#include <cstring>

#include "base/equal_at.h"
#include "base/strings.h"
#include "rules/vietnamese/phrase.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/number_field.h"

namespace vong::detect {
namespace {

class Inspector {
 public:
  Inspector(Runtime& rt, std::span<const Node> nodes, const BufferInput& in)
      : rt_(rt), nodes_(nodes), in_(in), size_(static_cast<int64_t>(in.data.size())) {}

  bool from(size_t i);

 private:
  template <typename T>
  int64_t value_of(const NumberOrVariable<T>& o) const {
    return o.variable < 0 ? o.value : static_cast<int64_t>(rt_.variables[static_cast<size_t>(o.variable)]);
  }
  struct Range {
    int64_t from, to;
    bool possible;
  };
  Range range_of(const ContentNode& c) const;
  bool content(const ContentNode& c, size_t i, bool& decided);
  void find_phrase(const ContentNode& c, size_t from, size_t to, size_t& found, size_t& length) const;
  bool pcre(const PcreNode& n, size_t i, bool& decided);
  bool is_data_at(const IsDataAtNode& n) const;
  bool byte_test(const ByteTestNode& n);
  bool byte_jump(const ByteJumpNode& n);
  bool byte_extract(const ByteExtractNode& n);
  bool byte_math(const ByteMathNode& n);
  bool base64(const Base64DecodeNode& n);
  void capture(const Regex& regex, Bytes subject);

  Runtime& rt_;
  std::span<const Node> nodes_;
  const BufferInput& in_;
  int64_t size_;
  int64_t position_ = 0;       // end of the previous match
  uint32_t steps_ = 0;
  bool stop_ = false;          // no other occurrence of anything before can help
};

// The bytes in which the whole content must lie.
Inspector::Range Inspector::range_of(const ContentNode& c) const {
  int64_t from = 0, to = size_;
  const auto start = static_cast<int64_t>(std::min<uint64_t>(in_.offset, 1ull << 40));
  if (c.relative()) {
    from = position_;
    const int64_t distance = c.has_distance ? value_of(c.distance) : 0;
    if (c.has_distance) from = std::max<int64_t>(0, from + distance);
    if (c.has_within) to = std::min(to, position_ + distance + value_of(c.within));
    if (c.has_offset) from = std::max(from, value_of(c.offset) - start);
    if (c.has_depth) to = std::min(to, value_of(c.offset) + value_of(c.depth) - start);
  } else {
    const int64_t offset = c.has_offset ? value_of(c.offset) : 0;
    from = std::max<int64_t>(0, offset - start);
    if (c.has_depth) to = std::min(to, offset + value_of(c.depth) - start);
  }
  if (c.starts_with) {
    if (start != 0) return {0, 0, false};
    from = 0;
    if (c.phrase == nullptr) to = std::min<int64_t>(to, c.length);
  }
  if (c.ends_with && to < size_) return {0, 0, false};
  return {from, to, from >= 0 && to - from >= static_cast<int64_t>(c.length)};
}

// vn_text: the spellings differ in length, so ends_with is asked of what was found.
void Inspector::find_phrase(const ContentNode& c, size_t from, size_t to, size_t& found, size_t& length) const {
  while (from < to) {
    const vietnamese::Found f = c.phrase->find(in_.data, from, to);
    if (!f) return;
    const bool starts = !c.starts_with || f.at == 0, ends = !c.ends_with || f.at + f.length == in_.data.size();
    if (starts && ends) {
      found = f.at;
      length = f.length;
      return;
    }
    if (c.starts_with) return;
    from = f.at + 1;
  }
}

bool Inspector::content(const ContentNode& c, size_t i, bool& decided) {
  const Range range = range_of(c);
  const Bytes pattern(c.bytes, c.length);
  auto next = static_cast<size_t>(std::max<int64_t>(range.from, 0));
  const auto limit = static_cast<size_t>(std::max<int64_t>(range.to, 0));
  while (true) {
    size_t found = kNotFound, length = c.length;
    if (c.phrase != nullptr) {
      if (range.possible) find_phrase(c, next, limit, found, length);
    } else if (range.possible && limit - std::min(next, limit) >= c.length) {
      if (c.ends_with) {
        const size_t at = in_.data.size() - c.length;
        if (at >= next && equal_at(in_.data.data() + at, c.bytes, c.length, c.nocase)) found = at;
      } else {
        found = find_bytes(in_.data, next, limit, pattern, c.nocase);
      }
    }
    if (c.negated) {
      if (found == kNotFound) return true;
      if (!c.relative()) stop_ = true;
      return false;
    }
    if (found == kNotFound) {
      if (!c.relative()) stop_ = true;
      return false;
    }
    position_ = static_cast<int64_t>(found + length);
    const size_t evidence = rt_.evidence.size();
    if (evidence < kMaxEvidence) rt_.evidence.push_back({in_.name, in_.offset + found, static_cast<uint32_t>(length)});
    if (!c.relative_next) return true;
    if (from(i + 1)) {
      decided = true;
      return true;
    }
    rt_.evidence.resize(std::min(evidence, rt_.evidence.size()));
    if (stop_ || c.ends_with) return false;
    next = found + 1;
  }
}

void Inspector::capture(const Regex& regex, Bytes subject) {
  for (const Regex::Capture& c : regex.captures) {
    const Bytes value = rt_.regex.group(subject, c.group);
    if (value.empty()) continue;
    rt_.captures.push_back({c.scope, c.name, std::string(as_text(value.first(std::min(value.size(), kMaxFlowvarBytes))))});
  }
}

bool Inspector::pcre(const PcreNode& n, size_t i, bool& decided) {
  const int64_t base = n.relative ? std::clamp<int64_t>(position_, 0, size_) : 0;
  const Bytes subject = in_.data.subspan(static_cast<size_t>(base));
  size_t start = 0;
  while (true) {
    size_t begin = 0, end = 0;
    rt_.spend(kRegexWork);
    const Regex::Outcome outcome = start <= subject.size() ? n.regex->search(subject, start, rt_.regex, begin, end) : Regex::Outcome::kNoMatch;
    if (outcome == Regex::Outcome::kLimit) {
      ++rt_.counters->pcre_limit_reached;
      return false;
    }
    if (outcome == Regex::Outcome::kNoMatch) return n.negated;
    if (n.negated) return false;
    const size_t captures = rt_.captures.size();
    if (!n.regex->captures.empty()) capture(*n.regex, subject);
    position_ = base + static_cast<int64_t>(end);
    if (!n.relative_next) return true;
    if (from(i + 1)) {
      decided = true;
      return true;
    }
    rt_.captures.resize(std::min(captures, rt_.captures.size()));
    if (stop_) return false;
    start = begin + 1;
  }
}

bool Inspector::is_data_at(const IsDataAtNode& n) const {
  const int64_t at = value_of(n.at);
  const bool there = n.relative ? at + position_ <= size_ : at < size_;
  return there != n.negated;
}

bool Inspector::byte_test(const ByteTestNode& n) {
  const FieldValue field = read_number(n.field, in_.data, position_, rt_);
  if (!field.ok) return false;
  const uint64_t value = static_cast<uint64_t>(value_of(n.value)), x = field.value;
  bool match = false;
  switch (n.compare) {
    case ByteCompare::kLess: match = x < value; break;
    case ByteCompare::kGreater: match = x > value; break;
    case ByteCompare::kEqual: match = x == value; break;
    case ByteCompare::kLessEqual: match = x <= value; break;
    case ByteCompare::kGreaterEqual: match = x >= value; break;
    case ByteCompare::kAnd: match = (x & value) != 0; break;
    case ByteCompare::kOr: match = (x ^ value) != 0; break;
  }
  return match != n.negated;
}

bool Inspector::byte_jump(const ByteJumpNode& n) {
  const FieldValue field = read_number(n.field, in_.data, position_, rt_);
  if (!field.ok) return false;
  // All sums in 64 bits of what came from at most 32-bit parts and one 64-bit number: clamp the number first.
  auto jump = static_cast<int64_t>(std::min<uint64_t>(field.value, 1ull << 40));
  jump *= static_cast<int64_t>(n.multiplier);
  if (n.align && jump % 4 != 0) jump += 4 - jump % 4;
  jump += value_of(n.post_offset);
  int64_t to = 0;
  if (n.from_beginning) to = jump;
  else if (n.from_end) to = size_ + jump;
  else to = field.end + jump;
  if (to < 0) {
    to = 0;
  }
  if (to > size_) return false;
  position_ = to;
  return true;
}

bool Inspector::byte_extract(const ByteExtractNode& n) {
  const FieldValue field = read_number(n.field, in_.data, position_, rt_);
  if (!field.ok) return false;
  uint64_t value = field.value * n.multiplier;
  if (n.align != 0 && value % n.align != 0) value += n.align - value % n.align;
  rt_.variables[n.variable] = value;
  position_ = field.end;
  return true;
}

bool Inspector::byte_math(const ByteMathNode& n) {
  const FieldValue field = read_number(n.field, in_.data, position_, rt_, false);
  if (!field.ok) return false;
  const auto operand = static_cast<uint64_t>(value_of(n.operand));
  uint64_t x = field.value;
  switch (n.op) {
    case MathOperator::kAdd: x += operand; break;
    case MathOperator::kSubtract: x -= operand; break;
    case MathOperator::kMultiply: x *= operand; break;
    case MathOperator::kDivide:
      if (operand == 0) return false;
      x /= operand;
      break;
    case MathOperator::kShiftLeft: x = operand < 64 ? x << operand : 0; break;
    case MathOperator::kShiftRight: x = operand < 64 ? x >> operand : 0; break;
  }
  if (n.field.mask != 0) x = (x & n.field.mask) >> n.field.mask_shift;
  rt_.variables[n.variable] = x;
  position_ = field.end;
  return true;
}

bool Inspector::base64(const Base64DecodeNode& n) {
  int64_t from = n.offset;
  if (n.relative) from += position_;
  if (from < 0 || from >= size_) return false;
  Bytes encoded = in_.data.subspan(static_cast<size_t>(from));
  if (n.bytes != 0) encoded = encoded.first(std::min<size_t>(encoded.size(), n.bytes));
  std::string decoded;
  decode_base64_prefix(encoded, decoded);
  if (decoded.empty()) return false;
  if (n.node_count == 0) return true;
  const BufferInput in{as_bytes(decoded), 0, true};
  return Inspector(rt_, {n.nodes, n.node_count}, in).from(0);
}

bool Inspector::from(size_t i) {
  if (++steps_ > rt_.recursion_limit) {
    ++rt_.counters->recursion_limit_reached;
    stop_ = true;
    return false;
  }
  rt_.spend(1);
  if (rt_.work_left == 0) {
    stop_ = true;
    return false;
  }
  for (; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    bool ok = false, decided = false;
    switch (node.kind) {
      case NodeKind::kContent: ok = content(node.content, i, decided); break;
      case NodeKind::kPcre: ok = pcre(node.pcre, i, decided); break;
      case NodeKind::kIsDataAt: ok = is_data_at(node.is_data_at); break;
      case NodeKind::kByteTest: ok = byte_test(node.byte_test); break;
      case NodeKind::kByteJump: ok = byte_jump(node.byte_jump); break;
      case NodeKind::kByteExtract: ok = byte_extract(node.byte_extract); break;
      case NodeKind::kByteMath: ok = byte_math(node.byte_math); break;
      case NodeKind::kBase64Decode: return base64(node.base64);   // ends the list
      case NodeKind::kSize:
        ok = node.size.test.matches(in_.offset + in_.data.size()) && size_is_final(node.size.test, in_);
        if (!ok) stop_ = true;
        break;
      case NodeKind::kCondition:
        ok = node.condition->match(rt_, in_, static_cast<size_t>(std::clamp<int64_t>(position_, 0, size_)));
        break;
    }
    if (decided) return ok;
    if (!ok) return false;
  }
  return true;
}

}  // namespace

bool inspect(Runtime& rt, std::span<const Node> nodes, const BufferInput& in) { return Inspector(rt, nodes, in).from(0); }

}  // namespace vong::detect
