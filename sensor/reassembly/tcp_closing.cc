// From the first FIN to the end. States are named from the server's point of view as the reference
// has them: a FIN of the client leads to close_wait, one of the server to fin_wait1.
#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {
namespace {

using E = PacketEvent;

struct StateEvents {
  E ack_wrong_seq, fin_wrong_seq, invalid_ack;
};

StateEvents events_of(TcpState state) {
  switch (state) {
    case TcpState::kFinWait1:
      return {E::kStreamFin1AckWrongSeq, E::kStreamFin1FinWrongSeq, E::kStreamFin1InvalidAck};
    case TcpState::kFinWait2:
      return {E::kStreamFin2AckWrongSeq, E::kStreamFin2FinWrongSeq, E::kStreamFin2InvalidAck};
    case TcpState::kTimeWait:
      return {E::kStreamTimewaitAckWrongSeq, E::kStreamTimewaitAckWrongSeq,
              E::kStreamTimewaitInvalidAck};
    case TcpState::kLastAck:
      return {E::kStreamLastackAckWrongSeq, E::kStreamLastackAckWrongSeq,
              E::kStreamLastackInvalidAck};
    case TcpState::kCloseWait:
      return {E::kStreamClosewaitAckOutOfWindow, E::kStreamClosewaitFinOutOfWindow,
              E::kStreamClosewaitInvalidAck};
    default:
      return {E::kStreamClosingAckWrongSeq, E::kStreamClosingAckWrongSeq,
              E::kStreamClosingInvalidAck};
  }
}

}  // namespace

// Takes the FIN's place in the sequence.
static void take_fin(Sender& mine, uint32_t seq, uint32_t len) {
  const uint32_t at = seq + len;
  const int64_t offset = mine.offset_of(at);
  if (mine.fin_offset == kNoOffset && offset >= 0) mine.fin_offset = static_cast<uint64_t>(offset);
  if (seq_le(mine.next_seq, at)) mine.next_seq = at + 1;
}

bool TcpEngine::first_fin(Turn& t) {
  if (t.has(TcpFlags::kAck) && !ack_is_valid(t)) return t.refuse(E::kStreamFinInvalidAck);
  const bool behind = seq_lt(t.seq, t.mine.next_seq) && seq_lt(t.seq + t.len, t.mine.last_ack);
  const bool ahead =
      seq_gt(t.seq, t.mine.last_ack + t.mine.window) && seq_gt(t.seq, t.mine.next_win);
  if ((behind || ahead) && !t.s.async && !t.s.midstream) return t.refuse(E::kStreamFinOutOfWindow);
  // Of a connection whose other end is never seen, only the handshake's acknowledgement is known: a FIN beyond the window
  // from there is not believed. One that brings bytes is, or they were lost.
  const bool beyond_known = seq_gt(t.seq, t.mine.isn + 1 + t.mine.window);
  if (t.s.async && !t.s.midstream && t.len == 0 && beyond_known) return t.refuse(E::kStreamFinOutOfWindow);
  follow(t);
  keep_payload(t);
  take_fin(t.mine, t.seq, t.len);
  if (t.s.async) t.mine.acknowledge(t.mine.next_seq);
  set_state(t, t.to_server() ? TcpState::kCloseWait : TcpState::kFinWait1);
  return true;
}

bool TcpEngine::on_closing_state(Turn& t, TcpState state) {
  if (t.has(TcpFlags::kRst)) return rst_is_valid(t) && reset(t);
  if (t.has(TcpFlags::kSyn)) return t.refuse(E::kStreamShutdownSynResend);
  if (!timestamp_is_valid(t)) return false;
  if (t.has(TcpFlags::kFin)) return second_fin(t, state);
  if (t.has(TcpFlags::kAck)) return closing_ack(t, state);
  return true;
}

bool TcpEngine::second_fin(Turn& t, TcpState state) {
  const StateEvents events = events_of(state);
  const bool sent_again = t.mine.fin_offset != kNoOffset;
  if (t.has(TcpFlags::kAck) && !ack_is_valid(t)) return t.refuse(events.invalid_ack);
  if (!sent_again && !t.s.async && !t.s.midstream) {
    const bool behind = seq_lt(t.seq + t.len, t.mine.last_ack);
    const bool ahead =
        seq_gt(t.seq, t.mine.last_ack + t.mine.window) && seq_gt(t.seq, t.mine.next_win);
    if (behind || ahead) return t.refuse(events.fin_wrong_seq);
  }
  follow(t);
  keep_payload(t);
  if (sent_again) return true;
  take_fin(t.mine, t.seq, t.len);
  if (t.s.async) t.mine.acknowledge(t.mine.next_seq);
  switch (state) {
    case TcpState::kFinWait1:
      // With an ACK the closing handshake is done but for its last ACK; without, both closed at
      // once.
      set_state(t, t.has(TcpFlags::kAck) ? TcpState::kTimeWait : TcpState::kClosing);
      break;
    case TcpState::kFinWait2:
      set_state(t, TcpState::kTimeWait);
      break;
    case TcpState::kCloseWait:
      set_state(t, TcpState::kLastAck);
      break;
    default:
      break;
  }
  return true;
}

bool TcpEngine::closing_ack(Turn& t, TcpState state) {
  const StateEvents events = events_of(state);
  if (!ack_is_valid(t)) return t.refuse(events.invalid_ack);
  const uint32_t end = t.seq + t.len;
  if (!t.s.async && !t.s.midstream) {
    if (t.len != 0 && seq_lt(end, t.mine.last_ack)) {
      return t.refuse(state == TcpState::kCloseWait ? E::kStreamClosewaitPktBeforeLastAck
                                                    : events.ack_wrong_seq);
    }
    if (seq_gt(end, t.mine.next_win) && seq_gt(end, t.mine.next_seq))
      return t.refuse(events.ack_wrong_seq);
  }
  const bool retransmission = t.len != 0 && seq_le(end, t.mine.next_seq);
  if (retransmission) t.note(E::kStreamPktRetransmission);
  follow(t);
  keep_payload(t);
  if (retransmission) return true;
  // All of the peer's bytes and its FIN are acknowledged.
  const bool acks_fin = t.peer.fin_offset != kNoOffset && t.ack == t.peer.next_seq;
  if (!acks_fin) return true;
  switch (state) {
    case TcpState::kFinWait1:
      if (t.to_server()) set_state(t, TcpState::kFinWait2);
      break;
    case TcpState::kClosing:
      set_state(t, TcpState::kTimeWait);
      break;
    case TcpState::kLastAck:
      if (t.to_server()) set_state(t, TcpState::kClosed);
      break;
    case TcpState::kTimeWait:
      if (!t.to_server()) set_state(t, TcpState::kClosed);
      break;
    default:
      break;
  }
  return true;
}

// After a reset the side that did not send it may not have seen it, or it was forged: go on where
// it was.
bool TcpEngine::on_closed(Turn& t) {
  if (t.has(TcpFlags::kRst)) return true;
  if (!t.s.closed_by_rst || t.mine.rst_sent || !t.peer.rst_sent) return true;
  const TcpState before = t.s.state_before;
  if (before == TcpState::kNone || before == TcpState::kClosed) return true;
  const bool accepted = dispatch(t, before);
  if (t.s.state == TcpState::kClosed) t.s.state_before = before;
  return accepted;
}

}  // namespace vong::reassembly
