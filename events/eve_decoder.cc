#include "events/eve_decoder.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/strings.h"
#include "events/limits.h"
#include "simdjson.h"

namespace vong::events {

namespace ondemand = simdjson::ondemand;

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

// Walks the record along the plan. `escaped`: the record has a backslash somewhere, so keys and
// strings may need unescaping.
struct EveDecoder::Reader {
  ondemand::parser parser;
  std::string key_buffer;
  std::vector<FieldValue>* values = nullptr;
  const FieldPlan* plan = nullptr;
  bool escaped = false;

  DecodeError record(std::string_view text) {
    ondemand::document document;
    if (parser.iterate(text.data(), text.size(), text.size() + kRecordPaddingBytes).get(document))
      return DecodeError::kNotJson;
    ondemand::json_type type;
    if (document.type().get(type)) return DecodeError::kNotJson;
    if (type != ondemand::json_type::object)
      return is_json(text, type) ? DecodeError::kNotObject : DecodeError::kNotJson;
    ondemand::object root;
    if (document.get_object().get(root)) return DecodeError::kNotJson;
    if (const DecodeError error = object(root, 0); error != DecodeError::kNone) return error;
    const char* rest = nullptr;  // out of bounds means: nothing behind the object
    return document.current_location().get(rest) ? DecodeError::kNone : DecodeError::kNotJson;
  }

  // simdjson tells a value's type by its first character; for what is refused anyhow that is not
  // enough to name it.
  static bool is_json(std::string_view text, ondemand::json_type type) {
    switch (type) {
      case ondemand::json_type::null:
        return text == "null";
      case ondemand::json_type::boolean:
        return text == "true" || text == "false";
      case ondemand::json_type::array:
        return text.back() == ']';
      case ondemand::json_type::string:
        return text.back() == '"';
      default:
        return is_digit(text.back());
    }
  }

  DecodeError object(ondemand::object& o, uint32_t node) {
    const FieldPlan::Node& n = plan->node(node);
    for (auto result : o) {
      ondemand::field field;
      if (std::move(result).get(field)) return DecodeError::kNotJson;
      const FieldPlan::Child* child = nullptr;
      if (!escaped) [[likely]] {
        child = plan->child_at(n, field.key().raw());
      } else {
        std::string_view name;
        if (field.unescaped_key().get(name)) return DecodeError::kNotJson;
        if (name.find('"') == name.npos && name.find('\0') == name.npos) {
          key_buffer.assign(name);
          key_buffer.append("\"\0\0\0\0\0\0\0\0", 9);
          child = plan->child_at(n, key_buffer.data());
        }
      }
      if (child == nullptr) continue;
      ondemand::value v = field.value();
      if (const DecodeError error = value(v, child->node, 0); error != DecodeError::kNone)
        return error;
    }
    return DecodeError::kNone;
  }

  DecodeError array(ondemand::array& a, uint32_t node, size_t depth) {
    if (depth >= kArrayNestingMax) return DecodeError::kTooManyValues;
    for (auto result : a) {
      ondemand::value v;
      if (std::move(result).get(v)) return DecodeError::kNotJson;
      if (const DecodeError error = value(v, node, depth + 1); error != DecodeError::kNone)
        return error;
    }
    return DecodeError::kNone;
  }

  DecodeError value(ondemand::value& v, uint32_t node, size_t depth) {
    const FieldId field = plan->node(node).field;
    ondemand::json_type type;
    if (v.type().get(type)) return DecodeError::kNotJson;
    if (type == ondemand::json_type::object) {
      if (field != kNoField) values->push_back({field, ValueType::kContainer, {}});
      if (plan->node(node).children.empty()) return check_size();
      ondemand::object o;
      if (v.get_object().get(o)) return DecodeError::kNotJson;
      return object(o, node);
    }
    if (type == ondemand::json_type::array) {
      ondemand::array a;
      if (v.get_array().get(a)) return DecodeError::kNotJson;
      return array(a, node, depth);
    }
    if (field == kNoField) return DecodeError::kNone;
    return scalar(v, type, field);
  }

  DecodeError scalar(ondemand::value& v, ondemand::json_type type, FieldId field) {
    const std::string_view token = trim_right(v.raw_json_token());
    switch (type) {
      case ondemand::json_type::string: {
        if (token.size() < 2 || token.back() != '"') return DecodeError::kNotJson;
        std::string_view text = token.substr(1, token.size() - 2);
        if (escaped && text.find('\\') != text.npos && v.get_string().get(text))
          return DecodeError::kNotJson;
        values->push_back({field, ValueType::kString, text});
        break;
      }
      case ondemand::json_type::number:
        if (!is_digit(token.back()) || (token[0] != '-' && !is_digit(token[0])))
          return DecodeError::kNotJson;
        values->push_back({field, ValueType::kNumber, token});
        break;
      case ondemand::json_type::boolean:
        if (token != "true" && token != "false") return DecodeError::kNotJson;
        values->push_back({field, ValueType::kBool, token});
        break;
      default:
        if (token != "null") return DecodeError::kNotJson;
        values->push_back({field, ValueType::kNull, {}});
    }
    return check_size();
  }

  DecodeError check_size() const {
    return values->size() <= kValuesPerRecordMax ? DecodeError::kNone : DecodeError::kTooManyValues;
  }
};

EveDecoder::EveDecoder(const FieldPlan& plan)
    : plan_(plan), reader_(std::make_unique<Reader>()), first_(plan.size(), kNoValue) {
  reader_->plan = &plan_;
  timestamp_ = plan.find("timestamp");
  at_timestamp_ = plan.find("@timestamp");
  ts_ = plan.find("ts");
}
EveDecoder::~EveDecoder() = default;
EveDecoder::EveDecoder(EveDecoder&&) noexcept = default;

void EveDecoder::clear() {
  for (const FieldValue& v : values_) first_[v.field] = kNoValue;
  values_.clear();
}

DecodeError EveDecoder::decode(std::string_view record) {
  clear();
  record = trim_right(record);
  record_ = record;
  if (record.empty()) return DecodeError::kEmpty;
  if (record.size() > kRecordBytesMax) return DecodeError::kTooLong;
  reader_->values = &values_;
  reader_->escaped = std::memchr(record.data(), '\\', record.size()) != nullptr;
  const DecodeError error = reader_->record(record);
  if (error != DecodeError::kNone) {
    values_.clear();  // first_ was not filled yet
    return error;
  }
  for (size_t i = values_.size(); i-- > 0;) first_[values_[i].field] = static_cast<uint32_t>(i);
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
