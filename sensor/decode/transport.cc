// Transport protocols of which only the head is read here: SCTP, IGMP, ESP.
#include "sensor/decode/layers.h"

namespace vong::decode {

// source port(2) destination port(2) verification tag(4) checksum(4), then chunks
bool decode_sctp(Context& c, Packet& p, Bytes bytes) {
  constexpr size_t kHeaderBytes = 12;
  ++c.counters.sctp;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kSctpPktTooSmall);
  p.is_sctp = true;
  p.wants_flow = true;
  p.sport = load_u16(bytes.data());
  p.dport = load_u16(bytes.data() + 2);
  p.transport_header = bytes.first(kHeaderBytes);
  p.payload = bytes.subspan(kHeaderBytes);
  return true;
}

// type(1) response time(1) checksum(2) group(4); version 3 queries: flags(1) interval(1) number of
// sources(2) sources; version 3 reports: type(1) reserved(1) checksum(2) reserved(2) number of
// records(2) records
bool decode_igmp(Context& c, Packet& p, Bytes bytes) {
  constexpr size_t kHeaderBytes = 8, kV3QueryBytes = 12, kV3RecordBytes = 8;
  constexpr uint8_t kQuery = 0x11, kV3Report = 0x22;
  ++c.counters.igmp;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kIgmpPktTooSmall);
  p.transport_header = bytes.first(kHeaderBytes);
  p.payload = bytes.subspan(kHeaderBytes);
  if (bytes[0] == kQuery && bytes.size() > kHeaderBytes) {
    if (bytes.size() < kV3QueryBytes) return c.invalid(p, PacketEvent::kIgmpV3PktTooSmall);
    if (bytes.size() - kV3QueryBytes < load_u16(bytes.data() + 10) * 4u)
      return c.invalid(p, PacketEvent::kIgmpMalformed);
  } else if (bytes[0] == kV3Report) {
    if (p.payload.size() < load_u16(bytes.data() + 6) * kV3RecordBytes)
      return c.invalid(p, PacketEvent::kIgmpMalformed);
  }
  return true;
}

// security parameters index(4) sequence(4), then what only the two ends can read
bool decode_esp(Context& c, Packet& p, Bytes bytes) {
  constexpr size_t kHeaderBytes = 8;
  ++c.counters.esp;
  if (bytes.size() < kHeaderBytes) return c.invalid(p, PacketEvent::kEspPktTooSmall);
  p.is_esp = true;
  p.wants_flow = true;
  p.esp_spi = load_u32(bytes.data());
  p.transport_header = bytes.first(kHeaderBytes);
  p.payload = bytes.subspan(kHeaderBytes);
  return true;
}

}  // namespace vong::decode
