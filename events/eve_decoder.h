// One EVE (or Zeek, or ECS) JSON record to the values of the wanted fields. simdjson's first
// stage underneath: what nobody asked for is skipped, not parsed, and the values are views, not
// copies.
//
// A record is outside data: every fault is a DecodeError with a reason, nothing throws. Skipped
// parts are checked only as far as finding their end needs (quotes, UTF-8, balance). One decoder
// belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "events/field_plan.h"

namespace vong::events {

enum class ValueType : uint8_t { kString, kNumber, kBool, kNull, kContainer };

// One value of one wanted field. `text` is the string unescaped, the number or "true"/"false" as
// written, empty for the rest.
struct FieldValue {
  FieldId field = kNoField;
  ValueType type = ValueType::kNull;
  std::string_view text;
};

enum class DecodeError : uint8_t {
  kNone,
  kEmpty,
  kTooLong,  // more than kRecordBytesMax
  kNotJson,  // not one whole JSON value, or not UTF-8
  kNotObject,
  kTooManyValues,  // more than kValuesPerRecordMax wanted values, or arrays nested too deep
  kNoTimestamp,    // no field timestamp, @timestamp or ts, or not a time
};
[[nodiscard]] std::string_view reason(
    DecodeError error);  // "not JSON", ...: one clear phrase, stable

class EveDecoder {
 public:
  // `plan` must outlive the decoder and no longer grow.
  explicit EveDecoder(const FieldPlan& plan);
  ~EveDecoder();
  EveDecoder(EveDecoder&&) noexcept;

  // kRecordPaddingBytes readable bytes must follow `record` in memory (their content does not
  // matter). Views handed out live until the next call or until `record` goes away.
  [[nodiscard]] DecodeError decode(std::string_view record);

  // The records of the next decode() calls lie in `block` (whole lines, one after the other, with
  // the same padding behind), so that all of them are indexed at once: a matter of speed, the
  // results are the same. Ends with the next index_block; an empty one must come before the memory
  // holds something else.
  void index_block(std::string_view block);

  [[nodiscard]] std::span<const FieldValue> values() const { return *values_; }
  // The first value of the field in the record's order; null when the record has none.
  [[nodiscard]] const FieldValue* first(FieldId field) const {
    return first_[field] == kNoValue ? nullptr : &(*values_)[first_[field]];
  }
  [[nodiscard]] std::string_view text(FieldId field) const {
    const FieldValue* v = field == kNoField ? nullptr : first(field);
    return v == nullptr ? std::string_view() : v->text;
  }
  [[nodiscard]] Timestamp time() const { return time_; }
  [[nodiscard]] std::string_view record() const { return record_; }

 private:
  class Reader;
  static constexpr uint32_t kNoValue = 0xffffffff;
  [[nodiscard]] bool read_time();
  void clear();

  const FieldPlan& plan_;
  std::unique_ptr<std::vector<FieldValue>> values_;  // its place does not change in a move
  std::unique_ptr<Reader> reader_;
  std::vector<uint32_t> first_;  // by field id
  std::string_view record_;
  Timestamp time_{};
  FieldId timestamp_ = kNoField, at_timestamp_ = kNoField, ts_ = kNoField;
  char minute_[16] = {};  // "2026-11-20T08:00" of the record before
  int64_t minute_ns_ = 0;
};

// Adds the fields that every decoder needs (timestamp, @timestamp, ts). Call it on a plan before
// decoders are made.
void add_time_fields(FieldPlan& plan);

// The number in a value of type kNumber, or in a string that is one number and nothing else.
[[nodiscard]] std::optional<double> number_of(const FieldValue& value);
[[nodiscard]] std::optional<uint64_t> unsigned_of(std::string_view text);

}  // namespace vong::events
