// Flows that one flow announces (the data connections of FTP): which two hosts, which port, what it
// will speak. One table per driver; the worker that owns the driver is its only user. A flow that
// another worker owns is not recognised.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "base/ip_address.h"
#include "base/timestamp.h"
#include "sensor/applayer/core/parser.h"

namespace vong::applayer {

class ExpectationTable {
 public:
  // `a` and `b` are the hosts of the flow that announces, in any order; `by`: its id. At the cap the oldest goes.
  void add(const IpAddress& a, const IpAddress& b, ExpectedFlow flow, Timestamp now, uint64_t by = 0);
  // What was announced for a flow between these hosts to this port; it is then gone. Nothing when
  // it came too late. `by` is told the id of the flow that announced it.
  [[nodiscard]] std::optional<ExpectedFlow> take(const IpAddress& a, const IpAddress& b,
                                                 uint16_t port, Timestamp now, uint64_t* by = nullptr);

  [[nodiscard]] bool empty() const { return table_.empty(); }
  [[nodiscard]] size_t size() const { return table_.size(); }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }  // given up at the cap

 private:
  struct Key {
    IpAddress low, high;
    uint16_t port = 0;
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.low, k.high, k.port);
    }
  };
  struct Entry {
    ExpectedFlow flow;
    Timestamp at;
    uint64_t serial = 0, by = 0;
  };
  struct Added {
    Key key;
    Timestamp at;
    uint64_t serial = 0;
  };
  static Key key_of(const IpAddress& a, const IpAddress& b, uint16_t port);
  void drop_oldest(Timestamp now);

  absl::flat_hash_map<Key, Entry> table_;
  std::deque<Added> order_;  // as they came; entries that are gone are skipped
  uint64_t serial_ = 0, dropped_ = 0;
};

}  // namespace vong::applayer
