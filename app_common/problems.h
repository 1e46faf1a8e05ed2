// Everything that is wrong with a configuration, collected so that one check reports all of it,
// each as `file:line:column: error|warning: text`. Single thread.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace vong::app {

struct Place {
  std::string file;  // "-" or "--set" when it is no file
  int line = 1;      // from 1
  int column = 1;    // from 1
};

enum class Severity { kError, kWarning };

struct Problem {
  Severity severity;
  Place place;
  std::string text;
  [[nodiscard]] std::string to_string() const;  // one line without newline
};

class Problems {
 public:
  // Past this many a list helps nobody; the rest is only counted.
  static constexpr std::size_t kMaxKept = 1000;

  void error(Place place, std::string text) {
    add(Severity::kError, std::move(place), std::move(text));
  }
  void warning(Place place, std::string text) {
    add(Severity::kWarning, std::move(place), std::move(text));
  }

  [[nodiscard]] const std::vector<Problem>& all() const { return kept_; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  [[nodiscard]] std::size_t warnings() const { return warnings_; }
  void print(std::FILE* out) const;  // a problem a line, in the order found

 private:
  void add(Severity severity, Place place, std::string text);

  std::vector<Problem> kept_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

// The name in `names` that `wrong` was probably meant to be (few edits away); empty when none is
// near.
[[nodiscard]] std::string_view nearest_name(std::string_view wrong,
                                            const std::vector<std::string_view>& names);

}  // namespace vong::app
