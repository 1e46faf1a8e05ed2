// Other people's field names to EVE paths: Sigma's generic names, ECS and Zeek. A name that the table does not know is an EVE
// path already. Also what a logsource means in EVE: which event_type it asks for.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vong::sigma {

// `service`: the rule's logsource service or, without one, its category; some names mean different things in different logs
// ("query" of dns, "host" of http).
[[nodiscard]] std::string map_field(std::string_view name, std::string_view service);

// Known: which event_type the logsource stands for, empty when any. Unknown logsources (windows, process_creation ...) give
// nothing: no event of ours is of that kind.
[[nodiscard]] std::optional<std::string_view> event_type_of(std::string_view category, std::string_view product,
                                                            std::string_view service);

// How an event of that type calls itself in EVE, Zeek or ECS: "tls" and "ssl", "flow" and "conn".
[[nodiscard]] std::vector<std::string_view> event_type_names(std::string_view event_type);

// ", did you mean 'alert.signature_id'?" when `path` looks like a slip of a well-known EVE path; nothing when it is one or is
// like none.
[[nodiscard]] std::string field_suggestion(std::string_view path);

}  // namespace vong::sigma
