// The BitTorrent DHT as a table, and its parser.
#include <array>

#include "sensor/applayer/bittorrent_dht/parser.h"

namespace vong::bittorrent_dht {

using applayer::AppProto;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::ParseResult;
using applayer::ProbePattern;
using applayer::ProtocolDef;

ParseResult DhtParser::parse(Direction d, const applayer::Input& in) {
  auto& tx = add(std::make_unique<Transaction>());
  tx.datagram = as_text(in.data);
  tx.direction = d;
  tx.progress = {1, 1};
  tx.has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  if (!parse_message(as_bytes(tx.datagram), tx.message)) tx.add_event(kMalformedPacket);
  return ParseResult::ok(in.data.size());
}

namespace {

void hex(JsonWriter& out, std::string_view key, Bytes value) {
  out.key(key);
  out.hex(value);
}

void hex(JsonWriter& out, std::string_view key, const std::optional<Bytes>& value) {
  if (value) hex(out, key, *value);
}

void log_nodes(JsonWriter& out, std::string_view key, const std::vector<Node>& list) {
  if (list.empty()) return;
  out.open_array(key);
  for (const Node& n : list) {
    out.open_object();
    if (!n.id.empty()) hex(out, "id", n.id);
    out.field("ip", n.ip);
    out.field("port", n.port);
    out.close_object();
  }
  out.close_array();
}

void log_request(JsonWriter& out, const Message& m) {
  out.field("request_type", as_text(m.query));
  out.open_object("request");
  hex(out, "id", m.id);
  hex(out, "target", m.target);
  hex(out, "info_hash", m.info_hash);
  hex(out, "token", m.token);
  if (m.implied_port) out.field("implied_port", *m.implied_port);
  if (m.port) out.field("port", *m.port);
  out.close_object();
}

void log_response(JsonWriter& out, const Message& m) {
  out.open_object("response");
  hex(out, "id", m.id);
  log_nodes(out, "nodes", m.nodes);
  log_nodes(out, "nodes6", m.nodes6);
  log_nodes(out, "values", m.values);
  hex(out, "token", m.token);
  out.close_object();
}

bool alert_dht(const applayer::Transaction& base, const applayer::LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  const Message& m = tx.message;
  out.open_object("bittorrent_dht");
  hex(out, "transaction_id", m.transaction_id);
  if (!m.client_version.empty()) hex(out, "client_version", m.client_version);
  if (m.kind == 'q') {
    log_request(out, m);
  } else if (m.kind == 'r' && m.id) {  // the schema has no response without
    log_response(out, m);
  } else if (m.kind == 'e') {
    out.open_object("error");
    out.field("num", m.error_number);
    out.field("msg", as_text(m.error_text));
    out.close_object();
  }
  out.close_object();
  return true;
}

bool log_dht(const applayer::Transaction& base, const applayer::LogContext& context,
             JsonWriter& out) {
  if (static_cast<const Transaction&>(base).direction != context.direction) return false;
  return alert_dht(base, context, out);
}

constexpr std::array<EventDef, kEventCount> kEvents = {{{"malformed_packet", "malformed_packet"}}};

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "bittorrent_dht",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_dht},
    LoggerDef{.event_type = "bittorrent_dht",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_dht},
};

// Queries, responses, responses with the address of who asked, errors.
constexpr std::string_view kBegins[] = {"d1:ad2:id20:", "d1:rd2:id20:", "d2:ip", "d1:el"};

constexpr auto make_patterns() {
  std::array<ProbePattern, std::size(kBegins) * kDirections> out{};
  size_t n = 0;
  for (const std::string_view begin : kBegins) {
    for (const Direction d : {Direction::kToServer, Direction::kToClient})
      out[n++] = {.bytes = begin, .direction = d};
  }
  return out;
}
constexpr auto kPatterns = make_patterns();

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<DhtParser>(); }

}  // namespace

const ProtocolDef kBittorrentDhtProtocol = {
    .id = AppProto::kBittorrentDht,
    .name = "bittorrent-dht",
    .rule_alias = {},
    .probe = {.tcp = false, .udp = true, .patterns = kPatterns, .ports = {}},
    .complete = {1, 1},
    .make = make,
    .buffers = {},
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_dht,
    .unidirectional = true,
};

}  // namespace vong::bittorrent_dht
