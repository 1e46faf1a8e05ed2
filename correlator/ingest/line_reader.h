// Lines of a file, a folder's files or standard input, without copying: views into a buffer that
// has the padding the decoder wants. Lines longer than a record may be are reported and skipped.
// Single thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vong::ingest {

struct Line {
  std::string_view text;  // without the newline; kRecordPaddingBytes readable behind it
  uint64_t number = 0;    // from 1, in its file
  bool too_long = false;  // text is its beginning
};

// Told of the lines that are about to come, as they lie in memory (one after the other, with their
// newlines), and with an empty block when they are over.
using OnBlock = std::function<void(std::string_view block)>;

// Reads `path` ("-": standard input) to its end, or until `f` returns false. An empty line is
// skipped.
[[nodiscard]] Result<> read_lines(const std::string& path,
                                  const std::function<bool(const Line&)>& f,
                                  const OnBlock& on_block = {});

// Same, from an open descriptor, for one thing more: `idle` is called when a pipe has nothing to
// read, so that a long-running reader can look at signals; false stops.
[[nodiscard]] Result<> read_lines_fd(int fd, const std::string& name,
                                     const std::function<bool(const Line&)>& f,
                                     const std::function<bool()>& idle,
                                     const OnBlock& on_block = {});

// The files that --in PATH means: itself, or every *.json, *.jsonl, *.ndjson and *.log below a
// folder, by name.
[[nodiscard]] Result<std::vector<std::string>> input_files(const std::string& path);

}  // namespace vong::ingest
