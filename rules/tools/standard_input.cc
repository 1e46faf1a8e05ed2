#include "rules/tools/standard_input.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/files.h"
#include "rules/network/read_file.h"

namespace vong::rules_tools {
StandardInput::~StandardInput() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> StandardInput::copy() {
  const auto text = rules::read_file("/dev/stdin");
  if (!text) return fail(text.error().message);
  fd_ = ::memfd_create("rules", MFD_CLOEXEC);
  if (fd_ < 0 || !write_all(fd_, *text))
    return fail(fmt::format("standard input cannot be kept: {}", std::strerror(errno)));
  path_ = fmt::format("/proc/self/fd/{}", fd_);
  return {};
}

Result<void> StandardInput::substitute(std::vector<std::string>& paths) {
  if (std::find(paths.begin(), paths.end(), "-") == paths.end()) return {};
  if (path_.empty()) {
    if (auto copied = copy(); !copied) return copied;
  }
  std::replace(paths.begin(), paths.end(), std::string("-"), path_);
  return {};
}

std::string StandardInput::shown(const std::string& path) const {
  return !path_.empty() && path == path_ ? kStandardInputName : path;
}

}  // namespace vong::rules_tools
