// From a spool to a receiver, each record once: reads what is durable, sends it in transactions,
// acknowledges what is committed.
//
// Exactly once: a transaction carries the records and the position. The spool's cursor follows
// after the commit, so it may be behind after a crash, never ahead; on connecting, the receiver's
// position decides (resume.h).
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/counter.h"
#include "base/result.h"
#include "exporters/send/transport.h"
#include "exporters/spool/reader.h"

namespace vong::send {

struct ForwarderOptions {
  std::size_t batch_records_max = 20'000;  // of one transaction
  std::size_t batch_bytes_max = 16 << 20;
  std::chrono::milliseconds batch_age_max{200};     // how long a transaction waits for more records
  std::chrono::milliseconds idle_pause{20};         // between looks at an empty spool
  std::chrono::milliseconds retry_pause{500};       // after a failed call
  std::chrono::milliseconds refused_pause{10'000};  // after a refusal
};

struct ForwarderCounters {
  Counter sent_records;  // committed
  Counter sent_bytes;
  Counter transactions;
  Counter aborted_transactions;
  Counter reconnects;
  Counter refusals;
  Counter rejected_records;    // never taken by the receiver: a gap there
  Counter unreadable_records;  // in the spool, but not an event
  Counter caught_up_records;   // found committed after a crash, not sent again
  Gauge oldest_unsent_ns;  // age of the oldest record that is not committed, by the clock given; 0:
                           // none
  Gauge connected;         // 1 or 0
  Gauge last_committed_seq;  // the receiver's number
};

enum class Severity : uint8_t { kInfo, kWarning, kError };
// Called on the forwarder's thread, once for each change, not for each try.
using Notify = std::function<void(Severity, const std::string&)>;

// One step after another on the caller's thread.
class ForwardLoop {
 public:
  // Reader, transport and counters have to outlive it.
  ForwardLoop(spool::Reader& reader, Transport& transport, const ForwarderOptions& options,
              ForwarderCounters& counters, Notify notify);

  enum class State : uint8_t {
    kWorking,  // call again at once
    kIdle,     // the spool is empty: pause idle_pause
    kWaiting,  // the receiver does not take anything at present: pause retry_pause
    kRefused,  // as kWaiting, and a person has to act: pause refused_pause
  };
  // One transaction at most. `stop` is looked at between records. `now` is the wall clock.
  State step(const std::atomic<bool>& stop, const std::function<Timestamp()>& now);

  // How long to wait before the next step; 0: not at all.
  [[nodiscard]] std::chrono::milliseconds pause(State state) const;

  // True when everything durable is committed and acknowledged.
  [[nodiscard]] bool drained() const { return drained_; }
  [[nodiscard]] bool was_connected() const { return was_connected_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  [[nodiscard]] State connect();
  [[nodiscard]] State transact(const std::atomic<bool>& stop,
                               const std::function<Timestamp()>& now);
  [[nodiscard]] std::optional<State> fill(const std::atomic<bool>& stop,
                                          const std::function<Timestamp()>& now,
                                          std::size_t& records, std::size_t& bytes);
  [[nodiscard]] State finish(std::size_t records, std::size_t bytes);
  [[nodiscard]] State recover(const Reply& reply);
  [[nodiscard]] State back_off(const Reply& reply);
  void note_age(Timestamp now);
  void say(Severity severity, const std::string& text);

  spool::Reader& reader_;
  Transport& transport_;
  ForwarderOptions options_;
  ForwarderCounters& counters_;
  Notify notify_;

  bool connected_ = false;
  bool was_connected_ = false;
  bool committing_ = false;  // a commit's outcome is open: it has to be called again
  bool drained_ = false;
  uint64_t skip_below_ = 1;  // seqs that the receiver has
  int64_t base_ = 0;
  uint64_t last_seq_ = 0;    // of the open transaction
  Timestamp oldest_open_{};  // of the open transaction
  std::size_t open_records_ = 0;
  std::size_t open_bytes_ = 0;
  std::string last_error_;
};

}  // namespace vong::send
