#include "sensor/detect/host_bits_access.h"

#include "sensor/detect/shared_state.h"

namespace vong::detect {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

}  // namespace

std::vector<std::pair<std::string, int64_t>> host_bits_of(SharedState& shared, const IpAddress& host, Timestamp now) {
  std::vector<std::pair<std::string, int64_t>> out;
  shared.impl().bits.each(HostBits::host(host), [&](NameId name, int64_t until_ns) {
    if (until_ns >= to_ns(now)) out.emplace_back(name_of(name), (until_ns - to_ns(now)) / kSecond);
  });
  return out;
}

bool add_host_bit(SharedState& shared, const IpAddress& host, std::string_view name, int64_t expire_s, Timestamp now) {
  const NameId bit = intern_name(name);
  return bit != kNoName && shared.impl().bits.set(HostBits::host(host), bit, to_ns(now) + expire_s * kSecond, to_ns(now));
}

bool remove_host_bit(SharedState& shared, const IpAddress& host, std::string_view name, Timestamp now) {
  const NameId bit = intern_name(name);
  if (bit == kNoName || !shared.impl().bits.is_set(HostBits::host(host), bit, to_ns(now))) return false;
  shared.impl().bits.unset(HostBits::host(host), bit);
  return true;
}

}  // namespace vong::detect
