// An early warning: what a campaign lets others know so that they can look for it: its source, its
// rule, how many agencies. No agency, no address inside one. Goes to every agency (vong.warnings).
#pragma once

#include <string>

#include "events/incident.h"

namespace vong::routing {

// `national_copy`: a campaign as the national centre may see it. One line of JSON without the
// newline, appended.
void write_warning(const events::Incident& national_copy, std::string& out);

}  // namespace vong::routing
