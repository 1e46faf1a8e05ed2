// Where finished records go: a file, the spool, a pipe, a test's vector. One JSON object a call,
// without the newline.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vong::emit {

// For lanes and shedding downstream: what a record is, without reading it again.
struct LineInfo {
  std::string_view event_type;
  uint8_t severity = 3;  // of alerts: 1 is the highest; records: 3
  uint64_t flow_id = 0;  // 0: none; the Kafka key
  uint8_t output = 0;    // 0: the sensor's events; others: further files that the configuration asks for, which say the same again
};

class LineSink {
 public:
  virtual ~LineSink() = default;
  // Takes the line; the view lives during the call. Losses are the sink's to count.
  virtual void line(std::string_view json, const LineInfo& info) = 0;
};

}  // namespace vong::emit
