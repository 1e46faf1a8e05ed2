#include "exporters/spool/spool_sink.h"

#include "exporters/sink/record.h"

namespace vong::spool {

sink::Outcome SpoolSink::accept(std::span<const sink::Item> items, Timestamp now) {
  sink::Outcome outcome;
  const double fill =
      closed_ ? 0 : writer_.fill(now);  // once a batch: batches are small beside the spool
  for (const sink::Item& item : items) {
    if (closed_) {
      outcome.drop(sink::DropReason::kClosed, item.priority);
      continue;
    }
    if (is_shed(item.priority, fill)) {
      outcome.drop(sink::DropReason::kShed, item.priority);
      continue;
    }
    buffer_.clear();
    sink::encode(item, buffer_);
    const auto seq = writer_.append(as_bytes(buffer_), now);
    if (seq) {
      ++outcome.accepted;
      counters_.accepted_bytes.add(item.value.size());
    } else {
      outcome.drop(seq.error(), item.priority);
    }
  }
  counters_.count(outcome);
  return outcome;
}

Result<> SpoolSink::flush(Timestamp now) { return writer_.sync(now); }

Result<> SpoolSink::close(Timestamp now) {
  closed_ = true;
  if (Result<> ok = writer_.sync(now); !ok) return ok;
  return writer_.sync(now);  // the mark: a forwarder in another process may take the last group
}

}  // namespace vong::spool
