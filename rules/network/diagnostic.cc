#include "rules/network/diagnostic.h"

#include <fmt/format.h>

#include "rules/network/limits.h"

namespace vong::rules {

std::string Diagnostic::format() const {
  const std::string_view word = severity == Severity::kError ? "error" : "warning";
  std::string place = file;
  if (pos.line > 0) place += fmt::format(":{}", pos.line);
  if (pos.line > 0 && pos.column > 0) place += fmt::format(":{}", pos.column);
  std::string result = fmt::format("{}: {}: {}", place, word, message);
  if (sid != 0) result += fmt::format(" (sid {})", sid);
  return result;
}

void Diagnostics::add(Severity severity, SourcePos pos, std::string message, uint32_t sid) {
  ++(severity == Severity::kError ? errors_ : warnings_);
  if (items_.size() >= kMaxDiagnosticsPerFile) return;
  items_.push_back({severity, file_, pos, sid, std::move(message)});
}

}  // namespace vong::rules
