#include "sensor/applayer/smtp/mime.h"

#include <algorithm>
#include <array>

#include "base/encode.h"
#include "base/strings.h"
#include "openssl/evp.h"
#include "sensor/applayer/smtp/limits.h"

namespace vong::smtp {

class BodyHash {
 public:
  BodyHash() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_md5(), nullptr); }
  ~BodyHash() { EVP_MD_CTX_free(context_); }
  BodyHash(const BodyHash&) = delete;
  BodyHash& operator=(const BodyHash&) = delete;

  void add(std::string_view data) { EVP_DigestUpdate(context_, data.data(), data.size()); }
  std::string hex() {
    std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, digest.data(), &size);
    return hex_of(Bytes(digest).first(size));
  }

 private:
  EVP_MD_CTX* context_;
};

namespace {

constexpr std::array<int8_t, 256> kBase64 = [] {
  std::array<int8_t, 256> table{};
  for (auto& v : table) v = -1;
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    table[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return table;
}();

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// %41 -> A, as RFC 2231 has it.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
        hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

struct Parameter {
  std::string_view name, value;  // value without its quotes
};

// The next `; name=value` at `at`; false at the end.
bool next_parameter(std::string_view text, size_t& at, Parameter& out) {
  while (at < text.size()) {
    const size_t semicolon = text.find(';', at);
    if (semicolon == std::string_view::npos) return false;
    size_t i = semicolon + 1;
    const size_t name_end = text.find_first_of("=;", i);
    if (name_end == std::string_view::npos) return false;
    if (text[name_end] == ';') {
      at = name_end;
      continue;
    }
    out.name = strip(text.substr(i, name_end - i));
    i = name_end + 1;
    while (i < text.size() && is_space(text[i])) ++i;
    if (i < text.size() && text[i] == '"') {
      const size_t close = std::min(text.find('"', i + 1), text.size());
      out.value = text.substr(i + 1, close - i - 1);
      at = std::min(close + 1, text.size());
    } else {
      const size_t end = std::min(text.find(';', i), text.size());
      out.value = strip(text.substr(i, end - i));
      at = end;
    }
    return true;
  }
  return false;
}

constexpr size_t kMaxContinuations = 64;

}  // namespace

std::string header_parameter(std::string_view value, std::string_view name) {
  size_t at = 0;
  Parameter p;
  std::string joined;
  size_t part = 0;
  while (next_parameter(value, at, p)) {
    if (equals_ignore_case(p.name, name)) return std::string(p.value);
    if (p.name.size() <= name.size() || p.name[name.size()] != '*' ||
        !starts_with_ignore_case(p.name, name))
      continue;
    // name*=charset'language'text, name*N=text, name*N*=text
    std::string_view rest = p.name.substr(name.size() + 1);
    const bool encoded = rest.empty() || rest.ends_with('*');
    if (rest.ends_with('*')) rest.remove_suffix(1);
    const bool first = rest.empty() || rest == "0";
    if (!rest.empty() && (part >= kMaxContinuations || rest != std::to_string(part))) continue;
    ++part;
    std::string_view text = p.value;
    if (encoded && first) {
      const size_t quote = text.find('\'');
      const size_t second = quote == std::string_view::npos ? quote : text.find('\'', quote + 1);
      if (second != std::string_view::npos) text.remove_prefix(second + 1);
    }
    joined += encoded ? percent_decoded(text) : std::string(text);
    if (rest.empty()) break;
  }
  return joined;
}

Mime::Mime(const MimeConfig& config, FileSink& files) : config_(config), files_(files) {
  if (config.body_md5) hash_ = std::make_unique<BodyHash>();
}

Mime::~Mime() = default;

const std::string* Mime::header(std::string_view name) const {
  const auto it = std::find_if(headers_.begin(), headers_.end(),
                               [&](const Header& h) { return h.name == name; });
  return it == headers_.end() ? nullptr : &it->value;
}

std::string_view Mime::status() const {
  switch (state_) {
    case State::kDone:
      return "PARSE_DONE";
    case State::kBroken:
      return "PARSE_ERROR";
    case State::kHeaders:
      return main_headers_ && headers_.empty() ? "HEADER_STARTED" : "HEADER_READY";
    default:
      return "BODY_STARTED";
  }
}

void Mime::line(std::string_view text, std::string_view line_end) {
  if (state_ == State::kDone || state_ == State::kBroken) return;
  line_bytes_ += text.size();
  if (line_bytes_ > kMaxMailLineBytes) issues_ |= kMimeLongLine;
  if (hash_ != nullptr && !main_headers_) {  // all behind the mail's own headers, as it came
    hash_->add(text);
    hash_->add(line_end);
    body_started_ = true;
  }
  if (!in_line_ && text.size() > 1 && text.front() == '.')
    text.remove_prefix(1);  // the dot that DATA puts before a dot (RFC 5321 section 4.5.2)
  if (state_ == State::kHeaders)
    header_line(text, !in_line_);
  else
    body_line(text, line_end);
  in_line_ = line_end.empty();
  if (!in_line_) line_bytes_ = 0;
}

// ---------------------------------------------------------------- headers

void Mime::header_line(std::string_view text, bool whole) {
  const auto extend = [&](std::string_view more) {
    const size_t room =
        config_.header_value_bytes_max - std::min(config_.header_value_bytes_max, value_.size());
    if (more.size() > room) {
      issues_ |= kMimeLongHeaderValue;
      more = more.substr(0, room);
    }
    value_.append(more);
  };
  if (!whole) return extend(text);
  if (text.empty()) {
    flush_header();
    return headers_end();
  }
  if (text.front() == ' ' || text.front() == '\t') {
    // Folded: the line belongs to the header before it, without the space that marks it.
    return extend(text.substr(std::min(text.find_first_not_of(" \t"), text.size())));
  }
  flush_header();
  if (!boundaries_.empty() && boundary_line(text)) return;
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    issues_ |= kMimeMalformed;
    return;
  }
  std::string_view name = strip(text.substr(0, colon));
  if (name.size() > kMaxHeaderNameBytes) {
    issues_ |= kMimeLongHeaderName;
    name = name.substr(0, kMaxHeaderNameBytes);
  }
  name_ = to_lower(name);
  const std::string_view rest = text.substr(colon + 1);
  extend(rest.substr(std::min(rest.find_first_not_of(" \t"), rest.size())));
}

void Mime::flush_header() {
  if (name_.empty()) {
    value_.clear();
    return;
  }
  while (!value_.empty() && (value_.back() == ' ' || value_.back() == '\t')) value_.pop_back();
  if (name_ == "content-type") part_.content_type = value_;
  if (name_ == "content-disposition") part_.disposition = value_;
  if (name_ == "content-transfer-encoding") part_.encoding_name = to_lower(strip(value_));
  if (main_headers_ && headers_.size() < kMaxHeaders)
    headers_.push_back({std::move(name_), std::move(value_)});
  name_.clear();
  value_.clear();
}

void Mime::headers_end() {
  main_headers_ = false;
  const std::string type =
      to_lower(strip(std::string_view(part_.content_type).substr(0, part_.content_type.find(';'))));
  std::string name = header_parameter(part_.disposition, "filename");
  if (name.empty()) name = header_parameter(part_.content_type, "name");
  encoding_ = Encoding::kNone;
  if (part_.encoding_name == "base64" && config_.decode_base64) encoding_ = Encoding::kBase64;
  if (part_.encoding_name == "quoted-printable" && config_.decode_quoted_printable)
    encoding_ = Encoding::kQuotedPrintable;
  is_text_ = type.empty() || type.starts_with("text/") || type.starts_with("message/");
  base64_.clear();
  pending_end_.clear();
  state_ = State::kBody;
  std::string boundary = type.starts_with("multipart/")
                             ? header_parameter(part_.content_type, "boundary")
                             : std::string();
  part_ = {};
  if (!boundary.empty()) {
    if (boundary.size() > kMaxBoundaryBytes) {
      issues_ |= kMimeLongBoundary;
      boundary.resize(kMaxBoundaryBytes);
    }
    if (boundaries_.size() < kMaxNesting) boundaries_.push_back(std::move(boundary));
    state_ = State::kSkip;
    return;
  }
  if (type == "message/rfc822") {
    // A mail within the mail: its headers come next. Such a part must not be encoded (RFC 2046
    // section 5.2.1); what says so and is not would hide its parts.
    encoding_ = Encoding::kNone;
    state_ = State::kHeaders;
    return;
  }
  if (!name.empty()) open_file(std::move(name));
}

void Mime::open_file(std::string name) {
  if (name.size() > kMaxFilenameBytes) {
    issues_ |= kMimeLongFilename;
    name.resize(kMaxFilenameBytes);
  }
  if (attachments_.size() < kMaxAttachments) attachments_.push_back(name);
  files_.file_open(std::move(name));
  file_is_open_ = true;
}

// ---------------------------------------------------------------- bodies

// "--boundary" begins the next part, "--boundary--" ends the multipart; one of an outer multipart
// ends the inner ones too.
bool Mime::boundary_line(std::string_view text) {
  if (!text.starts_with("--")) return false;
  for (size_t i = boundaries_.size(); i > 0; --i) {
    const std::string& boundary = boundaries_[i - 1];
    if (!text.substr(2).starts_with(boundary)) continue;
    end_part();
    const bool last = text.substr(2 + boundary.size()).starts_with("--");
    boundaries_.resize(last ? i - 1 : i);
    state_ = last ? State::kSkip : State::kHeaders;
    return true;
  }
  return false;
}

void Mime::body_line(std::string_view text, std::string_view line_end) {
  if (!in_line_ && !boundaries_.empty() && boundary_line(text)) return;
  if (state_ == State::kSkip) return;
  switch (encoding_) {
    case Encoding::kBase64:
      decode_base64(text);
      break;
    case Encoding::kQuotedPrintable:
      decode_quoted_printable(text, line_end);
      break;
    case Encoding::kNone:
      if (!in_line_) {
        emit(pending_end_);
        pending_end_.clear();
      }
      emit(text);
      if (!line_end.empty()) pending_end_ = line_end;
      break;
  }
}

void Mime::end_part() {
  if (encoding_ == Encoding::kBase64 && !base64_.empty()) {
    while (base64_.size() < 4) base64_.push_back('=');
    std::string rest;
    rest.swap(base64_);
    decode_base64(rest);
  }
  pending_end_.clear();
  base64_.clear();
  if (!text_line_.empty()) {
    find_urls(text_line_);
    text_line_.clear();
  }
  if (file_is_open_) files_.file_close(true);
  file_is_open_ = false;
  encoding_ = Encoding::kNone;
}

void Mime::decode_base64(std::string_view text) {
  if (line_bytes_ > kMaxEncodedLineBytes) issues_ |= kMimeLongEncodedLine;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  for (const char c : text) {
    if (c == ' ' || c == '\t') continue;
    if (c != '=' && kBase64[static_cast<uint8_t>(c)] < 0) {
      issues_ |= kMimeInvalidBase64;
      continue;
    }
    base64_.push_back(c);
    if (base64_.size() < 4) continue;
    uint32_t bits = 0;
    size_t pad = 0;
    for (const char b : base64_) {
      if (b == '=') ++pad;
      bits = bits << 6 | static_cast<uint32_t>(b == '=' ? 0 : kBase64[static_cast<uint8_t>(b)]);
    }
    base64_.clear();
    for (size_t i = 0; i < 3 - std::min<size_t>(pad, 3); ++i)
      out.push_back(static_cast<char>(bits >> (16 - 8 * i) & 0xff));
  }
  emit(out);
}

void Mime::decode_quoted_printable(std::string_view text, std::string_view line_end) {
  if (line_bytes_ > kMaxEncodedLineBytes) issues_ |= kMimeLongEncodedLine;
  std::string out;
  out.reserve(text.size() + 2);
  bool soft = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 1 >= text.size()) {
      soft = true;  // the line goes on in the next one
      break;
    }
    const int high = hex_digit(text[i + 1]),
              low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      issues_ |= kMimeInvalidQp;
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  emit(pending_end_);
  pending_end_ = soft ? std::string_view() : line_end;
  emit(out);
}

void Mime::emit(std::string_view data) {
  if (data.empty()) return;
  if (file_is_open_) files_.file_data(as_bytes(data));
  if (!is_text_ || !config_.extract_urls) return;
  while (!data.empty()) {
    const size_t end = data.find('\n');
    const std::string_view piece = data.substr(0, end);
    if (text_line_.size() + piece.size() <= kMaxTextLineBytes) text_line_.append(piece);
    if (end == std::string_view::npos) return;
    if (!text_line_.empty()) find_urls(text_line_);
    text_line_.clear();
    data.remove_prefix(end + 1);
  }
}

// scheme://rest up to what cannot stand in a URL. One pass.
void Mime::find_urls(std::string_view text) {
  size_t at = 0;
  while (urls_.size() < kMaxUrls && (at = text.find("://", at)) != std::string_view::npos) {
    const std::string_view before = text.substr(0, at);
    const auto scheme = std::find_if(
        config_.url_schemes.begin(), config_.url_schemes.end(), [&](const std::string& s) {
          if (before.size() < s.size() ||
              !equals_ignore_case(before.substr(before.size() - s.size()), s))
            return false;
          // "xhttp" is another scheme, "https" when "http" is meant cannot be, as the colon
          // follows.
          const char c =
              before.size() == s.size() ? ' ' : ascii_lower(before[before.size() - s.size() - 1]);
          return !((c >= 'a' && c <= 'z') || is_digit(c));
        });
    const size_t end = std::min(text.find_first_of(" \t\r\n\"'<>\\^`{|}", at + 3), text.size());
    if (scheme != config_.url_schemes.end()) {
      const size_t start = config_.log_url_scheme ? at - scheme->size() : at + 3;
      if (end > at + 3) urls_.emplace_back(text.substr(start, std::min(end - start, kMaxUrlBytes)));
    }
    at = std::max(end, at + 3);
  }
}

void Mime::finish(bool complete) {
  if (state_ == State::kDone || state_ == State::kBroken) return;
  if (state_ == State::kHeaders) flush_header();
  if (complete) {
    end_part();
    state_ = State::kDone;
  } else if (file_is_open_) {
    files_.file_close(false);
    file_is_open_ = false;
  }
  if (hash_ != nullptr && body_started_) body_md5_ = hash_->hex();
  hash_.reset();
}

}  // namespace vong::smtp
