#define PCRE2_CODE_UNIT_WIDTH 8
#include "sensor/detect/regex.h"

#include <pcre2.h>

#include <new>

#include "fmt/format.h"
#include "sensor/detect/limits.h"

namespace vong::detect {

RegexScratch::RegexScratch() : data_(pcre2_match_data_create(kMaxPcreCaptures + 1, nullptr)) {
  if (data_ == nullptr) throw std::bad_alloc();
}
RegexScratch::~RegexScratch() { pcre2_match_data_free(data_); }

Bytes RegexScratch::group(Bytes subject, uint32_t i) const {
  if (i >= groups_) return {};
  const PCRE2_SIZE* vector = pcre2_get_ovector_pointer(data_);
  const PCRE2_SIZE begin = vector[2 * i], end = vector[2 * i + 1];
  if (begin == PCRE2_UNSET || end == PCRE2_UNSET || begin > end || end > subject.size()) return {};
  return subject.subspan(begin, end - begin);
}

Result<std::unique_ptr<Regex>> Regex::compile(std::string_view expression, const Options& o, const RegexLimits& limits) {
  uint32_t flags = 0;
  if (o.caseless) flags |= PCRE2_CASELESS;
  if (o.multiline) flags |= PCRE2_MULTILINE;
  if (o.dotall) flags |= PCRE2_DOTALL;
  if (o.extended) flags |= PCRE2_EXTENDED;
  if (o.anchored) flags |= PCRE2_ANCHORED;
  if (o.dollar_endonly) flags |= PCRE2_DOLLAR_ENDONLY;
  if (o.ungreedy) flags |= PCRE2_UNGREEDY;
  int error = 0;
  PCRE2_SIZE at = 0;
  std::unique_ptr<Regex> regex(new Regex());
  regex->code_ =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(), flags, &error, &at, nullptr);
  if (regex->code_ == nullptr) {
    PCRE2_UCHAR text[160];
    pcre2_get_error_message(error, text, sizeof text);
    return fail(fmt::format("regular expression, at byte {}: {}", at, reinterpret_cast<const char*>(text)));
  }
  regex->context_ = pcre2_match_context_create(nullptr);
  if (regex->context_ == nullptr) throw std::bad_alloc();
  if (!o.no_limits) {
    pcre2_set_match_limit(regex->context_, limits.match);
    pcre2_set_depth_limit(regex->context_, limits.depth);
  }
  return regex;
}

Regex::~Regex() {
  pcre2_match_context_free(context_);
  pcre2_code_free(code_);
}

Regex::Outcome Regex::search(Bytes subject, size_t start, RegexScratch& scratch, size_t& begin, size_t& end) const {
  std::call_once(jit_once_, [this] { (void)pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE); });
  static const uint8_t kNothing = 0;
  const uint8_t* data = subject.data() != nullptr ? subject.data() : &kNothing;
  const int rc = pcre2_match(code_, data, subject.size(), start, 0, scratch.data_, context_);
  if (rc < 0) {
    scratch.groups_ = 0;
    return rc == PCRE2_ERROR_NOMATCH ? Outcome::kNoMatch : Outcome::kLimit;
  }
  scratch.groups_ = rc == 0 ? kMaxPcreCaptures + 1 : static_cast<uint32_t>(rc);
  const PCRE2_SIZE* vector = pcre2_get_ovector_pointer(scratch.data_);
  begin = vector[0];
  end = vector[1];
  return Outcome::kMatch;
}

uint32_t Regex::capture_count() const {
  uint32_t n = 0;
  pcre2_pattern_info(code_, PCRE2_INFO_CAPTURECOUNT, &n);
  return n;
}

int Regex::group_number(const std::string& name) const {
  return pcre2_substring_number_from_name(code_, reinterpret_cast<PCRE2_SPTR>(name.c_str()));
}

std::vector<std::pair<std::string, uint32_t>> Regex::named_groups() const {
  uint32_t count = 0, entry = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code_, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code_, PCRE2_INFO_NAMEENTRYSIZE, &entry);
  pcre2_pattern_info(code_, PCRE2_INFO_NAMETABLE, &table);
  std::vector<std::pair<std::string, uint32_t>> result;
  for (uint32_t i = 0; i < count; ++i) {
    const PCRE2_SPTR at = table + i * entry;
    result.emplace_back(reinterpret_cast<const char*>(at + 2), static_cast<uint32_t>(at[0]) << 8 | at[1]);
  }
  return result;
}

}  // namespace vong::detect
