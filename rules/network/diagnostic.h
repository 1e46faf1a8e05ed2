// What is wrong with a rule or configuration file, and where. A rule author's error is a product:
// one line, the place to the column, what was expected, the nearest known name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vong::rules {

// One-based, as editors show it. The column counts UTF-8 characters, a tab is one. Line 0: the file
// as a whole.
struct SourcePos {
  uint32_t line = 0;
  uint32_t column = 0;

  friend bool operator==(const SourcePos&, const SourcePos&) = default;
  friend auto operator<=>(const SourcePos&, const SourcePos&) = default;
};

enum class Severity : uint8_t { kError, kWarning };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string file;
  SourcePos pos;
  uint32_t sid = 0;  // of the rule it speaks of, 0 when unknown
  std::string message;

  // "file:line:column: error: text"; line and column are left out when unknown, " (sid N)" is
  // appended when known.
  [[nodiscard]] std::string format() const;
};

// Collects the problems of one file and stops at limits.h's cap (the rest is counted). Not
// thread-safe.
class Diagnostics {
 public:
  explicit Diagnostics(std::string file = {}) : file_(std::move(file)) {}

  void error(SourcePos pos, std::string message, uint32_t sid = 0) {
    add(Severity::kError, pos, std::move(message), sid);
  }
  void warning(SourcePos pos, std::string message, uint32_t sid = 0) {
    add(Severity::kWarning, pos, std::move(message), sid);
  }
  void add(Severity severity, SourcePos pos, std::string message, uint32_t sid);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] const std::vector<Diagnostic>& items() const { return items_; }
  [[nodiscard]] uint64_t errors() const { return errors_; }      // all, the ones over the cap too
  [[nodiscard]] uint64_t warnings() const { return warnings_; }  // all, the ones over the cap too
  [[nodiscard]] bool empty() const { return errors_ == 0 && warnings_ == 0; }
  // How many were not kept because of the cap.
  [[nodiscard]] uint64_t suppressed() const { return errors_ + warnings_ - items_.size(); }

 private:
  std::string file_;
  std::vector<Diagnostic> items_;
  uint64_t errors_ = 0;
  uint64_t warnings_ = 0;
};

// The problem of one value, told by a helper that does not know where the value stands: `at` points
// into the value, so Rule::pos_of(at) is its place in the file.
struct ValueError {
  std::string_view at;
  std::string message;
};

}  // namespace vong::rules
