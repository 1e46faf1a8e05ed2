// The public suffix list (https://publicsuffix.org/list/): under which endings of host names domains are registered. Read once from
// the system's copy (Debian's package `publicsuffix`); without it every last label counts as such an ending. Thread-safe.
#pragma once

#include <string_view>

namespace vong::detect {

// "example.co.uk" -> "co.uk"; "" for an empty name. A view into `host`, which is in lower case.
[[nodiscard]] std::string_view public_suffix(std::string_view host);
// "www.example.co.uk" -> "example.co.uk"; "" for a name that is itself a suffix.
[[nodiscard]] std::string_view registered_domain(std::string_view host);

}  // namespace vong::detect
