#include "sensor/flow/exception.h"

namespace vong::flow {

void apply_exception(Flow& f, Packet& p, ExceptionTarget target, ExceptionPolicy policy, ExceptionCounters& counters) {
  ++counters[static_cast<size_t>(policy)];
  f.exceptions |= static_cast<uint8_t>(1U << static_cast<unsigned>(target));
  if (policy == ExceptionPolicy::kIgnore) return;
  p.no_inspection = true;
  if (policy == ExceptionPolicy::kPassFlow) f.pass_by_policy = true;
  if (policy == ExceptionPolicy::kBypass) f.phase = FlowPhase::kBypassed;
}

}  // namespace vong::flow
