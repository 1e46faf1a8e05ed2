#include "sensor/applayer/nfs/rpc.h"

#include <algorithm>
#include <array>

#include "sensor/applayer/nfs/limits.h"

namespace vong::nfs {
namespace {

constexpr uint32_t kRpcVersion = 2;
constexpr size_t kMaxAuthBytes = 400;  // RFC 5531, section 8.2
constexpr size_t kMaxGssAuthBytes = 64 * 1024;

}  // namespace

Bytes read_opaque(ByteReader& in, size_t max) {
  const uint32_t size = in.u32();
  if (size > max) {
    in.skip(SIZE_MAX);
    return {};
  }
  const Bytes data = in.bytes(size);
  if (const size_t padding = (4 - size % 4) % 4; padding > 0 && in.ok())
    in.skip(std::min(padding, in.remaining()));
  return data;
}

std::string read_name(ByteReader& in) {
  const Bytes name = read_opaque(in, 64 * 1024);
  return std::string(as_text(name.first(std::min(name.size(), kMaxNameBytes))));
}

std::optional<Call> read_call(ByteReader& in) {
  Call c;
  c.xid = in.u32();
  const uint32_t type = in.u32(), rpc_version = in.u32();
  c.program = in.u32();
  c.version = in.u32();
  c.procedure = in.u32();
  c.credentials.flavor = in.u32();
  const Bytes credentials = read_opaque(in, kMaxAuthBytes);
  in.skip(4);
  (void)read_opaque(in, kMaxGssAuthBytes);
  if (!in.ok() || type != 0 || rpc_version != kRpcVersion) return std::nullopt;
  if (c.credentials.flavor == kAuthUnix) {
    ByteReader unix(credentials);
    unix.skip(4);
    c.credentials.machine = read_name(unix);
    c.credentials.uid = unix.u32();
    c.credentials.gid = unix.u32();
  }
  return c;
}

std::optional<Reply> read_reply(ByteReader& in) {
  Reply r;
  r.xid = in.u32();
  const uint32_t type = in.u32(), state = in.u32();
  if (!in.ok() || type != 1 || state > 1) return std::nullopt;
  r.denied = state == 1;
  if (r.denied) return r;
  in.skip(4);
  (void)read_opaque(in, kMaxGssAuthBytes);
  r.accept_state = in.u32();
  if (!in.ok()) return std::nullopt;
  return r;
}

std::string_view auth_name(uint32_t flavor) {
  constexpr std::array<std::string_view, 7> kNames = {"NULL", "UNIX", "SHORT", "DES",
                                                      "KERB", "RSA",  "GSS"};
  return flavor < kNames.size() ? kNames[flavor] : "UNKNOWN";
}

}  // namespace vong::nfs
