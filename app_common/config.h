// The configuration of a program: a YAML file and what `--set` lays over it, as a tree that
// remembers where each value was written, so that every complaint names file, line and column.
// Values are text until somebody asks for a number, a size or a time. Single thread; read once at
// the start and on reload.
//
// What it takes of YAML: the first document, maps with scalar keys, lists, scalars, anchors and
// aliases, `include:` at the top (a name or a list of names) and `key: !include file`. Later keys
// replace earlier ones of the same name, with a warning. Hostile files are refused, not followed:
// see the caps below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app_common/problems.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace vong::app {

inline constexpr std::size_t kMaxConfigBytes = 16 << 20;  // one file
inline constexpr std::size_t kMaxConfigNodes = 500'000;   // after aliases and includes
inline constexpr int kMaxConfigDepth = 64;
inline constexpr int kMaxIncludeDepth = 16;

class ConfigNode {
 public:
  enum class Kind { kMissing, kNull, kScalar, kList, kMap };

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] explicit operator bool() const {
    return kind_ != Kind::kMissing;
  }  // written at all
  [[nodiscard]] bool is_null() const { return kind_ == Kind::kNull; }
  [[nodiscard]] bool is_scalar() const { return kind_ == Kind::kScalar; }
  [[nodiscard]] bool is_list() const { return kind_ == Kind::kList; }
  [[nodiscard]] bool is_map() const { return kind_ == Kind::kMap; }
  [[nodiscard]] const Place& place() const { return place_; }

  // The child of that name; a missing node when there is none or this is no map. The reference
  // lives as long as the tree.
  [[nodiscard]] const ConfigNode& operator[](std::string_view key) const;
  // By path, with numbers for list entries: "outputs.0.eve-log.enabled".
  [[nodiscard]] const ConfigNode& at_path(std::string_view path) const;
  [[nodiscard]] const std::vector<ConfigNode>& items() const { return items_; }  // of a list
  [[nodiscard]] const std::vector<std::pair<std::string, ConfigNode>>& entries() const {
    return entries_;
  }  // of a map

  [[nodiscard]] const std::string& raw() const { return text_; }  // of a scalar, else empty
  [[nodiscard]] bool quoted() const { return quoted_; }           // "5" rather than 5

  // Typed reading. A node that was not written gives `fallback` and no complaint; one that does not
  // fit gives `fallback` and an error in `problems` that says what was expected.
  [[nodiscard]] std::string text(std::string_view fallback, Problems& problems) const;
  [[nodiscard]] bool boolean(bool fallback,
                             Problems& problems) const;  // yes/no, true/false, on/off, 1/0
  [[nodiscard]] int64_t integer(int64_t fallback, int64_t min, int64_t max,
                                Problems& problems) const;
  [[nodiscard]] double real(double fallback, double min, double max, Problems& problems) const;
  // 4096, 64kb, 10mb, 1 GiB: powers of 1024.
  [[nodiscard]] uint64_t bytes(uint64_t fallback, uint64_t min, uint64_t max,
                               Problems& problems) const;
  // 250ms, 10s, 5m, 2h, 1d; a bare number is seconds.
  [[nodiscard]] Duration duration(Duration fallback, Duration min, Duration max,
                                  Problems& problems) const;
  // A list of scalars, or one scalar with commas between the parts; empty when not written.
  [[nodiscard]] std::vector<std::string> texts(Problems& problems) const;

  // One warning (or error) for each key of this map that is not in `known`, with the nearest known
  // one.
  void report_unknown_keys(std::initializer_list<std::string_view> known, Severity severity,
                           Problems& problems) const;

 private:
  friend class Config;
  friend class ConfigBuilder;
  [[nodiscard]] std::size_t count_nodes() const;
  ConfigNode& child(std::string_view key,
                    const Place& place);  // makes it a map and the child where needed

  Kind kind_ = Kind::kMissing;
  bool quoted_ = false;
  Place place_;
  std::string text_;
  std::vector<ConfigNode> items_;
  std::vector<std::pair<std::string, ConfigNode>> entries_;
};

class Config {
 public:
  Config() = default;  // empty: every key missing

  // Reads `path`. What is wrong goes to `problems`; the tree then holds what could be read.
  [[nodiscard]] static Config load(const std::string& path, Problems& problems);
  // The same from text; `name` stands for the file in problems.
  [[nodiscard]] static Config parse(std::string_view text, std::string name, Problems& problems);

  // Lays "key.path=value" over the tree: the value is one scalar, numbers in the path go into lists
  // (one past the end appends). A value that is not there sets the empty text.
  void set(std::string_view assignment, Problems& problems);

  [[nodiscard]] const ConfigNode& root() const { return root_; }
  [[nodiscard]] const ConfigNode& operator[](std::string_view key) const { return root_[key]; }

 private:
  ConfigNode root_;
  int sets_ = 0;
};

// A time with its unit ("250ms", "2h"; none: seconds), also for command-line values. Sizes and flags: base/settings.h.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

}  // namespace vong::app
