#include "exporters/send/forwarder.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "exporters/sink/record.h"

namespace vong::send {

ForwardLoop::ForwardLoop(spool::Reader& reader, Transport& transport,
                         const ForwarderOptions& options, ForwarderCounters& counters,
                         Notify notify)
    : reader_(reader),
      transport_(transport),
      options_(options),
      counters_(counters),
      notify_(std::move(notify)) {}

void ForwardLoop::say(Severity severity, const std::string& text) {
  if (notify_) notify_(severity, text);
}

// The age of the oldest record that is not committed: of the open transaction, or else of the next
// in the spool.
void ForwardLoop::note_age(Timestamp now) {
  Timestamp oldest = now;
  if (committing_) {
    oldest = oldest_open_;
  } else {
    const Result<std::optional<spool::Entry>> next = reader_.peek();
    if (!next) return;
    if (*next && (*next)->seq >= skip_below_) oldest = (*next)->time;
  }
  counters_.oldest_unsent_ns.set(std::max<int64_t>(0, (now - oldest).count()));
}

ForwardLoop::State ForwardLoop::step(const std::atomic<bool>& stop,
                                     const std::function<Timestamp()>& now) {
  note_age(now());
  if (!connected_) {
    const State state = connect();
    if (state != State::kWorking) return state;
  }
  return transact(stop, now);
}

ForwardLoop::State ForwardLoop::connect() {
  // A spool has an id, and anything to send, from its first segment on.
  if (const auto first = reader_.peek(); !first) {
    return back_off({Step::kRetry, first.error().message});
  }
  if (reader_.spool_id() == 0) {
    drained_ = true;
    return State::kIdle;
  }
  Committed committed;
  const Reply reply = transport_.connect(committed);
  if (!reply.ok()) {
    if (reply.step == Step::kReconnect) transport_.disconnect();
    return back_off(reply);
  }

  const Resume resume =
      plan_resume({reader_.spool_id(), reader_.acknowledged(), reader_.base()}, committed);
  skip_below_ = resume.next_seq;
  base_ = resume.base;
  switch (resume.kind) {
    case Resume::Kind::kContinue:
      break;
    case Resume::Kind::kCaughtUp:
      say(Severity::kInfo,
          fmt::format("{} already has the records up to seq {}; they are not sent again",
                      transport_.name(), resume.next_seq - 1));
      break;
    case Resume::Kind::kNewSpool:
      say(Severity::kWarning, fmt::format("this is a new spool for {}; seq goes on behind {}",
                                          transport_.name(), committed.next - 1));
      break;
    case Resume::Kind::kForgotten:
      say(Severity::kWarning, fmt::format("{} has no position of this sensor; going on behind seq "
                                          "{} of the spool's own cursor: one transaction "
                                          "may come twice",
                                          transport_.name(), reader_.acknowledged()));
      break;
    case Resume::Kind::kBehind:
      say(Severity::kWarning,
          fmt::format("{} was set back to seq {}; going on behind seq {}, what is gone from the "
                      "spool is not sent again",
                      transport_.name(), committed.next - 1, reader_.acknowledged()));
      break;
  }
  connected_ = true;
  was_connected_ = true;
  counters_.connected.set(1);
  counters_.last_committed_seq.set(static_cast<int64_t>(committed.next) - 1);
  say(Severity::kInfo, fmt::format("connected to {}", transport_.name()));
  last_error_.clear();
  return State::kWorking;
}

ForwardLoop::State ForwardLoop::transact(const std::atomic<bool>& stop,
                                         const std::function<Timestamp()>& now) {
  if (!committing_) {
    drained_ = false;
    std::size_t records = 0;
    std::size_t bytes = 0;
    if (const std::optional<State> state = fill(stop, now, records, bytes)) return *state;
    open_records_ = records;
    open_bytes_ = bytes;
    committing_ = true;
  }
  return finish(open_records_, open_bytes_);
}

// Reads and sends the records of one transaction. A state when there is nothing to commit.
std::optional<ForwardLoop::State> ForwardLoop::fill(const std::atomic<bool>& stop,
                                                    const std::function<Timestamp()>& now,
                                                    std::size_t& records, std::size_t& bytes) {
  const auto deadline = now() + options_.batch_age_max;
  bool begun = false;
  while (records < options_.batch_records_max && bytes < options_.batch_bytes_max) {
    Result<std::optional<spool::Entry>> read = reader_.next();
    if (!read) {
      if (begun) return recover({Step::kAbort, read.error().message});
      return back_off({Step::kRetry, read.error().message});
    }
    if (!*read) {
      if (!begun) break;
      if (stop || now() >= deadline) break;
      std::this_thread::sleep_for(std::min(options_.idle_pause, options_.batch_age_max));
      continue;
    }
    const spool::Entry& entry = **read;
    if (entry.seq < skip_below_) {
      counters_.caught_up_records.add();
      last_seq_ = entry.seq;
      continue;
    }
    if (!begun) {
      if (Reply reply = transport_.begin(); !reply.ok()) return recover(reply);
      begun = true;
      oldest_open_ = entry.time;
    }
    last_seq_ = entry.seq;
    const std::optional<sink::StoredEvent> event = sink::decode(entry.payload);
    if (!event) {
      counters_.unreadable_records.add();
      continue;
    }
    const Delivery delivery{static_cast<uint64_t>(static_cast<int64_t>(entry.seq) + base_),
                            entry.time, event->key, event->value, event->ruleset};
    Reply reply = transport_.send(delivery);
    while (reply.step == Step::kRetry &&
           !stop) {  // the queue is full and the receiver does not empty it
      (void)back_off(reply);
      counters_.oldest_unsent_ns.set(std::max<int64_t>(0, (now() - oldest_open_).count()));
      reply = transport_.send(delivery);
    }
    if (reply.step == Step::kReject) {
      counters_.rejected_records.add();
      say(Severity::kWarning, fmt::format("seq {} is not taken: {}", delivery.seq, reply.text));
      continue;
    }
    if (!reply.ok())
      return recover(reply.step == Step::kRetry ? Reply{Step::kAbort, reply.text} : reply);
    ++records;
    bytes += entry.payload.size();
  }
  if (begun) return std::nullopt;
  // Nothing new. What the receiver was found to have is acknowledged, and both slots of the cursor
  // are brought up to it.
  const uint64_t known = std::max(last_seq_, reader_.acknowledged());
  if (known > reader_.acknowledged() || (known > 0 && !reader_.settled())) {
    if (Result<> ok = reader_.acknowledge(known, base_); !ok) {
      return back_off({Step::kRetry, ok.error().message});
    }
  }
  drained_ = true;
  transport_.idle();
  return State::kIdle;
}

ForwardLoop::State ForwardLoop::finish(std::size_t records, std::size_t bytes) {
  const Committed position{static_cast<uint64_t>(static_cast<int64_t>(last_seq_) + base_) + 1,
                           reader_.spool_id(), base_};
  const Reply reply = transport_.commit(position);
  if (reply.step == Step::kRetry)
    return back_off(reply);  // the outcome is open: the same commit again
  committing_ = false;
  open_records_ = 0;
  open_bytes_ = 0;
  if (!reply.ok()) return recover(reply);
  counters_.sent_records.add(records);
  counters_.sent_bytes.add(bytes);
  counters_.transactions.add();
  counters_.last_committed_seq.set(static_cast<int64_t>(position.next) - 1);
  skip_below_ = last_seq_ + 1;
  last_error_.clear();
  if (Result<> ok = reader_.acknowledge(last_seq_, base_); !ok) {
    say(Severity::kWarning,
        fmt::format("acknowledgement: {} (the receiver has the records; nothing comes twice)",
                    ok.error().message));
  }
  return State::kWorking;
}

// After a failure in a transaction: ends it one way or the other, and puts the reader back.
ForwardLoop::State ForwardLoop::recover(const Reply& reply) {
  committing_ = false;
  open_records_ = 0;
  open_bytes_ = 0;
  counters_.aborted_transactions.add();
  bool usable = reply.step == Step::kAbort;
  if (usable) {
    Reply aborted = transport_.abort();
    if (aborted.step == Step::kRetry) aborted = transport_.abort();
    usable = aborted.ok();
  }
  if (!usable) {
    transport_.disconnect();
    connected_ = false;
    counters_.connected.set(0);
    counters_.reconnects.add();
  }
  last_seq_ = reader_.acknowledged();
  if (Result<> ok = reader_.rewind(); !ok) return back_off({Step::kRetry, ok.error().message});
  return back_off(reply);
}

ForwardLoop::State ForwardLoop::back_off(const Reply& reply) {
  const bool refused = reply.step == Step::kRefused;
  if (refused) counters_.refusals.add();
  if (reply.text != last_error_) {
    last_error_ = reply.text;
    say(refused ? Severity::kError : Severity::kWarning,
        fmt::format("{}: {}", transport_.name(), reply.text));
  }
  return refused ? State::kRefused : State::kWaiting;
}

std::chrono::milliseconds ForwardLoop::pause(State state) const {
  switch (state) {
    case State::kIdle:
      return options_.idle_pause;
    case State::kWaiting:
      return options_.retry_pause;
    case State::kRefused:
      return options_.refused_pause;
    case State::kWorking:
      break;
  }
  return std::chrono::milliseconds(0);
}

}  // namespace vong::send
