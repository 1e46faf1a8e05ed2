// What the correlator remembers of an event that took part in something: enough to name it, to find
// it again and to tell who was concerned. A plain value of fixed size; names are numbers that the
// run's tables resolve.
#pragma once

#include <cstdint>

#include "base/ip_address.h"

namespace vong::state {

using AgencyIndex = uint16_t;
inline constexpr AgencyIndex kNoAgency = 0xffff;

struct EventRef {
  int64_t time_ns = 0;
  uint64_t flow_id = 0;
  uint64_t position = 0;      // in its sensor's stream: seq, or the line number
  uint32_t sensor = 0;        // index in the sensor table
  uint32_t signature_id = 0;  // 0: not an alert
  int32_t latency_us = -1;    // of a life signal; -1: none
  AgencyIndex agency = kNoAgency;
  uint16_t event_type = 0;  // index in the table of event types
  IpAddress src, dest;      // family 0 when the event has none
  uint32_t rules_epoch = 0;  // how many times the rules had been changed when it was read
};
static_assert(sizeof(EventRef) == 80);

}  // namespace vong::state
