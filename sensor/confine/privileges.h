// Giving up rights. Call with one thread: capabilities are a thread's own. Linux, see
// capabilities(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace vong::confine {

struct User {
  uint32_t uid = 0, gid = 0;
  std::string name;
};
// By name, or by number; `group` empty: the user's own. An error names what does not exist.
[[nodiscard]] Result<User> find_user(const std::string& user, const std::string& group);

// Becomes that user for good, with its supplementary groups and without any capability. Nothing to
// do when it is the user already.
[[nodiscard]] Result<> become(const User& user);

// Drops every capability, of the bounding and ambient sets too. `keep_files`: all but those by
// which root reads and writes other people's files.
[[nodiscard]] Result<> drop_capabilities(bool keep_files);

// From now on no program that is started gains rights.
[[nodiscard]] Result<> no_new_privileges();

// How many threads this process has.
[[nodiscard]] size_t thread_count();

}  // namespace vong::confine
