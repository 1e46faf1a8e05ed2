#include "sensor/confine/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace vong::confine {
namespace {

constexpr int kLastCapability = 63;
constexpr uint32_t kFiles = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;

std::optional<uint32_t> number(const std::string& text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::unexpected<Error> errno_error(std::string_view what) {
  return fail(fmt::format("{}: {}", what, std::strerror(errno)));
}

// Capabilities that no program started from here can have. Without CAP_SETPCAP it fails: then there
// is nothing to gain back; beyond the last one, too.
void drop_bounding_set(bool keep_files) {
  for (int capability = 0; capability <= kLastCapability; ++capability) {
    if (keep_files && capability < 32 && (kFiles >> capability & 1) != 0) continue;
    (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

}  // namespace

Result<User> find_user(const std::string& user, const std::string& group) {
  User out{.name = user};
  if (const passwd* entry = ::getpwnam(user.c_str()); entry != nullptr) {
    out.uid = entry->pw_uid;
    out.gid = entry->pw_gid;
  } else if (const auto uid = number(user)) {
    out.uid = out.gid = *uid;
  } else {
    return fail(fmt::format("there is no user '{}'", user));
  }
  if (group.empty()) return out;
  if (const ::group* entry = ::getgrnam(group.c_str()); entry != nullptr) {
    out.gid = entry->gr_gid;
  } else if (const auto gid = number(group)) {
    out.gid = *gid;
  } else {
    return fail(fmt::format("there is no group '{}'", group));
  }
  return out;
}

Result<> become(const User& user) {
  if (::getuid() == user.uid && ::geteuid() == user.uid && ::getegid() == user.gid) return {};
  if (user.uid != 0) drop_bounding_set(false);  // afterwards the right to do so is gone
  const std::string whom = fmt::format("cannot become user {}", user.name);
  if (::initgroups(user.name.c_str(), user.gid) != 0) return errno_error(whom);
  if (::setresgid(user.gid, user.gid, user.gid) != 0) return errno_error(whom);
  if (::setresuid(user.uid, user.uid, user.uid) != 0) return errno_error(whom);
  // It must not be possible to come back.
  if (user.uid != 0 && ::setresuid(0, 0, 0) == 0)
    return fail(whom + ": root can be had again afterwards");
  return {};
}

Result<> drop_capabilities(bool keep_files) {
  drop_bounding_set(keep_files);
  (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (keep_files) {
    __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, now) != 0) return errno_error("capget");
    data[0].effective = now[0].effective & kFiles;
    data[0].permitted = now[0].permitted & kFiles;
  }
  if (::syscall(SYS_capset, &header, data) != 0) return errno_error("cannot drop capabilities");
  return {};
}

Result<> no_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("no_new_privs");
  return {};
}

size_t thread_count() {
  std::error_code error;
  size_t n = 0;
  for (std::filesystem::directory_iterator it("/proc/self/task", error), end; !error && it != end;
       it.increment(error))
    ++n;
  return n;
}

}  // namespace vong::confine
