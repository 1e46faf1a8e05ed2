// SNMP as a table.
#include <array>

#include "sensor/applayer/snmp/parser.h"

namespace vong::snmp {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

const Message& of(const Tx& tx) { return static_cast<const Transaction&>(tx).message; }

constexpr auto kPduTypes = std::to_array<NumberDef::Value>({
    {"get_request", kGet},
    {"get_next_request", kGetNext},
    {"response", kResponse},
    {"set_request", kSet},
    {"trap_v1", kTrapV1},
    {"get_bulk_request", kGetBulk},
    {"inform_request", kInform},
    {"trap_v2", kTrapV2},
    {"report", kReport},
});
constexpr auto kTrapTypes = std::to_array<NumberDef::Value>({
    {"cold_start", 0},
    {"warm_start", 1},
    {"link_down", 2},
    {"link_up", 3},
    {"authentication_failure", 4},
    {"egp_neighbor_loss", 5},
    {"enterprise_specific", 6},
});

std::string name_in(std::span<const NumberDef::Value> values, uint32_t number) {
  for (const auto& v : values) {
    if (v.value == number) return std::string(v.name);
  }
  return "unknown(" + std::to_string(number) + ")";
}

// ---------------------------------------------------------------- keywords

template <std::optional<std::string> Message::*kField>
BufferView text(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto& field = of(tx).*kField;
  return field ? BufferView::of(*field) : BufferView::none();
}

constexpr BufferDef buffer(std::string_view name, applayer::BufferGetter get,
                           std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = 1,
          .to_client_progress = 1,
          .get = get,
          .help = help};
}

constexpr std::array kBuffers = {
    buffer("snmp.community", text<&Message::community>, "community of versions 1 and 2c"),
    buffer("snmp.usm", text<&Message::user>, "user name of version 3's user-based security"),
};

using Get = std::optional<uint64_t> (*)(const Tx&, Direction, uint32_t);

constexpr NumberDef number(std::string_view name, Get get, std::span<const NumberDef::Value> values,
                           std::string_view help) {
  return {.name = name,
          .alias = {},
          .to_server_progress = 1,
          .to_client_progress = 1,
          .get = get,
          .values = values,
          .bits = 32,
          .help = help};
}

std::optional<uint64_t> version(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).version;
}

std::optional<uint64_t> pdu_type(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).pdu_type) return std::nullopt;
  return *of(tx).pdu_type;
}

std::optional<uint64_t> trap_type(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).trap) return std::nullopt;
  return of(tx).trap->type;
}

constexpr std::array kNumbers = {
    number("snmp.version", version, {}, "version: 1, 2 (2c), 3"),
    number("snmp.pdu_type", pdu_type, kPduTypes, "kind of message"),
    number("snmp.trap_type", trap_type, kTrapTypes, "generic type of a version 1 trap"),
};

// ---------------------------------------------------------------- record

void write_trap(const Trap& trap, JsonWriter& out) {
  out.field("trap_type", name_in(kTrapTypes, trap.type));
  out.field("trap_oid", trap.enterprise);
  if (!trap.address) return;
  std::string address;
  for (const uint8_t b : *trap.address)
    address.append(address.empty() ? "" : ".").append(std::to_string(b));
  out.field("trap_address", address);
}

bool write(const Tx& base, const LogContext&, JsonWriter& out) {
  const Message& m = of(base);
  out.open_object("snmp");
  out.field("version", m.version);
  if (m.encrypted) {
    out.field("pdu_type", "encrypted");
  } else if (m.pdu_type) {
    out.field("pdu_type", name_in(kPduTypes, *m.pdu_type));
    if (m.trap) write_trap(*m.trap, out);
    if (!m.variables.empty()) {
      out.open_array("vars");
      for (const std::string& v : m.variables) out.string(v);
      out.close_array();
    }
    if (m.community) out.field("community", *m.community);
    if (m.user) out.field("usm", *m.user);
  }
  out.close_object();
  return true;
}

bool log_snmp(const Tx& tx, const LogContext& context, JsonWriter& out) {
  return static_cast<const Transaction&>(tx).direction == context.direction &&
         write(tx, context, out);
}

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "snmp",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_snmp},
    LoggerDef{.event_type = "snmp",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_snmp},
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"malformed_data", "malformed_data"},
    {"unknown_security_model", "unknown_security_model"},
    {"version_mismatch", "version_mismatch"},
}};

// ---------------------------------------------------------------- detection

// An answer says who the server is; what else there is may come from either side.
ProbeVerdict probe_datagram(Direction d, Bytes data) {
  const auto size = message_bytes(data);
  if (!size || *size == 0 || *size > data.size() || !claimed_version(data))
    return ProbeVerdict::kNo;
  Message m;
  const bool answer = parse_message(data, m) == ParseStatus::kOk && m.pdu_type == kResponse;
  return answer && d == Direction::kToServer ? ProbeVerdict::kReversed : ProbeVerdict::kYes;
}

ProbeVerdict probe_stream(Direction, Bytes data) {
  constexpr size_t kEnough = 16;
  if (claimed_version(data)) return ProbeVerdict::kYes;
  return data.size() < kEnough && data[0] == 0x30 ? ProbeVerdict::kMoreData : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<SnmpParser>(); }

constexpr std::array<uint16_t, 2> kPorts = {161, 162};

}  // namespace

const ProtocolDef kSnmpProtocol = {
    .id = AppProto::kSnmp,
    .name = "snmp",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe_stream,
              .ports = kPorts,
              .min_bytes = 4,
              .datagram_probe = probe_datagram},
    .complete = {1, 1},
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = write,
    .unidirectional = true,
};

}  // namespace vong::snmp
