#include "exporters/sink/sink.h"

namespace vong::sink {

std::string_view drop_reason_name(DropReason reason) {
  switch (reason) {
    case DropReason::kShed:
      return "shed";
    case DropReason::kFull:
      return "full";
    case DropReason::kTooLarge:
      return "too_large";
    case DropReason::kDiskError:
      return "disk_error";
    case DropReason::kRejected:
      return "rejected";
    case DropReason::kClosed:
      return "closed";
  }
  return "unknown";
}

std::string_view priority_name(Priority priority) {
  switch (priority) {
    case Priority::kCritical:
      return "critical";
    case Priority::kAlert:
      return "alert";
    case Priority::kRecord:
      return "record";
    case Priority::kBulk:
      return "bulk";
  }
  return "unknown";
}

void SinkCounters::count(const Outcome& outcome) {
  std::size_t in = outcome.accepted;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    in += outcome.dropped[i];
    if (outcome.dropped[i] > 0) dropped_events[i].add(outcome.dropped[i]);
  }
  for (std::size_t i = 0; i < kPriorities; ++i) {
    if (outcome.dropped_of[i] > 0) dropped_events_of[i].add(outcome.dropped_of[i]);
  }
  in_events.add(in);
  accepted_events.add(outcome.accepted);
}

}  // namespace vong::sink
