#include "sensor/emit/packet_records.h"

#include <fmt/format.h>

#include "sensor/emit/alert_record.h"

namespace vong::emit {
namespace {

std::string mac_text(Bytes mac) {
  std::string out;
  for (const uint8_t b : mac) out += fmt::format("{}{:02x}", out.empty() ? "" : ":", b);
  return out;
}

std::string_view arp_opcode(uint16_t opcode) {
  switch (opcode) {
    case 1:
      return "request";
    case 2:
      return "reply";
    case 3:
      return "request_reverse";
    case 4:
      return "reply_reverse";
    case 5:
      return "drarp_request";
    case 6:
      return "drarp_reply";
    case 7:
      return "drarp_error";
    case 8:
      return "inarp_request";
    case 9:
      return "inarp_reply";
    case 10:
      return "arp_nak";
    default:
      return "";
  }
}

}  // namespace

void write_packet_anomalies(LineSink& sink, const Origin& origin, const Packet& packet) {
  const auto& options = origin.config.anomalies;
  packet.events.for_each([&](PacketEvent event) {
    const auto& about = info(event);
    if (about.is_stream ? !options.stream : !options.decode) return;
    thread_local std::string line;
    line.clear();
    JsonWriter out(line);
    open_record(out, origin, "anomaly", packet.ts, packet.flow, &packet, RecordDirection::kPacket);
    if (options.packethdr) write_packet(out, packet);
    out.open_object("anomaly");
    out.field("type", about.is_stream ? "stream" : "decode");
    // Rules write "ipv4.trunc_pkt" and "stream.est_synack_resend"; records say "decoder." before the former.
    if (about.is_stream) {
      out.field("event", about.name);
    } else {
      out.field("event", fmt::format("decoder.{}", about.name));
    }
    out.close_object();
    out.close_object();
    sink.line(line, {"anomaly", 3, packet.flow != nullptr ? packet.flow->id : 0});
  });
}

void write_metadata_record(LineSink& sink, const Origin& origin, const Packet& packet) {
  thread_local std::string line;
  line.clear();
  JsonWriter out(line);
  open_record(out, origin, "metadata", packet.ts, packet.flow, &packet, RecordDirection::kPacket);
  if (!origin.config.metadata) write_metadata(out, origin, packet.flow, &packet);
  out.close_object();
  sink.line(line, {"metadata", 3, packet.flow != nullptr ? packet.flow->id : 0});
}

void write_arp(LineSink& sink, const Origin& origin, const Packet& packet) {
  const ArpFields& arp = *packet.arp;
  thread_local std::string line;
  line.clear();
  JsonWriter out(line);
  open_record(out, origin, "arp", packet.ts, nullptr, &packet, RecordDirection::kPacket);
  out.open_object("arp");
  out.field("hw_type", arp.hw_type == 1 ? std::string("ethernet") : fmt::format("{}", arp.hw_type));
  out.field("proto_type",
            arp.proto_type == 0x0800 ? std::string("ipv4") : fmt::format("{}", arp.proto_type));
  const auto opcode = arp_opcode(arp.opcode);
  out.field("opcode", opcode.empty() ? fmt::format("{}", arp.opcode) : std::string(opcode));
  out.field("src_mac", mac_text(arp.src_mac));
  out.field("src_ip", arp.src_ip);
  out.field("dest_mac", mac_text(arp.dst_mac));
  out.field("dest_ip", arp.dst_ip);
  out.close_object();
  out.close_object();
  sink.line(line, {"arp", 3, 0});
}

}  // namespace vong::emit
