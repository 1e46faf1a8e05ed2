// What a DNS message may cost. Values that only bound work are far above what real traffic needs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vong::dns {

inline constexpr size_t kHeaderBytes = 12;
// A name longer than this is cut there (event name_too_long); parsing goes on to find its end.
inline constexpr size_t kMaxNameBytes = 1025;
// Labels and pointers followed in one name.
inline constexpr int kMaxLabelsPerName = 255;
// Over all names of a message: compression lets a few bytes stand for a long name, thousands of
// times.
inline constexpr size_t kMaxNameBytesPerMessage = 2 * 1024 * 1024;
inline constexpr int kMaxLabelStepsPerMessage = 1 << 19;
// Strings of one TXT record and options of one OPT record that are kept.
inline constexpr size_t kMaxTextsPerRecord = 256;
inline constexpr size_t kMaxOptionsPerRecord = 64;

}  // namespace vong::dns
