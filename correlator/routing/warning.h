// An early warning: what a campaign lets others know so that they can look for it: what its
// agencies have in common, how many they are, and rules that find it. No agency, no address inside
// one. Goes to every agency (vong.warnings); schema in events/schema/warning.schema.json.
#pragma once

#include <string>
#include <string_view>

#include "events/incident.h"

namespace vong::routing {

// `national_copy`: a campaign as the national centre may see it; `tlp`: the mark under which it
// goes out. One line of JSON without the newline, appended.
void write_warning(const events::Incident& national_copy, std::string_view tlp, std::string& out);

}  // namespace vong::routing
