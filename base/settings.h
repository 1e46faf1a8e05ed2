// Configuration as the rooms see it: a flat, read-only map from dotted paths to text, made by app/ from YAML and --set. A
// sequence's elements have their index as a path part ("outputs.0.eve-log.enabled"). Rooms take what they know and never see YAML.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vong {

class Settings {
 public:
  void set(std::string path, std::string value) { values_[std::move(path)] = std::move(value); }

  [[nodiscard]] std::optional<std::string_view> get(std::string_view path) const;
  [[nodiscard]] std::string_view text(std::string_view path, std::string_view fallback) const;
  // yes/true/on/1/enabled and no/false/off/0/disabled, any letter case; else `fallback`.
  [[nodiscard]] bool flag(std::string_view path, bool fallback) const;
  [[nodiscard]] int64_t integer(std::string_view path, int64_t fallback) const;
  // "100", "100kb", "1 mb", "2GiB", in bytes (powers of 1024, as suricata.yaml has them); else `fallback`.
  [[nodiscard]] uint64_t size_bytes(std::string_view path, uint64_t fallback) const;

  // True when the path itself or anything below it is set.
  [[nodiscard]] bool has(std::string_view path) const;
  // The names directly below `path`, each once, in order (numeric order for sequences).
  [[nodiscard]] std::vector<std::string> children(std::string_view path) const;

  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// The parsers behind Settings, for values that come from elsewhere.
[[nodiscard]] std::optional<bool> parse_flag(std::string_view text);
[[nodiscard]] std::optional<uint64_t> parse_size_bytes(std::string_view text);

}  // namespace vong
