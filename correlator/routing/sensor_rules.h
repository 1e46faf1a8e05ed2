// An early warning as rules that sensors load: one for each of its indicators that can be seen on
// the wire (address, domain, certificate, client fingerprint).
#pragma once

#include <string>
#include <vector>

#include "events/incident.h"

namespace vong::routing {

// In the rule language of the sensors, a rule a line. The sids are made of the warning's id,
// between 1,000,000,000 and 2,000,000,000; the revision is its version.
[[nodiscard]] std::vector<std::string> sensor_rules(const events::Incident& campaign);

}  // namespace vong::routing
