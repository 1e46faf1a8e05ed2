#include <fmt/format.h>
#include <hs.h>

#include <cstdlib>
#include <limits>

#include "rules/matcher/matcher.h"

namespace vong::matcher {
namespace {

// A byte of a literal as part of an expression. Letters and digits stand as they are, which keeps
// long literals under Hyperscan's limit on the length of an expression.
void append_escaped(std::string& out, unsigned char c) {
  const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  if (plain) {
    out += static_cast<char>(c);
  } else {
    out += fmt::format("\\x{:02x}", c);
  }
}

bool has_bounds(const Pattern& pattern) {
  return pattern.kind == Pattern::Kind::kLiteral &&
         (pattern.literal.offset != 0 || pattern.literal.depth != kNoLimit);
}

unsigned regex_flags(const RegexOptions& options) {
  unsigned flags = 0;
  if (options.nocase) flags |= HS_FLAG_CASELESS;
  if (options.dot_all) flags |= HS_FLAG_DOTALL;
  if (options.multi_line) flags |= HS_FLAG_MULTILINE;
  if (options.utf8) flags |= HS_FLAG_UTF8;
  if (options.prefilter) flags |= HS_FLAG_PREFILTER;
  if (options.allow_empty) flags |= HS_FLAG_ALLOWEMPTY;
  return flags;
}

// The arrays that Hyperscan's compilers want, kept alive together.
struct Input {
  std::vector<std::string> owned;
  std::vector<const char*> expressions;
  std::vector<unsigned> flags;
  std::vector<unsigned> ids;
  std::vector<hs_expr_ext_t> bounds;
  std::vector<const hs_expr_ext_t*> ext;

  void reserve(size_t n) {
    owned.reserve(n);  // pointers into these are taken: they must not move
    bounds.reserve(n);
    expressions.reserve(n);
    flags.reserve(n);
    ids.reserve(n);
    ext.reserve(n);
  }
};

hs_expr_ext_t make_bounds(const Pattern& pattern) {
  hs_expr_ext_t ext{};
  // Hyperscan bounds the end of a match, we bound its first byte and the window it must lie in.
  ext.flags = HS_EXT_FLAG_MIN_OFFSET;
  ext.min_offset = uint64_t{pattern.literal.offset} + pattern.text.size();
  if (pattern.literal.depth != kNoLimit) {
    ext.flags |= HS_EXT_FLAG_MAX_OFFSET;
    ext.max_offset = uint64_t{pattern.literal.offset} + pattern.literal.depth;
  }
  return ext;
}

// Literals are handed over as expressions: sets from hs_compile_lit_multi (Hyperscan 5.4.0) overlook literals in data of up to 33 bytes.
void add_literal(Input& input, const Pattern& pattern) {
  input.flags.back() |= pattern.literal.nocase ? HS_FLAG_CASELESS : 0;
  std::string& escaped = input.owned.emplace_back();
  for (const char c : pattern.text) append_escaped(escaped, static_cast<unsigned char>(c));
  input.expressions.push_back(escaped.c_str());
  if (!has_bounds(pattern)) return;
  input.bounds.push_back(make_bounds(pattern));
  input.ext.back() = &input.bounds.back();
}

Input make_input(const PatternSet& set, const CompileOptions& options) {
  Input input;
  input.reserve(set.size());
  for (const Pattern& pattern : set.patterns()) {
    input.ids.push_back(pattern.id);
    input.flags.push_back(options.single_match ? HS_FLAG_SINGLEMATCH : 0);
    input.ext.push_back(nullptr);
    if (pattern.kind == Pattern::Kind::kLiteral) {
      add_literal(input, pattern);
    } else {
      input.flags.back() |= regex_flags(pattern.regex);
      input.expressions.push_back(pattern.text.c_str());
    }
  }
  return input;
}

std::string describe(const Pattern& pattern) {
  std::string shown;
  for (const char c : std::string_view(pattern.text).substr(0, 64)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte >= 0x20 && byte < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  if (pattern.text.size() > 64) shown += "...";
  return fmt::format("{} '{}'", pattern.kind == Pattern::Kind::kLiteral ? "literal" : "expression",
                     shown);
}

CompileError pattern_error(const PatternSet& set, size_t index, std::string_view reason) {
  if (index >= set.size()) return {CompileError::kNoPattern, std::string(reason)};
  return {index, fmt::format("{}: {}", describe(set.patterns()[index]), reason)};
}

// What Hyperscan would refuse with a vague message, or accept although it can never match.
std::expected<void, CompileError> check_set(const PatternSet& set) {
  for (size_t i = 0; i < set.size(); ++i) {
    const Pattern& pattern = set.patterns()[i];
    if (pattern.text.empty()) return std::unexpected(pattern_error(set, i, "is empty"));
    if (pattern.kind == Pattern::Kind::kRegex) {
      if (pattern.text.find('\0') == std::string::npos) continue;
      return std::unexpected(pattern_error(set, i, "NUL byte in an expression"));
    }
    if (pattern.literal.depth < pattern.text.size()) {
      return std::unexpected(pattern_error(
          set, i, fmt::format("is longer than its depth of {} bytes", pattern.literal.depth)));
    }
  }
  return {};
}

}  // namespace

Matcher::Compiled Matcher::compile(const PatternSet& set, const CompileOptions& options) {
  if (auto ok = check_set(set); !ok) return std::unexpected(std::move(ok.error()));
  if (set.empty()) return std::shared_ptr<const Matcher>(new Matcher(nullptr, 0));
  const Input input = make_input(set, options);
  const auto count = static_cast<unsigned>(set.size());
  hs_database_t* database = nullptr;
  hs_compile_error_t* refused = nullptr;
  const hs_error_t code =
      hs_compile_ext_multi(input.expressions.data(), input.flags.data(), input.ids.data(),
                           input.ext.data(), count, HS_MODE_BLOCK, nullptr, &database, &refused);
  if (code == HS_SUCCESS) return std::shared_ptr<const Matcher>(new Matcher(database, set.size()));
  const int index = refused != nullptr ? refused->expression : -1;
  CompileError error =
      pattern_error(set, index < 0 ? CompileError::kNoPattern : static_cast<size_t>(index),
                    refused != nullptr ? refused->message : "Hyperscan gave no reason");
  hs_free_compile_error(refused);
  return std::unexpected(std::move(error));
}

std::expected<void, CompileError> Matcher::check(const Pattern& pattern) {
  PatternSet alone;
  if (pattern.kind == Pattern::Kind::kLiteral) {
    alone.add_literal(pattern.id, pattern.text, pattern.literal);
  } else {
    alone.add_regex(pattern.id, pattern.text, pattern.regex);
  }
  Compiled compiled = compile(alone);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return {};
}

Matcher::~Matcher() { hs_free_database(database_); }

ScanResult Matcher::scan_raw(Bytes data, Scratch& scratch, RawMatch on_match, void* context) const {
  if (database_ == nullptr) return ScanResult::kDone;
  if (data.empty()) {
    // Hyperscan refuses a null pointer even for no bytes; an expression that matches nothing must
    // still be told.
    static constexpr uint8_t kNothing = 0;
    data = Bytes(&kNothing, size_t{0});
  }
  if (data.size() > std::numeric_limits<unsigned>::max()) return ScanResult::kError;
  const hs_error_t code =
      hs_scan(database_, reinterpret_cast<const char*>(data.data()),
              static_cast<unsigned>(data.size()), 0, scratch.scratch_, on_match, context);
  if (code == HS_SUCCESS) return ScanResult::kDone;
  return code == HS_SCAN_TERMINATED ? ScanResult::kStopped : ScanResult::kError;
}

size_t Matcher::memory_bytes() const {
  size_t bytes = 0;
  if (database_ != nullptr) hs_database_size(database_, &bytes);
  return bytes + sizeof *this;
}

Result<std::string> Matcher::serialize() const {
  if (database_ == nullptr) return std::string();
  char* bytes = nullptr;
  size_t size = 0;
  const hs_error_t code = hs_serialize_database(database_, &bytes, &size);
  if (code != HS_SUCCESS) return fail(fmt::format("Hyperscan error {} at serializing", code));
  std::string result(bytes, size);
  std::free(bytes);
  return result;
}

Result<std::shared_ptr<const Matcher>> Matcher::deserialize(Bytes bytes, size_t pattern_count) {
  if (pattern_count == 0) return std::shared_ptr<const Matcher>(new Matcher(nullptr, 0));
  hs_database_t* database = nullptr;
  const hs_error_t code =
      hs_deserialize_database(reinterpret_cast<const char*>(bytes.data()), bytes.size(), &database);
  if (code != HS_SUCCESS) return fail(fmt::format("Hyperscan error {} at deserializing", code));
  return std::shared_ptr<const Matcher>(new Matcher(database, pattern_count));
}

std::string Matcher::platform_key() {
  hs_platform_info_t platform{};
  hs_populate_platform(&platform);
  return fmt::format("hyperscan {} tune {:x} features {:x}", hs_version(), platform.tune,
                     platform.cpu_features);
}

Scratch::~Scratch() { hs_free_scratch(scratch_); }

bool Scratch::prepare(const Matcher& matcher) {
  if (matcher.database_ == nullptr) return true;
  return hs_alloc_scratch(matcher.database_, &scratch_) == HS_SUCCESS;
}

size_t Scratch::memory_bytes() const {
  size_t bytes = 0;
  if (scratch_ != nullptr) hs_scratch_size(scratch_, &bytes);
  return bytes;
}

}  // namespace vong::matcher
