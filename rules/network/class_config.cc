#include "rules/network/class_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "rules/network/logical_lines.h"
#include "rules/network/nearest_name.h"
#include "rules/network/read_file.h"
#include "rules/network/text.h"
#include "rules/network/value.h"

namespace vong::rules {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), to_lower);
  return result;
}

// What follows "config KIND:".
Parsed<std::string_view> body(std::string_view line, std::string_view kind) {
  const KeyValue config = split_key(line);
  if (!equal_nocase(config.key, "config")) {
    return value_error(config.key,
                       fmt::format("'config {}:' expected, not {}", kind, shown(config.key)));
  }
  const size_t colon = config.value.find(':');
  const std::string_view word = trim(config.value.substr(0, colon));
  if (colon == std::string_view::npos || !equal_nocase(word, kind)) {
    return value_error(config.value, fmt::format("'{}:' expected after 'config'", kind));
  }
  return trim(config.value.substr(colon + 1));
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-' || c == '_' ||
           c == '.';
  });
}

Parsed<Classification> read_classification(std::string_view line) {
  constexpr std::string_view kForm = "name,description,priority expected";
  const auto text = body(line, "classification");
  if (!text) return std::unexpected(text.error());
  const size_t first = text->find(',');
  const size_t last = text->rfind(',');
  if (first == last) return value_error(*text, std::string(kForm));  // none or one
  Classification entry;
  const std::string_view name = trim(text->substr(0, first));
  if (!is_name(name)) {
    return value_error(
        name, fmt::format("name of letters, digits, '-' and '_' expected, not {}", shown(name)));
  }
  entry.name = lower(name);
  entry.description = trim(text->substr(first + 1, last - first - 1));
  const auto priority = parse_unsigned(trim(text->substr(last + 1)), 255);
  if (!priority) return std::unexpected(priority.error());
  if (*priority == 0)
    return value_error(text->substr(last + 1), "priority of 1 to 255 expected, not 0");
  entry.priority = static_cast<uint32_t>(*priority);
  return entry;
}

Parsed<KeyValue> read_reference(std::string_view line) {
  const auto text = body(line, "reference");
  if (!text) return std::unexpected(text.error());
  const KeyValue entry = split_key(*text);
  if (!is_name(entry.key) || entry.value.empty()) {
    return value_error(*text, "system name and beginning of its addresses expected");
  }
  return entry;
}

// Calls add(line) for every line; what it returns is the line's problem.
template <typename Add>
void for_each_line(const std::string& text, Diagnostics& diagnostics, Add add) {
  JoinedLines joined;
  LogicalLineReader lines(text, joined);
  while (const auto line = lines.next()) {
    if (auto problem = add(*line); !problem) {
      diagnostics.error(line->pos_of(problem.error().at), std::move(problem.error().message));
    }
  }
}

template <typename Map>
std::string_view nearest_key(const Map& map, std::string_view name) {
  std::vector<std::string_view> known;
  for (const auto& [key, value] : map) known.push_back(key);
  std::sort(known.begin(), known.end());  // the map's order is not the same in every run
  return nearest_name(name, known);
}

template <typename Config>
Result<Config> load_config(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  return Config::parse(path, *text);
}

}  // namespace

ClassificationConfig ClassificationConfig::parse(std::string name, const std::string& text) {
  ClassificationConfig config;
  config.diagnostics_ = Diagnostics(std::move(name));
  for_each_line(text, config.diagnostics_, [&](const LogicalLine& line) -> Parsed<bool> {
    auto entry = read_classification(line.text);
    if (!entry) return std::unexpected(std::move(entry.error()));
    entry->id = static_cast<uint32_t>(config.by_name_.size() + 1);
    std::string key = entry->name;
    const auto [at, is_new] = config.by_name_.try_emplace(std::move(key), std::move(*entry));
    if (!is_new) {
      config.diagnostics_.warning(
          line.pos, fmt::format("'{}' is known already, the first one counts", at->first));
    }
    return true;
  });
  return config;
}

Result<ClassificationConfig> ClassificationConfig::load(const std::string& path) {
  return load_config<ClassificationConfig>(path);
}

const Classification* ClassificationConfig::find(std::string_view name) const {
  const auto found = by_name_.find(lower(name));
  return found == by_name_.end() ? nullptr : &found->second;
}

std::string_view ClassificationConfig::nearest(std::string_view name) const {
  return nearest_key(by_name_, name);
}

ReferenceConfig ReferenceConfig::parse(std::string name, const std::string& text) {
  ReferenceConfig config;
  config.diagnostics_ = Diagnostics(std::move(name));
  for_each_line(text, config.diagnostics_, [&](const LogicalLine& line) -> Parsed<bool> {
    auto entry = read_reference(line.text);
    if (!entry) return std::unexpected(std::move(entry.error()));
    const auto [at, is_new] = config.by_name_.try_emplace(lower(entry->key), entry->value);
    if (!is_new) {
      config.diagnostics_.warning(
          line.pos, fmt::format("'{}' is known already, the first one counts", at->first));
    }
    return true;
  });
  return config;
}

Result<ReferenceConfig> ReferenceConfig::load(const std::string& path) {
  return load_config<ReferenceConfig>(path);
}

const std::string* ReferenceConfig::find(std::string_view system) const {
  const auto found = by_name_.find(lower(system));
  return found == by_name_.end() ? nullptr : &found->second;
}

std::string_view ReferenceConfig::nearest(std::string_view system) const {
  return nearest_key(by_name_, system);
}

}  // namespace vong::rules
