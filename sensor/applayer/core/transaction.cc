#include "sensor/applayer/core/transaction.h"

#include <algorithm>

namespace vong::applayer {

void Transaction::add_event(EventId e) {
  // Beyond the cap only what was not told before: one event in numbers hides no other.
  if (events_.size() >= kMaxEventsPerTransaction &&
      (events_.size() >= 2 * kMaxEventsPerTransaction ||
       std::ranges::find(events_, e) != events_.end()))
    return;
  events_.push_back(e);
  updated = {true, true};
}

}  // namespace vong::applayer
