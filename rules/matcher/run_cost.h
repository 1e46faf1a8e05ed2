// How often four bytes in a row are to be expected in traffic: by which of its runs a literal is
// best known.
#pragma once

#include <cstdint>

namespace vong::matcher {

// `run`: four bytes, folded (letters in either case made one). About minus the logarithm of its
// share of all places, in quarter bits: the higher, the rarer. By classes of bytes and by which
// follows which in the project's own captures (bench/run_costs.py); only speed depends on it.
[[nodiscard]] uint32_t rarity_of(const uint8_t* run);

}  // namespace vong::matcher
