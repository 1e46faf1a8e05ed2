// Remote procedure calls (RFC 5531) and their data (XDR, RFC 4506), as much as NFS needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/bytes.h"

namespace vong::nfs {

inline constexpr uint32_t kNfsProgram = 100003;
inline constexpr uint32_t kAuthUnix = 1;

struct Credentials {
  uint32_t flavor = 0;
  std::string machine;  // UNIX only
  uint32_t uid = 0, gid = 0;
};

struct Call {
  uint32_t xid = 0, program = 0, version = 0, procedure = 0;
  Credentials credentials;
};

struct Reply {
  uint32_t xid = 0;
  bool denied = false;
  uint32_t accept_state = 0;  // 0: done
};

// The reader then stands at the arguments (or results). Nothing: cut off, or no call.
[[nodiscard]] std::optional<Call> read_call(ByteReader& in);
[[nodiscard]] std::optional<Reply> read_reply(ByteReader& in);

[[nodiscard]] std::string_view auth_name(uint32_t flavor);  // "UNIX"

// Opaque data of variable length with its padding; at most `max` bytes, else the reader fails.
[[nodiscard]] Bytes read_opaque(ByteReader& in, size_t max);
// The same as a name, cut at kMaxNameBytes.
[[nodiscard]] std::string read_name(ByteReader& in);

}  // namespace vong::nfs
