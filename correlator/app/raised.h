// A match on its way from the engine that has its group to the one that makes incidents: everything
// that incidents, verdicts and campaigns ask of it. Numbers (rule, sensors, event types, agencies)
// are those of the process at hand.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "correlator/ingest/order.h"
#include "correlator/operators/operator.h"

namespace vong::correlator {

inline constexpr size_t kInfrastructureColumns = 5;  // CompiledRules::infrastructure

struct Raised {
  uint32_t incident_rule = 0;
  bool national = false;
  ingest::OrderKey order;  // where it stands among all matches, and among facts_order() of facts
  operators::Match match;
  std::array<std::string, kInfrastructureColumns> infrastructure;  // of the event that was last
};

// A fact's place among matches: before those that it makes.
[[nodiscard]] inline ingest::OrderKey facts_order(ingest::OrderKey key) {
  key.position <<= 20;
  return key;
}

// As bytes, for the buffers that put matches in order.
void write_raised(const Raised& raised, std::string& out);
// False: these bytes are none.
[[nodiscard]] bool read_raised(std::string_view bytes, Raised& out);

}  // namespace vong::correlator
