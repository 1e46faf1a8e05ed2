// Every maximum of the application layer's core, with what happens when it is reached.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vong::applayer {

// Bytes of one direction that no protocol was found in: the flow counts as failed then.
inline constexpr uint64_t kDetectionBytesMax = 100'000;
// Bytes that a parser may leave unconsumed: more is an error of the flow (errors_unconsumed).
inline constexpr size_t kUnconsumedBytesMax = 1024 * 1024;
// Bytes of a file that libmagic looks at, and from which on it may already look.
inline constexpr size_t kMagicBytesMax = 64 * 1024;
inline constexpr size_t kMagicBytesMin = 512;

// Frames of one direction that wait for inspection or their end, and how much of each is kept.
inline constexpr size_t kMaxFrames = 1024;
inline constexpr size_t kFrameBytesMax = 128 * 1024;   // a whole SMB2 write of 64 KiB with its headers and more
// And of all frames of a direction together: further ones are cut off where they are.
inline constexpr size_t kFramesBytesMax = 512 * 1024;

// Announced flows (expectation.h) that wait at once, and how long.
inline constexpr size_t kMaxExpectations = 16384;
inline constexpr std::chrono::seconds kExpectationTimeout{30};

}  // namespace vong::applayer
