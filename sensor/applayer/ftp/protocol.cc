// FTP and its data connections as tables: buffers, keywords, records, detection.
#include <array>

#include "base/strings.h"
#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/core/welcome.h"
#include "sensor/applayer/ftp/limits.h"
#include "sensor/applayer/ftp/parser.h"

namespace vong::ftp {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProbePattern;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;
using Parsed = Result<std::unique_ptr<TransactionMatcher>>;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }
const DataTransaction& data_of(const Tx& tx) { return static_cast<const DataTransaction&>(tx); }

// ---------------------------------------------------------------- control connection

BufferView command(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return of(tx).command.empty() ? BufferView::none() : BufferView::of(of(tx).command);
}

BufferView command_data(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const std::string_view text = of(tx).argument();
  return text.empty() ? BufferView::none() : BufferView::of(text);
}

BufferView reply(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  return i < of(tx).replies.size() ? BufferView::of(of(tx).replies[i].text) : BufferView::none();
}

BufferView completion_code(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  return i < of(tx).replies.size() ? BufferView::of(of(tx).replies[i].code) : BufferView::none();
}

constexpr BufferDef buffer(std::string_view name, uint8_t client, uint8_t server,
                           applayer::BufferGetter get, bool multi, std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = client,
          .to_client_progress = server,
          .get = get,
          .multi = multi,
          .help = help};
}

constexpr std::array kBuffers = {
    buffer("ftp.command", kInProgress, kNever, command, false, "command of the client"),
    buffer("ftp.command_data", kInProgress, kNever, command_data, false, "argument of the command"),
    buffer("ftp.reply", kNever, kFinished, reply, true, "lines of the reply, without their codes"),
    buffer("ftp.completion_code", kNever, kFinished, completion_code, true, "codes of the reply"),
};

std::optional<uint64_t> dynamic_port(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || of(tx).dynamic_port == 0) return std::nullopt;
  return of(tx).dynamic_port;
}

constexpr std::array kNumbers = {
    NumberDef{.name = "ftp.dynamic_port",
              .alias = {},
              .to_server_progress = kFinished,
              .to_client_progress = kFinished,
              .get = dynamic_port,
              .values = {},
              .bits = 16,
              .help = "port agreed on for the data connection"},
};

struct Mode : TransactionMatcher {
  bool active = false;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    return of(tx).dynamic_port != 0 && of(tx).active == active;
  }
};

Parsed parse_mode(std::string_view value) {
  auto m = std::make_unique<Mode>();
  value = strip(value);
  m->active = equals_ignore_case(value, "active");
  if (!m->active && !equals_ignore_case(value, "passive"))
    return fail("ftp.mode is active or passive");
  return m;
}

struct ReplyReceived : TransactionMatcher {
  bool wanted = false;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override { return of(tx).done == wanted; }
};

Parsed parse_reply_received(std::string_view value) {
  const auto flag = parse_flag(strip(value));
  if (!flag) return fail("ftp.reply_received is yes or no");
  auto m = std::make_unique<ReplyReceived>();
  m->wanted = *flag;
  return m;
}

struct Bounce : TransactionMatcher {
  [[nodiscard]] bool match(const Tx& tx, Direction) const override { return of(tx).bounce; }
};

Parsed parse_bounce(std::string_view value) {
  if (!strip(value).empty()) return fail("ftpbounce takes no value");
  return std::make_unique<Bounce>();
}

constexpr std::array kMatchers = {
    MatcherDef{"ftpbounce", "", kInProgress, kNever, parse_bounce,
               "PORT names a host that is not the client"},
    MatcherDef{"ftp.mode", "", kFinished, kFinished, parse_mode,
               "active or passive: who opens the data connection"},
    MatcherDef{"ftp.reply_received", "", kFinished, kNever, parse_reply_received,
               "the command was answered: yes or no"},
};

bool log_ftp(const Tx& base, const applayer::LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  out.open_object("ftp");
  if (!tx.command.empty()) {
    out.field("command", tx.command);
    if (!tx.argument().empty()) out.field("command_data", tx.argument());
    out.field("command_truncated", tx.command_truncated);
  }
  bool codes = false;
  for (const Reply& r : tx.replies) {
    if (r.code.empty()) continue;
    if (!codes) out.open_array("completion_code");
    codes = true;
    out.string(r.code);
  }
  if (codes) out.close_array();
  if (!tx.replies.empty()) {
    out.open_array("reply");
    for (const Reply& r : tx.replies) out.string(r.text);
    out.close_array();
  }
  if (tx.dynamic_port != 0) {
    out.field("dynamic_port", tx.dynamic_port);
    out.field("mode", tx.active ? "active" : "passive");
  }
  out.field("reply_received", tx.done ? "yes" : "no");
  out.field("reply_truncated", tx.reply_truncated);
  out.close_object();
  return true;
}

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"request_command_too_long", "request_command_too_long"},
    {"response_command_too_long", "response_command_too_long"},
    {"too_many_transactions", "too_many_transactions"},
}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "ftp",
                                           .to_server_progress = kFinished,
                                           .to_client_progress = kFinished,
                                           .direction = Direction::kToServer,
                                           .log = log_ftp}};

constexpr std::array kPatterns = {
    ProbePattern{.bytes = "USER ", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "PASS ", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "PORT ", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "FEAT", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "220 (", .nocase = true, .direction = Direction::kToClient},
};

std::shared_ptr<const void> configure(const Settings& s) {
  auto config = std::make_shared<Config>();
  config->line_bytes_max = std::max<uint64_t>(
      s.size_bytes("app-layer.protocols.ftp.max-line-length", kMaxLineBytes), 64);
  config->line_bytes_max = std::min<size_t>(config->line_bytes_max, 64 * 1024);
  config->transactions_max = static_cast<size_t>(
      std::max<int64_t>(s.integer("app-layer.protocols.ftp.max-tx", kMaxTransactions), 1));
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<FtpParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                       : kDefault);
}

// ---------------------------------------------------------------- data connection

constexpr std::array kDataBuffers = {
    applayer::file_data_buffer(kInProgress, kInProgress),
    applayer::file_name_buffer(kInProgress, kInProgress),
};

struct DataCommand : TransactionMatcher {
  std::string wanted;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    return equals_ignore_case(data_of(tx).transfer.command, wanted);
  }
};

Parsed parse_data_command(std::string_view value) {
  auto m = std::make_unique<DataCommand>();
  m->wanted = strip(value);
  if (!equals_ignore_case(m->wanted, "retr") && !equals_ignore_case(m->wanted, "stor"))
    return fail("ftpdata_command is retr or stor");
  return m;
}

constexpr std::array kDataMatchers = {
    MatcherDef{"ftpdata_command", "", kInProgress, kInProgress, parse_data_command,
               "retr or stor: the way that the file goes"},
};

bool log_ftp_data(const Tx& base, const applayer::LogContext&, JsonWriter& out) {
  const DataTransaction& tx = data_of(base);
  out.open_object("ftp_data");
  if (!tx.transfer.filename.empty()) out.field("filename", tx.transfer.filename);
  if (!tx.transfer.command.empty()) out.field("command", tx.transfer.command);
  out.close_object();
  return true;
}

constexpr std::array kDataLoggers = {LoggerDef{.event_type = "ftp_data",
                                               .to_server_progress = kFinished,
                                               .to_client_progress = kFinished,
                                               .direction = Direction::kToServer,
                                               .log = log_ftp_data}};

std::shared_ptr<const void> configure_data(const Settings& s) {
  auto config = std::make_shared<DataConfig>();
  config->files = applayer::file_options(s);
  return config;
}

std::unique_ptr<applayer::Parser> make_data(const void* config) {
  static const DataConfig kDefault;
  return std::make_unique<FtpDataParser>(config != nullptr ? *static_cast<const DataConfig*>(config)
                                                           : kDefault);
}

}  // namespace

const ProtocolDef kFtpProtocol = {
    .id = AppProto::kFtp,
    .name = "ftp",
    .rule_alias = {},
    .probe = {.tcp = true, .udp = false, .patterns = kPatterns, .ports = {}, .when_expected = applayer::probe_welcome},
    .complete = {kFinished, kFinished},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_ftp,
    .end_hands_out_stream = {false, false},
};

// Never detected by its bytes: the control connection announces it.
const ProtocolDef kFtpDataProtocol = {
    .id = AppProto::kFtpData,
    .name = "ftp-data",
    .rule_alias = {},
    .probe = {.tcp = true, .udp = false, .patterns = {}, .ports = {}},
    .complete = {kFinished, kFinished},
    .configure = configure_data,
    .make = make_data,
    .buffers = kDataBuffers,
    .numbers = {},
    .matchers = kDataMatchers,
    .events = {},
    .loggers = kDataLoggers,
    .alert_record = log_ftp_data,
};

}  // namespace vong::ftp
