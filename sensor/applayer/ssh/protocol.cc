// SSH as a table: buffers, keywords, record, detection.
#include <array>

#include "base/strings.h"
#include "sensor/applayer/ssh/parser.h"

namespace vong::ssh {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::ProbePattern;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Side& side_of(const Tx& tx, Direction d) {
  return static_cast<const Transaction&>(tx).sides[static_cast<size_t>(index(d))];
}

template <std::string Side::*kField>
BufferView field(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  const std::string& text = side_of(tx, d).*kField;
  return text.empty() ? BufferView::none() : BufferView::of(text);
}

constexpr BufferDef buffer(std::string_view name, std::string_view alias, uint8_t client,
                           uint8_t server, applayer::BufferGetter get, std::string_view help) {
  return {.name = name,
          .alias = alias,
          .modifier = {},
          .to_server_progress = client,
          .to_client_progress = server,
          .get = get,
          .help = help};
}

constexpr std::array kBuffers = {
    buffer("ssh.proto", "ssh_proto", kBannerDone, kBannerDone, field<&Side::protocol>,
           "protocol version of the banner"),
    buffer("ssh.software", "ssh_software", kBannerDone, kBannerDone, field<&Side::software>,
           "software version of the banner"),
    buffer("ssh.hassh", "", kKeyExchangeSeen, kNever, field<&Side::hassh>,
           "MD5 of the client's HASSH fingerprint"),
    buffer("ssh.hassh.string", "", kKeyExchangeSeen, kNever, field<&Side::hassh_string>,
           "the client's HASSH fingerprint"),
    buffer("ssh.hassh.server", "", kNever, kKeyExchangeSeen, field<&Side::hassh>,
           "MD5 of the server's HASSH fingerprint"),
    buffer("ssh.hassh.server.string", "", kNever, kKeyExchangeSeen, field<&Side::hassh_string>,
           "the server's HASSH fingerprint"),
};

// ---------------------------------------------------------------- keywords

std::string_view unquoted(std::string_view v) {
  v = strip(v);
  if (v.size() >= 2 && v.front() == '"' && v.back() == '"') v = strip(v.substr(1, v.size() - 2));
  return v;
}

struct Version : TransactionMatcher {
  std::string wanted;
  bool compatible = false;  // 2, 2.0 and 1.99 all speak version 2
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    const std::string& v = side_of(tx, d).protocol;
    return compatible ? v == "2" || v == "2.0" || v == "1.99" : v == wanted;
  }
};

Result<std::unique_ptr<TransactionMatcher>> parse_version(std::string_view value) {
  auto m = std::make_unique<Version>();
  m->wanted = unquoted(value);
  if (m->wanted.empty()) return fail("expected a version like 2.0 or 2_compat");
  m->compatible = m->wanted == "2_compat";
  return m;
}

struct Software : TransactionMatcher {
  std::string wanted;
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    return side_of(tx, d).software.find(wanted) != std::string::npos;
  }
};

Result<std::unique_ptr<TransactionMatcher>> parse_software(std::string_view value) {
  auto m = std::make_unique<Software>();
  m->wanted = unquoted(value);
  if (m->wanted.empty()) return fail("expected a part of the software's name");
  return m;
}

constexpr std::array kMatchers = {
    MatcherDef{"ssh.protoversion", "", kBannerDone, kBannerDone, parse_version,
               "protocol version: 1.99, 2.0, 2_compat"},
    MatcherDef{"ssh.softwareversion", "", kBannerDone, kBannerDone, parse_software,
               "text in the software version"},
};

// ---------------------------------------------------------------- record

void write_side(std::string_view key, const Side& s, bool hassh, JsonWriter& out) {
  if (s.protocol.empty()) return;
  out.open_object(key);
  out.field("proto_version", s.protocol);
  if (!s.software.empty()) out.field("software_version", s.software);
  if (hassh && !s.hassh.empty()) {
    out.open_object("hassh");
    out.field("hash", s.hassh);
    out.field("string", s.hassh_string);
    out.close_object();
  }
  out.close_object();
}

bool log_ssh(const Tx& base, const applayer::LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  if (tx.sides[0].protocol.empty() && tx.sides[1].protocol.empty()) return false;
  out.open_object("ssh");
  write_side("client", tx.sides[0], tx.log_hassh, out);
  write_side("server", tx.sides[1], tx.log_hassh, out);
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "ssh",
                                           .to_server_progress = kLogged,
                                           .to_client_progress = kLogged,
                                           .direction = Direction::kToServer,
                                           .log = log_ssh}};

constexpr std::string_view kFrames[] = {"record.hdr", "record.data", "record.pdu"};  // by FrameKind

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"invalid_banner", "invalid_banner"},
    {"long_banner", "long_banner"},
    {"invalid_record", "invalid_record"},
    {"long_kex_record", "long_kex_record"},
}};

constexpr std::array kPatterns = {ProbePattern{.bytes = "SSH-", .direction = Direction::kToServer},
                                  ProbePattern{.bytes = "SSH-", .direction = Direction::kToClient}};

std::shared_ptr<const void> configure(const Settings& s) {
  auto config = std::make_shared<Config>();
  const std::string_view hassh = s.text("app-layer.protocols.ssh.hassh", "auto");
  config->hassh =
      hassh == "auto" ? s.flag("rules.need.hassh", false) : parse_flag(hassh).value_or(false);
  const std::string_view handling =
      s.text("app-layer.protocols.ssh.encryption-handling", "track-only");
  if (handling == "bypass") config->encrypted = Config::Encrypted::kBypass;
  if (handling == "full") config->encrypted = Config::Encrypted::kFull;
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<SshParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                       : kDefault);
}

}  // namespace

const ProtocolDef kSshProtocol = {
    .id = AppProto::kSsh,
    .name = "ssh",
    .rule_alias = {},
    .probe = {.tcp = true, .udp = false, .patterns = kPatterns, .ports = {}},
    .complete = {kFinished, kFinished},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = {},
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_ssh,
    .frames = kFrames,
};

}  // namespace vong::ssh
