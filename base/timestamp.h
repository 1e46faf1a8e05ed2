// Time as it travels: nanoseconds since the epoch, UTC. The wall clock is read in app/ rooms only and comes in as an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vong {

using Duration = std::chrono::nanoseconds;
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

[[nodiscard]] constexpr Timestamp timestamp_from_ns(int64_t ns) { return Timestamp(Duration(ns)); }
[[nodiscard]] constexpr int64_t to_ns(Timestamp t) { return t.time_since_epoch().count(); }

// EVE's form, always UTC: 2026-11-23T00:14:11.000000+0000. Writes exactly 31 characters at `out`, no terminator.
inline constexpr size_t kEveTimeSize = 31;
void format_eve_time(Timestamp t, char* out);
[[nodiscard]] std::string format_eve_time(Timestamp t);

// Reads EVE's form, with any offset (+0700, +07:00, Z) and any number of fraction digits; nothing for what is not a time.
[[nodiscard]] std::optional<Timestamp> parse_eve_time(std::string_view text);

}  // namespace vong
