#include "sensor/applayer/ntp/parser.h"

#include <array>

#include "base/byte_reader.h"
#include "base/encode.h"

namespace vong::ntp {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::Input;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ParseResult;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

// Byte 0: leap indicator (2 bits), version (3), mode (3); then stratum, poll, precision, root delay
// and dispersion (4 each), reference id (4), four times.
bool read_message(Bytes data, Transaction& tx) {
  ByteReader in(data);
  const uint8_t first = in.u8();
  tx.version = first >> 3 & 7;
  tx.mode = first & 7;
  tx.stratum = in.u8();
  in.skip(10);
  tx.reference_id = as_text(in.bytes(4));
  return data.size() >= kMessageBytes && (tx.version == 3 || tx.version == 4);
}

// ---------------------------------------------------------------- keywords

template <uint8_t Transaction::*kField>
std::optional<uint64_t> field(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).*kField;
}

constexpr NumberDef number(std::string_view name,
                           std::optional<uint64_t> (*get)(const Tx&, Direction, uint32_t),
                           std::span<const NumberDef::Value> values, std::string_view help) {
  return {.name = name,
          .alias = {},
          .to_server_progress = 1,
          .to_client_progress = 1,
          .get = get,
          .values = values,
          .bits = 8,
          .help = help};
}

constexpr auto kModes = std::to_array<NumberDef::Value>({
    {"reserved", 0},
    {"symmetric_active", 1},
    {"symmetric_passive", 2},
    {"client", 3},
    {"server", 4},
    {"broadcast", 5},
    {"control", 6},
    {"private", 7},
});

constexpr std::array kNumbers = {
    number("ntp.version", field<&Transaction::version>, {}, "version: 3 or 4"),
    number("ntp.mode", field<&Transaction::mode>, kModes, "mode: client, server ..."),
    number("ntp.stratum", field<&Transaction::stratum>, {}, "distance from the reference clock"),
};

BufferView reference_id(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return BufferView::of(of(tx).reference_id);
}

constexpr std::array kBuffers = {BufferDef{.name = "ntp.reference_id",
                                           .alias = {},
                                           .modifier = {},
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .get = reference_id,
                                           .help = "server or clock: 4 bytes"}};

// ---------------------------------------------------------------- record, events, detection

bool write(const Tx& base, const LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  const std::string id = hex_of(as_bytes(tx.reference_id), ':');
  out.open_object("ntp");
  out.field("version", tx.version);
  out.field("mode", tx.mode);
  out.field("stratum", tx.stratum);
  out.field("reference_id", id);
  out.close_object();
  return true;
}

bool log_ntp(const Tx& tx, const LogContext& context, JsonWriter& out) {
  return of(tx).direction == context.direction && write(tx, context, out);
}

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "ntp",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_ntp},
    LoggerDef{.event_type = "ntp",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_ntp},
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"unsolicited_response", "unsolicited_response"},
    {"malformed_data", "malformed_data"},
    {"not_request", "not_request"},
    {"not_response", "not_response"},
}};

ProbeVerdict probe(Direction, Bytes data) {
  Transaction tx;
  return read_message(data, tx) ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<NtpParser>(); }

constexpr std::array<uint16_t, 1> kPorts = {123};

}  // namespace

ParseResult NtpParser::parse(Direction d, const Input& in) {
  if (in.data.empty() || transactions.size() >= kMaxTransactions)
    return ParseResult::ok(in.data.size());
  auto tx = std::make_unique<Transaction>();
  if (!read_message(in.data, *tx)) {
    if (!transactions.empty()) transactions.back()->add_event(kMalformedData);
    return ParseResult::error();
  }
  tx->direction = d;
  tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  tx->progress = {1, 1};
  add(std::move(tx));
  return ParseResult::ok(in.data.size());
}

const ProtocolDef kNtpProtocol = {
    .id = AppProto::kNtp,
    .name = "ntp",
    .rule_alias = {},
    .probe = {.tcp = false,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 12},
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

}  // namespace vong::ntp
