// Modbus as a table, and its record.
#include <array>

#include "base/byte_reader.h"
#include "sensor/applayer/modbus/limits.h"
#include "sensor/applayer/modbus/parser.h"

namespace vong::modbus {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::EventDef;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

constexpr std::array kMatchers = {MatcherDef{
    "modbus", "", 0, BufferDef::kNotHere, parse_keyword,
    "unit, function code or category, or what a request reads and writes: `unit 10, access write "
    "coils, address 500<>1000, value >1`"}};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"unsolicited_response", "unsolicited_response"},
    {"invalid_function_code", "invalid_function_code"},
    {"invalid_length", "invalid_length"},
    {"invalid_value", "invalid_value"},
    {"invalid_exception_code", "invalid_exception_code"},
    {"value_mismatch", "value_mismatch"},
    {"flooded", "flooded"},
    {"invalid_protocol_id", "invalid_protocol_id"},
    {"invalid_unit_identifier", "invalid_unit_identifier"},
}};

// ---------------------------------------------------------------- record

void write_coded(std::string_view key, uint16_t raw, std::string_view name, const std::string& data,
                 bool with_data, JsonWriter& out) {
  out.open_object(key);
  out.field("raw", raw);
  out.field("code", name);
  if (with_data) {
    out.key("data");
    out.hex(as_bytes(data));
  }
  out.close_object();
}

void write_data(const Message& m, bool request, JsonWriter& out) {
  if (m.is_exception) {
    const std::string_view name = exception_name(m.exception);
    write_coded("exception", m.exception, name.empty() ? "Unknown" : name, {}, false, out);
    return;
  }
  if (m.function == kDiagnostic) {
    write_coded("diagnostic", m.subfunction.value_or(0), diagnostic_name(m.subfunction.value_or(0)),
                m.data, true, out);
    return;
  }
  if (m.function == kMei) {
    write_coded("mei", m.subfunction.value_or(0), mei_name(m.subfunction.value_or(0)), m.data, true,
                out);
    return;
  }
  if (m.read) {
    out.open_object("read");
    out.field("address", m.read->first);
    out.field("quantity", m.read->second);
    out.close_object();
  } else if (!request && (m.access & kRead) != 0) {
    out.open_object("read");
    out.key("data");
    out.hex(as_bytes(m.data));
    out.close_object();
  }
  if (m.write) {
    out.open_object("write");
    out.field("address", m.write->first);
    if (m.value) out.field("data", *m.value);
    out.close_object();
  }
  if (!m.read && !m.write && (m.access & kRead) == 0 && !m.data.empty()) {
    out.key("data");
    out.hex(as_bytes(m.data));
  }
}

void write_message(std::string_view key, const Message& m, bool request, JsonWriter& out) {
  out.open_object(key);
  out.field("transaction_id", m.transaction);
  out.field("protocol_id", m.protocol);
  out.field("unit_id", m.unit);
  out.field("function_raw", m.is_exception ? m.function | 0x80 : m.function);
  const std::string_view name = function_name(m.function);
  out.field("function_code", name.empty() ? "Unknown" : name);
  out.field("access_type", access_text(m.access));
  out.field("category", category_text(m.category));
  out.field("error_flags", problem_text(m.problems));
  write_data(m, request, out);
  out.close_object();
}

bool log_modbus(const Tx& base, const LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  out.open_object("modbus");
  out.field("id", tx.id + 1);
  if (tx.request) write_message("request", *tx.request, true, out);
  if (tx.response) write_message("response", *tx.response, false, out);
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "modbus",
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .direction = Direction::kToServer,
                                           .log = log_modbus}};

ProbeVerdict probe(Direction d, Bytes data) {
  ByteReader in(data);
  in.skip(2);
  const uint16_t protocol = in.u16(), length = in.u16();
  in.skip(1);
  const uint8_t function = in.u8();
  if (!in.ok()) return ProbeVerdict::kMoreData;
  const bool an_exception = (function & 0x80) != 0;  // only servers say so
  const bool plausible = protocol == 0 && length >= kMinLength && length <= kMaxLength &&
                         (function & 0x7f) != 0 && (!an_exception || d == Direction::kToClient);
  return plausible ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<ModbusParser>(); }

constexpr std::array<uint16_t, 1> kPorts = {502};

}  // namespace

const ProtocolDef kModbusProtocol = {
    .id = AppProto::kModbus,
    .name = "modbus",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 4},
    .complete = {1, 1},
    .make = make,
    .buffers = {},
    .numbers = {},
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_modbus,
    .enabled_by_default = false,
};

}  // namespace vong::modbus
