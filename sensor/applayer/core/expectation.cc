#include "sensor/applayer/core/expectation.h"

#include <algorithm>

#include "sensor/applayer/core/limits.h"

namespace vong::applayer {

ExpectationTable::Key ExpectationTable::key_of(const IpAddress& a, const IpAddress& b,
                                               uint16_t port) {
  return {std::min(a, b), std::max(a, b), port};
}

void ExpectationTable::drop_oldest(Timestamp now) {
  while (!order_.empty()) {
    const Added& oldest = order_.front();
    const bool late = now - oldest.at > kExpectationTimeout;
    if (!late && order_.size() <= kMaxExpectations) return;
    const auto it = table_.find(oldest.key);
    if (it != table_.end() && it->second.serial == oldest.serial) {
      if (!late) ++dropped_;
      table_.erase(it);
    }
    order_.pop_front();
  }
}

void ExpectationTable::add(const IpAddress& a, const IpAddress& b, ExpectedFlow flow,
                           Timestamp now, uint64_t by) {
  const Key key = key_of(a, b, flow.port);
  const uint64_t serial = ++serial_;
  table_.insert_or_assign(key, Entry{std::move(flow), now, serial, by});
  order_.push_back({key, now, serial});
  drop_oldest(now);
}

std::optional<ExpectedFlow> ExpectationTable::take(const IpAddress& a, const IpAddress& b,
                                                   uint16_t port, Timestamp now, uint64_t* by) {
  const auto it = table_.find(key_of(a, b, port));
  if (it == table_.end()) return std::nullopt;
  if (by != nullptr) *by = it->second.by;
  std::optional<ExpectedFlow> flow;
  if (now - it->second.at <= kExpectationTimeout) flow = std::move(it->second.flow);
  table_.erase(it);
  return flow;
}

}  // namespace vong::applayer
