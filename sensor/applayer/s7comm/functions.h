// What a job asks for: its first parameter byte.
#pragma once

#include <cstdint>

namespace vong::s7comm {

enum Function : uint8_t {
  kReadVariables = 0x04,
  kWriteVariables = 0x05,
  kRequestDownload = 0x1a,
  kDownloadBlock = 0x1b,
  kDownloadEnded = 0x1c,
  kStartUpload = 0x1d,
  kUpload = 0x1e,
  kEndUpload = 0x1f,
  kControl = 0x28,
  kStop = 0x29,
  kSetupCommunication = 0xf0,
};

}  // namespace vong::s7comm
