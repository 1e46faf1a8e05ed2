#include "exporters/send/resume.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace vong::send {
namespace {

// The number behind `name` in "spool=<hex> base=<decimal>".
template <typename T>
bool read_field(std::string_view text, std::string_view name, int base, T& out) {
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return false;
  text.remove_prefix(at + name.size());
  return std::from_chars(text.data(), text.data() + text.size(), out, base).ec == std::errc();
}

}  // namespace

std::string to_metadata(const Committed& committed) {
  return fmt::format("spool={:016x} base={}", committed.spool_id, committed.base);
}

Committed from_metadata(uint64_t next, const std::string& metadata) {
  Committed committed{.next = next};
  if (!read_field(metadata, "spool=", 16, committed.spool_id) ||
      !read_field(metadata, "base=", 10, committed.base)) {
    return {.next = next};
  }
  return committed;
}

}  // namespace vong::send
