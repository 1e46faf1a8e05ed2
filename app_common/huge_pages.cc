#include "app_common/huge_pages.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace vong::app {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void use_huge_pages(char**) {}

#else

void use_huge_pages(char** argv) {
  constexpr const char* kName = "GLIBC_TUNABLES";
  if (std::getenv(kName) != nullptr) return;
  // The file's path, not the link: a process goes by the name of the file it was started from.
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || ::setenv(kName, "glibc.malloc.hugetlb=1", 1) != 0) return;
  ::execv(self.c_str(), argv);
  ::unsetenv(kName);  // as it was: it goes on in small pages
}

#endif

}  // namespace vong::app
