// A mail (RFC 5322) with its parts (MIME, RFC 2045 to 2047, 2231), read line by line as DATA brings
// it: headers, attachments as files, URLs in text. One object per mail; nothing of the body is kept
// but the line in hand.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::smtp {

struct MimeConfig {
  bool decode_base64 = true, decode_quoted_printable = true;
  size_t header_value_bytes_max = 2000;
  bool extract_urls = true, log_url_scheme = false;
  std::vector<std::string> url_schemes = {"http"};
  bool body_md5 = false;
};

enum MimeIssue : uint16_t {
  kMimeInvalidBase64 = 1,
  kMimeInvalidQp = 2,
  kMimeLongLine = 4,
  kMimeLongEncodedLine = 8,
  kMimeLongHeaderName = 16,
  kMimeLongHeaderValue = 32,
  kMimeLongBoundary = 64,
  kMimeLongFilename = 128,
  kMimeMalformed = 256,
};

class BodyHash;  // hides OpenSSL

// Where attachments go.
class FileSink {
 public:
  virtual ~FileSink() = default;
  virtual void file_open(std::string name) = 0;
  virtual void file_data(Bytes data) = 0;
  virtual void file_close(bool complete) = 0;
};

class Mime {
 public:
  // Both must outlive the object.
  Mime(const MimeConfig& config, FileSink& files);
  ~Mime();
  Mime(const Mime&) = delete;
  Mime& operator=(const Mime&) = delete;

  // A line without its end, and the end ("\r\n", "\n"; empty for a piece of a long line whose rest
  // comes in the next call).
  void line(std::string_view text, std::string_view line_end);
  // The mail is over (its last line came), or broken off.
  void finish(bool complete);

  struct Header {
    std::string name;   // lower case
    std::string value;  // unfolded
  };
  // Of the mail itself, in order; not those of its parts.
  [[nodiscard]] const std::vector<Header>& headers() const { return headers_; }
  // The first of that name (lower case), null when there is none.
  [[nodiscard]] const std::string* header(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& attachments() const { return attachments_; }
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  [[nodiscard]] const std::string& body_md5() const {
    return body_md5_;
  }  // after finish, when configured
  [[nodiscard]] uint16_t issues() const { return issues_; }  // since clear_issues
  void clear_issues() { issues_ = 0; }
  // Within the base64 text of an attachment: parts of a line may come as they are, but for its begin when that may be a boundary.
  [[nodiscard]] bool takes_parts() const { return state_ == State::kBody && encoding_ == Encoding::kBase64 && file_is_open_; }
  [[nodiscard]] std::string_view status() const;  // EVE's email.status

 private:
  enum class State : uint8_t { kHeaders, kBody, kSkip, kDone, kBroken };
  enum class Encoding : uint8_t { kNone, kBase64, kQuotedPrintable };

  struct Part {  // the entity whose headers or body is being read
    std::string content_type, disposition, encoding_name;
  };

  void header_line(std::string_view text, bool whole);
  void flush_header();
  void headers_end();
  void body_line(std::string_view text, std::string_view line_end);
  [[nodiscard]] bool boundary_line(std::string_view text);
  void end_part();
  void decode_base64(std::string_view text);
  void decode_quoted_printable(std::string_view text, std::string_view line_end);
  void emit(std::string_view data);
  void find_urls(std::string_view text);
  void open_file(std::string name);

  const MimeConfig& config_;
  FileSink& files_;
  State state_ = State::kHeaders;
  bool main_headers_ = true;  // these are the mail's own
  bool in_line_ = false;      // the last call brought a piece without line end
  size_t line_bytes_ = 0;     // of the line so far
  std::string name_, value_;  // header in hand
  bool value_cut_ = false;
  Part part_;
  Encoding encoding_ = Encoding::kNone;
  bool is_text_ = true, file_is_open_ = false;
  std::string pending_end_;  // line end that belongs to the body only when another line follows
  std::string base64_;       // up to three characters waiting for the fourth
  std::string text_line_;    // decoded, for URLs
  std::vector<std::string> boundaries_;
  std::vector<Header> headers_;
  std::vector<std::string> attachments_, urls_;
  std::unique_ptr<BodyHash> hash_;
  bool body_started_ = false;
  std::string body_md5_;
  uint16_t issues_ = 0;
};

// A parameter of a structured header: parameter("attachment; filename=a.txt", "filename"). Quoted
// strings, and continuations and encodings of RFC 2231. Empty when there is none.
[[nodiscard]] std::string header_parameter(std::string_view value, std::string_view name);

}  // namespace vong::smtp
