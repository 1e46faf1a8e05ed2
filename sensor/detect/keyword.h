// A rule keyword: a row in a plain table. Each file in keywords/ gives the rows of one keyword or one small family; registry.cc lists
// the files. From the same rows come --list-keywords and docs/rules/keywords.md.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "rules/network/rule.h"
#include "rules/network/value.h"

namespace vong::detect {

class Condition;
class RuleBuilder;

using Status = rules::Parsed<void>;

enum class KeywordKind : uint8_t { kMeta, kContent, kModifier, kBuffer, kTransform, kPacket, kFlow, kApp, kFile, kEffect, kThreshold };
enum class ValueUse : uint8_t { kNone, kRequired, kOptional };

struct Keyword {
  std::string_view name;
  std::string_view alias;              // other spelling, "" for none
  KeywordKind kind = KeywordKind::kPacket;
  ValueUse value = ValueUse::kRequired;
  // Either `setup`, which does to the rule what the option asks for; or `condition`, for tests that depend on the value
  // alone: equal options of all rules then share one object.
  Status (*setup)(RuleBuilder& b, const rules::Option& option) = nullptr;
  rules::Parsed<std::unique_ptr<Condition>> (*condition)(std::string_view value) = nullptr;
  uint16_t flags = 0;
  std::string_view syntax;             // of the value: "[!]<number>|<min>-<max>"
  std::string_view help;               // one line
  std::string_view anchor;             // section of docs/rules/keywords.md it is explained in; "" : by kind

  static constexpr uint16_t kIpOnlyOk = 1;       // does not turn an addresses-only rule into a packet rule
  static constexpr uint16_t kEventsOnlyOk = 2;   // nor an events-only rule
  static constexpr uint16_t kEvent = 4;          // makes a rule one for packets with events
  static constexpr uint16_t kNeedsPacket = 8;    // looks at packets, not at the stream
  static constexpr uint16_t kOncePerRule = 16;
  static constexpr uint16_t kUnsupported = 32;   // known, refused with a message
};

[[nodiscard]] std::span<const Keyword* const> keywords();        // sorted by name
[[nodiscard]] const Keyword* keyword_by_name(std::string_view lower_case_name);

// One a file; registry.cc concatenates.
std::span<const Keyword> meta_keywords();
std::span<const Keyword> content_keywords();
std::span<const Keyword> pcre_keywords();
std::span<const Keyword> byte_keywords();
std::span<const Keyword> base64_keywords();
std::span<const Keyword> size_keywords();
std::span<const Keyword> flow_keywords();
std::span<const Keyword> flowbits_keywords();
std::span<const Keyword> flowint_keywords();
std::span<const Keyword> flowvar_keywords();
std::span<const Keyword> hostbits_keywords();
std::span<const Keyword> flow_counter_keywords();
std::span<const Keyword> stream_keywords();
std::span<const Keyword> tcp_keywords();
std::span<const Keyword> ip_keywords();
std::span<const Keyword> icmp_keywords();
std::span<const Keyword> link_keywords();
std::span<const Keyword> event_keywords();
std::span<const Keyword> app_keywords();
std::span<const Keyword> threshold_keywords();
std::span<const Keyword> effect_keywords();
std::span<const Keyword> file_keywords();
std::span<const Keyword> dataset_keywords();
std::span<const Keyword> misc_keywords();

}  // namespace vong::detect
