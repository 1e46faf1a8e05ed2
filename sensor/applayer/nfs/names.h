// What the numbers of NFS are called in records (RFC 1094, 1813, 7530, 8881).
#pragma once

#include <cstdint>
#include <string>

namespace vong::nfs {

[[nodiscard]] std::string procedure_name(uint32_t version, uint32_t procedure);  // "READDIRPLUS"
[[nodiscard]] std::string status_name(uint32_t version, uint32_t status);        // "ERR_NOENT"

}  // namespace vong::nfs
