// Where a forwarder goes on, decided from what the spool remembers and what the receiver has. A
// pure function.
//
// Receivers see numbers: seq of the spool + base. The base is 0 for a sensor's first spool. When a
// sensor gets a new spool (another disk), its records begin at 1 again, but the receiver's numbers
// go on without a gap: base = what the receiver had.
#pragma once

#include <cstdint>
#include <string>

namespace vong::send {

// What the receiver committed together with the records: the last transaction of this sensor.
struct Committed {
  uint64_t next = 1;      // the receiver's number of the next record
  uint64_t spool_id = 0;  // of the spool that it came from; 0: nothing was ever committed, or the
                          // receiver has forgotten
  int64_t base = 0;
  friend bool operator==(const Committed&, const Committed&) = default;
};

// What the spool's own cursor says.
struct LocalState {
  uint64_t spool_id = 0;
  uint64_t acknowledged = 0;
  int64_t base = 0;
};

struct Resume {
  uint64_t next_seq = 1;  // of the spool: the first one to send
  int64_t base = 0;
  enum class Kind : uint8_t {
    kContinue,   // spool and receiver agree
    kCaughtUp,   // the receiver is ahead: a crash came between its commit and our acknowledgement.
                 // Those are not sent again
    kNewSpool,   // the receiver knows this sensor by another spool: numbers go on behind it
    kForgotten,  // the receiver has nothing of this sensor, though the spool sent some: it was
                 // emptied, or has forgotten after a long silence. The cursor decides; at most the
                 // one transaction in doubt comes twice
    kBehind,  // the receiver has less than was acknowledged: it was set back. What the spool still
              // has is sent
  } kind = Kind::kContinue;
};

[[nodiscard]] constexpr Resume plan_resume(const LocalState& local, const Committed& remote) {
  const uint64_t behind_cursor = local.acknowledged + 1;
  if (remote.spool_id == 0) {
    return {behind_cursor, local.base,
            local.acknowledged == 0 ? Resume::Kind::kContinue : Resume::Kind::kForgotten};
  }
  if (remote.spool_id != local.spool_id) {
    // The receiver's next number belongs to the record behind our cursor.
    return {behind_cursor, static_cast<int64_t>(remote.next) - static_cast<int64_t>(behind_cursor),
            Resume::Kind::kNewSpool};
  }
  const int64_t next = static_cast<int64_t>(remote.next) - remote.base;
  if (next < static_cast<int64_t>(behind_cursor)) {
    return {behind_cursor, static_cast<int64_t>(remote.next) - static_cast<int64_t>(behind_cursor),
            Resume::Kind::kBehind};
  }
  return {static_cast<uint64_t>(next), remote.base,
          static_cast<uint64_t>(next) == behind_cursor ? Resume::Kind::kContinue
                                                       : Resume::Kind::kCaughtUp};
}

// The text that a receiver keeps beside its position, and back; nothing usable gives spool_id 0.
[[nodiscard]] std::string to_metadata(const Committed& committed);
[[nodiscard]] Committed from_metadata(uint64_t next, const std::string& metadata);

}  // namespace vong::send
