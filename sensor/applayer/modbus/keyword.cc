// modbus:[unit N,] function N|category [, subfunction N]
// modbus:[unit N,] access read|write [discretes|coils|input|holding] [, address N [, value N]]
// where N of unit, address and value is a number, <N, >N or N<>M.
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/modbus/parser.h"

namespace vong::modbus {

using applayer::TransactionMatcher;

namespace {

// As the reference compares ranges; equal ends mean that number.
struct Range {
  uint16_t min = 0, max = 0;

  [[nodiscard]] bool meets(uint32_t first, uint32_t last) const {
    if (min == max) return min >= first && min <= last;
    if (min == 0) return max > first;
    if (max == UINT16_MAX) return min < last;
    return min < last && first < max;
  }
  [[nodiscard]] bool has(uint16_t value) const {
    if (min == max) return value == min;
    if (min == 0) return value < max;
    if (max == UINT16_MAX) return value > min;
    return value > min && value < max;
  }
};

std::optional<uint16_t> number(std::string_view text) {
  text = strip(text);
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Range> range(std::string_view text) {
  text = strip(text);
  const size_t between = text.find("<>");
  if (between != std::string_view::npos) {
    const auto min = number(text.substr(0, between)), max = number(text.substr(between + 2));
    if (!min || !max || *min >= *max) return std::nullopt;
    return Range{*min, *max};
  }
  if (text.starts_with('>') || text.starts_with('<')) {
    const auto n = number(text.substr(1));
    if (!n) return std::nullopt;
    return text[0] == '>' ? Range{*n, UINT16_MAX} : Range{0, *n};
  }
  const auto n = number(text);
  if (!n) return std::nullopt;
  return Range{*n, *n};
}

struct Keyword : TransactionMatcher {
  std::optional<Range> unit, address, value;
  std::optional<uint8_t> function, access, categories;
  std::optional<uint16_t> subfunction;

  [[nodiscard]] bool match(const applayer::Transaction& base, Direction) const override {
    const auto& request = static_cast<const Transaction&>(base).request;
    return request && matches(*request);
  }

 private:
  [[nodiscard]] bool matches(const Message& m) const {
    if (unit && !unit->has(m.unit)) return false;
    if (access) return matches_access(m);
    if (categories) return (m.category & *categories) != 0;
    if (function && *function != m.function) return false;
    return !subfunction || (m.function == kDiagnostic && m.subfunction == subfunction);
  }
  [[nodiscard]] bool matches_access(const Message& m) const {
    constexpr uint8_t kWays = kRead | kWrite, kTables = kDiscretes | kCoils | kInput | kHolding;
    const uint8_t ways = *access & kWays, tables = *access & kTables;
    if ((m.access & ways) == 0 || (tables != 0 && (m.access & tables) == 0)) return false;
    if (!address) return true;
    if (value) {
      const auto written = written_at(m, address->min);
      return written && value->has(*written);
    }
    const auto& where = (ways & kRead) != 0 ? m.read : m.write;
    if (!where) return false;
    const uint32_t first = where->first;
    return address->meets(first, first + (where->second == 0 ? 0 : where->second - 1U));
  }
};

std::optional<uint8_t> category(std::string_view word) {
  if (word == "assigned") return kPublicAssigned;
  if (word == "unassigned") return kPublicUnassigned;
  if (word == "public") return kPublicAssigned | kPublicUnassigned;
  if (word == "user") return kUserDefined;
  if (word == "reserved") return kReserved;
  if (word == "all") return kPublicAssigned | kPublicUnassigned | kUserDefined | kReserved;
  return std::nullopt;
}

bool set_function(Keyword& k, std::string_view rest) {
  if (const auto n = number(rest)) {
    if (*n > 127) return false;
    k.function = static_cast<uint8_t>(*n);
    return true;
  }
  const bool negated = rest.starts_with('!');
  const auto c = category(strip(rest.substr(negated ? 1 : 0)));
  if (c) k.categories = negated ? static_cast<uint8_t>(~*c & 15) : *c;
  return c.has_value();
}

bool set_access(Keyword& k, std::string_view rest) {
  uint8_t access = 0;
  for (const std::string_view word : split(rest, ' ')) {
    if (word.empty()) continue;
    const bool first = access == 0;
    if (first && word == "read") {
      access = kRead;
    } else if (first && word == "write") {
      access = kWrite;
    } else if (!first && word == "discretes" && (access & kRead) != 0) {
      access |= kDiscretes;
    } else if (!first && word == "coils") {
      access |= kCoils;
    } else if (!first && word == "input" && (access & kRead) != 0) {
      access |= kInput;
    } else if (!first && word == "holding") {
      access |= kHolding;
    } else {
      return false;
    }
  }
  k.access = access;
  return access != 0;
}

bool set_part(Keyword& k, std::string_view name, std::string_view rest) {
  const auto take = [&](std::optional<Range>& into) {
    into = range(rest);
    return into.has_value();
  };
  if (name == "unit") return take(k.unit) && k.unit->min <= 255;
  if (name == "function") return !k.access && set_function(k, rest);
  if (name == "subfunction") {
    k.subfunction = number(rest);
    return k.function && k.subfunction;   // of others than diagnostics: taken, and never there
  }
  if (name == "access") return !k.function && !k.categories && set_access(k, rest);
  if (name == "address") return k.access && take(k.address);
  if (name == "value") return k.address && (*k.access & kWrite) != 0 && take(k.value);
  return false;
}

}  // namespace

Result<std::unique_ptr<TransactionMatcher>> parse_keyword(std::string_view text) {
  auto k = std::make_unique<Keyword>();
  for (std::string_view part : split(text, ',')) {
    part = strip(part);
    const size_t space = std::min(part.find(' '), part.size());
    if (!set_part(*k, part.substr(0, space), strip(part.substr(space))))
      return fail("'" + std::string(part) + "' does not belong here");
  }
  return k;
}

}  // namespace vong::modbus
