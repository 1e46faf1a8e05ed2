// Where events go when they leave a program: the interface that every exporter's front has. What is
// given is either accepted or dropped with a reason, and counted: in = accepted + dropped(reason).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/counter.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace vong::sink {

// What goes last when there is no room for all. Given by the event's kind and severity, not by the
// sender.
enum class Priority : uint8_t {
  kCritical,  // alerts of high severity, loss records: never shed while one byte is left
  kAlert,     // other alerts, anomalies
  kRecord,    // application records: http, dns, tls, fileinfo ...
  kBulk,      // flow, netflow, stats
};
inline constexpr std::size_t kPriorities = 4;
[[nodiscard]] std::string_view priority_name(
    Priority priority);  // as in metrics: "critical", "alert", "record", "bulk"

struct Item {
  std::string_view key;      // what orders and spreads it: flow or host; may be empty
  std::string_view value;    // the encoded event
  std::string_view ruleset;  // hash of the rules that ran
  Priority priority = Priority::kRecord;
};

enum class DropReason : uint8_t {
  kShed,       // kept free for events of higher priority
  kFull,       // the configured bytes are used up
  kTooLarge,   // larger than any receiver takes
  kDiskError,  // the disk does not take it
  kRejected,   // the receiver will never take it
  kClosed,     // given after close()
};
inline constexpr std::size_t kDropReasons = 6;
[[nodiscard]] std::string_view drop_reason_name(
    DropReason reason);  // as in metrics: "shed", "full" ...

struct Outcome {
  std::size_t accepted = 0;
  std::array<std::size_t, kDropReasons> dropped{};
  std::array<std::size_t, kPriorities> dropped_of{};  // the same by priority
  void drop(DropReason reason, Priority priority) {
    ++dropped[static_cast<std::size_t>(reason)];
    ++dropped_of[static_cast<std::size_t>(priority)];
  }
};

// Cells of one sink; written by the sink's thread.
struct SinkCounters {
  Counter in_events;
  Counter accepted_events;
  Counter accepted_bytes;
  std::array<Counter, kDropReasons> dropped_events;
  std::array<Counter, kPriorities> dropped_events_of;  // the same by priority
  void count(const Outcome& outcome);
};

// One thread.
class Sink {
 public:
  virtual ~Sink() = default;
  // Takes a batch, in order. The views are not used after the return. `now` is the wall clock.
  [[nodiscard]] virtual Outcome accept(std::span<const Item> items, Timestamp now) = 0;
  // Everything accepted is safe when this returns without an error: on disk, or with the receiver.
  [[nodiscard]] virtual Result<> flush(Timestamp now) = 0;
  // flush(), then no more events. Called once.
  [[nodiscard]] virtual Result<> close(Timestamp now) = 0;
};

}  // namespace vong::sink
