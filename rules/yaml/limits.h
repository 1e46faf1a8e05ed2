// Caps on a YAML file. Alias bombs, deep nesting and endless lists end in a diagnostic, not in
// memory.
#pragma once

#include <cstddef>

namespace vong::yaml {

inline constexpr size_t kFileBytesMax = 4u << 20;
inline constexpr size_t kDepthMax = 32;          // nested lists and maps
inline constexpr size_t kNodesMax = 400'000;     // per file, copies made by aliases included
inline constexpr size_t kDocumentsMax = 20'000;  // documents in one file

}  // namespace vong::yaml
