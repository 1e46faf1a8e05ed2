// Fields of ICMP and IGMP.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

using Number = std::optional<uint64_t>;
bool is_icmp(const Packet& p) { return p.is_icmp4 || p.is_icmp6; }
Number type(const Packet& p) { return is_icmp(p) ? Number(p.icmp.type) : Number(); }
Number code(const Packet& p) { return is_icmp(p) ? Number(p.icmp.code) : Number(); }
Number id(const Packet& p) { return is_icmp(p) && p.icmp.has_id_seq ? Number(p.icmp.id) : Number(); }
Number seq(const Packet& p) { return is_icmp(p) && p.icmp.has_id_seq ? Number(p.icmp.seq) : Number(); }
Number mtu(const Packet& p) { return p.is_icmp6 && p.icmp.type == 2 ? Number(p.icmp.mtu) : Number(); }
Number igmp_type(const Packet& p) {
  return p.ip.version == 4 && p.ip.protocol == 2 && !p.ip_payload.empty() ? Number(p.ip_payload[0]) : Number();
}

// Old rules write the number in quotes.
template <auto Get, uint64_t Max>
MadeCondition quoted_number(std::string_view value) {
  return number_condition<Get, Max>(rules::trim(without_quotes(value)));
}

constexpr uint16_t kPacket = Keyword::kNeedsPacket;
constexpr Keyword kKeywords[] = {
    {"itype", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<type, 255>, kPacket, "[<|>]<number> or <min><><max>", "Type of ICMP."},
    {"icode", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<code, 255>, kPacket, "[<|>]<number> or <min><><max>", "Code of ICMP."},
    {"icmp_id", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, quoted_number<id, 65'535>, kPacket, "<number>", "Identifier of an ICMP echo."},
    {"icmp_seq", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, quoted_number<seq, 65'535>, kPacket, "<number>", "Sequence number of an ICMP echo."},
    {"icmpv6.mtu", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<mtu, 0xffffffffu>, kPacket, "<number>", "MTU of ICMPv6 packet too big."},
    {"igmp.type", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<igmp_type, 255>, kPacket, "<number>", "Type of IGMP."},
};

}  // namespace

std::span<const Keyword> icmp_keywords() { return kKeywords; }

}  // namespace vong::detect
