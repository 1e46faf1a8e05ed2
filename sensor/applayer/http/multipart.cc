#include "sensor/applayer/http/multipart.h"

#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/http/limits.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  while (!content_type.empty() && is_http_space(content_type.front()))
    content_type.remove_prefix(1);
  if (!starts_with_ignore_case(content_type, "multipart/form-data")) return std::nullopt;
  const auto boundary = disposition_parameter(content_type, "boundary=");
  if (!boundary) return std::nullopt;
  std::string_view b = *boundary;
  while (!b.empty() && is_http_space(b.back())) b.remove_suffix(1);
  if (b.empty() || b.size() > kBoundaryBytesMax) return std::nullopt;
  return std::string(b);
}

void Multipart::feed(Bytes bytes, MultipartSink& sink) {
  std::string joined;
  std::string_view data = as_text(bytes);
  if (!carry_.empty()) {
    joined = std::move(carry_);
    joined.append(data);
    carry_.clear();
    data = joined;
  }
  while (!data.empty()) {
    const size_t taken = step(data, sink);
    if (taken == 0) break;
    data.remove_prefix(taken);
  }
  carry_.assign(data);
}

// Takes some bytes off the front of `data`; 0: needs more of them. What is left behind is bounded
// by the state.
size_t Multipart::step(std::string_view data, MultipartSink& sink) {
  switch (state_) {
    case State::kPreamble:
    case State::kData:
      return find_delimiter(data, sink);
    case State::kAfterDelimiter: {
      if (data.starts_with("--")) {
        state_ = State::kEpilogue;
        return 2;
      }
      const size_t end = data.find('\n');
      if (end == std::string_view::npos) {
        if (data.size() <= kPartHeaderBytesMax) return 0;
        bad_header_ = true;
        state_ = State::kPreamble;
        return data.size();
      }
      state_ = State::kHeaders;
      file_name_.reset();
      return end + 1;
    }
    case State::kHeaders: {
      const size_t end = data.find('\n');
      if (end == std::string_view::npos) {
        if (data.size() <= kPartHeaderBytesMax) return 0;
        bad_header_ = true;
        state_ = State::kData;
        return data.size();
      }
      const std::string_view line = chomp(data.substr(0, end + 1));
      if (line.starts_with(delimiter_)) {  // a part without data
        no_data_ = no_data_ || file_name_.has_value();
        state_ = State::kAfterDelimiter;
        return delimiter_.size();
      }
      if (!line.empty()) {
        header_line(line);
        return end + 1;
      }
      state_ = State::kData;
      gave_any_ = false;
      if (file_name_) {
        sink.file_begins(*file_name_);
        file_open_ = true;
      }
      return end + 1;
    }
    case State::kEpilogue:
      return data.size();
  }
  return data.size();
}

// The delimiter with the line end before it, or as much data as cannot be the begin of one.
size_t Multipart::find_delimiter(std::string_view data, MultipartSink& sink) {
  if (at_start_ || (state_ == State::kData && !gave_any_)) {
    // No line end stands between the empty line (or the body's begin) and a delimiter that follows
    // at once.
    if (data.size() < delimiter_.size() && std::string_view(delimiter_).starts_with(data)) return 0;
    at_start_ = false;
    if (data.starts_with(delimiter_)) {
      end_part(sink, true);
      state_ = State::kAfterDelimiter;
      return delimiter_.size();
    }
  }
  for (size_t at = data.find('\n'); at != std::string_view::npos; at = data.find('\n', at + 1)) {
    const std::string_view behind = data.substr(at + 1);
    const std::string_view begin = behind.substr(0, delimiter_.size());
    if (!std::string_view(delimiter_).starts_with(begin)) continue;
    const size_t end = at > 0 && data[at - 1] == '\r' ? at - 1 : at;
    give(data.substr(0, end), sink);
    if (begin.size() < delimiter_.size()) return end;  // may become one
    end_part(sink, true);
    state_ = State::kAfterDelimiter;
    return at + 1 + delimiter_.size();
  }
  const size_t keep = data.ends_with('\r') ? 1 : 0;
  give(data.substr(0, data.size() - keep), sink);
  return data.size() - keep;
}

void Multipart::header_line(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    bad_header_ = true;
    return;
  }
  if (!equals_ignore_case(strip(line.substr(0, colon)), "content-disposition")) return;
  const std::string_view value = line.substr(colon + 1);
  if (const auto name = disposition_parameter(value, "filename=")) {
    file_name_ = std::string(name->substr(0, kFileNameBytesMax));
  } else if (!contains_ignore_case(value, "form-data")) {
    bad_header_ = true;
  }
}

void Multipart::give(std::string_view data, MultipartSink& sink) {
  if (data.empty()) return;
  gave_any_ = true;
  if (file_open_) sink.file_bytes(as_bytes(data));
}

void Multipart::end_part(MultipartSink& sink, bool whole) {
  if (state_ == State::kData && file_open_ && !gave_any_) no_data_ = true;
  if (file_open_) sink.file_ends(whole);
  file_open_ = false;
}

void Multipart::finish(MultipartSink& sink) {
  if (state_ == State::kData && !carry_.empty()) give(carry_, sink);
  carry_.clear();
  end_part(sink, state_ != State::kData);
  state_ = State::kEpilogue;
}

}  // namespace vong::http
