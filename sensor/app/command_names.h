// Commands that a live sensor and one that waits for captures have in common.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "app_common/program.h"
#include "base/settings.h"
#include "base/timestamp.h"
#include "sensor/control/command_server.h"

namespace vong::sensor {

// command-list, help, version, uptime, conf-get, shutdown, running-mode, memcap-list, memcap-show; none: it is none of them. `names`: of
// all that the asker has.
[[nodiscard]] std::optional<control::Answer> common_command(std::string_view command, const control::Arguments& arguments, std::span<const std::string_view> names,
                                                            const Settings& settings, Duration uptime, app::Signals& signals);

// Where the command socket stands; empty: none is wanted. `given`: --unix-socket ("true": without a name). Relative names stand below `folder`.
[[nodiscard]] std::string command_socket_path(const std::string& given, const Settings& settings, const std::string& folder);

}  // namespace vong::sensor
