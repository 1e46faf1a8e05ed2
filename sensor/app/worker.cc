#include "sensor/app/worker.h"

#include <algorithm>
#include <array>
#include <optional>

#include "sensor/app/lookahead.h"
#include "sensor/decode/checksum.h"
#include "sensor/flow/raw_stream.h"

namespace vong::sensor {
namespace {

constexpr size_t kPseudoFrameBytes = 60;   // IPv6 and TCP header

flow::FlowConfig flow_config(const Plan& plan) {
  auto config = flow::FlowConfig::from_settings(plan.settings);
  if (!plan.offline) config.seed = plan.flow_seed;
  return config;
}

void put_u16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

// IP and TCP headers of `p` without payload; returns their size.
size_t write_headers(const Packet& p, std::array<uint8_t, kPseudoFrameBytes>& out) {
  constexpr size_t kTcpBytes = 20;
  out.fill(0);
  const bool v4 = p.ip.version == 4;
  const size_t ip_bytes = v4 ? 20 : 40, address_at = v4 ? 12 : 8;
  out[0] = v4 ? 0x45 : 0x60;
  put_u16(&out[v4 ? 2 : 4], static_cast<uint16_t>(v4 ? ip_bytes + kTcpBytes : kTcpBytes));
  out[v4 ? 9 : 6] = p.ip.protocol;
  out[v4 ? 8 : 7] = 64;
  const Bytes src = p.src.bytes(), dst = p.dst.bytes();
  std::copy(src.begin(), src.end(), out.begin() + static_cast<std::ptrdiff_t>(address_at));
  std::copy(dst.begin(), dst.end(), out.begin() + static_cast<std::ptrdiff_t>(address_at + src.size()));
  uint8_t* tcp = &out[ip_bytes];
  put_u16(tcp, p.sport);
  put_u16(tcp + 2, p.dport);
  tcp[12] = 5 << 4;
  tcp[13] = p.tcp.flags;
  return ip_bytes + kTcpBytes;
}

// A packet without bytes that stands for "the flow is over", in one direction.
// Its frame is the headers that such a packet would have (RFC 791, 8200, 9293), put together in `frame`.
Packet pseudo_packet(flow::Flow& flow, Direction d, Timestamp now, std::array<uint8_t, kPseudoFrameBytes>& frame) {
  const bool forward = d == Direction::kToServer;
  Packet p;
  p.ts = now;
  p.is_pseudo = true;
  p.src = forward ? flow.key.src : flow.key.dst;
  p.dst = forward ? flow.key.dst : flow.key.src;
  p.sport = forward ? flow.key.sport : flow.key.dport;
  p.dport = forward ? flow.key.dport : flow.key.sport;
  p.ip.version = static_cast<uint8_t>(flow.key.src.family());
  p.ip.protocol = flow.key.protocol;
  p.is_tcp = flow.key.protocol == 6;
  p.is_udp = flow.key.protocol == 17;
  if (p.is_tcp) p.tcp.flags = TcpFlags::kAck;
  p.tunnel_depth = flow.key.tunnel_depth;
  p.interface = flow.interface;
  p.flow = &flow;
  p.direction = d;
  p.flow_established = p.is_tcp || (flow.to_client_seen && flow.to_server_seen);
  if (p.is_tcp) p.frame = Bytes(frame).first(write_headers(p, frame));
  return p;
}

// A connection of which this direction was never seen.
bool is_silent(const flow::Flow& flow, Direction d) {
  return flow::raw_stream(flow) != nullptr && flow.counters[static_cast<size_t>(index(d))].packets == 0;
}

}  // namespace

Worker::Worker(const Plan& plan, detect::SharedState& shared, emit::LineSink& sink)
    : plan_(plan),
      defragmenter_(reassembly::DefragConfig::from(plan.settings)),
      decoder_(decode::Config::from(plan.settings), &defragmenter_),
      flows_(flow_config(plan)),
      driver_(plan.protocols),
      tcp_(reassembly::TcpConfig::from_settings(plan.settings), driver_),
      detector_(plan.rules, plan.settings, shared),
      emitter_(plan.eve, sink, plan.interfaces),
      other_readings_(plan, shared, emitter_),
      flow_memcap_policy_(ExceptionPolicies::from_settings(plan.settings).of(ExceptionTarget::kFlowMemcap)),
      shedder_(OverloadConfig::from(plan.settings).value_or(OverloadConfig())) {}

Worker::~Worker() = default;

void Worker::process(const RawPacket& raw) {
  ++counters_.frames;
  counters_.bytes += raw.wire_len;
  counters_.max_packet_bytes = std::max<uint64_t>(counters_.max_packet_bytes, raw.wire_len);
  if (counters_.frames == 1) first_ = raw.ts;
  last_ = std::max(last_, raw.ts);
  link_type_ = raw.link_type;
  expire(last_);
  if (recorder_ != nullptr) recorder_->begin();
  if (pcap_log_ != nullptr) {
    pcap_wanted_ = pcap_log_->what() == evidence::PcapLogOptions::What::kAll;
    pcap_passed_ = false;
  }
  decoder_.decode(raw, *this);
  if (recorder_ != nullptr) recorder_->keep(raw);
  if (pcap_log_ != nullptr && pcap_wanted_ && !pcap_passed_) pcap_log_->keep(raw);
}

void Worker::process(std::span<const RawPacket> batch) {
  // Packets between the steps of looking ahead: each step needs what the one before asked the memory for.
  constexpr size_t kIndexAhead = 12, kFlowAhead = 8, kStateAhead = 5, kParserAhead = 2, kRing = 16;
  struct Expected {
    std::optional<uint32_t> hash;
    const flow::Flow* flow = nullptr;
  };
  std::array<Expected, kRing> ring;
  const auto step = [&](size_t i) {
    const auto in_batch = [&](size_t k) { return k < batch.size(); };
    if (in_batch(i)) {
      const auto ends = ends_of(batch[i]);
      ring[i % kRing] = {};
      if (ends) ring[i % kRing].hash = flows_.expect(ends->src, ends->dst, ends->sport, ends->dport, ends->protocol);
    }
    if (const size_t k = i - (kIndexAhead - kFlowAhead); in_batch(k) && ring[k % kRing].hash)
      ring[k % kRing].flow = flows_.expect_flow(*ring[k % kRing].hash);
    if (const size_t k = i - (kIndexAhead - kStateAhead); in_batch(k) && ring[k % kRing].flow != nullptr)
      flow::FlowTable::expect_state(*ring[k % kRing].flow);
    if (const size_t k = i - (kIndexAhead - kParserAhead); in_batch(k) && ring[k % kRing].flow != nullptr) {
      const auto* app = applayer::app_state(*ring[k % kRing].flow);
      if (app != nullptr && app->parser != nullptr) __builtin_prefetch(app->parser.get());
    }
  };
  for (size_t i = 0; i < kIndexAhead; ++i) step(i);
  for (size_t i = 0; i < batch.size(); ++i) {
    step(i + kIndexAhead);
    process(batch[i]);
  }
}

void Worker::on_packet(Packet& packet) {
  if (packet.other_reading != 0) [[unlikely]] {
    other_readings_.inspect_datagram(packet, flows_.peek(packet));
    return;
  }
  ++counters_.packets;
  std::optional<Loss> loss;
  bool encrypted = false;
  if (packet.invalid) {
    ++counters_.invalid;
    loss = Loss{ledger::Hop::kDecode,
                packet.truncated ? ledger::Reason::kSnapLength : ledger::Reason::kInvalidHeader};
  } else if (packet.ip.version != 0 && !follow(packet, loss, encrypted)) {
    account_.count(loss);
    return;
  }
  const MatchMarks before(detector_.counters());
  inspect_and_emit(packet, false);
  if (!loss) loss = match_loss(before, MatchMarks(detector_.counters()), packet, encrypted);
  account_.count(loss);
  if (shedder_.busy()) [[unlikely]] detector_.set_priority_limit(detect::Detector::kAllPriorities);   // the limit was this packet's
}

// Flow, stream and protocols of an IP packet. False: nobody looks at it any more.
bool Worker::follow(Packet& packet, std::optional<Loss>& loss, bool& encrypted) {
  if (checksums_.on()) checksums_.note(decode::verify_checksums(packet));
  const uint64_t refused = flows_.counters().memcap;
  flow::Flow* flow = flows_.lookup(packet, packet.ts);
  if (flow == nullptr) {
    ++counters_.no_flow;
    if (packet.wants_flow) packet.no_inspection = flow_memcap_policy_ == ExceptionPolicy::kPassPacket;
    if (flows_.counters().memcap != refused) loss = Loss{ledger::Hop::kFlow, ledger::Reason::kMemoryCap};
    return true;
  }
  if (recorder_ != nullptr) recorder_->flow(flow->id);
  if (flow->phase == flow::FlowPhase::kBypassed) {   // counted by the table
    loss = Loss{ledger::Hop::kFlow, ledger::Reason::kBypass};
    return false;
  }
  if (shedder_.busy()) [[unlikely]] {
    const uint64_t bytes = flow->counters[0].bytes + flow->counters[1].bytes;
    const auto verdict = shedder_.judge(flow->id, bytes, flow->alerted, packet.wire_len, packet.ts);
    detector_.set_priority_limit(verdict == LoadShedder::Verdict::kFull ? detect::Detector::kAllPriorities : shedder_.control().config().keep_priority);
    if (verdict == LoadShedder::Verdict::kNotFollowed) {
      loss = Loss{ledger::Hop::kFlow, ledger::Reason::kOverload};
      return true;
    }
  }
  emitter_.note(packet);
  // From the packet after the one that showed it: the session is encrypted, its bytes say nothing to rules on raw content.
  if (const auto* app = applayer::app_state(*flow); app != nullptr && app->parser != nullptr &&
                                                    app->parser->no_payload_inspection)
    encrypted = packet.no_payload_inspection = true;
  if (packet.is_tcp) {
    const TcpMarks before(tcp_.counters());
    tcp_.process(*flow, packet);
    loss = tcp_loss(before, TcpMarks(tcp_.counters()), packet);
    turn_if_wanted(*flow, packet);
  } else if (packet.is_udp && !packet.payload.empty()) {  // whatever its checksum, as the reference
    driver_.on_datagram(*flow, packet);
    turn_if_wanted(*flow, packet);
  }
  return true;
}

LoadShedder::Change Worker::note_pressure(double pressure, Timestamp now) {
  const auto change = shedder_.note(pressure, now);
  emitter_.shed_records(shedder_.sheds_records());
  return change;
}

ledger::Totals Worker::packet_totals(const capture::CaptureStats& capture, bool over) const {
  ledger::Totals totals;
  add_capture(totals, capture, counters_.injected, over);
  account_.add_to(totals, counters_.frames, decoder_.counters().tunnels);
  return totals;
}

// Protocol detection found that the flow was opened by its server (a connection met in the middle).
void Worker::turn_if_wanted(flow::Flow& flow, Packet& packet) {
  applayer::FlowAppState* app = applayer::app_state(flow);
  if (app == nullptr || !app->reverse_wanted) return;
  app->reverse_wanted = false;
  flow::swap_direction(flow);
  packet.direction = opposite(packet.direction);
}

// At a flow's end a gap parts what the stream still holds into several windows: each is looked at.
void Worker::inspect_rest_of_stream(Packet& pseudo) {
  const flow::RawStream* stream = flow::raw_stream(*pseudo.flow);
  while (stream != nullptr) {
    const auto window = stream->raw_window(pseudo.direction, true);
    if (window.data.empty()) return;
    inspect_once(pseudo);
    // Detection passes every window that it is shown; a rule set that does not must not hang the worker.
    if (stream->raw_inspected(pseudo.direction) < window.offset + window.data.size()) return;
  }
}

// Segments conflict: before the receiver's reading is looked at and its bytes go, the others'.
void Worker::inspect_other_readings(Packet& packet) {
  if (packet.flow == nullptr || !packet.is_tcp) return;
  auto* session = static_cast<reassembly::TcpSession*>(packet.flow->slot(flow::FlowSlot::kStream));
  if (session != nullptr && session->readings(packet.direction) != nullptr) other_readings_.inspect_stream(packet, *session);
}

void Worker::inspect_once(Packet& packet) {
  if (tcp_.readings_alive() != 0) [[unlikely]] inspect_other_readings(packet);
  auto alerts = detector_.inspect(packet);
  if (packet.ambiguous && packet.is_defragmented) [[unlikely]] other_readings_.note_datagram(packet, detector_);
  if (canary_ != nullptr) alerts = canary_->take_out(packet, alerts);
  if (pcap_log_ != nullptr) note_for_pcap_log(packet, !alerts.empty());
  emitter_.set_evidence(detector_.packet_vars(), detector_.stream_payload());
  emitter_.alerts(packet, alerts, detector_.tagged(), &detector_.rules());
}

// Whether the frame of this packet goes into pcap-log: with `alerts` from the packet of a flow's first alert on.
void Worker::note_for_pcap_log(const Packet& packet, bool alerted) {
  using What = evidence::PcapLogOptions::What;
  if (pcap_log_->what() == What::kAlerts) pcap_wanted_ |= alerted || (packet.flow != nullptr && packet.flow->alerted);
  if (pcap_log_->what() == What::kTag) pcap_wanted_ |= detector_.tagged();
  if (pcap_log_->honor_pass() && packet.flow != nullptr) pcap_passed_ |= detect::flow_decision(*packet.flow).passed;
}

void Worker::inspect_and_emit(Packet& packet, bool final) {
  inspect_once(packet);
  if (packet.is_pseudo) inspect_rest_of_stream(packet);
  for (const PacketEvent e : packet.events) ++counters_.events[static_cast<size_t>(e)];
  emitter_.packet_events(packet);
  emitter_.arp(packet);
  if (packet.flow != nullptr) {
    emitter_.transactions(packet, final);
    driver_.collect(*packet.flow);
  }
}

void Worker::expire(Timestamp now) {
  flows_.expire(now,
                [this](flow::Flow& flow, flow::FlowEndReason reason) { end_flow(flow, reason); });
}

void Worker::tick(Timestamp now) {
  last_ = std::max(last_, now);
  expire(last_);
}

// What is still held of the flow's bytes is handed out, looked at and logged, first to the server
// and then to the client; then the flow's record.
void Worker::end_flow(flow::Flow& flow, flow::FlowEndReason reason) {
  shedder_.forget(flow.id);
  if (flow.phase == flow::FlowPhase::kBypassed) {   // nobody has looked at it since: what is left says nothing
    emitter_.flow_end(flow, reason, last_);
    return;
  }
  std::array<uint8_t, kPseudoFrameBytes> frames[2];
  Packet to_server = pseudo_packet(flow, Direction::kToServer, last_, frames[0]);
  Packet to_client = pseudo_packet(flow, Direction::kToClient, last_, frames[1]);
  to_server.link_type = to_client.link_type = link_type_;
  if (tcp_.needs_flush(flow, Direction::kToServer)) tcp_.flush(flow, to_server, Direction::kToServer);
  if (tcp_.needs_flush(flow, Direction::kToClient)) tcp_.flush(flow, to_client, Direction::kToClient);
  driver_.on_flow_end(flow, to_client);   // before both are looked at: it finishes transactions of both directions
  if (is_silent(flow, Direction::kToServer)) {   // what there is to tell was said by the other end
    inspect_once(to_server);
  } else {
    inspect_and_emit(to_server, false);
  }
  inspect_and_emit(to_client, true);
  emitter_.flow_end(flow, reason, last_);
}

void Worker::finish() {
  flows_.flush([this](flow::Flow& flow, flow::FlowEndReason reason) { end_flow(flow, reason); });
}

}  // namespace vong::sensor
