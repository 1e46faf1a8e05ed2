#include "sensor/applayer/rdp/parser.h"

#include <array>

#include "base/byte_reader.h"
#include "sensor/applayer/rdp/limits.h"

namespace vong::rdp {

using applayer::AppProto;
using applayer::Input;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::ParseResult;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;

// ---------------------------------------------------------------- parsing

Transaction* RdpParser::begin(Direction d) {
  if (transactions.size() >= kMaxTransactions) return nullptr;
  auto tx = std::make_unique<Transaction>();
  tx->direction = d;
  tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  tx->progress = {1, 1};
  return &add(std::move(tx));
}

ParseResult RdpParser::parse(Direction d, const Input& in) {
  Bytes data = in.data;
  size_t consumed = 0;
  while (!data.empty()) {
    if (over_) return ParseResult::ok(in.data.size());
    if (tls_) {
      ParseResult r = tls(d, data);
      r.consumed += consumed;
      return r;
    }
    if (data[0] != 3) return ParseResult::error();
    if (data.size() < kTpktHeaderBytes) return ParseResult::ok(consumed, kTpktHeaderBytes);
    const size_t size = static_cast<size_t>(data[2]) << 8 | data[3];
    if (size < kTpktHeaderBytes + 2) return ParseResult::error();
    if (data.size() < size) return ParseResult::ok(consumed, size);
    if (!message(d, data.subspan(kTpktHeaderBytes, size - kTpktHeaderBytes)))
      return ParseResult::error();
    consumed += size;
    data = data.subspan(size);
  }
  return ParseResult::ok(consumed);
}

bool RdpParser::message(Direction d, Bytes bytes) {
  Message m;
  if (!parse_message(bytes, m)) return false;
  const bool from_client = m.kind == Kind::kConnectionRequest || m.kind == Kind::kConnectInitial;
  if (m.kind == Kind::kOther || from_client != (d == Direction::kToServer)) return true;
  if (m.kind == Kind::kConnectionConfirm) tls_ = m.selected_protocol.value_or(0) != 0;
  if (m.kind == Kind::kConnectResponse) over_ = true;
  if (Transaction* tx = begin(d)) tx->message = std::move(m);
  return true;
}

// Records in the clear: type(1) version(2) length(2). A handshake record of the server that begins
// with or holds a certificate message is what we wait for.
ParseResult RdpParser::tls(Direction d, Bytes data) {
  constexpr size_t kRecordHeaderBytes = 5, kMessageHeaderBytes = 4;
  constexpr uint8_t kHandshake = 22, kApplicationData = 23, kCertificate = 11;
  if (d == Direction::kToServer) return ParseResult::ok(data.size());
  size_t consumed = 0;
  while (data.size() >= kRecordHeaderBytes) {
    const size_t size = kRecordHeaderBytes + (static_cast<size_t>(data[3]) << 8 | data[4]);
    if (data[0] < 20 || data[0] > 24 || data[1] != 3) return ParseResult::error();
    if (data[0] == kApplicationData) {
      over_ = true;
      return ParseResult::ok(consumed + data.size());
    }
    if (data.size() < size) return ParseResult::ok(consumed, size);
    Bytes messages = data.subspan(kRecordHeaderBytes, size - kRecordHeaderBytes);
    while (data[0] == kHandshake && messages.size() >= kMessageHeaderBytes) {
      if (messages[0] == kCertificate) {
        if (Transaction* tx = begin(d)) tx->tls_handshake = true;
        over_ = true;
        return ParseResult::ok(consumed + data.size());
      }
      ByteReader header(messages);
      header.skip(1);
      const size_t length = kMessageHeaderBytes + header.u24();
      messages = messages.subspan(std::min(length, messages.size()));
    }
    consumed += size;
    data = data.subspan(size);
  }
  return ParseResult::ok(consumed, data.empty() ? 0 : kRecordHeaderBytes);
}

// ---------------------------------------------------------------- record

namespace {

void write_client(const ClientData& c, JsonWriter& out) {
  out.open_object("client");
  out.field("version", version_name(c.version));
  out.field("desktop_width", c.width);
  out.field("desktop_height", c.height);
  if (c.color_depth) out.field("color_depth", *c.color_depth);
  out.field("keyboard_layout", keyboard_layout_name(c.keyboard_layout));
  out.field("build", build_name(c.build));
  if (!c.name.empty()) out.field("client_name", c.name);
  out.field("keyboard_type", keyboard_type_name(c.keyboard_type));
  out.field("function_keys", c.function_keys);
  if (c.product_id) out.field("product_id", *c.product_id);
  const auto capabilities = capability_names(c.capabilities.value_or(0));
  if (!capabilities.empty()) {
    out.open_array("capabilities");
    for (const std::string_view name : capabilities) out.string(name);
    out.close_array();
  }
  if (c.id && !c.id->empty()) out.field("id", *c.id);
  out.close_object();
}

std::string_view event_name(const Transaction& tx) {
  if (tx.tls_handshake) return "tls_handshake";
  switch (tx.message.kind) {
    case Kind::kConnectionRequest:
      return "initial_request";
    case Kind::kConnectionConfirm:
      return "initial_response";
    case Kind::kConnectInitial:
      return "connect_request";
    default:
      return "connect_response";
  }
}

bool write(const applayer::Transaction& base, const LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  out.open_object("rdp");
  out.field("tx_id", tx.id);
  out.field("event_type", event_name(tx));
  if (tx.message.cookie) out.field("cookie", *tx.message.cookie);
  if (tx.message.client) write_client(*tx.message.client, out);
  if (!tx.message.channels.empty()) {
    out.open_array("channels");
    for (const std::string& c : tx.message.channels) out.string(c);
    out.close_array();
  }
  out.close_object();
  return true;
}

bool log_rdp(const applayer::Transaction& tx, const LogContext& context, JsonWriter& out) {
  return static_cast<const Transaction&>(tx).direction == context.direction &&
         write(tx, context, out);
}

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "rdp",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_rdp},
    LoggerDef{.event_type = "rdp",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_rdp},
};

// A TPKT with a length that fits a connection request or confirm.
ProbeVerdict probe(Direction, Bytes data) {
  if (data[0] != 3) return ProbeVerdict::kNo;
  if (data.size() < 6) return ProbeVerdict::kMoreData;
  const uint8_t code = data[5] & 0xf0;
  const bool plausible = data[1] == 0 && (code == 0xe0 || code == 0xd0 || code == 0xf0);
  return plausible ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<RdpParser>(); }

constexpr std::array<uint16_t, 1> kPorts = {3389};

}  // namespace

const ProtocolDef kRdpProtocol = {
    .id = AppProto::kRdp,
    .name = "rdp",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 1},
    .complete = {1, 1},
    .make = make,
    .buffers = {},
    .numbers = {},
    .matchers = {},
    .events = {},
    .loggers = kLoggers,
    .alert_record = write,
    .unidirectional = true,
};

}  // namespace vong::rdp
