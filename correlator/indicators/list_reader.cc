// CSV and JSON lines to indicators.
#include <nlohmann/json.hpp>
#include <optional>

#include "base/strings.h"
#include "correlator/indicators/limits.h"
#include "correlator/indicators/source.h"
#include "correlator/state/day.h"
#include "rules/network/nearest_name.h"

namespace vong::indicators {
namespace {

using Json = nlohmann::json;

constexpr size_t kColumnsMax = 64;

enum class Column : uint8_t { kOther, kValue, kKind, kFrom, kUntil };

Column column_of(std::string_view name) {
  const std::string n = to_lower(strip(name));
  if (n == "value" || n == "indicator" || n == "ioc") return Column::kValue;
  if (n == "type" || n == "kind") return Column::kKind;
  if (n == "valid_from") return Column::kFrom;
  if (n == "valid_until" || n == "expires") return Column::kUntil;
  return Column::kOther;
}

// RFC 4180, a line at a time: no line break within quotes.
void split_csv(std::string_view line, std::vector<std::string>& out) {
  out.clear();
  std::string cell;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c == '"' && i + 1 < line.size() && line[i + 1] == '"')
        cell.push_back(line[++i]);
      else if (c == '"')
        quoted = false;
      else
        cell.push_back(c);
    } else if (c == '"' && strip(cell).empty()) {
      cell.clear();
      quoted = true;
    } else if (c == ',' && out.size() + 1 < kColumnsMax) {
      out.push_back(std::move(cell));
      cell.clear();
    } else {
      cell.push_back(c);
    }
  }
  out.push_back(std::move(cell));
}

class ListReader {
 public:
  ListReader(uint32_t list, rules::Diagnostics& diagnostics, Lists& out)
      : list_(list), diagnostics_(diagnostics), out_(out) {}

  void read(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    while (!text.empty() && !full_) {
      const size_t end = text.find('\n');
      ++line_;
      line(strip(text.substr(0, end)));
      text = end == text.npos ? std::string_view() : text.substr(end + 1);
    }
  }

 private:
  void warn(std::string text) { diagnostics_.warning({line_, 1}, std::move(text)); }

  void line(std::string_view text) {
    if (text.empty() || text[0] == '#') return;
    if (text.size() > kLineBytesMax) return warn("line too long (limit 16384 bytes)");
    if (text[0] == '{') return json(text);
    split_csv(text, cells_);
    if (columns_.empty()) {
      for (const std::string& cell : cells_) columns_.push_back(column_of(cell));
      const bool header =
          std::find(columns_.begin(), columns_.end(), Column::kValue) != columns_.end();
      if (header) return;
      columns_ = {Column::kValue, Column::kKind, Column::kUntil};  // no header: in this order
    }
    std::string_view parts[5];
    for (size_t i = 0; i < cells_.size() && i < columns_.size(); ++i)
      parts[static_cast<size_t>(columns_[i])] = strip(cells_[i]);
    add(parts[1], parts[2], parts[3], parts[4]);
  }

  void json(std::string_view text) {
    const Json object = Json::parse(text, nullptr, false);
    if (!object.is_object()) return warn("not a JSON object");
    std::string parts[5];
    for (const auto& [key, value] : object.items()) {
      if (value.is_string()) parts[static_cast<size_t>(column_of(key))] = value.get<std::string>();
    }
    add(parts[1], parts[2], parts[3], parts[4]);
  }

  void add(std::string_view value, std::string_view kind, std::string_view from,
           std::string_view until) {
    if (value.empty()) return warn("no value");
    Indicator i;
    const auto k = kind.empty() ? guess_kind(value) : kind_of_name(kind);
    if (!k) {
      return warn(kind.empty()
                      ? "cannot tell what kind of indicator this is: " + rules::shown(value)
                      : "unknown type " + rules::shown(kind));
    }
    i.kind = *k;
    if (i.kind == Kind::kIp && value.find('/') != value.npos) i.kind = Kind::kCidr;
    auto form = canonical(i.kind, value);
    if (!form)
      return warn("not of type " + std::string(name_of(i.kind)) + ": " + rules::shown(value));
    i.value = std::move(*form);
    for (const auto& [text, into] : {std::pair(from, &i.from_ns), std::pair(until, &i.until_ns)}) {
      if (text.empty()) continue;
      const auto t = state::day_or_time_ns(text);
      if (!t) return warn("not a time: " + rules::shown(text));
      *into = *t;
    }
    if (i.until_ns <= i.from_ns) return warn("valid_until is not after valid_from");
    if (out_.add(list_, i)) return;
    full_ = true;
    diagnostics_.warning({line_, 1}, "too many indicators (limit 2000000), the rest is left out");
  }

  uint32_t list_;
  rules::Diagnostics& diagnostics_;
  Lists& out_;
  uint32_t line_ = 0;
  bool full_ = false;
  std::vector<Column> columns_;
  std::vector<std::string> cells_;
};

}  // namespace

void read_list(std::string_view text, uint32_t list, rules::Diagnostics& diagnostics, Lists& out) {
  ListReader(list, diagnostics, out).read(text);
}

}  // namespace vong::indicators
