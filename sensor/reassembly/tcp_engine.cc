#include "sensor/reassembly/tcp_engine.h"

#include "sensor/flow/exception.h"

#include <memory>
#include <utility>

namespace vong::reassembly {

using E = PacketEvent;

TcpEngine::TcpEngine(const TcpConfig& config, StreamConsumer& consumer)
    : config_(config), consumer_(consumer), pool_(config.reassembly_memcap_bytes) {}

TcpEngine::Turn TcpEngine::turn(flow::Flow& f, Packet& p, TcpSession& s) const {
  return {f,
          p,
          s,
          s.of(p.direction),
          s.of(opposite(p.direction)),
          p.tcp.seq,
          p.tcp.ack,
          static_cast<uint32_t>(p.payload.size()),
          p.tcp.flags};
}

void TcpEngine::count(const Packet& p) {
  const uint8_t flags = p.tcp.flags;
  const uint8_t syn_ack = flags & (TcpFlags::kSyn | TcpFlags::kAck);
  counters_.syn += syn_ack == TcpFlags::kSyn;
  counters_.synack += syn_ack == (TcpFlags::kSyn | TcpFlags::kAck);
  counters_.rst += (flags & TcpFlags::kRst) != 0;
  counters_.urg += (flags & TcpFlags::kUrg) != 0;
}

// What the configuration wants for a flow or packet that cannot be followed as it should.
void TcpEngine::apply_exception(flow::Flow& f, Packet& p, ExceptionTarget target) {
  ExceptionCounters& counters = target == ExceptionTarget::kStreamMidstream ? counters_.exception_midstream
                                : target == ExceptionTarget::kStreamMemcap  ? counters_.exception_memcap
                                                                            : counters_.exception_reassembly;
  flow::apply_exception(f, p, target, config_.exceptions.of(target), counters);
}

TcpSession* TcpEngine::new_session(flow::Flow& f, Packet& p) {
  if (config_.memcap_bytes != 0 &&
      (memory_.sessions + 1) * sizeof(TcpSession) > config_.memcap_bytes) {
    ++counters_.session_memcap_drop;
    apply_exception(f, p, ExceptionTarget::kStreamMemcap);
    return nullptr;
  }
  auto owned = std::make_unique<TcpSession>(config_, memory_);
  TcpSession* s = owned.get();
  f.set_slot(flow::FlowSlot::kStream, std::move(owned));
  ++counters_.sessions;
  const Direction d = p.direction;
  s->of(d).os_policy = config_.os_policies.of(p.dst);
  s->of(opposite(d)).os_policy = config_.os_policies.of(p.src);
  return s;
}

void TcpEngine::process(flow::Flow& f, Packet& p) {
  if (f.phase == flow::FlowPhase::kBypassed) return;
  if (config_.checksum_validation && p.checksum_bad_transport) {
    ++counters_.invalid_checksum;
    p.stream_rejected = true;
    return;
  }
  count(p);
  if ((p.tcp.flags & TcpFlags::kAck) == 0 && p.tcp.ack != 0) p.events.set(E::kStreamPktBrokenAck);
  auto* s = static_cast<TcpSession*>(f.slot(flow::FlowSlot::kStream));
  const bool accepted =
      s == nullptr || s->state == TcpState::kNone ? on_none(f, p) : step(f, p, *s);
  s = static_cast<TcpSession*>(f.slot(flow::FlowSlot::kStream));
  if (s == nullptr) {
    ++counters_.no_session;
    p.stream_rejected = !accepted;
    return;
  }
  s->tcp_flags |= p.tcp.flags;
  s->of(p.direction).tcp_flags |= p.tcp.flags;
  if (s->async && s->sender[0].tcp_flags != 0 && s->sender[1].tcp_flags != 0) s->async = false;
  if (!accepted) {
    ++counters_.rejected;
    p.stream_rejected = true;
    return;
  }
  finish_packet(f, p, *s);
}

// A packet of a known connection.
bool TcpEngine::step(flow::Flow& f, Packet& p, TcpSession& s) {
  Turn t = turn(f, p, s);
  if (s.async && s.of(opposite(p.direction)).tcp_flags != 0) s.async = false;
  if (is_keepalive(t)) return true;
  if (is_bad_window_update(t)) return false;
  if (is_spurious_retransmission(t)) {
    p.no_payload_inspection = true;
    return true;
  }
  return dispatch(t, s.state);
}

bool TcpEngine::dispatch(Turn& t, TcpState state) {
  if (t.has(TcpFlags::kSyn | TcpFlags::kFin)) return t.refuse(E::kStreamFinSyn);
  switch (state) {
    case TcpState::kNone:
      return true;
    case TcpState::kSynSent:
      return on_syn_sent(t);
    case TcpState::kSynRecv:
      return on_syn_recv(t);
    case TcpState::kEstablished:
      return on_established(t);
    case TcpState::kFinWait1:
    case TcpState::kFinWait2:
    case TcpState::kTimeWait:
    case TcpState::kLastAck:
    case TcpState::kCloseWait:
    case TcpState::kClosing:
      return on_closing_state(t, state);
    case TcpState::kClosed:
      return on_closed(t);
  }
  return true;
}

void TcpEngine::set_state(Turn& t, TcpState state) {
  if (state == t.s.state) return;
  t.s.state_before = t.s.state;
  t.s.state = state;
  if (t.f.phase == flow::FlowPhase::kBypassed) return;
  switch (state) {
    case TcpState::kNone:
    case TcpState::kSynSent:
    case TcpState::kSynRecv:
      break;
    case TcpState::kEstablished:
    case TcpState::kFinWait1:
    case TcpState::kFinWait2:
    case TcpState::kCloseWait:
    case TcpState::kClosing:
      t.f.phase = flow::FlowPhase::kEstablished;
      break;
    case TcpState::kTimeWait:
    case TcpState::kLastAck:
    case TcpState::kClosed:
      t.f.phase = flow::FlowPhase::kClosed;
      break;
  }
}

// After the state machine: what this packet acknowledges goes out, and its own bytes where no
// acknowledgement is waited for.
void TcpEngine::finish_packet(flow::Flow& f, Packet& p, TcpSession& s) {
  // Early data (RFC 7413) waits for the connection: a SYN/ACK that acknowledges it is no end of the handshake.
  if (s.state < TcpState::kEstablished) return;
  const bool closed = s.state == TcpState::kClosed;
  if (closed) {
    for (Sender& side : s.sender) {
      if (side.buffer.highest() <= side.ready_end()) side.ended = true;
    }
  }
  Sender& own = s.of(p.direction);  // the consumer may exchange the directions
  hand_out(f, p, s, s.of(opposite(p.direction)));
  if (config_.inline_mode || s.async || closed) hand_out(f, p, s, own);
  if (config_.bypass && (s.sender[0].depth_reached || s.sender[1].depth_reached)) {
    f.phase = flow::FlowPhase::kBypassed;
    ++counters_.bypassed;
  }
}

bool TcpEngine::needs_flush(const flow::Flow& f, Direction d) const {
  const auto* s = static_cast<const TcpSession*>(f.slot(flow::FlowSlot::kStream));
  if (s == nullptr || s->state == TcpState::kNone) return false;
  const Sender& mine = s->of(d);
  if (!mine.end_told && !mine.app_stopped) return true;
  const uint64_t end = mine.buffer.highest();
  return (!mine.app_stopped && mine.app_done < end) || (!mine.raw_stopped && mine.raw_done < end);
}

void TcpEngine::flush(flow::Flow& f, Packet& pseudo, Direction d) {
  auto* s = static_cast<TcpSession*>(f.slot(flow::FlowSlot::kStream));
  if (s == nullptr) return;
  Sender& mine = s->of(d);
  mine.flushed = mine.ended = true;
  hand_out(f, pseudo, *s, mine);
}

}  // namespace vong::reassembly
