// content and its modifiers.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

Status setup_content(RuleBuilder& b, const rules::Option& o) {
  const auto content = rules::parse_content(o.value);
  if (!content) return std::unexpected(content.error());
  Node node;
  node.kind = NodeKind::kContent;
  node.content = ContentNode{};
  const std::string_view kept = b.set.keep(content->bytes);
  node.content.bytes = reinterpret_cast<const uint8_t*>(kept.data());
  node.content.length = static_cast<uint32_t>(kept.size());
  node.content.negated = content->negated;
  return b.add_node(node, o.value);
}

// The content before this option, or why there is none.
rules::Parsed<ContentNode*> content_of(RuleBuilder& b, const rules::Option& o) {
  Node* node = b.last_content();
  if (node == nullptr) return value_error(o.name, fmt::format("{} needs a content before it", o.name));
  return &node->content;
}

Status setup_nocase(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  if ((*c)->nocase) return value_error(o.name, "nocase stands twice");
  (*c)->nocase = true;
  return {};
}

template <bool ContentNode::* Has, Place ContentNode::* Value, int64_t Min, int64_t Max>
Status setup_place(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  if ((*c)->*Has) return value_error(o.name, fmt::format("{} stands twice for one content", o.name));
  const auto v = b.operand(o.value, Min, Max);
  if (!v) return std::unexpected(v.error());
  (*c)->*Has = true;
  (*c)->*Value = place_of(*v);
  return {};
}

Status setup_startswith(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  if ((*c)->starts_with) return value_error(o.name, "startswith stands twice");
  (*c)->starts_with = true;
  return {};
}

Status setup_endswith(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  if ((*c)->ends_with) return value_error(o.name, "endswith stands twice");
  (*c)->ends_with = true;
  return {};
}

Status setup_fast_pattern(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  for (const ListDraft& list : b.lists) {
    for (const Node& n : list.nodes) {
      if (n.kind == NodeKind::kContent && n.content.fast_pattern) return value_error(o.name, "fast_pattern on more than one content");
    }
  }
  (*c)->fast_pattern = true;
  if (o.value.empty()) return {};
  if (o.value == "only") {
    (*c)->fast_pattern_only = true;
    return {};
  }
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() != 2) return value_error(o.value, "expected only, or <offset>,<length>");
  const auto offset = rules::parse_unsigned((*parts)[0], 65'535), length = rules::parse_unsigned((*parts)[1], 65'535);
  if (!offset) return std::unexpected(offset.error());
  if (!length) return std::unexpected(length.error());
  if (*length == 0) return value_error((*parts)[1], "the length cannot be 0");
  (*c)->chop_offset = static_cast<uint16_t>(*offset);
  (*c)->chop_length = static_cast<uint16_t>(*length);
  return {};
}

// Bytes as they came are what the payload holds here anyway.
Status setup_rawbytes(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  return {};
}

// vn_text[:case, unmarked, word, line]
Status setup_vn_text(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  if ((*c)->phrase != nullptr) return value_error(o.name, "vn_text stands twice");
  if ((*c)->nocase || (*c)->chop_length != 0) return value_error(o.name, "vn_text has its own rule of letter case and pattern: no nocase, no part of it as fast_pattern");
  vietnamese::PhraseOptions options;
  if (!o.value.empty()) {
    const auto parts = rules::split_parts(o.value);
    if (!parts) return std::unexpected(parts.error());
    for (const std::string_view part : *parts) {
      if (part == "case") options.letter_case = vietnamese::CaseRule::kAsWritten;
      else if (part == "unmarked") options.unmarked = true;
      else if (part == "word") options.word = true;
      else if (part == "line") options.alone = true;
      else return value_error(part, "expected case, unmarked, word or line");
    }
  }
  auto phrase = vietnamese::Phrase::make({reinterpret_cast<const char*>((*c)->bytes), (*c)->length}, options);
  if (!phrase) return value_error(o.name, phrase.error().message);
  b.set.phrases.push_back(std::make_unique<vietnamese::Phrase>(std::move(*phrase)));
  (*c)->phrase = b.set.phrases.back().get();
  (*c)->length = static_cast<uint32_t>((*c)->phrase->min_length());
  return {};
}

Status setup_replace(RuleBuilder& b, const rules::Option& o) {
  auto c = content_of(b, o);
  if (!c) return std::unexpected(c.error());
  const auto with = rules::parse_content(o.value);
  if (!with) return std::unexpected(with.error());
  if (with->bytes.size() != (*c)->length) return value_error(o.value, "the replacement is not as long as the content");
  return {};
}

Status setup_uricontent(RuleBuilder& b, const rules::Option& o) {
  const BufferName* uri = b.env.catalog.buffer("http.uri");
  if (uri == nullptr) return value_error(o.name, "HTTP is not built in");
  if (b.has_sticky()) return value_error(o.name, "uricontent cannot be used after a sticky buffer");
  if (auto s = setup_content(b, o); !s) return s;
  return b.move_last_content(*uri, o.name);
}

Status setup_pkt_data(RuleBuilder& b, const rules::Option& o) { return b.set_payload(o.name); }

Status setup_absent(RuleBuilder& b, const rules::Option& o) {
  if (!b.has_sticky()) return value_error(o.name, "absent needs a sticky buffer before it");
  auto list = b.current_list(o.name);
  if (!list) return std::unexpected(list.error());
  if (!o.value.empty() && o.value != "or_else") return value_error(o.value, "expected or_else or nothing");
  if (o.value.empty() && !(*list)->nodes.empty()) return value_error(o.name, "absent stands alone on its buffer; see absent:or_else");
  (*list)->absent = true;
  (*list)->absent_or_else = !o.value.empty();
  return {};
}

constexpr auto kMin = int64_t{-65'535}, kMax = int64_t{65'535};
constexpr Keyword kKeywords[] = {
    {"content", "", KeywordKind::kContent, ValueUse::kRequired, setup_content, nullptr, 0, "[!]\"<bytes, |hex| between bars>\"",
     "Bytes that the buffer must (or must not) hold."},
    {"nocase", "", KeywordKind::kModifier, ValueUse::kNone, setup_nocase, nullptr, 0, "", "The content matches in any letter case."},
    {"depth", "", KeywordKind::kModifier, ValueUse::kRequired, setup_place<&ContentNode::has_depth, &ContentNode::depth, 0, kMax>, nullptr, 0,
     "<bytes|variable>", "The content lies within this many bytes from the offset."},
    {"offset", "", KeywordKind::kModifier, ValueUse::kRequired, setup_place<&ContentNode::has_offset, &ContentNode::offset, 0, kMax>, nullptr, 0,
     "<bytes|variable>", "The content begins at this byte or later."},
    {"distance", "", KeywordKind::kModifier, ValueUse::kRequired,
     setup_place<&ContentNode::has_distance, &ContentNode::distance, -1'048'576, 1'048'576>, nullptr, 0, "<bytes|variable>",
     "At least this many bytes lie between the match before and this content."},
    {"within", "", KeywordKind::kModifier, ValueUse::kRequired, setup_place<&ContentNode::has_within, &ContentNode::within, -1'048'576, 1'048'576>,
     nullptr, 0, "<bytes|variable>", "The content ends within this many bytes from the match before."},
    {"startswith", "", KeywordKind::kModifier, ValueUse::kNone, setup_startswith, nullptr, 0, "", "The buffer begins with the content."},
    {"endswith", "", KeywordKind::kModifier, ValueUse::kNone, setup_endswith, nullptr, 0, "", "The buffer ends with the content."},
    {"fast_pattern", "", KeywordKind::kModifier, ValueUse::kOptional, setup_fast_pattern, nullptr, 0, "[only|<offset>,<length>]",
     "The prefilter looks for this content (or this part of it)."},
    {"rawbytes", "", KeywordKind::kModifier, ValueUse::kNone, setup_rawbytes, nullptr, 0, "", "Accepted for compatibility: contents of the payload always see raw bytes."},
    {"replace", "", KeywordKind::kModifier, ValueUse::kRequired, setup_replace, nullptr, Keyword::kNeedsPacket, "\"<bytes>\"",
     "Checked and otherwise ignored: a passive sensor changes nothing."},
    {"vn_text", "", KeywordKind::kModifier, ValueUse::kOptional, setup_vn_text, nullptr, 0, "[case][, unmarked][, word][, line]",
     "The content is Vietnamese text, found in every encoding met in government files (UTF-8, UTF-16, TCVN3, VNI, VIQR, Windows-1258), in any "
     "letter case unless case; also without marks with unmarked; word: not inside a longer word; line: alone on its line."},
    {"uricontent", "", KeywordKind::kContent, ValueUse::kRequired, setup_uricontent, nullptr, 0, "[!]\"<bytes>\"", "A content of http.uri (old spelling)."},
    {"pkt_data", "", KeywordKind::kBuffer, ValueUse::kNone, setup_pkt_data, nullptr, 0, "", "What follows looks at the payload again."},
    {"absent", "", KeywordKind::kModifier, ValueUse::kOptional, setup_absent, nullptr, 0, "[or_else]",
     "The sticky buffer does not exist, or (or_else) holds what follows."},
};

}  // namespace

std::span<const Keyword> content_keywords() { return kKeywords; }

}  // namespace vong::detect
