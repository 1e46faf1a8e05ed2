// Keywords that belong nowhere else: asn1, ftpbounce, rpc; and those that are refused.
#include "base/byte_reader.h"
#include "sensor/detect/keywords/common.h"
#include "sensor/detect/keywords/geoip.h"

namespace vong::detect {
namespace {

constexpr uint32_t kDefaultAsn1Frames = 256;
constexpr int kMaxAsn1Depth = 32;

// What a walk over BER-encoded data looks for (X.690).
struct Asn1Search {
  bool bitstring_overflow = false, double_overflow = false;
  uint32_t oversize_length = 0;
  bool oversize = false;
};

bool suspicious(const Asn1Search& s, uint8_t tag, bool constructed, uint32_t length, Bytes content) {
  if (s.oversize && length > s.oversize_length) return true;
  if (constructed) return false;
  if (s.bitstring_overflow && tag == 3 && !content.empty() && content[0] >= 8) return true;   // unused bits of a byte
  // A REAL in decimal notation longer than any number.
  return s.double_overflow && tag == 9 && length > 256 && !content.empty() && (content[0] & 0xc0) == 0;
}

// Walks at most `frames` elements. No recursion: a stack of ends with a cap.
bool asn1_walk(Bytes data, const Asn1Search& s, uint32_t frames) {
  ByteReader in(data);
  size_t ends[kMaxAsn1Depth] = {data.size()};
  int depth = 1;
  while (in.ok() && !in.empty() && frames-- > 0) {
    while (depth > 1 && in.position() >= ends[depth - 1]) --depth;
    const uint8_t id = in.u8();
    uint8_t tag = id & 0x1f;
    if (tag == 0x1f) {
      tag = 0;
      for (int i = 0; i < 5 && (in.u8() & 0x80) != 0; ++i) {
      }
    }
    uint32_t length = in.u8();
    bool indefinite = false;
    if (length & 0x80) {
      const uint32_t n = length & 0x7f;
      indefinite = n == 0;
      length = 0;
      if (n > 4) return false;
      for (uint32_t i = 0; i < n; ++i) length = length << 8 | in.u8();
    }
    if (!in.ok()) return false;
    const bool constructed = (id & 0x20) != 0;
    const Bytes rest = in.peek();
    if (length > rest.size()) return false;   // not what it looks like
    if (suspicious(s, tag, constructed, length, rest.first(length))) return true;
    if (constructed || indefinite) {
      if (depth < kMaxAsn1Depth) ends[depth++] = indefinite ? data.size() : std::min<size_t>(data.size(), in.position() + length);
    } else if (!in.skip(length)) {
      return false;
    }
  }
  return false;
}

class Asn1 : public BufferCondition {
 public:
  Asn1Search search;
  int64_t offset = 0;
  bool relative = false;
  uint32_t frames = kDefaultAsn1Frames;
  bool match(Runtime&, const BufferInput& in, size_t position) const override {
    const int64_t at = offset + (relative ? static_cast<int64_t>(position) : 0);
    if (at < 0 || at > static_cast<int64_t>(in.data.size())) return false;
    return asn1_walk(in.data.subspan(static_cast<size_t>(at)), search, frames);
  }
};

Status setup_asn1(RuleBuilder& b, const rules::Option& o) {
  auto a = std::make_unique<Asn1>();
  a->frames = static_cast<uint32_t>(std::clamp<int64_t>(b.env.settings.integer("asn1-max-frames", kDefaultAsn1Frames), 1, 65'535));
  std::string text(o.value);
  std::replace(text.begin(), text.end(), ',', ' ');
  const auto words = rules::split_words(text);
  if (!words) return value_error(o.value, words.error().message);
  for (size_t i = 0; i < words->size(); ++i) {
    const std::string_view w = (*words)[i];
    const auto number = [&]() -> std::optional<int64_t> {
      if (++i >= words->size()) return std::nullopt;
      const auto n = rules::parse_signed((*words)[i], -65'535, 0x7fffffff);
      return n ? std::optional(*n) : std::nullopt;
    };
    if (w == "bitstring_overflow") a->search.bitstring_overflow = true;
    else if (w == "double_overflow") a->search.double_overflow = true;
    else if (w == "oversize_length") {
      const auto n = number();
      if (!n || *n < 0) return value_error(o.value, "oversize_length needs a number");
      a->search.oversize = true;
      a->search.oversize_length = static_cast<uint32_t>(*n);
    } else if (w == "absolute_offset" || w == "relative_offset") {
      const auto n = number();
      if (!n) return value_error(o.value, "an offset needs a number");
      a->offset = *n;
      a->relative = w == "relative_offset";
    } else {
      return value_error(o.value, fmt::format("unknown part of asn1: {}", rules::shown(w)));
    }
  }
  Node node;
  node.kind = NodeKind::kCondition;
  node.condition = a.get();
  b.set.buffer_conditions.push_back(std::move(a));
  return b.add_node(node, o.value);
}

// PORT a,b,c,d,e,f naming another host than the client.
class FtpBounce : public BufferCondition {
 public:
  bool match(Runtime& rt, const BufferInput& in, size_t) const override {
    if (!rt.packet->src.is_v4()) return false;
    std::string_view text = as_text(in.data);
    const size_t port = text.find_first_of("Pp");
    if (port == std::string_view::npos || !starts_with_ignore_case(text.substr(port), "port")) return false;
    text = strip(text.substr(port + 4));
    uint32_t address = 0;
    for (int i = 0; i < 4; ++i) {
      const size_t comma = text.find(',');
      if (comma == std::string_view::npos) return false;
      const auto n = rules::parse_unsigned(strip(text.substr(0, comma)), 255);
      if (!n) return false;
      address = address << 8 | static_cast<uint32_t>(*n);
      text = text.substr(comma + 1);
    }
    return address != rt.packet->src.v4_host_order();
  }
};

Status setup_ftpbounce(RuleBuilder& b, const rules::Option& o) {
  Node node;
  node.kind = NodeKind::kCondition;
  b.set.buffer_conditions.push_back(std::make_unique<FtpBounce>());
  node.condition = b.set.buffer_conditions.back().get();
  return b.add_node(node, o.name);
}

// rpc:<program>, <version|*>, <procedure|*> of an ONC RPC call (RFC 5531 section 9).
Status setup_rpc(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->empty() || parts->size() > 3) return value_error(o.value, "expected <program>[, <version|*>[, <procedure|*>]]");
  std::optional<uint32_t> want[3];
  for (size_t i = 0; i < parts->size(); ++i) {
    if ((*parts)[i] == "*" && i > 0) continue;
    const auto n = rules::parse_unsigned((*parts)[i], 0xffffffffu);
    if (!n) return std::unexpected(n.error());
    want[i] = static_cast<uint32_t>(*n);
  }
  add_condition(b, [program = *want[0], version = want[1], procedure = want[2]](Runtime& rt) {
    const Packet& p = *rt.packet;
    ByteReader in(p.payload);
    if (p.is_tcp) (void)in.u32();   // record mark
    else if (!p.is_udp) return false;
    (void)in.u32();
    const uint32_t type = in.u32(), rpc_version = in.u32(), prog = in.u32(), vers = in.u32(), proc = in.u32();
    if (!in.ok() || type != 0 || rpc_version != 2 || prog != program) return false;
    return (!version || *version == vers) && (!procedure || *procedure == proc);
  });
  return {};
}

constexpr uint16_t kNo = Keyword::kUnsupported;
constexpr Keyword kKeywords[] = {
    {"asn1", "", KeywordKind::kContent, ValueUse::kRequired, setup_asn1, nullptr, 0,
     "[bitstring_overflow][, double_overflow][, oversize_length <n>][, absolute_offset|relative_offset <n>]", "Looks for malformed ASN.1."},
    {"ftpbounce", "", KeywordKind::kContent, ValueUse::kNone, setup_ftpbounce, nullptr, 0, "", "An FTP PORT command names another host."},
    {"rpc", "", KeywordKind::kPacket, ValueUse::kRequired, setup_rpc, nullptr, Keyword::kNeedsPacket, "<program>[, <version|*>[, <procedure|*>]]", "An ONC RPC call."},
    {"lua", "luajit", KeywordKind::kContent, ValueUse::kRequired, nullptr, nullptr, kNo, "<script>", "scripts in rules are not run by this sensor"},
    {"luaxform", "", KeywordKind::kTransform, ValueUse::kRequired, nullptr, nullptr, kNo, "<script>", "scripts in rules are not run by this sensor"},
    {"geoip", "", KeywordKind::kPacket, ValueUse::kRequired, setup_geoip, nullptr, 0, "[src|dst|both|any,][!]<country>[,...]",
     "Country of the addresses, as the database that the setting geoip-database names has it."},
};

}  // namespace

std::span<const Keyword> misc_keywords() { return kKeywords; }

}  // namespace vong::detect
