// Fields of the IP header, and of what lies below and above it by number.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

using Number = std::optional<uint64_t>;

Number ttl(const Packet& p) { return p.ip.version != 0 ? Number(p.ip.ttl) : Number(); }
Number ip_id(const Packet& p) { return p.ip.version == 4 ? Number(p.ip.id) : Number(); }

MadeCondition make_tos(std::string_view value) {
  bool negated = false;
  if (value.starts_with("!")) {
    negated = true;
    value = rules::trim(value.substr(1));
  }
  uint64_t number = 0;
  if (!value.empty() && (value[0] == 'x' || value[0] == 'X')) {
    const auto n = rules::parse_unsigned("0x" + std::string(value.substr(1)), 255);
    if (!n) return value_error(value, "expected a number up to 255");
    number = *n;
  } else {
    const auto n = rules::parse_unsigned(value, 255);
    if (!n) return std::unexpected(n.error());
    number = *n;
  }
  return condition([number, negated](Runtime& rt) { return rt.packet->ip.version == 4 && (rt.packet->ip.tos == number) != negated; });
}

MadeCondition make_sameip(std::string_view) {
  return condition([](Runtime& rt) { return rt.packet->ip.version != 0 && rt.packet->src == rt.packet->dst; });
}

MadeCondition make_fragbits(std::string_view value) {
  char mode = '=';
  std::string_view text = value;
  if (!text.empty() && std::string_view("+*!").find(text[0]) != std::string_view::npos) {
    mode = text[0];
    text = rules::trim(text.substr(1));
  }
  uint8_t bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 'M') bits |= 1;
    else if (text[i] == 'D') bits |= 2;
    else if (text[i] == 'R') bits |= 4;
    else if (text[i] != ' ') return value_error(text.substr(i, 1), "expected M, D or R");
  }
  if (text.empty()) return value_error(value, "expected M, D or R");
  return condition([bits, mode](Runtime& rt) {
    const IpFields& ip = rt.packet->ip;
    if (ip.version != 4) return false;
    const int has = (ip.more_fragments ? 1 : 0) | (ip.dont_fragment ? 2 : 0) | (ip.reserved_bit ? 4 : 0);
    switch (mode) {
      case '+': return (has & bits) == bits;
      case '*': return (has & bits) != 0;
      case '!': return (has & bits) != bits;
      default: return has == bits;
    }
  });
}

MadeCondition make_fragoffset(std::string_view value) {
  const auto test = rules::parse_number_test(value, 65'535);
  if (!test) return std::unexpected(test.error());
  return condition([t = *test](Runtime& rt) {
    const IpFields& ip = rt.packet->ip;
    return ip.version != 0 && !rt.packet->is_defragmented && t.matches(ip.fragment_offset_bytes / 8u);
  });
}

struct ProtocolName {
  std::string_view name;
  uint8_t number;
};
// IANA's protocol numbers, as far as rules name them.
constexpr ProtocolName kProtocolNames[] = {
    {"icmp", 1}, {"igmp", 2}, {"ipip", 4}, {"ipencap", 4}, {"ip-in-ip", 4}, {"tcp", 6}, {"egp", 8}, {"igp", 9}, {"pup", 12}, {"udp", 17}, {"hmp", 20},
    {"xns-idp", 22}, {"rdp", 27}, {"dccp", 33}, {"ipv6", 41}, {"ipv6-route", 43}, {"ipv6-frag", 44}, {"rsvp", 46}, {"gre", 47}, {"esp", 50},
    {"ah", 51}, {"skip", 57}, {"ipv6-icmp", 58}, {"icmpv6", 58}, {"ipv6-nonxt", 59}, {"ipv6-opts", 60}, {"eigrp", 88}, {"ospf", 89}, {"etherip", 97},
    {"encap", 98}, {"pim", 103}, {"ipcomp", 108}, {"vrrp", 112}, {"l2tp", 115}, {"isis", 124}, {"sctp", 132}, {"fc", 133}, {"udplite", 136},
    {"mpls-in-ip", 137}, {"hip", 139}};

rules::Parsed<uint8_t> protocol_number(std::string_view text) {
  for (const ProtocolName& p : kProtocolNames) {
    if (equals_ignore_case(p.name, text)) return p.number;
  }
  const auto n = rules::parse_unsigned(text, 255);
  if (!n) return value_error(text, "neither a number up to 255 nor a known IP protocol");
  return static_cast<uint8_t>(*n);
}

MadeCondition make_ip_proto(std::string_view value) {
  char op = '=';
  std::string_view text = value;
  if (!text.empty() && std::string_view("!<>=").find(text[0]) != std::string_view::npos) {
    op = text[0];
    text = rules::trim(text.substr(1));
  }
  const auto number = protocol_number(text);
  if (!number) return std::unexpected(number.error());
  return condition([n = *number, op](Runtime& rt) {
    const IpFields& ip = rt.packet->ip;
    if (ip.version == 0) return false;
    return op == '!' ? ip.protocol != n : op == '<' ? ip.protocol < n : op == '>' ? ip.protocol > n : ip.protocol == n;
  });
}

struct OptionName {
  std::string_view name;
  uint8_t type;
};
constexpr OptionName kIpOptions[] = {{"eol", 0}, {"nop", 1}, {"rr", 7}, {"qs", 25}, {"ts", 68}, {"sec", 130}, {"lsrr", 131}, {"esec", 133},
                                     {"cipso", 134}, {"satid", 136}, {"ssrr", 137}, {"rtralt", 148}};

bool has_ip_option(Bytes options, int wanted) {
  for (size_t i = 0; i < options.size();) {
    const uint8_t type = options[i];
    if (wanted < 0 || type == wanted) return true;
    if (type == 0) return false;
    if (type == 1) {
      ++i;
      continue;
    }
    if (i + 1 >= options.size() || options[i + 1] < 2) return false;
    i += options[i + 1];
  }
  return false;
}

MadeCondition make_ipopts(std::string_view value) {
  int wanted = -2;
  if (value == "any") wanted = -1;
  for (const OptionName& o : kIpOptions) {
    if (equals_ignore_case(o.name, value)) wanted = o.type;
  }
  if (wanted == -2) return value_error(value, "expected rr, eol, nop, ts, sec, esec, lsrr, ssrr, satid, cipso, qs, rtralt or any");
  return condition([wanted](Runtime& rt) { return rt.packet->ip.version == 4 && has_ip_option(rt.packet->ip.options, wanted); });
}

MadeCondition make_l3_proto(std::string_view value) {
  const std::string text = to_lower(value);
  uint8_t version = 0;
  if (text == "ipv4" || text == "ip4") version = 4;
  else if (text == "ipv6" || text == "ip6") version = 6;
  else return value_error(value, "expected ipv4 or ipv6");
  return condition([version](Runtime& rt) { return rt.packet->ip.version == version; });
}

// ipv4-csum, tcpv4-csum and the like: "valid" or "invalid". Only decided where the sensor checks checksums.
template <uint8_t Version, int Layer /* 0 IP, 1 TCP, 2 UDP, 3 ICMP, 4 IGMP */>
MadeCondition make_csum(std::string_view value) {
  const std::string text = to_lower(without_quotes(value));
  if (text != "valid" && text != "invalid") return value_error(value, "expected valid or invalid");
  return condition([invalid = text == "invalid"](Runtime& rt) {
    const Packet& p = *rt.packet;
    if (p.ip.version != Version || p.is_pseudo) return false;
    bool here = Layer == 0, bad = p.checksum_bad_ip;
    if constexpr (Layer != 0) {
      here = Layer == 1 ? p.is_tcp : Layer == 2 ? p.is_udp : Layer == 3 ? (Version == 4 ? p.is_icmp4 : p.is_icmp6) : p.ip.protocol == 2;
      bad = p.checksum_bad_transport;
    }
    return here && bad == invalid;
  });
}

constexpr uint16_t kPacket = Keyword::kNeedsPacket;
#define VONG_CSUM(name, version, layer, text) \
  {name, "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_csum<version, layer>, kPacket, "valid|invalid", text}
constexpr Keyword kKeywords[] = {
    {"ttl", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<ttl, 255>, kPacket, "[<|>|...]<number>", "Time to live, or hop limit."},
    {"tos", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_tos, kPacket, "[!]<number|xHEX>", "Type of service byte of IPv4."},
    {"id", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<ip_id, 65'535>, kPacket, "<number>", "Identification of IPv4."},
    {"ipopts", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_ipopts, kPacket, "rr|eol|nop|ts|sec|esec|lsrr|ssrr|satid|any", "An option of IPv4 is there."},
    {"fragbits", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_fragbits, kPacket, "[+|*|!]<MDR>", "Fragment bits of IPv4."},
    {"fragoffset", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_fragoffset, kPacket, "[!|<|>]<number>", "Fragment offset in units of 8 bytes."},
    {"ip_proto", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_ip_proto, Keyword::kIpOnlyOk, "[!|<|>]<name|number>", "Protocol above IP."},
    {"sameip", "", KeywordKind::kPacket, ValueUse::kNone, nullptr, make_sameip, kPacket, "", "Source and destination are the same address."},
    {"l3_proto", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_l3_proto, Keyword::kIpOnlyOk, "ipv4|ipv6", "Version of IP."},
    VONG_CSUM("ipv4-csum", 4, 0, "Checksum of the IPv4 header."),
    VONG_CSUM("tcpv4-csum", 4, 1, "Checksum of TCP over IPv4."),
    VONG_CSUM("tcpv6-csum", 6, 1, "Checksum of TCP over IPv6."),
    VONG_CSUM("udpv4-csum", 4, 2, "Checksum of UDP over IPv4."),
    VONG_CSUM("udpv6-csum", 6, 2, "Checksum of UDP over IPv6."),
    VONG_CSUM("icmpv4-csum", 4, 3, "Checksum of ICMPv4."),
    VONG_CSUM("icmpv6-csum", 6, 3, "Checksum of ICMPv6."),
    VONG_CSUM("igmp-csum", 4, 4, "Checksum of IGMP."),
};
#undef VONG_CSUM

}  // namespace

std::span<const Keyword> ip_keywords() { return kKeywords; }

}  // namespace vong::detect
