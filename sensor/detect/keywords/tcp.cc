// Fields of the TCP header.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

using Number = std::optional<uint64_t>;

rules::Parsed<uint8_t> flag_bits(std::string_view text) {
  uint8_t bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case 'F': case 'f': bits |= TcpFlags::kFin; break;
      case 'S': case 's': bits |= TcpFlags::kSyn; break;
      case 'R': case 'r': bits |= TcpFlags::kRst; break;
      case 'P': case 'p': bits |= TcpFlags::kPsh; break;
      case 'A': case 'a': bits |= TcpFlags::kAck; break;
      case 'U': case 'u': bits |= TcpFlags::kUrg; break;
      case 'E': case 'e': case '2': bits |= TcpFlags::kEce; break;
      case 'C': case 'c': case '1': bits |= TcpFlags::kCwr; break;
      case '0': break;
      default: return value_error(text.substr(i, 1), "not a TCP flag: one of F S R P A U E C 0");
    }
  }
  return bits;
}

MadeCondition make_flags(std::string_view value) {
  const size_t comma = value.find(',');
  std::string_view text = rules::trim(value.substr(0, comma));
  char mode = '=';
  if (!text.empty() && std::string_view("+*!=").find(text[0]) != std::string_view::npos) {
    mode = text[0];
    text = rules::trim(text.substr(1));
  } else if (!text.empty() && std::string_view("+*!").find(text.back()) != std::string_view::npos) {
    mode = text.back();
    text = rules::trim(text.substr(0, text.size() - 1));
  }
  if (text.empty()) return value_error(value, "expected TCP flags");
  const auto bits = flag_bits(text);
  if (!bits) return std::unexpected(bits.error());
  uint8_t ignored = 0;
  if (comma != std::string_view::npos) {
    std::string_view mask = rules::trim(value.substr(comma + 1));
    if (mask.starts_with("!")) mask.remove_prefix(1);
    const auto m = flag_bits(mask);
    if (!m) return std::unexpected(m.error());
    ignored = *m;
  }
  return condition([b = *bits, keep = static_cast<uint8_t>(~ignored), mode](Runtime& rt) {
    const Packet& p = *rt.packet;
    if (!p.is_tcp || p.is_pseudo) return false;
    const auto flags = static_cast<uint8_t>(p.tcp.flags & keep);
    switch (mode) {
      case '+': return (flags & b) == b;
      case '*': return (flags & b) != 0;
      case '!': return (flags & b) != b;
      default: return flags == b;
    }
  });
}

Number seq(const Packet& p) { return p.is_tcp ? Number(p.tcp.seq) : Number(); }
Number ack(const Packet& p) { return p.is_tcp ? Number(p.tcp.ack) : Number(); }
Number window(const Packet& p) { return p.is_tcp ? Number(p.tcp.window) : Number(); }
Number mss(const Packet& p) { return p.is_tcp && p.tcp.has_mss ? Number(p.tcp.mss) : Number(); }
Number wscale(const Packet& p) { return p.is_tcp && p.tcp.has_wscale ? Number(p.tcp.wscale) : Number(); }

constexpr uint16_t kPacket = Keyword::kNeedsPacket;
constexpr Keyword kKeywords[] = {
    {"tcp.flags", "flags", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_flags, kPacket, "[+|*|!]<FSRPAUEC0>[,<ignored flags>]",
     "Flags of the TCP header: exactly these, all of these (+), any (*), not these (!)."},
    {"tcp.seq", "seq", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<seq, 0xffffffffu>, kPacket, "<number>", "Sequence number."},
    {"tcp.ack", "ack", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<ack, 0xffffffffu>, kPacket, "<number>", "Acknowledgement number."},
    {"tcp.window", "window", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<window, 0xffffu>, kPacket, "[!]<number>", "Window size as in the header."},
    {"tcp.mss", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<mss, 0xffffu>, kPacket, "<number>", "Maximum segment size option."},
    {"tcp.wscale", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, number_condition<wscale, 0xffu>, kPacket, "<number>", "Window scale option."},
};

}  // namespace

std::span<const Keyword> tcp_keywords() { return kKeywords; }

}  // namespace vong::detect
