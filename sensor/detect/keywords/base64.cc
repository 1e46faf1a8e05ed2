// base64_decode and the buffer of its result, base64_data.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

Status setup_decode(RuleBuilder& b, const rules::Option& o) {
  Base64DecodeNode n{};
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  for (const std::string_view word : *parts) {
    const auto [key, value] = rules::split_key(word);
    if (word == "relative") {
      n.relative = true;
      continue;
    }
    const auto number = rules::parse_unsigned(value, 65'535);
    if (!number) return std::unexpected(number.error());
    if (key == "bytes" && *number > 0) n.bytes = static_cast<uint32_t>(*number);
    else if (key == "offset") n.offset = static_cast<uint32_t>(*number);
    else return value_error(word, "expected bytes <n>, offset <n> or relative");
  }
  Node node;
  node.kind = NodeKind::kBase64Decode;
  node.base64 = n;
  return b.add_node(node, o.value.empty() ? o.name : o.value);
}

Status setup_data(RuleBuilder& b, const rules::Option& o) { return b.set_base64(o.name); }

constexpr Keyword kKeywords[] = {
    {"base64_decode", "", KeywordKind::kContent, ValueUse::kOptional, setup_decode, nullptr, 0, "[bytes <n>][, offset <n>][, relative]",
     "Decodes base64 in the buffer, for base64_data."},
    {"base64_data", "", KeywordKind::kBuffer, ValueUse::kNone, setup_data, nullptr, 0, "", "What base64_decode has decoded."},
};

}  // namespace

std::span<const Keyword> base64_keywords() { return kKeywords; }

}  // namespace vong::detect
