// The spool as a sink: events in, priorities kept, one fsync for a group. One thread; call flush()
// every few milliseconds.
#pragma once

#include <optional>
#include <string>

#include "exporters/sink/sink.h"
#include "exporters/spool/writer.h"

namespace vong::spool {

// From this part of the spool's bytes on, events of a priority are shed, so that there is room for
// the ones before it.
inline constexpr double kShedBulkAt = 0.80;
inline constexpr double kShedRecordsAt = 0.90;
inline constexpr double kShedAlertsAt = 0.97;
[[nodiscard]] constexpr bool is_shed(sink::Priority priority, double fill) {
  switch (priority) {
    case sink::Priority::kCritical:
      return false;
    case sink::Priority::kAlert:
      return fill >= kShedAlertsAt;
    case sink::Priority::kRecord:
      return fill >= kShedRecordsAt;
    case sink::Priority::kBulk:
      return fill >= kShedBulkAt;
  }
  return false;
}

class SpoolSink : public sink::Sink {
 public:
  explicit SpoolSink(Writer writer) : writer_(std::move(writer)) {}

  [[nodiscard]] sink::Outcome accept(std::span<const sink::Item> items, Timestamp now) override;
  [[nodiscard]] Result<> flush(Timestamp now) override;
  [[nodiscard]] Result<> close(Timestamp now) override;

  [[nodiscard]] const Writer& writer() const { return writer_; }
  [[nodiscard]] const sink::SinkCounters& counters() const { return counters_; }

 private:
  Writer writer_;
  bool closed_ = false;
  std::string buffer_;
  sink::SinkCounters counters_;
};

}  // namespace vong::spool
