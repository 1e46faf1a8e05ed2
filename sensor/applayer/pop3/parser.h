// POP3 (RFC 1939, 2449, 2595, 5034): a transaction is a command with its answer, or the greeting.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/pop3/limits.h"
#include "sensor/applayer/smtp/carried_mail.h"

namespace vong::pop3 {

enum Progress : uint8_t { kInProgress, kComplete };

enum Event : applayer::EventId {
  kTooManyTransactions,
  kCommandTooLong,
  kIncorrectArgumentCount,
  kUnknownCommand,
  kResponseTooLong,
  kEventCount
};

struct Config {
  size_t transactions_max = kMaxTransactions;
  std::shared_ptr<const smtp::Config> mail = std::make_shared<smtp::Config>();
};

struct Request {
  std::string command;  // upper case
  std::vector<std::string> arguments;
};

struct Response {
  bool success = false;
  std::string header;             // behind +OK or -ERR
  std::vector<std::string> data;  // the lines that follow, without the last dot
};

struct Transaction : applayer::Transaction {
  std::optional<Request> request;
  std::optional<Response> response;
  size_t data_bytes = 0;
  std::unique_ptr<smtp::CarriedMail> mail;  // that the answer brings (RETR, TOP)

  [[nodiscard]] applayer::FileContainer* files(Direction d) override {
    return d == Direction::kToClient && mail != nullptr ? mail->files() : nullptr;
  }
};

class Pop3Parser : public applayer::Parser {
 public:
  explicit Pop3Parser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  enum class Step : uint8_t { kOk, kError, kTls };

  void command(std::string_view line, bool cut);
  Step answer(std::string_view line, bool cut);
  void data_line(std::string_view line);
  [[nodiscard]] size_t mail_line(std::string_view line, bool whole);
  Transaction& make();
  void complete(Transaction& tx);

  const Config& config_;
  std::deque<Transaction*> open_;               // without their answer, oldest first
  Transaction* multiline_ = nullptr;            // lines of this answer follow
  bool in_piece_ = false;                       // within a long line of a mail
  uint64_t next_file_id_ = 0;
  bool discard_[kDirections] = {false, false};  // up to the end of an overlong line
};

// How a command is answered and what it takes.
struct CommandRule {
  std::string_view name;
  uint8_t arguments_min, arguments_max;
  bool multiline;  // always
  bool multiline_without_arguments;
};
[[nodiscard]] const CommandRule* find_command(std::string_view name);  // upper case

extern const applayer::ProtocolDef kPop3Protocol;

}  // namespace vong::pop3
