// Filters in tcpdump's language, compiled to the kernel's instructions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace vong::capture {

// One instruction, laid out as the kernel's sock_filter.
struct BpfInstruction {
  uint16_t code;
  uint8_t jump_true, jump_false;
  uint32_t k;
};

// For Ethernet frames. The error names the filter and says what is wrong with it.
[[nodiscard]] Result<std::vector<BpfInstruction>> compile_bpf_filter(const std::string& text);

}  // namespace vong::capture
