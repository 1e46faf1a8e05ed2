// How hosts with other overlap policies than the receiver's read a direction of a TCP connection in
// which segments conflict: an attacker who knows the receiver better than host-os-policy does hides
// in one of these readings.
//
// Begun at the first conflict, when all policies still agree: a copy of the kept bytes for each
// family of policies, which then takes every further segment by its own rule. Bounded by
// kMaxReadingBytes; lives until who inspects it says that it is done. Belongs to the session's
// worker; its blocks come out of the engine's pool and count in its cap.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sensor/reassembly/stream_buffer.h"

namespace vong::reassembly {

// One policy for each rule in os_policy.h; the others say the same as one of these.
inline constexpr std::array<OsPolicy, 7> kPolicyFamilies = {
    OsPolicy::kFirst,    OsPolicy::kLast,  OsPolicy::kBsd,    OsPolicy::kBsdRight,
    OsPolicy::kOldLinux, OsPolicy::kLinux, OsPolicy::kSolaris};
[[nodiscard]] OsPolicy family_of(OsPolicy policy);

class OtherReadings {
 public:
  // `host`: before the conflicting segment is put in. `from`, `unit`: stream offsets of the first
  // byte kept, and of where inspection begins. `alive` counts the objects; it, the pool and the
  // buffer's pool outlive them. `reopen`: the receiver's acknowledgements are not seen, so that
  // also bytes given out before may be read otherwise. Null: no memory.
  [[nodiscard]] static std::unique_ptr<OtherReadings> begin(uint64_t& alive, BlockPool& pool,
                                                            const StreamBuffer& host,
                                                            OsPolicy policy, uint64_t from,
                                                            uint64_t unit, bool reopen);
  ~OtherReadings() { --alive_; }
  OtherReadings(const OtherReadings&) = delete;
  OtherReadings& operator=(const OtherReadings&) = delete;

  // A further segment, the first conflicting one included. `final_end`: of the host's buffer.
  // False: too many bytes or no memory, nothing more is to be had here.
  [[nodiscard]] bool insert(uint64_t offset, Bytes data, uint64_t final_end);

  [[nodiscard]] uint64_t from() const { return from_; }
  [[nodiscard]] uint64_t unit() const { return unit_; }
  [[nodiscard]] uint64_t conflict_begin() const { return conflict_begin_; }
  [[nodiscard]] uint64_t conflict_end() const { return conflict_end_; }

  // A reading of the bytes from from() up to `end` (or to where bytes are missing), and the
  // policies that give it. Views live until the next insert.
  struct Reading {
    Bytes data;
    std::vector<std::string_view> policies;
  };
  // The host's first, then those that differ from it, each once.
  [[nodiscard]] std::vector<Reading> readings(uint64_t end) const;

  std::vector<uint64_t> told;  // of who inspects: rules of which it has spoken
  uint8_t looks = 0;           // of who inspects: how often

 private:
  struct Copy {
    OsPolicy policy;
    StreamBuffer buffer;
  };
  OtherReadings(uint64_t& alive, BlockPool& pool, uint64_t from, uint64_t unit, bool reopen)
      : alive_(alive), pool_(pool), from_(from), unit_(unit), reopen_(reopen) {
    ++alive_;
  }

  uint64_t& alive_;
  BlockPool& pool_;
  const uint64_t from_, unit_;
  const bool reopen_;
  uint64_t conflict_begin_ = UINT64_MAX, conflict_end_ = 0;
  std::vector<Copy> copies_;  // the first is the host's
};

}  // namespace vong::reassembly
