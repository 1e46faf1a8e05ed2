#include "app_common/config.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/settings.h"

namespace vong::app {
namespace {

const ConfigNode kMissingNode;

constexpr std::size_t kMaxPathParts = kMaxConfigDepth;

// A number and the unit behind it: "10 mb" -> 10, "mb".
std::optional<double> split_unit(std::string_view text, std::string& unit) {
  const absl::string_view stripped =
      absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
  text = std::string_view(stripped.data(), stripped.size());
  std::size_t end = 0;
  while (end < text.size() && (absl::ascii_isdigit(text[end]) || text[end] == '.')) ++end;
  double value;
  if (end == 0 || !absl::SimpleAtod(absl::string_view(text.data(), end), &value))
    return std::nullopt;
  const absl::string_view rest(text.data() + end, text.size() - end);
  unit = absl::AsciiStrToLower(absl::StripAsciiWhitespace(rest));
  return value;
}

std::string shorten(const std::string& text) {
  constexpr std::size_t kShown = 60;
  std::string shown = text.size() > kShown ? text.substr(0, kShown) + "..." : text;
  for (char& c : shown) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 0x80)
      c = ' ';
  }
  return shown;
}

std::string found(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigNode::Kind::kScalar:
      return fmt::format("'{}'", shorten(node.raw()));
    case ConfigNode::Kind::kList:
      return "a list";
    case ConfigNode::Kind::kMap:
      return "a map";
    default:
      return "nothing";
  }
}

void expected(const ConfigNode& node, std::string_view what, Problems& problems) {
  problems.error(node.place(), fmt::format("expected {}, found {}", what, found(node)));
}

std::string show_duration(Duration d) {
  const int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  std::string unit;
  const std::optional<double> value = split_unit(text, unit);
  if (!value) return std::nullopt;
  double seconds;
  if (unit == "us")
    seconds = *value / 1e6;
  else if (unit == "ms")
    seconds = *value / 1e3;
  else if (unit.empty() || unit == "s" || unit == "sec")
    seconds = *value;
  else if (unit == "m" || unit == "min")
    seconds = *value * 60;
  else if (unit == "h")
    seconds = *value * 3600;
  else if (unit == "d")
    seconds = *value * 86400;
  else
    return std::nullopt;
  if (!(seconds < 9.0e9)) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

const ConfigNode& ConfigNode::operator[](std::string_view key) const {
  for (const auto& [name, node] : entries_) {
    if (name == key) return node;
  }
  return kMissingNode;
}

const ConfigNode& ConfigNode::at_path(std::string_view path) const {
  const ConfigNode* node = this;
  for (absl::string_view part : absl::StrSplit(absl::string_view(path.data(), path.size()), '.')) {
    std::size_t index;
    if (node->is_list()) {
      if (!absl::SimpleAtoi(part, &index) || index >= node->items_.size()) return kMissingNode;
      node = &node->items_[index];
    } else {
      node = &(*node)[std::string_view(part.data(), part.size())];
    }
  }
  return *node;
}

std::size_t ConfigNode::count_nodes() const {
  std::size_t n = 1;  // depth is capped, so this recursion is too
  for (const ConfigNode& item : items_) n += item.count_nodes();
  for (const auto& [name, node] : entries_) n += node.count_nodes();
  return n;
}

std::string ConfigNode::text(std::string_view fallback, Problems& problems) const {
  if (is_scalar()) return text_;
  if (is_list() || is_map()) expected(*this, "a text", problems);
  return std::string(fallback);
}

bool ConfigNode::boolean(bool fallback, Problems& problems) const {
  if (kind_ == Kind::kMissing || is_null()) return fallback;
  const std::optional<bool> value = is_scalar() ? parse_flag(text_) : std::nullopt;
  if (!value) expected(*this, "yes or no", problems);
  return value.value_or(fallback);
}

int64_t ConfigNode::integer(int64_t fallback, int64_t min, int64_t max, Problems& problems) const {
  if (kind_ == Kind::kMissing || is_null()) return fallback;
  int64_t value;
  if (is_scalar() && absl::SimpleAtoi(text_, &value) && value >= min && value <= max) return value;
  expected(*this, fmt::format("a whole number from {} to {}", min, max), problems);
  return fallback;
}

double ConfigNode::real(double fallback, double min, double max, Problems& problems) const {
  if (kind_ == Kind::kMissing || is_null()) return fallback;
  double value;
  if (is_scalar() && absl::SimpleAtod(text_, &value) && value >= min && value <= max) return value;
  expected(*this, fmt::format("a number from {} to {}", min, max), problems);
  return fallback;
}

uint64_t ConfigNode::bytes(uint64_t fallback, uint64_t min, uint64_t max,
                           Problems& problems) const {
  if (kind_ == Kind::kMissing || is_null()) return fallback;
  const std::optional<uint64_t> value = is_scalar() ? parse_size_bytes(text_) : std::nullopt;
  if (value && *value >= min && *value <= max) return *value;
  expected(*this, fmt::format("a size from {} to {} bytes (as 64kb, 10mb, 1gb)", min, max),
           problems);
  return fallback;
}

Duration ConfigNode::duration(Duration fallback, Duration min, Duration max,
                              Problems& problems) const {
  if (kind_ == Kind::kMissing || is_null()) return fallback;
  const std::optional<Duration> value = is_scalar() ? parse_duration(text_) : std::nullopt;
  if (value && *value >= min && *value <= max) return *value;
  expected(*this,
           fmt::format("a time from {} to {} (as 250ms, 10s, 5m)", show_duration(min),
                       show_duration(max)),
           problems);
  return fallback;
}

std::vector<std::string> ConfigNode::texts(Problems& problems) const {
  std::vector<std::string> result;
  if (is_scalar()) {
    for (absl::string_view part : absl::StrSplit(text_, ',')) {
      const absl::string_view stripped = absl::StripAsciiWhitespace(part);
      if (!stripped.empty()) result.emplace_back(stripped);
    }
  } else if (is_list()) {
    for (const ConfigNode& item : items_) {
      if (item.is_scalar())
        result.push_back(item.text_);
      else
        expected(item, "a text", problems);
    }
  } else if (is_map()) {
    expected(*this, "a list", problems);
  }
  return result;
}

void ConfigNode::report_unknown_keys(std::initializer_list<std::string_view> known,
                                     Severity severity, Problems& problems) const {
  const std::vector<std::string_view> names(known);
  for (const auto& [name, node] : entries_) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string_view near = nearest_name(name, names);
    std::string text = fmt::format("unknown key '{}'", shorten(name));
    if (!near.empty()) text += fmt::format(", did you mean '{}'?", near);
    if (severity == Severity::kError)
      problems.error(node.place_, std::move(text));
    else
      problems.warning(node.place_, std::move(text));
  }
}

ConfigNode& ConfigNode::child(std::string_view key, const Place& place) {
  if (is_list()) {
    std::size_t index;
    if (absl::SimpleAtoi(absl::string_view(key.data(), key.size()), &index) &&
        index <= items_.size()) {
      if (index == items_.size()) items_.emplace_back().place_ = place;
      return items_[index];
    }
  }
  if (!is_map()) {  // a scalar or nothing stood here: what the command line says wins
    *this = ConfigNode();
    kind_ = Kind::kMap;
    place_ = place;
  }
  for (auto& [name, node] : entries_) {
    if (name == key) return node;
  }
  entries_.emplace_back(std::string(key), ConfigNode()).second.place_ = place;
  return entries_.back().second;
}

void Config::set(std::string_view assignment, Problems& problems) {
  const Place place{"--set", ++sets_, 1};
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    problems.error(place, fmt::format("expected key.path=value, found '{}'",
                                      shorten(std::string(assignment))));
    return;
  }
  const std::string path(absl::StripAsciiWhitespace(absl::string_view(assignment.data(), equals)));
  const std::vector<std::string> parts = absl::StrSplit(path, '.');
  if (parts.size() > kMaxPathParts || absl::StartsWith(path, ".") || absl::EndsWith(path, ".") ||
      absl::StrContains(path, "..")) {
    problems.error(place, fmt::format("'{}' is not a path of keys", shorten(path)));
    return;
  }
  if (root_.kind() == ConfigNode::Kind::kMissing || root_.is_null()) {
    root_.kind_ = ConfigNode::Kind::kMap;
    root_.place_ = place;
  }
  ConfigNode* node = &root_;
  for (const std::string& part : parts) node = &node->child(part, place);
  *node = ConfigNode();
  node->kind_ = ConfigNode::Kind::kScalar;
  node->place_ = place;
  node->text_ = std::string(absl::StripAsciiWhitespace(
      absl::string_view(assignment.data(), assignment.size()).substr(equals + 1)));
}

}  // namespace vong::app
