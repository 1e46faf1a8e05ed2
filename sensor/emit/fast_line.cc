#include "sensor/emit/fast_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "sensor/emit/ip_protocol.h"
#include "sensor/emit/line_record.h"

namespace vong::emit {
namespace {

constexpr size_t kRawBytesShown = 32;

void write_ends(std::string& out, const Packet& packet) {
  const bool icmp = packet.is_icmp4 || packet.is_icmp6;
  const auto protocol = ip_protocol_name(packet.ip.protocol);
  const auto name =
      protocol.empty() ? fmt::format("PROTO:{:03}", packet.ip.protocol) : std::string(protocol);
  fmt::format_to(std::back_inserter(out), "{{{}}} {}:{} -> {}:{}", name, packet.src.to_string(),
                 icmp ? packet.icmp.type : packet.sport, packet.dst.to_string(),
                 icmp ? packet.icmp.code : packet.dport);
}

void write_raw(std::string& out, const Packet& packet) {
  out += "[**] [Raw pkt:";
  for (const uint8_t b : packet.frame.first(std::min(packet.frame.size(), kRawBytesShown)))
    fmt::format_to(std::back_inserter(out), " {:02X}", b);
  out += ']';
  if (packet.number != 0)
    fmt::format_to(std::back_inserter(out), " [pcap file packet: {}]", packet.number);
}

}  // namespace

void write_fast_line(LineSink& sink, const Packet& packet, const detect::Alert& alert) {
  thread_local std::string line;
  line.clear();
  const auto& rule = *alert.rule;
  append_line_time(line, packet.ts);
  fmt::format_to(
      std::back_inserter(line), "  [**] [{}:{}:{}] {} [**] [Classification: {}] [Priority: {}] ",
      rule.gid, rule.sid, rule.rev, std::string_view(rule.msg),
      rule.category.empty() ? std::string_view("(null)") : std::string_view(rule.category),
      rule.priority);
  if (packet.ip.version != 0)
    write_ends(line, packet);
  else
    write_raw(line, packet);
  sink.line(line, {"fast", static_cast<uint8_t>(rule.priority), 0});
}

}  // namespace vong::emit
