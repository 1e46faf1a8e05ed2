#include "sensor/applayer/smtp/parser.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/smtp/limits.h"

namespace vong::smtp {

using applayer::Input;
using applayer::ParseResult;

namespace {

// RFC 5321 section 4.2.3 and the extensions' (RFC 4954, 3207, 7504 ...).
constexpr int kReplyCodes[] = {211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 401, 402, 421,
                               435, 450, 451, 452, 454, 455, 500, 501, 502, 503, 504, 511, 521,
                               522, 525, 530, 534, 535, 538, 541, 550, 551, 552, 553, 554, 555};

// `MAIL FROM:<a@example.org> SIZE=100` -> `<a@example.org>`: what stands behind the command's colon
// up to a space.
std::string_view argument(std::string_view line, size_t prefix) {
  size_t at = std::min(prefix + 1, line.size());
  while (at < line.size() && line[at] == ' ') ++at;
  return line.substr(at, line.find(' ', at) - at);
}

// The next line of `data`, which it shortens; false when its end has not come yet and it may still
// fit.
bool next_line(std::string_view& data, TextLine& out) {
  const size_t newline = data.substr(0, kMaxLineBytes + 1).find('\n');
  if (newline == std::string_view::npos) {
    if (data.size() <= kMaxLineBytes) return false;
    out = {data.substr(0, kMaxLineBytes), {}};
    data.remove_prefix(kMaxLineBytes);
    return true;
  }
  const bool cr = newline > 0 && data[newline - 1] == '\r';
  out = {data.substr(0, newline - (cr ? 1 : 0)), data.substr(newline - (cr ? 1 : 0), cr ? 2 : 1)};
  data.remove_prefix(newline + 1);
  return true;
}

}  // namespace

// ---------------------------------------------------------------- transaction

void Transaction::file_open(std::string name) {
  if (container == nullptr) container = std::make_unique<applayer::FileContainer>(config.files);
  if (container->open(std::move(name), ids) != nullptr) ++ids;
}

void Transaction::file_data(Bytes data) {
  if (container != nullptr && container->has_open()) container->append(data);
  updated[static_cast<size_t>(index(Direction::kToServer))] = true;
}

void Transaction::file_close(bool whole) {
  if (container != nullptr && container->has_open()) {
    container->close(whole ? applayer::FileState::kClosed : applayer::FileState::kTruncated);
  }
}

Transaction& SmtpParser::tx() {
  if (tx_ == nullptr) {
    auto made = std::make_unique<Transaction>(config_, session_, file_ids_);
    tx_ = made.get();
    add(std::move(made));
  }
  return *tx_;
}

// On the mail in hand. One that is complete is told as it was when it was, and between mails there is nothing to carry an event.
void SmtpParser::event(Event e) {
  if (tx_ != nullptr) tx_->add_event(e);
}

void SmtpParser::complete() {
  if (tx_ == nullptr) return;
  tx_->done = true;
  tx_->progress = {kComplete, kComplete};
  tx_->updated = {true, true};
  tx_ = nullptr;  // it may go as soon as it is inspected and logged
}

// ---------------------------------------------------------------- client

ParseResult SmtpParser::parse(Direction d, const Input& in) {
  ParseResult r = d == Direction::kToServer ? client(in) : server(in);
  // Mails that nobody collected: the oldest are given up.
  while (transactions.size() > kMaxOpenTransactions && transactions.front().get() != tx_)
    transactions.pop_front();
  return r;
}

ParseResult SmtpParser::client(const Input& in) {
  std::string_view data = as_text(in.data);
  while (!data.empty()) {
    if (bdat_left_ > 0) {
      const auto n = static_cast<size_t>(std::min<uint64_t>(bdat_left_, data.size()));
      bdat_left_ -= n;
      data.remove_prefix(n);
      continue;
    }
    TextLine line;
    if (!next_line(data, line)) {
      if (!in.end && !part_of_line(data, line)) break;
      if (in.end) {  // the last line came without an end
        line = {data, {}};
        data = {};
      }
    }
    if (data_mode_) {
      frame_of_data(in, data, line.text.size() + line.end.size(), !in_piece_ && line.text == "." && !line.end.empty());
      if (!welcome_seen_) event(kNoServerWelcomeMessage);
      mail_line(line.text, line.end);
      continue;
    }
    if (discard_[0]) {
      discard_[0] = line.end.empty();
      continue;
    }
    const bool overlong = line.end.empty() && line.text.size() == kMaxLineBytes;
    if (frames != nullptr) frame_of_line(Direction::kToServer, kFrameCommandLine, in, data, line.text.size() + line.end.size());
    if (command(line.text) == Line::kError) return ParseResult::error();
    if (frames != nullptr) {
      if (tx_ != nullptr) frames->set_tx(Direction::kToServer, kFrameCommandLine, tx_->id);
      frame_of_bare_line(in, data, line);
    }
    if (overlong) {
      event(kMaxCommandLineLenExceeded);
      discard_[0] = true;
    }
  }
  return ParseResult::ok(in.data.size() - data.size());
}

// An attachment is decoded as it comes, not line by line: what is there of its line, when that cannot be a boundary or the end
// of the mail. Shortens `data`.
bool SmtpParser::part_of_line(std::string_view& data, TextLine& out) const {
  if (!data_mode_ || tx_ == nullptr || tx_->mime == nullptr || !tx_->mime->takes_parts()) return false;
  if (!in_piece_ && (data.front() == '-' || data.front() == '.')) return false;
  const size_t n = data.size() - (data.back() == '\r' ? 1 : 0);
  if (n == 0) return false;
  out = {data.substr(0, n), {}};
  data.remove_prefix(n);
  return true;
}

// The line of `size` bytes that ends where `rest` begins.
void SmtpParser::frame_of_line(Direction d, Frame type, const Input& in, std::string_view rest, size_t size) {
  frames->add(d, type, in.offset + in.data.size() - rest.size() - size, static_cast<int64_t>(size));
}

// A command line is a frame with its end and another one without it, as the reference has it: rules may say how it ends, and
// transforms (from_base64) may mind what does not belong to the text.
void SmtpParser::frame_of_bare_line(const Input& in, std::string_view rest, const TextLine& line) {
  if (line.end.empty() || line.text.empty()) return;
  frames->add(Direction::kToServer, kFrameCommandLine,
              in.offset + in.data.size() - rest.size() - line.end.size() - line.text.size(),
              static_cast<int64_t>(line.text.size()));
}

// The mail's bytes are one frame, up to the line that ends it (which is no part of it).
void SmtpParser::frame_of_data(const Input& in, std::string_view rest, size_t line_bytes, bool last) {
  if (frames == nullptr) return;
  const uint64_t at = in.offset + in.data.size() - rest.size() - line_bytes;
  if (!data_frame_open_ && !last) {
    data_frame_open_ = frames->add(Direction::kToServer, kFrameData, at, applayer::kUnknownLength,
                                   tx_ != nullptr ? std::optional<uint64_t>(tx_->id) : std::nullopt) != nullptr;
  }
  if (last && data_frame_open_) {
    frames->end(Direction::kToServer, kFrameData, at);
    data_frame_open_ = false;
  }
}

void SmtpParser::push(Command c) {
  // DATA and STARTTLS must be the last of a group (RFC 2920 section 3.1).
  if (c != Command::kEndOfData && !pending_.empty() &&
      (pending_.back() == Command::kStartTls || pending_.back() == Command::kData)) {
    event(kInvalidPipelinedSequence);
  }
  if (pending_.size() >= kMaxPendingCommands) pending_.pop_front();
  pending_.push_back(c);
}

SmtpParser::Line SmtpParser::command(std::string_view line) {
  Transaction& t = tx();
  if (!welcome_seen_) event(kNoServerWelcomeMessage);
  const auto is = [&](std::string_view name) { return starts_with_ignore_case(line, name); };
  if (is("starttls")) {
    push(Command::kStartTls);
  } else if (is("data")) {
    return data_begins();
  } else if (is("bdat")) {
    return bdat(line);
  } else if (is("helo") || is("ehlo")) {
    if (!session_->helo.empty())
      event(kDuplicateFields);
    else
      session_->helo = argument(line, 4);
    push(Command::kOther);
  } else if (is("mail from")) {
    if (t.has_mail_from) {
      event(kDuplicateFields);
    } else {
      t.mail_from = argument(line, 9);
      t.has_mail_from = true;
    }
    push(Command::kOther);
  } else if (is("rcpt to")) {
    if (t.recipients.size() < kMaxRecipients) t.recipients.emplace_back(argument(line, 7));
    push(Command::kOther);
  } else {
    push(is("rset") ? Command::kRset : Command::kOther);
  }
  t.updated[static_cast<size_t>(index(Direction::kToServer))] = true;
  return Line::kOk;
}

SmtpParser::Line SmtpParser::data_begins() {
  Transaction& t = tx();
  if (t.data_seen) {  // a second one before the first was answered
    event(kUnparsableContent);
    return Line::kOk;
  }
  t.data_seen = true;
  if (config_.decode_mime) t.mime = std::make_unique<Mime>(config_.mime, t);
  push(Command::kData);
  if (pipelining_) data_mode_ = true;  // the mail may come at once
  return Line::kOk;
}

// BDAT size [LAST]: so many bytes follow.
SmtpParser::Line SmtpParser::bdat(std::string_view line) {
  const std::string_view text = strip(line.substr(4));
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || (line.size() > 4 && line[4] != ' ') || size > UINT32_MAX)
    return Line::kError;
  bdat_left_ = size;
  push(Command::kBdat);
  return Line::kOk;
}

void SmtpParser::mail_line(std::string_view text, std::string_view line_end) {
  if (!in_piece_ && text == "." && !line_end.empty()) return end_of_data();
  if (tx_ != nullptr && tx_->mime != nullptr) {
    tx_->mime->line(text, line_end);
    note_mime_issues();
    tx_->updated[static_cast<size_t>(index(Direction::kToServer))] = true;
  }
  in_piece_ = line_end.empty();
}

void SmtpParser::end_of_data() {
  data_mode_ = false;
  push(Command::kEndOfData);
  if (tx_ != nullptr && tx_->mime != nullptr) {
    tx_->mime->finish(true);
    note_mime_issues();
  }
  complete();
}

void SmtpParser::note_mime_issues() {
  static constexpr std::pair<uint16_t, Event> kIssues[] = {
      {kMimeInvalidBase64, kMimeInvalidBase64Event},
      {kMimeInvalidQp, kMimeInvalidQpEvent},
      {kMimeLongLine, kMimeLongLineEvent},
      {kMimeLongEncodedLine, kMimeLongEncLine},
      {kMimeLongHeaderName, kMimeLongHeaderNameEvent},
      {kMimeLongHeaderValue, kMimeLongHeaderValueEvent},
      {kMimeLongBoundary, kMimeLongBoundaryEvent},
      {kMimeLongFilename, kMimeLongFilenameEvent},
      {kMimeMalformed, kMimeMalformedMsg}};
  const uint16_t issues = tx_->mime->issues();
  if (issues == 0) return;
  for (const auto& [bit, e] : kIssues) {
    if ((issues & bit) != 0) tx_->add_event(e);  // each line that is wrong says so
  }
  tx_->mime->clear_issues();
}

// ---------------------------------------------------------------- server

ParseResult SmtpParser::server(const Input& in) {
  std::string_view data = as_text(in.data);
  while (!data.empty()) {
    TextLine line;
    if (!next_line(data, line)) {
      if (!in.end) break;
      line = {data, {}};
      data = {};
    }
    if (discard_[1]) {
      discard_[1] = line.end.empty();
      continue;
    }
    const bool overlong = line.end.empty() && line.text.size() == kMaxLineBytes;
    if (frames != nullptr) {
      frame_of_line(Direction::kToClient, kFrameResponseLine, in, data, line.text.size() + line.end.size());
      const Transaction* of = tx_ != nullptr ? tx_ : transactions.empty() ? nullptr : static_cast<Transaction*>(transactions.back().get());
      if (of != nullptr) frames->set_tx(Direction::kToClient, kFrameResponseLine, of->id);
    }
    const Line r = reply(line.text);
    if (overlong) {
      event(kMaxReplyLineLenExceeded);
      discard_[1] = true;
    }
    if (r == Line::kError) return ParseResult::error();
    if (r == Line::kUpgrade)
      return ParseResult::upgrade(in.data.size() - data.size(), applayer::AppProto::kTls);
  }
  return ParseResult::ok(in.data.size() - data.size());
}

SmtpParser::Line SmtpParser::reply(std::string_view line) {
  int code = 0;
  const bool digits = line.size() >= 3 &&
                      std::from_chars(line.data(), line.data() + 3, code).ptr == line.data() + 3;
  if (!digits ||
      std::find(std::begin(kReplyCodes), std::end(kReplyCodes), code) == std::end(kReplyCodes)) {
    event(kInvalidReply);
    return Line::kError;
  }
  multiline_ = line.size() >= 4 && line[3] == '-';
  if (pending_.empty()) {
    if (!welcome_seen_) {
      welcome_seen_ = true;
      if (code != 220) event(kInvalidReply);
    } else if (multiline_ && code == 250 &&
               equals_ignore_case(strip(line.substr(4)), "pipelining")) {
      pipelining_ = true;
    } else {
      event(kUnableToMatchReplyWithRequest);
    }
    return Line::kOk;
  }
  if (multiline_ && code == 250 && equals_ignore_case(strip(line.substr(4)), "pipelining"))
    pipelining_ = true;
  return match_reply(code, !multiline_);
}

// The reply belongs to the oldest command without one; its last line takes that command away.
SmtpParser::Line SmtpParser::match_reply(int code, bool last) {
  const Command c = pending_.front();
  if (last) pending_.pop_front();
  switch (c) {
    case Command::kStartTls:
      if (code == 220) {
        complete();
        return last ? Line::kUpgrade : Line::kOk;
      }
      event(kTlsRejected);
      break;
    case Command::kData:
      if (code == 354) {
        data_mode_ = true;
      } else {
        if (pipelining_) data_mode_ = false;
        event(kDataCommandRejected);
      }
      break;
    case Command::kRset:
      if (code == 250 && last) complete();
      break;
    default:
      break;
  }
  return Line::kOk;
}

bool SmtpParser::gap(Direction, uint64_t) { return false; }

void SmtpParser::end() {
  if (tx_ != nullptr && tx_->mime != nullptr) tx_->mime->finish(false);
  complete();
}

}  // namespace vong::smtp
