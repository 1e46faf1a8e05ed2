// Landlock: which files and folders a process may still open (landlock(7)). What is open already
// stays usable.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vong::confine {

// Folders count with all below them. Names that do not exist are left out.
struct FileAccess {
  std::vector<std::string> readable;
  std::vector<std::string>
      writable;  // and readable: files and folders may be made and removed there
};

enum class FilesOutcome { kRestricted, kNotSupported };

// Holds for this thread and those that it starts from now on; cannot be undone. Nothing may be
// executed, and, where the kernel can (6.12), no process outside be signalled. Needs
// no_new_privileges().
[[nodiscard]] Result<FilesOutcome> restrict_files(const FileAccess& access);

}  // namespace vong::confine
