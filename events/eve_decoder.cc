#include "events/eve_decoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/strings.h"
#include "events/limits.h"
#include "simdjson.h"

namespace vong::events {

std::string_view reason(DecodeError error) {
  switch (error) {
    case DecodeError::kNone:
      return "no error";
    case DecodeError::kEmpty:
      return "empty record";
    case DecodeError::kTooLong:
      return "record too long";
    case DecodeError::kNotJson:
      return "not JSON";
    case DecodeError::kNotObject:
      return "not a JSON object";
    case DecodeError::kTooManyValues:
      return "too many values";
    case DecodeError::kNoTimestamp:
      return "no valid timestamp";
  }
  return "unknown";
}

void add_time_fields(FieldPlan& plan) {
  for (const char* name : {"timestamp", "@timestamp", "ts"}) (void)plan.add(name);
}

namespace {

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' ||
                           text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

// Walks a record along the plan, from one structural character to the next: simdjson's first stage
// says where they stand (brackets, colons, commas, and where strings and other values begin).
// `escaped`: the record has a backslash somewhere, so keys and strings may need unescaping.
class EveDecoder::Reader {
 public:
  explicit Reader(const FieldPlan& p, std::vector<FieldValue>& v) : plan_(p), values_(v) {
    for (const char c : {'{', '['}) step_[static_cast<uint8_t>(c)] = 1;
    for (const char c : {'}', ']'}) step_[static_cast<uint8_t>(c)] = -1;
  }

  // Whole lines that decode() will be asked for. An index over them all is cheaper than one for
  // each; a line break within a string makes the first stage refuse, so a broken line cannot reach
  // into the next.
  void index_block(std::string_view block) {
    block_ = {};
    if (block.size() < 2 || !index(block)) return;
    block_ = block;
    backslash_ = block.data();
    find_backslash(block.data(), block.data() + block.size());
  }

  DecodeError record(std::string_view text) {
    if (block_.data() != nullptr && text.data() >= block_.data() &&
        text.data() + text.size() <= block_.data() + block_.size()) {
      const auto begin = static_cast<uint32_t>(text.data() - block_.data());
      limit_ = begin + static_cast<uint32_t>(text.size());
      const bool back = next_ > first_ && next_[-1] >= begin;  // not in the order of the block
      if (back) next_ = first_;
      while (*next_ < begin) ++next_;
      if (back || backslash_ < text.data())
        find_backslash(text.data(), block_.data() + block_.size());
      escaped_ = backslash_ < text.data() + text.size();
    } else {
      block_ = {};
      if (!index(text)) return DecodeError::kNotJson;
      limit_ = static_cast<uint32_t>(text.size());
      escaped_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
    }
    if (escaped_) {
      if (unescaped_.size() < text.size() + kRecordPaddingBytes)
        unescaped_.resize(text.size() + kRecordPaddingBytes);
      unescaped_end_ = unescaped_.data();
    }
    if (at_end()) return DecodeError::kNotJson;
    if (here() != '{') return is_json(text) ? DecodeError::kNotObject : DecodeError::kNotJson;
    ++next_;
    if (const DecodeError error = object(0); error != DecodeError::kNone) return error;
    return at_end() ? DecodeError::kNone : DecodeError::kNotJson;
  }

 private:
  // What is no object is refused anyhow; this only names it.
  static bool is_json(std::string_view text) {
    switch (text[0]) {
      case 'n':
        return text == "null";
      case 't':
      case 'f':
        return text == "true" || text == "false";
      case '[':
        return text.back() == ']';
      case '"':
        return text.back() == '"';
      default:
        return (text[0] == '-' || is_digit(text[0])) && is_digit(text.back());
    }
  }

  bool index(std::string_view text) {
    if (!parser_ || parser_->capacity() < text.size()) {
      const size_t capacity = std::max<size_t>(text.size(), 64u << 10);
      if (!parser_) {
        if (simdjson::get_active_implementation()->create_dom_parser_implementation(
                capacity, simdjson::DEFAULT_MAX_DEPTH, parser_)) {
          return false;
        }
      } else if (parser_->set_capacity(capacity)) {
        return false;
      }
    }
    if (parser_->stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                        simdjson::stage1_mode::regular)) {
      return false;
    }
    base_ = text.data();
    first_ = next_ = parser_->structural_indexes.get();  // the text's size stands behind the last
    return true;
  }
  void find_backslash(const char* from, const char* end) {
    const void* found = std::memchr(from, '\\', static_cast<size_t>(end - from));
    backslash_ = found == nullptr ? end : static_cast<const char*>(found);
  }

  [[nodiscard]] bool at_end() const { return *next_ >= limit_; }
  [[nodiscard]] char here() const { return base_[*next_]; }
  // The text from here to the next structural character.
  [[nodiscard]] std::string_view token() const {
    const uint32_t from = next_[0];
    return trim_right({base_ + from, std::min(next_[1], limit_) - from});
  }

  // Behind '{' to behind '}'.
  DecodeError object(uint32_t node) {
    const FieldPlan::Node& n = plan_.node(node);
    if (at_end()) return DecodeError::kNotJson;
    if (here() == '}') {
      ++next_;
      return DecodeError::kNone;
    }
    for (size_t place = 0;; ++place) {
      if (at_end() || here() != '"') return DecodeError::kNotJson;
      const char* key = base_ + *next_++ + 1;
      if (at_end() || here() != ':') return DecodeError::kNotJson;
      ++next_;
      if (at_end()) return DecodeError::kNotJson;
      const FieldPlan::Child* child = nullptr;
      if (!escaped_) [[likely]] {
        child = node < kGuessedNodes && place < kGuessedNames
                    ? plan_.child_at(n, key, guesses_[node * kGuessedNames + place])
                    : plan_.child_at(n, key);
      } else if (!child_unescaped(n, key, child)) {
        return DecodeError::kNotJson;
      }
      if (child == nullptr) {
        if (!skip()) return DecodeError::kNotJson;
      } else if (const DecodeError error = value(child->node, 0); error != DecodeError::kNone) {
        return error;
      }
      if (at_end()) return DecodeError::kNotJson;
      const char c = base_[*next_++];
      if (c == '}') return DecodeError::kNone;
      if (c != ',') return DecodeError::kNotJson;
    }
  }

  bool child_unescaped(const FieldPlan::Node& n, const char* key, const FieldPlan::Child*& child) {
    std::string_view name;
    if (!unescape(key, name)) return false;
    if (name.find('"') != name.npos || name.find('\0') != name.npos) return true;
    key_buffer_.assign(name);
    key_buffer_.append("\"\0\0\0\0\0\0\0\0", 9);
    child = plan_.child_at(n, key_buffer_.data());
    return true;
  }

  bool unescape(const char* from, std::string_view& out) {
    uint8_t* end = parser_->parse_string(reinterpret_cast<const uint8_t*>(from), unescaped_end_);
    if (end == nullptr) return false;
    out = {reinterpret_cast<const char*>(unescaped_end_),
           static_cast<size_t>(end - unescaped_end_)};
    unescaped_end_ = end;
    return true;
  }

  // Over one value of any kind.
  bool skip() {
    const char c = here();
    if (c == '}' || c == ']' || c == ',' || c == ':') return false;
    ++next_;
    if (c != '{' && c != '[') return true;
    for (int depth = 1; depth > 0; ++next_) {
      if (at_end()) return false;
      depth += step_[static_cast<uint8_t>(here())];
    }
    return true;
  }

  DecodeError array(uint32_t node, size_t depth) {
    if (depth >= kArrayNestingMax) return DecodeError::kTooManyValues;
    if (at_end()) return DecodeError::kNotJson;
    if (here() == ']') {
      ++next_;
      return DecodeError::kNone;
    }
    for (;;) {
      if (at_end()) return DecodeError::kNotJson;
      if (const DecodeError error = value(node, depth + 1); error != DecodeError::kNone)
        return error;
      if (at_end()) return DecodeError::kNotJson;
      const char c = base_[*next_++];
      if (c == ']') return DecodeError::kNone;
      if (c != ',') return DecodeError::kNotJson;
    }
  }

  DecodeError value(uint32_t node, size_t depth) {
    const FieldPlan::Node& n = plan_.node(node);
    switch (here()) {
      case '{':
        for (const FieldId f : {n.field, n.also}) {
          if (f != kNoField) values_.push_back({f, ValueType::kContainer, {}});
        }
        if (n.children.empty()) return skip() ? check_size() : DecodeError::kNotJson;
        ++next_;
        return object(node);
      case '[':
        ++next_;
        return array(node, depth);
      case '}':
      case ']':
      case ',':
      case ':':
        return DecodeError::kNotJson;
      default:
        break;
    }
    DecodeError error = n.field == kNoField ? DecodeError::kNone : scalar(n.field);
    if (n.also != kNoField && error == DecodeError::kNone) error = scalar(n.also);
    ++next_;
    return error;
  }

  DecodeError scalar(FieldId field) {
    const std::string_view text = token();
    switch (text[0]) {
      case '"': {
        if (text.size() < 2 || text.back() != '"') return DecodeError::kNotJson;
        std::string_view inner = text.substr(1, text.size() - 2);
        if (escaped_ && inner.find('\\') != inner.npos && !unescape(inner.data(), inner))
          return DecodeError::kNotJson;
        values_.push_back({field, ValueType::kString, inner});
        break;
      }
      case 't':
      case 'f':
        if (text != "true" && text != "false") return DecodeError::kNotJson;
        values_.push_back({field, ValueType::kBool, text});
        break;
      case 'n':
        if (text != "null") return DecodeError::kNotJson;
        values_.push_back({field, ValueType::kNull, {}});
        break;
      default:
        if (!is_digit(text.back()) || (text[0] != '-' && !is_digit(text[0])))
          return DecodeError::kNotJson;
        values_.push_back({field, ValueType::kNumber, text});
    }
    return check_size();
  }

  [[nodiscard]] DecodeError check_size() const {
    return values_.size() <= kValuesPerRecordMax ? DecodeError::kNone : DecodeError::kTooManyValues;
  }

  static constexpr size_t kGuessedNodes = 32, kGuessedNames = 32;

  const FieldPlan& plan_;
  std::vector<FieldValue>& values_;
  std::vector<FieldPlan::Guess> guesses_{kGuessedNodes * kGuessedNames};
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
  int8_t step_[256] = {};  // what a character adds to the depth
  std::string_view block_;
  const char* base_ = nullptr;       // of the offsets
  const uint32_t* first_ = nullptr;  // offsets of the structural characters
  const uint32_t* next_ = nullptr;
  uint32_t limit_ = 0;               // offset of the record's end
  const char* backslash_ = nullptr;  // the first one at or behind the record, of a block
  bool escaped_ = false;
  std::string key_buffer_;
  std::vector<uint8_t> unescaped_;
  uint8_t* unescaped_end_ = nullptr;
};

EveDecoder::EveDecoder(const FieldPlan& plan)
    : plan_(plan),
      values_(std::make_unique<std::vector<FieldValue>>()),
      reader_(std::make_unique<Reader>(plan, *values_)),
      first_(plan.size(), kNoValue) {
  timestamp_ = plan.find("timestamp");
  at_timestamp_ = plan.find("@timestamp");
  ts_ = plan.find("ts");
}
EveDecoder::~EveDecoder() = default;
EveDecoder::EveDecoder(EveDecoder&&) noexcept = default;

void EveDecoder::index_block(std::string_view block) { reader_->index_block(block); }

void EveDecoder::clear() {
  for (const FieldValue& v : *values_) first_[v.field] = kNoValue;
  values_->clear();
}

DecodeError EveDecoder::decode(std::string_view record) {
  clear();
  record = trim_right(record);
  record_ = record;
  if (record.empty()) return DecodeError::kEmpty;
  if (record.size() > kRecordBytesMax) return DecodeError::kTooLong;
  const DecodeError error = reader_->record(record);
  std::vector<FieldValue>& values = *values_;
  if (error != DecodeError::kNone) {
    values.clear();  // first_ was not filled yet
    return error;
  }
  for (size_t i = values.size(); i-- > 0;) first_[values[i].field] = static_cast<uint32_t>(i);
  return read_time() ? DecodeError::kNone : DecodeError::kNoTimestamp;
}

bool EveDecoder::read_time() {
  for (const FieldId field : {timestamp_, at_timestamp_, ts_}) {
    const FieldValue* v = field == kNoField ? nullptr : first(field);
    if (v == nullptr) continue;
    if (v->type == ValueType::kNumber) {  // Zeek: seconds since the epoch with a fraction
      const auto seconds = number_of(*v);
      if (!seconds || !(*seconds >= 0) || *seconds > 4e9) return false;
      time_ = timestamp_from_ns(std::llround(*seconds * 1e6) * 1000);
      return true;
    }
    const std::string_view t = v->text;
    // Events come minute by minute: the date is read once a minute, the seconds and microseconds
    // every time.
    if (t.size() == kEveTimeSize && std::memcmp(t.data(), minute_, 16) == 0 &&
        std::memcmp(t.data() + 26, "+0000", 5) == 0 && t[16] == ':' && t[19] == '.') {
      int64_t us = 0;
      bool ok = true;
      for (const int i : {17, 18, 20, 21, 22, 23, 24, 25}) {
        ok &= is_digit(t[i]);
        us = us * 10 + (t[i] - '0');
      }
      if (ok && us < 60'000'000) {
        time_ = timestamp_from_ns(minute_ns_ + us * 1000);
        return true;
      }
    }
    const auto parsed = parse_eve_time(t);
    if (!parsed) return false;
    time_ = *parsed;
    if (t.size() == kEveTimeSize && t.ends_with("+0000")) {
      std::memcpy(minute_, t.data(), 16);
      minute_ns_ = to_ns(time_) - to_ns(time_) % 60'000'000'000;
    }
    return true;
  }
  return false;
}

std::optional<double> number_of(const FieldValue& value) {
  if (value.type != ValueType::kNumber && value.type != ValueType::kString) return std::nullopt;
  const char *begin = value.text.data(), *end = begin + value.text.size();
  if (value.text.empty() || value.text.size() > 64) return std::nullopt;
  if (value.text.size() <= 15) {  // whole numbers, nearly always
    int64_t n = 0;
    const auto [p, error] = std::from_chars(begin, end, n);
    if (error == std::errc() && p == end) return static_cast<double>(n);
  }
  double d = 0;
  const auto [p, error] = std::from_chars(begin, end, d);
  if (error != std::errc() || p != end || !std::isfinite(d)) return std::nullopt;
  return d;
}

std::optional<uint64_t> unsigned_of(std::string_view text) {
  uint64_t n = 0;
  const auto [p, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || p != text.data() + text.size() || text.empty()) return std::nullopt;
  return n;
}

}  // namespace vong::events
