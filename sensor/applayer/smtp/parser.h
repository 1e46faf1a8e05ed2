// SMTP (RFC 5321) with DATA, BDAT (RFC 3030), pipelining (RFC 2920) and STARTTLS (RFC 3207). A
// transaction is a mail, or whatever comes before and after mails in a session.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/smtp/mime.h"

namespace vong::smtp {

enum Progress : uint8_t { kInProgress, kComplete };

enum Event : applayer::EventId {
  kInvalidReply,
  kUnableToMatchReplyWithRequest,
  kMaxCommandLineLenExceeded,
  kMaxReplyLineLenExceeded,
  kInvalidPipelinedSequence,
  kBdatChunkLenExceeded,
  kNoServerWelcomeMessage,
  kTlsRejected,
  kDataCommandRejected,
  kFailedProtocolChange,
  kMimeParseFailed,
  kMimeMalformedMsg,
  kMimeInvalidBase64Event,
  kMimeInvalidQpEvent,
  kMimeLongLineEvent,
  kMimeLongEncLine,
  kMimeLongHeaderNameEvent,
  kMimeLongHeaderValueEvent,
  kMimeLongBoundaryEvent,
  kMimeLongFilenameEvent,
  kDuplicateFields,
  kUnparsableContent,
  kEventCount
};

enum Frame : uint8_t { kFrameCommandLine, kFrameData, kFrameResponseLine };

struct Config {
  bool decode_mime = true;
  MimeConfig mime;
  applayer::FileOptions files;
  uint64_t inspect_min_bytes = 32768;  // a growing attachment is looked at from this size on
};

// What belongs to the session rather than to a mail.
struct Session {
  std::string helo;
};

struct Transaction : applayer::Transaction, FileSink {
  Transaction(const Config& c, std::shared_ptr<const Session> s, uint64_t& file_ids)
      : session(std::move(s)), config(c), ids(file_ids) {}

  [[nodiscard]] applayer::FileContainer* files(Direction d) override {
    return d == Direction::kToServer ? container.get() : nullptr;
  }
  void file_open(std::string name) override;
  void file_data(Bytes data) override;
  void file_close(bool complete) override;

  std::shared_ptr<const Session> session;
  std::string mail_from;
  bool has_mail_from = false;
  std::vector<std::string> recipients;
  std::unique_ptr<Mime> mime;  // once DATA came
  std::unique_ptr<applayer::FileContainer> container;
  const Config& config;
  uint64_t& ids;  // the flow's next file id
  bool data_seen = false, done = false;
};

struct TextLine {
  std::string_view text, end;  // end: "\r\n", "\n"; empty: no line end within the limit
};

class SmtpParser : public applayer::Parser {
 public:
  explicit SmtpParser(const Config& config)
      : config_(config), session_(std::make_shared<Session>()) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

 private:
  enum class Command : uint8_t { kOther, kStartTls, kData, kEndOfData, kBdat, kRset };
  enum class Line : uint8_t { kOk, kError, kUpgrade };

  applayer::ParseResult client(const applayer::Input& in);
  applayer::ParseResult server(const applayer::Input& in);
  [[nodiscard]] bool part_of_line(std::string_view& data, TextLine& out) const;
  Line command(std::string_view line);
  Line data_begins();
  Line bdat(std::string_view line);
  Line reply(std::string_view line);
  Line match_reply(int code, bool last);
  void mail_line(std::string_view text, std::string_view line_end);
  void end_of_data();
  void complete();
  void note_mime_issues();
  void frame_of_line(Direction d, Frame type, const applayer::Input& in, std::string_view rest, size_t size);
  void frame_of_bare_line(const applayer::Input& in, std::string_view rest, const TextLine& line);
  void frame_of_data(const applayer::Input& in, std::string_view rest, size_t line_bytes, bool last);
  void push(Command c);
  Transaction& tx();
  void event(Event e);

  const Config& config_;
  std::shared_ptr<Session> session_;
  Transaction* tx_ = nullptr;  // the mail in hand; null between mails
  uint64_t file_ids_ = 0;
  bool welcome_seen_ = false, multiline_ = false, pipelining_ = false, data_mode_ = false;
  bool data_frame_open_ = false;
  bool in_piece_ = false;  // within a long line of a mail
  uint64_t bdat_left_ = 0;
  bool discard_[kDirections] = {false, false};  // up to the end of an overlong line
  std::deque<Command> pending_;                 // sent, not answered
};

extern const applayer::ProtocolDef kSmtpProtocol;

[[nodiscard]] bool log_smtp(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);
[[nodiscard]] bool alert_smtp(const applayer::Transaction& tx, const applayer::LogContext& context,
                              JsonWriter& out);

}  // namespace vong::smtp
