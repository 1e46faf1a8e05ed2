// Transforms of buffers: pure functions of bytes, applied in the order in which the rule names them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "rules/network/value.h"

namespace vong::detect {

class Transform {
 public:
  virtual ~Transform() = default;
  // Appends the result to `out` (empty). False: the buffer cannot be transformed and then has no value.
  [[nodiscard]] virtual bool apply(Bytes in, std::string& out) const = 0;
  // Whether the transform can give a content with this byte pattern at all (to_lowercase never gives 'A').
  [[nodiscard]] virtual std::optional<std::string> never_gives(std::string_view) const { return std::nullopt; }
};

struct TransformDef {
  std::string_view name;
  bool takes_value;
  rules::Parsed<std::unique_ptr<Transform>> (*make)(std::string_view value);
  std::string_view syntax, help;
};
// inflate_transform.cc
rules::Parsed<std::unique_ptr<Transform>> make_gunzip(std::string_view value);
rules::Parsed<std::unique_ptr<Transform>> make_zlib_deflate(std::string_view value);

[[nodiscard]] std::span<const TransformDef> transforms();
[[nodiscard]] const TransformDef* transform_by_name(std::string_view name);

}  // namespace vong::detect
