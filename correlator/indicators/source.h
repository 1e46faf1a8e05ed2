// The named files that lists of indicators come from, read at the start and again when they have
// changed. Who asks takes the present table with current(); a table once taken stays as it is.
//
// Files are CSV (one indicator a line, with or without a header that names the columns) or JSON
// lines; docs/analysts.md describes both. A line that is no indicator is a warning and left out.
//
// Any thread may call anything; loads wait for each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "correlator/indicators/lists.h"
#include "rules/network/diagnostic.h"

namespace vong::indicators {

struct ListFile {
  std::string name;  // as rules call it: %name%
  std::string path;
};

// The lists that the files make, one name each, in the order in which they come first.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<ListFile>& files);

class Source {
 public:
  explicit Source(std::vector<ListFile> files);

  // Reads all files anew. A file that cannot be read is an error in `diagnostics`; its list then
  // keeps nothing. False, and the old table stays, when there was one and any file failed.
  bool load(std::vector<rules::Diagnostic>& diagnostics);
  // Whether a file has another time or size than when it was loaded.
  [[nodiscard]] bool changed();

  [[nodiscard]] std::shared_ptr<const Lists> current() const;
  [[nodiscard]] uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  struct Stamp {
    int64_t time_ns = 0;
    uint64_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] static Stamp stamp_of(const std::string& path);

  std::mutex loading_;
  std::vector<ListFile> files_;
  std::vector<Stamp> stamps_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Lists> lists_;
  std::atomic<uint64_t> generation_{0};
};

// One file's text into list `list`; for tests and for Source.
void read_list(std::string_view text, uint32_t list, rules::Diagnostics& diagnostics, Lists& out);

}  // namespace vong::indicators
