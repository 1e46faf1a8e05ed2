// QUIC as a table.
#include <array>

#include "sensor/applayer/quic/parser.h"

namespace vong::quic {

using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;

namespace {

using Tx = applayer::Transaction;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

BufferView text(const std::string& t) { return t.empty() ? BufferView::none() : BufferView::of(t); }

template <std::string Transaction::*kMember>
BufferView member(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return text(of(tx).*kMember);
}
template <std::string Cyu::*kMember>
BufferView cyu(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  const auto& all = of(tx).cyu;
  return i < all.size() ? BufferView::of(all[i].*kMember) : BufferView::none();
}

constexpr uint8_t kNo = BufferDef::kNotHere;
constexpr auto kVersionBytes = member<&Transaction::version_bytes>;
constexpr auto kJa3 = member<&Transaction::ja3>;
constexpr auto kJa3Hash = member<&Transaction::ja3_hash>;

// name, alias, modifier, pcre flag, to server from, to client from, getter, several, streaming,
// help.
constexpr auto kBuffers = std::to_array<BufferDef>({
    {"quic.version", "", "", 0, 1, 1, kVersionBytes, false, false, "Version, its four bytes"},
    {"quic.sni", "", "", 0, 1, kNo, member<&Transaction::sni>, false, false, "Server name"},
    {"quic.ua", "", "", 0, 1, kNo, member<&Transaction::ua>, false, false,
     "User agent of Google's versions"},
    {"quic.cyu.hash", "", "", 0, 1, 1, cyu<&Cyu::hash>, true, false,
     "Fingerprint of Google's versions, MD5"},
    {"quic.cyu.string", "", "", 0, 1, 1, cyu<&Cyu::text>, true, false,
     "Fingerprint of Google's versions"},
    {"ja3.hash", "ja3_hash", "", 0, 1, kNo, kJa3Hash, false, false,
     "JA3 of the client's hello, MD5"},
    {"ja3.string", "ja3_string", "", 0, 1, kNo, kJa3, false, false, "JA3 of the client's hello"},
    {"ja3s.hash", "", "", 0, kNo, 1, kJa3Hash, false, false, "JA3S of the server's hello, MD5"},
    {"ja3s.string", "", "", 0, kNo, 1, kJa3, false, false, "JA3S of the server's hello"},
    {"ja4.hash", "", "", 0, 1, kNo, member<&Transaction::ja4>, false, false,
     "JA4 of the client's hello"},
});

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"failed_decrypt", "failed_decrypt"},
    {"error_on_data", "error_on_data"},
    {"crypto_frag_too_long", "crypto_frag_too_long"},
}};

constexpr auto kLoggers = std::to_array<LoggerDef>({
    {.event_type = "quic", .to_server_progress = 1, .to_client_progress = 1, .log = log_quic},
});

// Whatever can be a packet: only the port tells it from other datagrams.
ProbeVerdict probe(Direction, Bytes data) {
  return read_packet_header(data) ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

constexpr std::array<uint16_t, 2> kPorts = {443, 80};

std::shared_ptr<const void> configure(const Settings& s) {
  auto c = std::make_shared<Config>();
  const std::string_view ja4 = s.text("app-layer.protocols.quic.ja4-fingerprints",
                                      s.text("app-layer.protocols.tls.ja4-fingerprints", "auto"));
  c->ja4 = ja4 == "auto" ? s.flag("rules.need.ja4", false) : parse_flag(ja4).value_or(false);
  return c;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  return std::make_unique<QuicParser>(*static_cast<const Config*>(config));
}

ProtocolDef make_def() {
  ProtocolDef def;
  def.id = applayer::AppProto::kQuic;
  def.name = "quic";
  def.probe.tcp = false;
  def.probe.udp = true;
  def.probe.probe = probe;
  def.probe.ports = kPorts;
  def.complete = {1, 1};
  def.configure = configure;
  def.make = make;
  def.buffers = kBuffers;
  def.events = kEvents;
  def.loggers = kLoggers;
  def.alert_record = log_quic;
  def.unidirectional = true;
  return def;
}

}  // namespace

const ProtocolDef kQuicProtocol = make_def();

}  // namespace vong::quic
