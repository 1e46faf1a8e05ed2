// Numbers of frames, and http2.settings.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/http2/buffers.h"
#include "sensor/applayer/http2/transaction.h"

namespace vong::http2 {
namespace {

using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::Transaction;
using applayer::TransactionMatcher;

const Side& side(const Transaction& tx, Direction d) {
  return static_cast<const Http2Transaction&>(tx).side(d);
}

template <auto kList>
std::optional<uint64_t> nth(const Transaction& tx, Direction d, uint32_t i) {
  const auto& list = side(tx, d).*kList;
  if (i >= list.size()) return std::nullopt;
  return list[i];
}

// Each name with and without its underscores.
std::vector<NumberDef::Value> spellings(std::span<const NamedValue> names) {
  static std::vector<std::unique_ptr<std::string>> kept;
  std::vector<NumberDef::Value> out;
  for (const NamedValue& n : names) {
    out.push_back({n.name, n.value});
    kept.push_back(std::make_unique<std::string>(record_name(names, n.value)));
    if (*kept.back() != n.name) out.push_back({*kept.back(), n.value});
  }
  return out;
}

std::span<const NumberDef> make_numbers() {
  static const std::vector<NumberDef::Value> kTypes = spellings(frame_type_names()),
                                             kErrors = spellings(error_code_names());
  static const std::array kNumbers = {
      NumberDef{"http2.frametype", "http2_frametype", kIdle, kIdle, nth<&Side::frame_types>, kTypes,
                true, 8, "Types of the frames"},
      NumberDef{"http2.errorcode", "http2_errorcode", kIdle, kIdle, nth<&Side::errors>, kErrors,
                true, 32, "Error codes of RST_STREAM and GOAWAY"},
      NumberDef{"http2.priority",
                "http2_priority",
                kIdle,
                kIdle,
                nth<&Side::priorities>,
                {},
                true,
                8,
                "Weights of PRIORITY and HEADERS, as they stand on the wire"},
      NumberDef{"http2.window",
                "http2_window",
                kIdle,
                kIdle,
                nth<&Side::windows>,
                {},
                true,
                32,
                "Increments of WINDOW_UPDATE"},
      NumberDef{"http2.size_update",
                "http2_size_update",
                kIdle,
                kIdle,
                nth<&Side::size_updates>,
                {},
                true,
                64,
                "New sizes of the header table"},
  };
  return kNumbers;
}

enum class Op : uint8_t { kEqual, kNotEqual, kLess, kAtMost, kGreater, kAtLeast, kBetween };

struct SettingMatcher : TransactionMatcher {
  uint32_t id = 0;
  Op op = Op::kEqual;
  uint64_t a = 0, b = 0;

  [[nodiscard]] bool fits(uint64_t v) const {
    switch (op) {
      case Op::kEqual:
        return v == a;
      case Op::kNotEqual:
        return v != a;
      case Op::kLess:
        return v < a;
      case Op::kAtMost:
        return v <= a;
      case Op::kGreater:
        return v > a;
      case Op::kAtLeast:
        return v >= a;
      case Op::kBetween:
        return v > a && v < b;
    }
    return false;
  }
  [[nodiscard]] bool match(const Transaction& tx, Direction d) const override {
    return std::ranges::any_of(side(tx, d).settings,
                               [&](const Setting& s) { return s.id == id && fits(s.value); });
  }
};

bool read_number(std::string_view text, uint64_t& out) {
  text = strip(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_test(std::string_view test, SettingMatcher& m) {
  static constexpr std::pair<std::string_view, Op> kOps[] = {
      {"!=", Op::kNotEqual}, {"<=", Op::kAtMost}, {">=", Op::kAtLeast}, {"!", Op::kNotEqual},
      {"<", Op::kLess},      {">", Op::kGreater}, {"=", Op::kEqual}};
  test = strip(test);
  for (const auto& [text, op] : kOps) {
    if (!test.starts_with(text)) continue;
    test = strip(test.substr(text.size()));
    m.op = op;
    break;
  }
  if (const size_t dash = test.find('-'); dash != std::string_view::npos && m.op == Op::kEqual) {
    m.op = Op::kBetween;
    return read_number(test.substr(0, dash), m.a) && read_number(test.substr(dash + 1), m.b) &&
           m.a < m.b;
  }
  return read_number(test, m.a);
}

Result<std::unique_ptr<TransactionMatcher>> parse_settings(std::string_view value) {
  value = strip(value);
  const size_t end = std::min(value.find_first_of("=<>! "), value.size());
  auto m = std::make_unique<SettingMatcher>();
  const auto id = value_named(setting_names(), value.substr(0, end));
  if (!id)
    return fail(
        "http2.settings takes the name of a setting, like SETTINGS_ENABLE_PUSH, and a test of its "
        "value");
  m->id = *id;
  if (!read_test(value.substr(end), *m))
    return fail("http2.settings: expected =, !=, <, <=, >, >= and a number, or a range");
  return m;
}

constexpr auto kMatchers = std::to_array<MatcherDef>({
    {"http2.settings", "http2_settings", kIdle, kIdle, parse_settings, "A setting and its value"},
});

}  // namespace

std::span<const NumberDef> number_defs() { return make_numbers(); }
std::span<const MatcherDef> matcher_defs() { return kMatchers; }

}  // namespace vong::http2
