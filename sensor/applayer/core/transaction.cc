#include "sensor/applayer/core/transaction.h"

#include <algorithm>

namespace vong::applayer {

void Transaction::add_event(EventId e) {
  if (events_.size() >= kMaxEventsPerTransaction ||
      std::find(events_.begin(), events_.end(), e) != events_.end())
    return;
  events_.push_back(e);
  updated = {true, true};
}

void Transaction::add_event_again(EventId e) {
  if (events_.size() >= kMaxEventsPerTransaction) return;
  events_.push_back(e);
  updated = {true, true};
}

}  // namespace vong::applayer
