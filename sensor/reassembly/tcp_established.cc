// Data transfer: RFC 9293 3.10.7.4 as an observer can check it.
#include <algorithm>

#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {

using E = PacketEvent;

void TcpEngine::establish(Turn& t) { set_state(t, TcpState::kEstablished); }

bool TcpEngine::on_established(Turn& t) {
  if (t.has(TcpFlags::kRst)) return rst_is_valid(t) && reset(t);
  if (t.has(TcpFlags::kFin)) return timestamp_is_valid(t) && first_fin(t);
  if (t.has(TcpFlags::kSyn | TcpFlags::kAck)) return established_synack(t);
  if (t.has(TcpFlags::kSyn)) return established_syn(t);
  if (!t.has(TcpFlags::kAck)) return true;
  if (!timestamp_is_valid(t)) return false;
  return data_packet(t, E::kStreamEstInvalidAck, E::kStreamEstPktBeforeLastAck,
                     E::kStreamEstPacketOutOfWindow);
}

bool TcpEngine::established_synack(Turn& t) {
  if (t.to_server()) return t.refuse(E::kStreamEstSynackToserver);
  if (t.ack != t.peer.isn + 1 && t.ack != t.peer.last_ack) {
    return t.refuse(E::kStreamEstSynackResendWithDifferentAck);
  }
  if (t.seq != t.mine.isn) return t.refuse(E::kStreamEstSynackResendWithDiffSeq);
  if (t.s.handshake_confirmed) return t.refuse(E::kStreamEstSynackResend);
  return true;  // the server missed the last packet of the handshake
}

bool TcpEngine::established_syn(Turn& t) {
  if (!t.to_server()) return t.refuse(E::kStreamEstSynToclient);
  if (t.seq != t.mine.isn) return t.refuse(E::kStreamEstSynResendDiffSeq);
  return t.refuse(E::kStreamEstSynResend);
}

// What an accepted packet moves: the sender's next byte, the peer's acknowledged bytes and window.
void TcpEngine::follow(Turn& t) {
  const uint32_t end = t.seq + t.len;
  // Not by a number alone: bytes before it may still come, late on the way to us.
  if (t.len != 0 && seq_gt(end, t.mine.next_seq)) t.mine.next_seq = end;
  if (!t.has(TcpFlags::kAck)) return;
  t.peer.window = t.window();
  t.peer.acknowledge(t.ack);
  t.peer.move_window(t.peer.last_ack + t.peer.window);
  if (t.s.async) {
    // Nobody acknowledges what is seen: it counts as taken.
    t.mine.acknowledge(t.mine.next_seq);
    if (seq_lt(t.peer.next_seq, t.ack)) t.peer.next_seq = t.ack;
  }
}

bool TcpEngine::data_packet(Turn& t, PacketEvent invalid_ack, PacketEvent before_last_ack,
                            PacketEvent out_of_window) {
  if (!ack_is_valid(t)) return t.refuse(invalid_ack);
  const uint32_t end = t.seq + t.len;
  if (seq_lt(end, t.mine.last_ack) && !t.s.async && !t.s.midstream)
    return t.refuse(before_last_ack);
  const bool window_probe = t.mine.window == 0 && t.len == 1 && t.seq == t.mine.next_seq;
  const bool in_window = seq_le(end, t.mine.next_win) || window_probe || t.s.midstream || t.s.async;
  if (!in_window) return t.refuse(out_of_window);
  if (t.len != 0 && seq_le(end, t.mine.next_seq) && t.mine.next_seq != t.mine.isn + 1) {
    t.note(E::kStreamPktRetransmission);
  }
  follow(t);
  keep_payload(t);
  return true;
}

// A reset that counts. It acknowledges what its number says and no more: what else was sent may
// have been lost with it, and goes out at the flow's end.
bool TcpEngine::reset(Turn& t) {
  t.mine.rst_sent = true;
  t.s.closed_by_rst = true;
  if (t.has(TcpFlags::kAck)) t.peer.acknowledge(t.ack);
  set_state(t, TcpState::kClosed);
  return true;
}

}  // namespace vong::reassembly
