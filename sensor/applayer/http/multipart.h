// multipart/form-data bodies (RFC 7578): finds the parts that carry a file name and gives out their
// bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace vong::http {

// The boundary of a Content-Type value; nothing when it is no multipart/form-data or has none (or
// one that is too long).
[[nodiscard]] std::optional<std::string> multipart_boundary(std::string_view content_type);

// What becomes of a file part; called during feed().
class MultipartSink {
 public:
  virtual ~MultipartSink() = default;
  virtual void file_begins(std::string_view name) = 0;
  virtual void file_bytes(Bytes data) = 0;
  virtual void file_ends(bool whole) = 0;
};

class Multipart {
 public:
  explicit Multipart(std::string boundary) : delimiter_("--" + std::move(boundary)) {}

  void feed(Bytes data, MultipartSink& sink);
  void finish(MultipartSink& sink);  // the body is over

  [[nodiscard]] bool saw_bad_header() const { return bad_header_; }
  [[nodiscard]] bool saw_no_data() const { return no_data_; }

 private:
  enum class State : uint8_t { kPreamble, kAfterDelimiter, kHeaders, kData, kEpilogue };

  [[nodiscard]] size_t step(std::string_view data, MultipartSink& sink);
  [[nodiscard]] size_t find_delimiter(std::string_view data, MultipartSink& sink);
  void header_line(std::string_view line);
  void give(std::string_view data, MultipartSink& sink);
  void end_part(MultipartSink& sink, bool whole);

  std::string delimiter_;
  std::string carry_;  // begin of something that is not decided yet: shorter than a delimiter or a
                       // header line's limit
  State state_ = State::kPreamble;
  bool at_start_ =
      true;  // the body's first byte is still to come: a delimiter needs no line end before it
  bool file_open_ = false;
  bool gave_any_ = false;
  std::optional<std::string> file_name_;
  bool bad_header_ = false, no_data_ = false;
};

}  // namespace vong::http
