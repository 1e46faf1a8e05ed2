// IMAP as a table: detection, buffers, configuration.
#include <array>

#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/imap/parser.h"

namespace vong::imap {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::ProbePattern;
using applayer::ProtocolDef;

namespace {

constexpr ProbePattern untagged(std::string_view bytes) { return {.bytes = bytes, .nocase = true, .direction = Direction::kToClient}; }

// The greeting and other untagged responses (RFC 9051 7), and what clients commonly begin with.
constexpr std::array kPatterns = {
    untagged("* OK "), untagged("* NO "), untagged("* BAD "), untagged("* LIST "), untagged("* FLAGS "), untagged("* STATUS "),
    untagged("* ESEARCH "),
    ProbePattern{
        .bytes = "1 capability", .nocase = true, .within = 16, .direction = Direction::kToServer},
};

constexpr std::array kBuffers = {
    applayer::file_data_buffer(kInProgress, kInProgress),
    applayer::file_name_buffer(kInProgress, kInProgress),
};

// Beside alerts and files: whose mail it is.
bool log_mail(const applayer::Transaction& base, const applayer::LogContext&, JsonWriter& out) {
  const smtp::Mime& mail = static_cast<const Transaction&>(base).mail.mime();
  if (!mail.headers().empty()) smtp::write_email(mail, nullptr, out);
  return true;
}

std::shared_ptr<const void> configure(const Settings& settings) {
  auto config = std::make_shared<Config>();
  config->mail = smtp::make_config(settings);
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<ImapParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                        : kDefault);
}

}  // namespace

const ProtocolDef kImapProtocol = {
    .id = AppProto::kImap,
    .name = "imap",
    .rule_alias = {},
    .probe = {.tcp = true, .udp = false, .patterns = kPatterns, .ports = {}, .one_side_tells = true},
    .complete = {kComplete, kComplete},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = {},
    .matchers = {},
    .events = {},
    .loggers = {},
    .alert_record = log_mail,
};

}  // namespace vong::imap
