// What the numbers of SMB are called in records.
#pragma once

#include <cstdint>
#include <string>

namespace vong::smb {

[[nodiscard]] std::string command1_name(uint8_t command);   // "SMB1_COMMAND_WRITE_ANDX"
[[nodiscard]] std::string command2_name(uint16_t command);  // "SMB2_COMMAND_CREATE"
[[nodiscard]] std::string nt_status_name(uint32_t status);  // "STATUS_ACCESS_DENIED"
[[nodiscard]] std::string dos_error_name(uint8_t error_class, uint16_t code);  // "SRV_BADUID"
[[nodiscard]] std::string dialect2_name(uint16_t dialect);  // "3.11"; "unknown" of 0
[[nodiscard]] std::string ioctl_name(uint32_t function);    // "FSCTL_PIPE_TRANSCEIVE"
[[nodiscard]] std::string disposition_name(uint32_t disposition);
[[nodiscard]] std::string share_type_name(uint8_t type);
// Of a client of version 1.
[[nodiscard]] std::string dialect_offer_name(uint16_t dialect);

}  // namespace vong::smb
