#include "sensor/applayer/mysql/protocol.h"

#include "base/byte_reader.h"

namespace vong::mysql {

using applayer::AppProto;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;

namespace {

constexpr size_t kHeaderBytes = 4;  // length (3, little endian), sequence number
constexpr uint8_t kProtocolVersion = 10;
constexpr size_t kVersionTextMax = 64;

// The first packet of the server: protocol version, its own version as text that ends with a zero.
ProbeVerdict probe(Direction d, Bytes data) {
  if (d != Direction::kToClient) return ProbeVerdict::kNo;
  ByteReader in(data);
  const size_t length = in.u8() | size_t{in.u8()} << 8 | size_t{in.u8()} << 16;
  const uint8_t sequence = in.u8(), version = in.u8();
  if (!in.ok()) return ProbeVerdict::kMoreData;
  if (sequence != 0 || version != kProtocolVersion || length > 1024 || length < kHeaderBytes)
    return ProbeVerdict::kNo;
  bool digit = false;
  for (size_t i = 0; i < kVersionTextMax && !in.empty(); ++i) {
    const uint8_t c = in.u8();
    if (c == 0) return digit ? ProbeVerdict::kYes : ProbeVerdict::kNo;
    if (c < ' ' || c > '~') return ProbeVerdict::kNo;
    digit = digit || (c >= '0' && c <= '9');
  }
  return in.empty() ? ProbeVerdict::kMoreData : ProbeVerdict::kNo;
}

}  // namespace

// Not on by itself: the reference release does not know this protocol, so its flows would be named
// differently.
const ProtocolDef kMysqlProtocol = {
    .id = AppProto::kMysql,
    .name = "mysql",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = {},
              .min_bytes = kHeaderBytes + 1},
    .complete = {1, 1},
    .buffers = {},
    .numbers = {},
    .matchers = {},
    .events = {},
    .loggers = {},
    .enabled_by_default = false,
};

}  // namespace vong::mysql
