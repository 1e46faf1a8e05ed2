// Sigma's names of correlations to their makers. A new operator is a file and a row here.
#include "correlator/operators/factories.h"

namespace vong::operators {
namespace {

struct Row {
  std::string_view type;
  Made (*make)(const Spec&);
};

constexpr Row kOperators[] = {
    {"event_count", make_event_count},
    {"value_count", make_value_count},
    {"temporal", make_temporal},
    {"temporal_ordered", make_temporal_ordered},
    {"value_sum", make_value_aggregate},
    {"value_avg", make_value_aggregate},
    {"value_percentile", make_value_aggregate},
    {"value_median", make_value_aggregate},
    {"absence", make_absence},
    {"first_seen", make_first_seen},
    {"rate", make_rate},
};

}  // namespace

bool holds(Compare compare, double value, double limit) {
  switch (compare) {
    case Compare::kLt:
      return value < limit;
    case Compare::kLte:
      return value <= limit;
    case Compare::kGt:
      return value > limit;
    case Compare::kGte:
      return value >= limit;
    case Compare::kEq:
      return value == limit;
    case Compare::kNeq:
      return value != limit;
  }
  return false;
}

Result<std::unique_ptr<Operator>> make_operator(const Spec& spec) {
  if (spec.timespan_ns <= 0) return fail("a correlation needs a timespan");
  if (spec.steps == 0 || spec.steps > state::kStepsMax)
    return fail("a correlation refers to 1 to 64 rules");
  for (const Row& row : kOperators) {
    if (row.type == spec.type) return row.make(spec);
  }
  return fail("no operator is called '" + spec.type + "'");
}

}  // namespace vong::operators
