// Tenants that come and go while the sensor works: what a command makes of the settings that rules are loaded with.
#pragma once

#include <string_view>

#include "base/result.h"
#include "base/settings.h"
#include "sensor/control/command_server.h"

namespace vong::sensor {

// register-tenant {id, filename}, unregister-tenant {id}, reload-tenant {id[, filename]}, reload-tenants, register-tenant-handler and
// unregister-tenant-handler {id, htype: "vlan", hargs: number}. The settings after it; an error says what is wrong with the command.
[[nodiscard]] Result<Settings> change_tenants(const Settings& before, std::string_view command, const control::Arguments& arguments);

}  // namespace vong::sensor
