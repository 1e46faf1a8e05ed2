// Bits of hosts (hostbits, track host), as an operator asks for them. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip_address.h"
#include "base/timestamp.h"
#include "sensor/detect/detector.h"

namespace vong::detect {

// Names and seconds left, in the order in which they were set.
[[nodiscard]] std::vector<std::pair<std::string, int64_t>> host_bits_of(SharedState& shared, const IpAddress& host, Timestamp now);
// False: the table is full, or there are too many names.
[[nodiscard]] bool add_host_bit(SharedState& shared, const IpAddress& host, std::string_view name, int64_t expire_s, Timestamp now);
// False: it was not set.
[[nodiscard]] bool remove_host_bit(SharedState& shared, const IpAddress& host, std::string_view name, Timestamp now);

}  // namespace vong::detect
