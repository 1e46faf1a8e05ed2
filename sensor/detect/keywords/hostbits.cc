// xbits and hostbits: bits of a host, of a pair of hosts, or of a transaction, with an expiry.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

enum class Whose : uint8_t { kSrc, kDst, kPair, kTx, kBoth };
enum class Command : uint8_t { kSet, kUnset, kToggle, kIsSet, kIsNotSet };

rules::Parsed<Command> command_of(std::string_view text) {
  if (text == "set") return Command::kSet;
  if (text == "unset") return Command::kUnset;
  if (text == "toggle") return Command::kToggle;
  if (text == "isset") return Command::kIsSet;
  if (text == "isnotset") return Command::kIsNotSet;
  return value_error(text, "expected set, unset, toggle, isset or isnotset");
}

HostBits::Key key_of(const Runtime& rt, Whose whose) {
  const Packet& p = *rt.packet;
  if (whose == Whose::kPair) return HostBits::pair(p.src, p.dst);
  return HostBits::host(whose == Whose::kDst ? p.dst : p.src);
}

void add(RuleBuilder& b, Command c, Whose whose, NameId bit, int64_t expire_s, int order_slot) {
  uint8_t& u = b.body.bits_use[order_slot];
  const bool sets = c == Command::kSet || c == Command::kUnset || c == Command::kToggle;
  u = static_cast<uint8_t>(u == 0 ? (sets ? 3 : 1) : (u == (sets ? 3 : 1) ? u : 2));
  if (whose == Whose::kTx) {
    const auto has = [](const std::vector<NameId>& bits, NameId id) { return std::find(bits.begin(), bits.end(), id) != bits.end(); };
    if (c == Command::kIsSet || c == Command::kIsNotSet) {
      // A condition of the rule's start is asked before there is a transaction: this is one of its engines.
      b.set.conditions.push_back(condition([bit, has, wanted = c == Command::kIsSet](Runtime& rt) {
        return rt.tx_bits != nullptr && has(*rt.tx_bits, bit) == wanted;
      }));
      TxEngine e;
      e.kind = EngineKind::kCondition;
      e.condition = b.set.conditions.back().get();
      (void)b.add_engine(e, true, true, b.ast.text);
    } else {
      add_effect(b, [bit, c, has](Runtime& rt) {
        if (rt.tx_bits == nullptr) return;
        const bool on = c == Command::kSet || (c == Command::kToggle && !has(*rt.tx_bits, bit));
        if (!on) std::erase(*rt.tx_bits, bit);
        else if (has(*rt.tx_bits, bit)) return;
        else if (rt.tx_bits->size() < kMaxFlowbitsPerFlow) rt.tx_bits->push_back(bit);
        else ++rt.counters->tx_state_full;
      });
    }
    return;
  }
  if (c == Command::kIsSet || c == Command::kIsNotSet) {
    add_condition(b, [bit, whose, wanted = c == Command::kIsSet](Runtime& rt) {
      const int64_t now = to_ns(rt.packet->ts);
      HostBits& bits = rt.shared->bits;
      if (whose == Whose::kBoth) {
        return bits.is_set(key_of(rt, Whose::kSrc), bit, now) == wanted || bits.is_set(key_of(rt, Whose::kDst), bit, now) == wanted;
      }
      return bits.is_set(key_of(rt, whose), bit, now) == wanted;
    });
    return;
  }
  add_effect(b, [bit, whose, c, expire_s](Runtime& rt) {
    if (rt.observing) return;
    const int64_t now = to_ns(rt.packet->ts), until = now + expire_s * 1'000'000'000;
    for (const Whose w : {Whose::kSrc, Whose::kDst}) {
      const Whose one = whose == Whose::kBoth ? w : whose;
      if (whose != Whose::kBoth && w == Whose::kDst) break;
      const HostBits::Key key = key_of(rt, one);
      bool ok = true;
      if (c == Command::kSet) ok = rt.shared->bits.set(key, bit, until, now);
      else if (c == Command::kUnset) rt.shared->bits.unset(key, bit);
      else (void)rt.shared->bits.toggle(key, bit, until, now);
      if (!ok) ++rt.counters->host_table_full;
    }
  });
}

Status setup_xbits(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(without_quotes(o.value));
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() == 1 && (*parts)[0] == "noalert") {
    b.rule.noalert = true;
    return {};
  }
  if (parts->size() < 3) return value_error(o.value, "expected <command>, <name>, track ip_src|ip_dst|ip_pair|tx[, expire <s>]");
  const auto c = command_of((*parts)[0]);
  if (!c) return std::unexpected(c.error());
  const NameId bit = intern_name((*parts)[1]);
  if (bit == kNoName) return value_error((*parts)[1], "too many different names of bits and variables");
  const auto [track, by] = rules::split_key((*parts)[2]);
  Whose whose = Whose::kSrc;
  if (track != "track") return value_error((*parts)[2], "expected track");
  if (by == "ip_src") whose = Whose::kSrc;
  else if (by == "ip_dst") whose = Whose::kDst;
  else if (by == "ip_pair") whose = Whose::kPair;
  else if (by == "tx") whose = Whose::kTx;
  else return value_error(by, "expected ip_src, ip_dst, ip_pair or tx");
  int64_t expire_s = 30;
  if (parts->size() > 3) {
    const auto [key, seconds] = rules::split_key((*parts)[3]);
    const auto n = rules::parse_unsigned(seconds, 0x7fffffff);
    if (key != "expire" || !n || *n == 0) return value_error((*parts)[3], "expected expire <seconds>");
    expire_s = static_cast<int64_t>(*n);
  }
  add(b, *c, whose, bit, expire_s, whose == Whose::kPair ? 3 : 2);
  return {};
}

Status setup_hostbits(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(without_quotes(o.value));
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() == 1 && (*parts)[0] == "noalert") {
    b.rule.noalert = true;
    return {};
  }
  if (parts->size() < 2) return value_error(o.value, "expected <command>, <name>[, src|dst|both]");
  const auto c = command_of((*parts)[0]);
  if (!c) return std::unexpected(c.error());
  const NameId bit = intern_name((*parts)[1]);
  if (bit == kNoName) return value_error((*parts)[1], "too many different names of bits and variables");
  Whose whose = Whose::kSrc;
  if (parts->size() > 2) {
    if ((*parts)[2] == "dst") whose = Whose::kDst;
    else if ((*parts)[2] == "both") whose = Whose::kBoth;
    else if ((*parts)[2] != "src") return value_error((*parts)[2], "expected src, dst or both");
  }
  add(b, *c, whose, bit, 300, 2);
  return {};
}

constexpr Keyword kKeywords[] = {
    {"xbits", "", KeywordKind::kFlow, ValueUse::kRequired, setup_xbits, nullptr, Keyword::kIpOnlyOk,
     "set|unset|toggle|isset|isnotset, <name>, track ip_src|ip_dst|ip_pair|tx[, expire <seconds>]", "Bits of a host, a pair of hosts or a transaction."},
    {"hostbits", "", KeywordKind::kFlow, ValueUse::kRequired, setup_hostbits, nullptr, Keyword::kIpOnlyOk,
     "set|unset|toggle|isset|isnotset, <name>[, src|dst|both]", "Bits of a host."},
};

}  // namespace

std::span<const Keyword> hostbits_keywords() { return kKeywords; }

}  // namespace vong::detect
