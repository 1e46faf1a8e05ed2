// The words of the rule language in plain words, English and Vietnamese: what `explain` says about
// buffers, transforms and other keywords. One table; a keyword that is missing here is explained by
// its own text.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vong::rules_tools {

enum class Language : uint8_t { kEnglish, kVietnamese };

struct Phrase {
  std::string_view english;
  std::string_view vietnamese;

  [[nodiscard]] std::string_view in(Language language) const {
    return language == Language::kVietnamese ? vietnamese : english;
  }
};

enum class Role : uint8_t {
  kMeta,          // speaks of the rule, not of traffic
  kContent,       // content, pcre and what stands behind them
  kBuffer,        // selects what the following contents look at
  kLegacyBuffer,  // the same, but for the content before it
  kTransform,     // changes the buffer before it
  kNumber,        // a number of the packet or the transaction
  kOther,
};

struct Word {
  std::string_view name;  // lower case
  Role role = Role::kOther;
  Phrase
      phrase;  // kBuffer: "the request URI"; kTransform: "with spaces removed"; kNumber: "the TTL"
};

// Sorted by name.
[[nodiscard]] std::span<const Word> vocabulary();
// Any case; nullptr when unknown.
[[nodiscard]] const Word* find_word(std::string_view name);
// All names, for "did you mean".
[[nodiscard]] std::vector<std::string_view> vocabulary_names();

// "HTTP", "DNS queries and answers"... of a header's protocol; nullptr when the protocol is
// unknown.
[[nodiscard]] const Phrase* find_protocol(std::string_view name);
[[nodiscard]] std::vector<std::string_view> protocol_names();

}  // namespace vong::rules_tools
