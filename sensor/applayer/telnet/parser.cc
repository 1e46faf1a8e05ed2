#include "sensor/applayer/telnet/parser.h"

#include <algorithm>
#include <array>

namespace vong::telnet {

using applayer::AppProto;
using applayer::ParseResult;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;

namespace {

// RFC 854.
constexpr uint8_t kIac = 255, kSubnegotiationEnd = 240, kSubnegotiation = 250, kWill = 251,
                  kDont = 254;
// A line or subnegotiation that has not ended by then counts as one.
constexpr size_t kMaxPieceBytes = 512;

Piece unended(Kind kind, Bytes data) {
  return {kind, data.size() > kMaxPieceBytes ? data.size() : 0};
}

// Up to the command that ends it.
Piece subnegotiation(Bytes data) {
  for (size_t i = 2; i + 1 < data.size(); ++i) {
    if (data[i] != kIac) continue;
    if (data[i + 1] == kSubnegotiationEnd) return {Kind::kControl, i};
    ++i;  // an escaped 255
  }
  return unended(Kind::kControl, data);
}

}  // namespace

Piece next_piece(Bytes data) {
  if (data[0] != kIac) {
    const auto end = std::ranges::find(data, '\n');
    if (end == data.end()) return unended(Kind::kData, data);
    return {Kind::kData, static_cast<size_t>(end - data.begin()) + 1};
  }
  if (data.size() < 2) return {Kind::kControl, 0};
  if (data[1] == kSubnegotiation) return subnegotiation(data);
  const size_t size = data[1] >= kWill && data[1] <= kDont ? 3 : 2;
  return {Kind::kControl, size <= data.size() ? size : 0};
}

ParseResult TelnetParser::parse(Direction d, const applayer::Input& in) {
  size_t at = 0;
  while (at < in.data.size()) {
    const Piece piece = next_piece(in.data.subspan(at));
    if (piece.size == 0) break;
    if (frames != nullptr) {
      const auto size = static_cast<int64_t>(piece.size);
      frames->add(d, kFramePdu, in.offset + at, size);
      frames->add(d, piece.kind == Kind::kControl ? kFrameControl : kFrameData, in.offset + at, size);
    }
    at += piece.size;
  }
  return ParseResult::ok(at);
}

namespace {

ProbeVerdict probe(Direction, Bytes data) {
  if (data[0] != kIac) return ProbeVerdict::kNo;
  if (data.size() < 2) return ProbeVerdict::kMoreData;
  return data[1] >= kSubnegotiationEnd && data[1] <= kDont ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

constexpr std::array<uint16_t, 1> kPorts = {23};

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<TelnetParser>(); }

constexpr std::string_view kFrames[] = {"pdu", "ctl", "data"};   // by Frame

}  // namespace

const ProtocolDef kTelnetProtocol = {
    .id = AppProto::kTelnet,
    .name = "telnet",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 1},
    .complete = {1, 1},
    .make = make,
    .buffers = {},
    .numbers = {},
    .matchers = {},
    .events = {},
    .loggers = {},
    .frames = kFrames,
};

}  // namespace vong::telnet
