// dsize, bsize, urilen: sizes of the payload and of buffers; entropy.
#include <array>
#include <cmath>
#include <cstdlib>

#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

class PayloadSize final : public Condition {
 public:
  explicit PayloadSize(const rules::NumberTest& test) : test_(test) {
    // Packets without payload are only meant by a size, or an upper bound, that 0 fits.
    const auto c = test.compare;
    zero_counts_ = c == rules::Compare::kEqual || c == rules::Compare::kLess || c == rules::Compare::kLessEqual ||
                   (c == rules::Compare::kGreaterEqual && test.a == 0);
  }
  [[nodiscard]] bool match(Runtime& rt) const override {
    const size_t n = rt.packet->payload.size();
    return !rt.packet->is_pseudo && (n > 0 || zero_counts_) && test_.matches(n);
  }
  [[nodiscard]] int selects() const override { return 1; }
  [[nodiscard]] PayloadSizes payload_sizes() const override {
    const auto [least, most] = test_.bounds();
    constexpr uint64_t kLongest = UINT16_MAX;
    return {static_cast<uint16_t>(std::min(least, kLongest)), static_cast<uint16_t>(std::min(most, kLongest))};
  }

 private:
  rules::NumberTest test_;
  bool zero_counts_;
};

MadeCondition make_dsize(std::string_view value) {
  const auto test = rules::parse_number_test(value, 65'535);
  if (!test) return std::unexpected(test.error());
  return std::make_unique<PayloadSize>(*test);
}

Status setup_bsize(RuleBuilder& b, const rules::Option& o) {
  const auto test = rules::parse_number_test(o.value);
  if (!test) return std::unexpected(test.error());
  if (!b.has_sticky()) return value_error(o.name, "bsize needs a sticky buffer before it");
  Node node;
  node.kind = NodeKind::kSize;
  node.size.test = *test;
  return b.add_node(node, o.value);
}

Status setup_urilen(RuleBuilder& b, const rules::Option& o) {
  const size_t comma = o.value.find(',');
  const std::string_view how = comma == std::string_view::npos ? std::string_view() : rules::trim(o.value.substr(comma + 1));
  if (!how.empty() && how != "norm" && how != "raw") return value_error(how, "expected norm or raw");
  const auto test = rules::parse_number_test(rules::trim(o.value.substr(0, comma)), 65'535);
  if (!test) return std::unexpected(test.error());
  const BufferName* uri = b.env.catalog.buffer(how == "raw" ? "http.uri.raw" : "http.uri");
  if (uri == nullptr) return value_error(o.name, "HTTP is not built in");
  Node node;
  node.kind = NodeKind::kSize;
  node.size.test = *test;
  ListDraft& list = b.list_for(uri, {}, false);
  if (list.nodes.size() >= kMaxNodesPerList) return value_error(o.value, "too many contents on one buffer");
  list.nodes.push_back(node);
  list.where.push_back(o.value);
  return {};
}

// Shannon entropy of the buffer in bits a byte.
class Entropy : public BufferCondition {
 public:
  uint32_t bytes = 0, offset = 0;
  double low = 0, high = 8;
  bool low_open = false, high_open = false, negated = false;
  bool match(Runtime& rt, const BufferInput& in, size_t) const override {
    if (offset >= in.data.size()) return false;
    Bytes data = in.data.subspan(offset);
    if (bytes != 0) data = data.first(std::min<size_t>(bytes, data.size()));
    std::array<uint32_t, 256> count{};
    for (const uint8_t c : data) ++count[c];
    double h = 0;
    for (const uint32_t n : count) {
      if (n == 0) continue;
      const double p = static_cast<double>(n) / static_cast<double>(data.size());
      h -= p * std::log2(p);
    }
    if (rt.flow_state != nullptr && !rt.flow_state->set_entropy(in.name, h)) ++rt.counters->flow_state_full;
    const bool inside = (low_open ? h > low : h >= low) && (high_open ? h < high : h <= high);
    return inside != negated;
  }
};

std::optional<double> real(std::string_view text) {
  const std::string copy(rules::trim(text));
  char* end = nullptr;
  const double x = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end != 0 || !(x >= 0) || x > 8) return std::nullopt;
  return x;
}

Status entropy_value(Entropy& e, std::string_view text) {
  const auto bad = value_error(text, "expected a number from 0 to 8, one of < <= > >= = ! before it, or <low>-<high>");
  const auto take = [&](std::string_view number) { return real(number); };
  std::optional<double> x;
  if (text.starts_with("<=")) { if (!(x = take(text.substr(2)))) return bad; e.high = *x; }
  else if (text.starts_with(">=")) { if (!(x = take(text.substr(2)))) return bad; e.low = *x; }
  else if (text.starts_with("<")) { if (!(x = take(text.substr(1)))) return bad; e.high = *x; e.high_open = true; }
  else if (text.starts_with(">")) { if (!(x = take(text.substr(1)))) return bad; e.low = *x; e.low_open = true; }
  else {
    if (text.starts_with("!=")) { e.negated = true; text.remove_prefix(2); }
    else if (text.starts_with("!")) { e.negated = true; text.remove_prefix(1); }
    else if (text.starts_with("=")) text.remove_prefix(1);
    size_t split = text.find("<>");
    size_t after = split + 2;
    if (split == std::string_view::npos) {
      split = text.find('-');
      after = split + 1;
    }
    if (split != std::string_view::npos) {
      const auto low = real(text.substr(0, split)), high = real(text.substr(after));
      if (!low || !high || *low >= *high) return bad;
      e.low = *low;
      e.high = *high;
      e.low_open = e.high_open = true;
    } else {
      if (!(x = take(text))) return bad;
      e.low = e.high = *x;
    }
  }
  return {};
}

Status setup_entropy(RuleBuilder& b, const rules::Option& o) {
  auto e = std::make_unique<Entropy>();
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  bool have_value = false;
  for (const std::string_view part : *parts) {
    const auto [key, value] = rules::split_key(part);
    if (key == "value") {
      if (auto s = entropy_value(*e, value); !s) return s;
      have_value = true;
      continue;
    }
    const auto n = rules::parse_unsigned(value, 65'535);
    if (!n) return std::unexpected(n.error());
    if (key == "bytes") e->bytes = static_cast<uint32_t>(*n);
    else if (key == "offset") e->offset = static_cast<uint32_t>(*n);
    else return value_error(part, "expected bytes <n>, offset <n> or value <test>");
  }
  if (!have_value) return value_error(o.value, "entropy needs a value");
  Node node;
  node.kind = NodeKind::kCondition;
  node.condition = e.get();
  b.set.buffer_conditions.push_back(std::move(e));
  return b.add_node(node, o.value);
}

constexpr Keyword kKeywords[] = {
    {"dsize", "", KeywordKind::kPacket, ValueUse::kRequired, nullptr, make_dsize, Keyword::kNeedsPacket | Keyword::kOncePerRule, "[<|>|!]<bytes> or <min><><max>",
     "Size of the packet's payload."},
    {"bsize", "", KeywordKind::kContent, ValueUse::kRequired, setup_bsize, nullptr, 0, "[<|>|<=|>=]<bytes> or <min><><max>", "Size of the sticky buffer."},
    {"urilen", "", KeywordKind::kContent, ValueUse::kRequired, setup_urilen, nullptr, 0, "[<|>]<bytes> or <min><><max>[, norm|raw]", "Length of the request's URI."},
    {"entropy", "", KeywordKind::kContent, ValueUse::kRequired, setup_entropy, nullptr, 0, "[bytes <n>][, offset <n>], value <test>",
     "Shannon entropy of the buffer, 0 to 8 bits a byte."},
};

}  // namespace

std::span<const Keyword> size_keywords() { return kKeywords; }

}  // namespace vong::detect
