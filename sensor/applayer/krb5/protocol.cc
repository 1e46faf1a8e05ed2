// Kerberos as tables: buffers, keywords, events, records, detection.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/byte_reader.h"
#include "base/strings.h"
#include "sensor/applayer/formats/der.h"
#include "sensor/applayer/krb5/limits.h"
#include "sensor/applayer/krb5/names.h"
#include "sensor/applayer/krb5/parser.h"

namespace vong::krb5 {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;
using Parsed = Result<std::unique_ptr<TransactionMatcher>>;

namespace {

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

BufferView part(const std::optional<kerberos::Principal>& p, uint32_t i) {
  return p && i < p->parts.size() ? BufferView::of(p->parts[i]) : BufferView::none();
}

BufferView client_name(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  return part(of(tx).message.client, i);
}

BufferView service_name(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  return part(of(tx).message.service, i);
}

constexpr BufferDef names(std::string_view name, std::string_view alias, applayer::BufferGetter get,
                          std::string_view help) {
  return {.name = name,
          .alias = alias,
          .modifier = {},
          .to_server_progress = kInProgress,
          .to_client_progress = kInProgress,
          .get = get,
          .multi = true,
          .help = help};
}

constexpr std::array kBuffers = {
    names("krb5.cname", "krb5_cname", client_name, "parts of the client's name"),
    names("krb5.sname", "krb5_sname", service_name, "parts of the service's name"),
};

std::optional<uint64_t> message_type(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).message.type;
}

constexpr std::array<NumberDef::Value, 7> kTypes = {{{"as-req", 10},
                                                     {"as-rep", 11},
                                                     {"tgs-req", 12},
                                                     {"tgs-rep", 13},
                                                     {"ap-req", 14},
                                                     {"ap-rep", 15},
                                                     {"error", 30}}};

constexpr std::array kNumbers = {
    NumberDef{
        .name = "krb5_msg_type",
        .alias = "krb5.msg_type",
        .to_server_progress = kInProgress,
        .to_client_progress = kInProgress,
        .get = message_type,
        .values = kTypes,
        .bits = 8,
        .help = "type of the message: 10 AS-REQ, 11 AS-REP, 12 TGS-REQ, 13 TGS-REP, 30 error"},
};

std::optional<int32_t> number(std::string_view text) {
  int32_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return n;
}

struct ErrorCode : TransactionMatcher {
  int32_t wanted = 0;
  bool negated = false;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const auto& code = of(tx).message.error_code;
    return code && (*code == wanted) != negated;
  }
};

Parsed parse_error_code(std::string_view value) {
  value = strip(value);
  auto m = std::make_unique<ErrorCode>();
  m->negated = value.starts_with('!');
  if (m->negated) value = strip(value.substr(1));
  const auto n = number(value);
  if (!n) return fail("krb5_err_code is [!]<number>");
  m->wanted = *n;
  return m;
}

// "[!]weak" or "[!]<type>[,<type>...]" by name or number.
struct TicketEncryption : TransactionMatcher {
  bool negated = false, weak = false;
  std::vector<int32_t> wanted;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const auto& e = of(tx).message.ticket_encryption;
    if (!e) return false;
    const bool hit = weak ? is_weak(*e) : std::ranges::find(wanted, *e) != wanted.end();
    return hit != negated;
  }
};

Parsed parse_ticket_encryption(std::string_view value) {
  constexpr size_t kListMax = 256;
  auto m = std::make_unique<TicketEncryption>();
  value = strip(value);
  if (value.starts_with('!')) {
    m->negated = true;
    value = strip(value.substr(1));
  }
  if (equals_ignore_case(value, "weak")) {
    m->weak = true;
    return m;
  }
  for (std::string_view part : split(value, ',')) {
    part = strip(part);
    auto n = number(part);
    if (!n) n = encryption_named(part);
    if (!n || m->wanted.size() >= kListMax)
      return fail("krb5.ticket_encryption is `weak` or a list of encryption types");
    m->wanted.push_back(*n);
  }
  return m;
}

constexpr std::array kMatchers = {
    MatcherDef{"krb5_err_code", "krb5.err_code", kInProgress, kInProgress, parse_error_code,
               "code of an error"},
    MatcherDef{"krb5.ticket_encryption", "", kInProgress, kInProgress, parse_ticket_encryption,
               "encryption of the ticket: [!]weak, or names or numbers"},
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"malformed_data", "malformed_data"},
    {"weak_encryption", "weak_encryption"},
}};

// ---------------------------------------------------------------- record

std::string shown(const std::optional<kerberos::Principal>& p) {
  return p ? p->text() : std::string("<empty>");
}

void encryption(std::string_view key, std::string_view weak_key, std::optional<int32_t> e,
                JsonWriter& out) {
  out.field(key, e ? encryption_name(*e) : std::string("<none>"));
  out.field(weak_key, e && is_weak(*e));
}

bool log_krb5(const Tx& tx, const applayer::LogContext&, JsonWriter& out) {
  const kerberos::Message& m = of(tx).message;
  out.open_object("krb5");
  out.field("msg_type", message_name(m.type));
  if (m.type == kerberos::kError) {
    const uint8_t failed = of(tx).failed_request;
    out.field("failed_request", failed != 0 ? message_name(failed) : std::string("UNKNOWN"));
    out.field("error_code", m.error_code ? error_name(*m.error_code) : std::string("UNKNOWN"));
  }
  const bool error = m.type == kerberos::kError;
  out.field("cname", error ? std::string("<empty>") : shown(m.client));
  out.field("realm", error ? std::string("<empty>") : m.realm.value_or("<empty>"));
  out.field("sname", shown(m.service));
  encryption("encryption", "weak_encryption", m.encryption, out);
  if (m.ticket_encryption)
    encryption("ticket_encryption", "ticket_weak_encryption", m.ticket_encryption, out);
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "krb5",
                                           .to_server_progress = kFinished,
                                           .to_client_progress = kFinished,
                                           .direction = Direction::kToServer,
                                           .log = log_krb5}};

// ---------------------------------------------------------------- detection

ProbeVerdict datagram_probe(Direction d, Bytes data) {
  // The element itself may go on behind the packet: only its begin is looked at.
  if (data.size() < 10) return ProbeVerdict::kNo;
  const uint8_t tag = data[0] & 0x1f;
  if ((data[0] & 0xe0) != 0x60 || !((tag >= 10 && tag <= 15) || tag == 30))
    return ProbeVerdict::kNo;
  const size_t length_bytes = (data[1] & 0x80) != 0 ? size_t{1} + (data[1] & 0x7f) : 1;
  if (length_bytes > 5 || data[1 + length_bytes] != 0x30) return ProbeVerdict::kNo;
  const bool request = tag == 10 || tag == 12 || tag == 14;
  return request == (d == Direction::kToServer) ? ProbeVerdict::kYes : ProbeVerdict::kReversed;
}

ProbeVerdict probe(Direction d, Bytes data) {
  constexpr size_t kMarkBytes = 4;
  if (data.size() < kMarkBytes + 10) return ProbeVerdict::kMoreData;
  ByteReader mark(data);
  if (mark.u32() > kMaxRecordBytes) return ProbeVerdict::kNo;
  return datagram_probe(d, data.subspan(kMarkBytes));
}

constexpr std::array<uint16_t, 1> kPorts = {88};

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<Krb5Parser>(); }

}  // namespace

const ProtocolDef kKrb5Protocol = {
    .id = AppProto::kKrb5,
    .name = "krb5",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 0,
              .datagram_probe = datagram_probe},
    .complete = {kFinished, kFinished},
    .configure = nullptr,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_krb5,
    .unidirectional = true,
};

}  // namespace vong::krb5
