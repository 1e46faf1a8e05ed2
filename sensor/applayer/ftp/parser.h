// FTP's control connection (RFC 959, 2428) and the data connections that it announces. A
// transaction of the control connection is a command with its replies; of a data connection, the
// file.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::ftp {

enum Progress : uint8_t { kInProgress, kFinished };

enum Event : applayer::EventId {
  kRequestCommandTooLong,
  kResponseCommandTooLong,
  kTooManyTransactions,
  kEventCount
};

struct Config {
  size_t line_bytes_max = 4096;
  size_t transactions_max = 1024;
};

// What is negotiated on the control connection and valid for the data connection.
struct Transfer {
  std::string command;  // RETR or STOR
  std::string filename;
};

struct Reply {
  std::string code;  // three digits; empty where the line has none before a space
  std::string text;
};

struct Transaction : applayer::Transaction {
  std::string_view command;  // "RETR"; empty: none, or one that is not known
  std::string line;          // as it came, without its end
  bool command_truncated = false, reply_truncated = false;
  std::vector<Reply> replies;
  uint16_t dynamic_port = 0;
  bool active = false;  // the server connects to the client
  bool done = false;
  bool bounce = false;  // PORT names another host than the client

  // What stands behind the command; empty when there is nothing.
  [[nodiscard]] std::string_view argument() const;
};

class FtpParser : public applayer::Parser {
 public:
  explicit FtpParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

 private:
  enum class Line : uint8_t { kOk, kError, kUpgrade };

  [[nodiscard]] Line command_line(std::string_view line, bool truncated, const applayer::Input& in);
  [[nodiscard]] Line reply_line(std::string_view line, bool truncated);
  void address_command(Transaction& tx, const applayer::Input& in);
  void finish(Transaction& tx);
  void passive_port(const Transaction& tx);
  Transaction* oldest_open();

  const Config& config_;
  std::string_view command_;     // the newest one of the client: what the next replies are about
  uint16_t announced_port_ = 0;  // of the last PORT or EPRT, until the server answers
  uint16_t dynamic_port_ = 0;    // of the next data connection
  bool active_ = false;
  size_t open_commands_ = 0;                    // without their final reply
  bool discard_[kDirections] = {false, false};  // up to the end of an overlong line
};

// ---------------------------------------------------------------- data connections

struct DataTransaction : applayer::Transaction {
  explicit DataTransaction(const applayer::FileOptions& options)
      : containers{applayer::FileContainer(options), applayer::FileContainer(options)} {}
  [[nodiscard]] applayer::FileContainer* files(Direction d) override {
    return &containers[index(d)];
  }

  Transfer transfer;
  applayer::FileContainer containers[kDirections];
};

struct DataConfig {
  applayer::FileOptions files;
};

class FtpDataParser : public applayer::Parser {
 public:
  explicit FtpDataParser(const DataConfig& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;
  void expected_as(const std::shared_ptr<const void>& data) override;

 private:
  DataTransaction& tx();

  const DataConfig& config_;
  Transfer transfer_;
  // The driver takes the one transaction away once it is complete, inspected and logged.
  [[nodiscard]] bool over() const { return tx_ != nullptr && transactions.empty(); }

  DataTransaction* tx_ = nullptr;
};

// "h1,h2,h3,h4,p1,p2" within `text`; port 0 when there is none.
struct HostPort {
  uint32_t ipv4 = 0;  // host order
  uint16_t port = 0;
};
[[nodiscard]] HostPort parse_host_port(std::string_view text);
// The port of EPRT ("|2|2001:db8::1|5282|") and of the answer to EPSV ("(|||6446|)"); 0 when there
// is none.
[[nodiscard]] uint16_t parse_extended_port(std::string_view text);
// The command that is found in a line, in upper case; empty when there is none that is known.
[[nodiscard]] std::string_view find_command(std::string_view line);

extern const applayer::ProtocolDef kFtpProtocol, kFtpDataProtocol;

}  // namespace vong::ftp
