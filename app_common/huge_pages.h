// Memory in huge pages: state of hundreds of thousands of flows lies all over hundreds of
// megabytes, and every visit to a small page that the processor does not have in its tables costs
// more than the visit itself, twice so under a hypervisor.
#pragma once

namespace vong::app {

// Has the C library ask for transparent huge pages for its heap (glibc.malloc.hugetlb=1). It reads
// that before main() only, so the program starts itself once more, with the same arguments and the
// same process number: to be called before anything is opened or any thread runs. Does nothing where
// GLIBC_TUNABLES is set already (also to nothing: that switches this off), in builds with
// sanitizers, or where the program's own file cannot be found.
void use_huge_pages(char** argv);

}  // namespace vong::app
