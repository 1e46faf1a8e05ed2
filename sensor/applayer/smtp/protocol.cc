// SMTP as a table: buffers, events, detection, configuration.
#include <array>

#include "base/strings.h"
#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/core/welcome.h"
#include "sensor/applayer/smtp/carried_mail.h"
#include "sensor/applayer/smtp/limits.h"
#include "sensor/applayer/smtp/parser.h"

namespace vong::smtp {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::ProbePattern;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

BufferView helo(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const std::string& text = of(tx).session->helo;
  return text.empty() ? BufferView::none() : BufferView::of(text);
}

BufferView mail_from(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return of(tx).has_mail_from ? BufferView::of(of(tx).mail_from) : BufferView::none();
}

BufferView recipient(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  const auto& list = of(tx).recipients;
  return i < list.size() ? BufferView::of(list[i]) : BufferView::none();
}

struct Name {
  char text[16];
};

// The i-th header of that name.
template <Name kName>
BufferView header(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  const Mime* mail = of(tx).mime.get();
  if (mail == nullptr) return BufferView::none();
  for (const Mime::Header& h : mail->headers()) {
    if (h.name == kName.text && i-- == 0) return BufferView::of(h.value);
  }
  return BufferView::none();
}

BufferView url(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  const Mime* mail = of(tx).mime.get();
  return mail != nullptr && i < mail->urls().size() ? BufferView::of(mail->urls()[i])
                                                    : BufferView::none();
}

BufferView body_md5(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const Mime* mail = of(tx).mime.get();
  return mail != nullptr && !mail->body_md5().empty() ? BufferView::of(mail->body_md5())
                                                      : BufferView::none();
}

BufferView file_data(const Tx& tx, Direction d, uint32_t i, BufferScratch&) {
  const applayer::File* f = applayer::file_at(tx, d, i);
  if (f == nullptr || f->size == 0) return BufferView::none();
  const bool open = f->state == applayer::FileState::kOpen;
  if (open && f->size < static_cast<const Transaction&>(tx).config.inspect_min_bytes) return BufferView::none();
  return applayer::content_of(*f);
}

constexpr BufferDef client(std::string_view name, uint8_t progress, applayer::BufferGetter get,
                           bool multi, std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = progress,
          .to_client_progress = kNever,
          .get = get,
          .multi = multi,
          .help = help};
}

constexpr std::array kBuffers = {
    client("smtp.helo", kInProgress, helo, false, "argument of HELO or EHLO"),
    client("smtp.mail_from", kInProgress, mail_from, false, "argument of MAIL FROM"),
    client("smtp.rcpt_to", kInProgress, recipient, true, "arguments of RCPT TO"),
    client("email.from", kComplete, header<Name{"from"}>, false, "From header of the mail"),
    client("email.subject", kComplete, header<Name{"subject"}>, false,
           "Subject header of the mail"),
    client("email.to", kComplete, header<Name{"to"}>, false, "To header of the mail"),
    client("email.cc", kComplete, header<Name{"cc"}>, false, "Cc header of the mail"),
    client("email.date", kComplete, header<Name{"date"}>, false, "Date header of the mail"),
    client("email.message_id", kComplete, header<Name{"message-id"}>, false,
           "Message-Id header of the mail"),
    client("email.x_mailer", kComplete, header<Name{"x-mailer"}>, false,
           "X-Mailer header of the mail"),
    client("email.received", kComplete, header<Name{"received"}>, true,
           "Received headers of the mail"),
    client("email.url", kComplete, url, true, "URLs in the mail's text"),
    client("email.body_md5", kComplete, body_md5, false, "MD5 of the mail's body"),
    BufferDef{.name = "file.data",
              .alias = "file_data",
              .modifier = {},
              .to_server_progress = kInProgress,
              .to_client_progress = kNever,
              .get = file_data,
              .multi = true,
              .streaming = true,
              .help = "Content of files"},
    BufferDef{.name = "file.name",
              .alias = {},
              .modifier = {},
              .to_server_progress = kInProgress,
              .to_client_progress = kNever,
              .get = applayer::file_name,
              .multi = true,
              .help = "Names of files"},
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"invalid_reply", ""},
    {"unable_to_match_reply_with_request", ""},
    {"max_command_line_len_exceeded", ""},
    {"max_reply_line_len_exceeded", ""},
    {"invalid_pipelined_sequence", ""},
    {"bdat_chunk_len_exceeded", ""},
    {"no_server_welcome_message", ""},
    {"tls_rejected", ""},
    {"data_command_rejected", ""},
    {"failed_protocol_change", ""},
    {"mime_parse_failed", ""},
    {"mime_malformed_msg", ""},
    {"mime_invalid_base64", ""},
    {"mime_invalid_qp", ""},
    {"mime_long_line", ""},
    {"mime_long_enc_line", ""},
    {"mime_long_header_name", ""},
    {"mime_long_header_value", ""},
    {"mime_long_boundary", ""},
    {"mime_long_filename", ""},
    {"duplicate_fields", ""},
    {"unparsable_content", ""},
}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "smtp",
                                           .to_server_progress = kComplete,
                                           .to_client_progress = kComplete,
                                           .direction = Direction::kToServer,
                                           .log = log_smtp}};

constexpr std::array kPatterns = {
    ProbePattern{.bytes = "EHLO", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "HELO", .nocase = true, .direction = Direction::kToServer},
    ProbePattern{.bytes = "QUIT", .nocase = true, .direction = Direction::kToServer},
};

constexpr std::array<uint16_t, 2> kPorts = {25, 465};

bool is_domain_char(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// "220 mail.example.org ...": a welcome of a service that names its host. FTP greets with 220 too,
// so only on the mail ports.
ProbeVerdict probe(Direction d, Bytes data) {
  if (d != Direction::kToClient) return ProbeVerdict::kNo;
  const std::string_view text = as_text(data);
  if (!text.substr(0, 3).starts_with("220") || (text[3] != ' ' && text[3] != '-'))
    return ProbeVerdict::kNo;
  size_t at = 4;
  while (at < data.size() && is_domain_char(data[at])) ++at;
  if (at == 4 && at < data.size()) return ProbeVerdict::kNo;
  if (at < data.size() && data[at] != ' ' && data[at] != '\r' && data[at] != '\n')
    return ProbeVerdict::kNo;
  return text.find('\n') != std::string_view::npos ? ProbeVerdict::kYes
         : data.size() > kMaxLineBytes             ? ProbeVerdict::kNo
                                                   : ProbeVerdict::kMoreData;
}

bool wants_body_md5(const Settings& s, std::string_view setting) {
  if (const auto said = parse_flag(setting)) return *said;
  for (const std::string& n : s.children("outputs")) {  // auto: when a record asks for it
    const std::string types = "outputs." + n + ".eve-log.types";
    for (const std::string& m : s.children(types)) {
      const std::string list = types + "." + m + ".smtp.md5";
      for (const std::string& i : s.children(list)) {
        if (s.text(list + "." + i, "") == "body") return true;
      }
    }
  }
  return false;
}

}  // namespace

std::shared_ptr<const Config> make_config(const Settings& s) {
  auto config = std::make_shared<Config>();
  const std::string mime = "app-layer.protocols.smtp.mime.";
  config->decode_mime = s.flag(mime + "decode-mime", true);
  config->mime.decode_base64 = s.flag(mime + "decode-base64", true);
  config->mime.decode_quoted_printable = s.flag(mime + "decode-quoted-printable", true);
  config->mime.header_value_bytes_max =
      s.size_bytes(mime + "header-value-depth", kMaxHeaderValueBytes);
  config->mime.extract_urls = s.flag(mime + "extract-urls", true);
  config->mime.log_url_scheme = s.flag(mime + "log-url-scheme", false);
  if (const auto schemes = s.children(mime + "extract-urls-schemes"); !schemes.empty()) {
    config->mime.url_schemes.clear();
    for (const std::string& i : schemes)
      config->mime.url_schemes.emplace_back(s.text(mime + "extract-urls-schemes." + i, ""));
    std::erase_if(config->mime.url_schemes,
                  [](const std::string& scheme) { return scheme.empty(); });
  }
  config->mime.body_md5 = wants_body_md5(s, s.text(mime + "body-md5", "auto"));
  config->files = applayer::file_options(s);
  config->inspect_min_bytes =
      s.size_bytes("app-layer.protocols.smtp.inspected-tracker.content-inspect-min-size", kInspectMinBytes);
  return config;
}

namespace {

std::shared_ptr<const void> configure(const Settings& s) { return make_config(s); }

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<SmtpParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                        : kDefault);
}

}  // namespace

namespace {
constexpr std::string_view kFrames[] = {"command_line", "data", "response_line"};   // by Frame
}

const ProtocolDef kSmtpProtocol = {
    .id = AppProto::kSmtp,
    .name = "smtp",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = kPatterns,
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 5,
              .when_expected = applayer::probe_welcome},
    .complete = {kComplete, kComplete},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_smtp,
    .frames = kFrames,
};

}  // namespace vong::smtp
