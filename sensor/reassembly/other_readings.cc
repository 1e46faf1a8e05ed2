#include "sensor/reassembly/other_readings.h"

#include <algorithm>
#include <cstring>

#include "sensor/reassembly/limits.h"

namespace vong::reassembly {

OsPolicy family_of(OsPolicy policy) {
  switch (policy) {
    case OsPolicy::kFirst:
    case OsPolicy::kVista:
      return OsPolicy::kFirst;
    case OsPolicy::kSolaris:
    case OsPolicy::kHpux11:
      return OsPolicy::kSolaris;
    case OsPolicy::kLast:
    case OsPolicy::kBsdRight:
    case OsPolicy::kOldLinux:
    case OsPolicy::kLinux:
      return policy;
    default:
      return OsPolicy::kBsd;
  }
}

std::unique_ptr<OtherReadings> OtherReadings::begin(uint64_t& alive, BlockPool& pool,
                                                    const StreamBuffer& host, OsPolicy policy,
                                                    uint64_t from, uint64_t unit, bool reopen) {
  std::unique_ptr<OtherReadings> out(new OtherReadings(alive, pool, from, unit, reopen));
  const OsPolicy own = family_of(policy);
  out->copies_.reserve(kPolicyFamilies.size() + 1);
  const auto add = [&](OsPolicy p, bool open) {
    out->copies_.push_back({p, {}});
    return out->copies_.back().buffer.copy(pool, host, from, open);
  };
  if (!add(own, false)) return nullptr;
  for (const OsPolicy p : kPolicyFamilies) {
    if ((p != own || reopen) && !add(p, reopen)) return nullptr;
  }
  return out;
}

bool OtherReadings::insert(uint64_t offset, Bytes data, uint64_t final_end) {
  if (offset + data.size() > from_ + kMaxReadingBytes) return false;
  bool overlap = false, host = true;
  for (Copy& c : copies_) {
    if (host || !reopen_) c.buffer.make_final(std::min(final_end, c.buffer.contiguous_end()));
    host = false;
    const InsertResult r = c.buffer.insert(pool_, offset, data, c.policy, 1);
    overlap |= r.overlap;
    if (r.status != InsertStatus::kOk && r.status != InsertStatus::kNothingNew) return false;
  }
  if (overlap) {
    conflict_begin_ = std::min(conflict_begin_, offset);
    conflict_end_ = std::max(conflict_end_, offset + data.size());
  }
  return true;
}

std::vector<OtherReadings::Reading> OtherReadings::readings(uint64_t end) const {
  std::vector<Reading> out;
  for (const Copy& c : copies_) {
    const Bytes data = c.buffer.view(from_, std::min(end, c.buffer.contiguous_end()));
    const auto same = std::find_if(out.begin(), out.end(), [&](const Reading& r) {
      return r.data.size() == data.size() &&
             (data.empty() || std::memcmp(r.data.data(), data.data(), data.size()) == 0);
    });
    if (same == out.end()) {
      out.push_back({data, {name_of(c.policy)}});
    } else if (same->policies.back() != name_of(c.policy)) {
      same->policies.push_back(name_of(c.policy));
    }
  }
  return out;
}

}  // namespace vong::reassembly
