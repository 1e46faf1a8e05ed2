// What the sensor gives up, and when: sensor/confine by the configuration.
//
//   live:   sources are opened, become_sensor_user(), outputs are opened, confine_files(),
//           metrics page, confine_calls(), workers
//   files:  become_sensor_user(), outputs are opened, confine_files(), metrics page,
//           confine_calls(), packets
//
// Everything that needs a right, a socket or a folder of its own has to be opened before the step
// that takes it. Keys: run-as.user, run-as.group, security.confine, security.read, security.write.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"

namespace vong::sensor {

struct Options;
struct Plan;

// What can be checked before the start: the user is there.
[[nodiscard]] Result<> check_confinement(const Settings& settings);

// run-as; no capabilities any more.
[[nodiscard]] Result<> become_sensor_user(const Settings& settings, bool live);
// From here on only the run's own folders; before any thread. `log_folder` is made when it is not
// there ("-": none).
[[nodiscard]] Result<> confine_files(const Options& options, const Plan& plan,
                                     const std::string& log_folder);
// From here on no socket, no program, no process. For all threads.
[[nodiscard]] Result<> confine_calls(const Settings& settings);

// The forwarder's: its user (kafka.run-as, else run-as) before it reads credentials, then the rest
// when its spool is open.
[[nodiscard]] Result<> become_forwarder(const Settings& settings);
[[nodiscard]] Result<> confine_forwarder(const Settings& settings);

}  // namespace vong::sensor
