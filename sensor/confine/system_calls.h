// seccomp: the system calls that a process may still make (seccomp(2)).
#pragma once

#include "base/result.h"

namespace vong::confine {

enum class Role {
  kPackets,    // files that Landlock allows, threads, descriptors that are open: no socket, no
               // program, no other process
  kForwarder,  // the same and the network: sockets, connections
};

// Holds for all threads of the process, at once and for good; any call that the role does not have
// fails with EPERM. Needs no_new_privileges().
[[nodiscard]] Result<> restrict_system_calls(Role role);

}  // namespace vong::confine
