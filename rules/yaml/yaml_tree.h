// A YAML file as a bounded tree with places, for rule files and the like: yaml-cpp's event parser
// underneath, its node graph is not used, because aliases are copied here under a cap and every
// node keeps its line and column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rules/network/diagnostic.h"

namespace vong::yaml {

using rules::Diagnostics;
using rules::SourcePos;

struct YamlEntry;

struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool plain = false;  // a scalar without quotes: may be a number, a boolean
  std::string text;    // of a scalar
  SourcePos pos;
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map, in the file's order

  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::kScalar; }
  [[nodiscard]] bool is_list() const { return kind == Kind::kList; }
  [[nodiscard]] bool is_map() const { return kind == Kind::kMap; }
  // The value of `key` in a map; null when it is not there.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  SourcePos pos;
  YamlNode value;
};

// All documents of `text`. What is wrong goes to `diagnostics`; documents before the fault are
// still returned. Never throws.
[[nodiscard]] std::vector<YamlNode> parse_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace vong::yaml
