// The way to an established connection: SYN, SYN/ACK, ACK, and all that goes wrong or aside there:
// split handshakes, fast open (RFC 7413), simultaneous SYNs, resends that differ, connections met
// in the middle.
#include <algorithm>
#include <memory>

#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {
namespace {

using E = PacketEvent;

constexpr uint8_t kWscaleMax = 14;  // RFC 7323 2.3
constexpr uint8_t kStateFlags = TcpFlags::kSyn | TcpFlags::kAck | TcpFlags::kFin | TcpFlags::kRst;

uint32_t second_of(const Packet& p) {
  return static_cast<uint32_t>(
      std::chrono::floor<std::chrono::seconds>(p.ts).time_since_epoch().count());
}

QueuedHandshake handshake_of(const Packet& p) {
  QueuedHandshake q;
  q.seq = p.tcp.seq;
  q.ack = p.tcp.ack;
  q.window = p.tcp.window;
  q.has_wscale = p.tcp.has_wscale;
  q.wscale = std::min(p.tcp.wscale, kWscaleMax);
  q.has_timestamps = p.tcp.has_timestamps;
  q.ts = p.tcp.ts_value;
  q.ts_second = second_of(p);
  q.sack_permitted = p.tcp.sack_permitted;
  return q;
}

void take_timestamp(Sender& mine, const QueuedHandshake& q) {
  mine.timestamps = q.has_timestamps;
  mine.zero_timestamp = q.has_timestamps && q.ts == 0;
  mine.last_ts = q.has_timestamps ? q.ts : 0;
  mine.last_ts_second = q.has_timestamps ? q.ts_second : 0;
}

// The client's side as this SYN tells it.
void take_syn(Sender& client, Sender& server, const QueuedHandshake& q) {
  client.start(q.seq);
  take_timestamp(client, q);
  server.window = q.window;
  server.wscale = q.has_wscale ? q.wscale : 0;
  server.sack_permitted = q.sack_permitted;
}

// The server's side as this SYN/ACK tells it.
void take_synack(Sender& client, Sender& server, const QueuedHandshake& q, bool client_scales) {
  server.start(q.seq);
  take_timestamp(server, q);
  client.window = q.window;
  client.sack_permitted = q.sack_permitted;
  // Scaling and timestamps count when both ends offered them.
  if (q.has_wscale && client_scales) {
    client.wscale = q.wscale;
  } else {
    client.wscale = server.wscale = 0;
  }
  if (!q.has_timestamps || !client.timestamps) client.timestamps = server.timestamps = false;
  client.acknowledge(q.ack);
  client.move_window(client.last_ack + client.window);
  server.move_window(server.last_ack + (server.window << server.wscale));
}

// The newest that fits.
const QueuedHandshake* find(const TcpSession& s, auto predicate) {
  if (!s.rare) return nullptr;
  const auto& queue = s.rare->queue;
  const auto it = std::find_if(queue.rbegin(), queue.rend(), predicate);
  return it == queue.rend() ? nullptr : &*it;
}

// False when the queue is full: the oldest then makes room.
bool enqueue(TcpSession& s, const QueuedHandshake& q, size_t max) {
  auto& queue = s.more().queue;
  const bool has_room = queue.size() < max;
  if (!has_room && !queue.empty()) queue.erase(queue.begin());
  if (max != 0) queue.push_back(q);
  return has_room;
}

}  // namespace

// A connection met in the middle: whether it is followed, besides what the exception policy does to it.
bool TcpEngine::may_pick_up(flow::Flow& f, Packet& p, bool wanted) {
  apply_exception(f, p, ExceptionTarget::kStreamMidstream);
  const ExceptionPolicy policy = config_.exceptions.of(ExceptionTarget::kStreamMidstream);
  return wanted && (policy == ExceptionPolicy::kIgnore || policy == ExceptionPolicy::kPassFlow);
}

bool TcpEngine::on_none(flow::Flow& f, Packet& p) {
  const uint8_t flags = p.tcp.flags;
  if ((flags & TcpFlags::kRst) != 0) {
    p.events.set(E::kStreamRstButNoSession);
    return false;
  }
  if ((flags & (TcpFlags::kSyn | TcpFlags::kFin)) == (TcpFlags::kSyn | TcpFlags::kFin)) {
    p.events.set(E::kStreamFinSyn);
    return false;
  }
  if ((flags & TcpFlags::kFin) != 0 && (!config_.midstream || p.payload.empty())) {
    p.events.set(E::kStreamFinButNoSession);
    return false;
  }
  if ((flags & (TcpFlags::kSyn | TcpFlags::kAck)) == (TcpFlags::kSyn | TcpFlags::kAck)) {
    return may_pick_up(f, p, config_.midstream || config_.async_oneside) ? pick_up_synack(f, p) : true;
  }
  if ((flags & TcpFlags::kSyn) == 0) {
    return (flags & TcpFlags::kAck) != 0 && may_pick_up(f, p, config_.midstream) ? pick_up(f, p) : true;
  }
  // A SYN comes from the client, whatever earlier packets without a session made of the flow.
  if (p.direction == Direction::kToClient) {
    flow::swap_direction(f);
    p.direction = Direction::kToServer;
  }
  TcpSession* s = new_session(f, p);
  if (s == nullptr) return true;
  Turn t = turn(f, p, *s);
  set_state(t, TcpState::kSynSent);
  take_syn_options(t);
  if (p.tcp.has_fast_open && t.len != 0) {
    s->fast_open = true;
    t.mine.next_seq += t.len;
    p.payload_in_stream = true;
    keep_bytes(t, t.seq + 1, p.payload);
  } else if (p.tcp.has_fast_open) {
    s->fast_open = true;
  }
  return true;
}

void TcpEngine::take_syn_options(Turn& t) {
  t.s.signed_segments = t.p.tcp.has_md5 || t.p.tcp.has_ao;
  take_syn(t.mine, t.peer, handshake_of(t.p));
  t.peer.sack_permitted = t.p.tcp.sack_permitted;
}

// Met at the SYN/ACK: its sender is the server.
bool TcpEngine::pick_up_synack(flow::Flow& f, Packet& p) {
  if (p.direction == Direction::kToServer) {
    flow::swap_direction(f);
    p.direction = Direction::kToClient;
  }
  TcpSession* s = new_session(f, p);
  if (s == nullptr) return true;
  ++counters_.midstream_pickups;
  f.midstream = s->midstream = s->midstream_synack = true;
  Turn t = turn(f, p, *s);
  set_state(t, TcpState::kSynRecv);
  Sender &client = t.peer, &server = t.mine;
  client.start(t.ack - 1);
  server.wscale =
      kWscaleMax;  // the client's SYN was not seen: the largest scale never refuses what was right
  client.timestamps = p.tcp.has_timestamps;
  client.zero_timestamp = true;
  take_synack(client, server, handshake_of(p), true);
  return true;
}

// Met in the middle of its data.
bool TcpEngine::pick_up(flow::Flow& f, Packet& p) {
  TcpSession* s = new_session(f, p);
  if (s == nullptr) return true;
  ++counters_.midstream_pickups;
  f.midstream = s->midstream = true;
  s->async = config_.async_oneside;
  s->handshake_confirmed = true;
  Turn t = turn(f, p, *s);
  set_state(t, TcpState::kEstablished);
  t.mine.start(t.seq - 1);
  t.peer.start(t.ack - 1);
  t.mine.wscale = t.peer.wscale = kWscaleMax;
  t.mine.window = t.peer.window = t.window();
  t.mine.move_window(t.seq + t.mine.window);
  t.peer.move_window(t.ack + t.peer.window);
  t.mine.timestamps = t.peer.timestamps = p.tcp.has_timestamps;
  t.mine.last_ts = p.tcp.has_timestamps ? p.tcp.ts_value : 0;
  t.mine.last_ts_second = second_of(p);
  t.peer.last_ts = p.tcp.has_timestamps ? p.tcp.ts_echo : 0;
  t.peer.last_ts_second = second_of(p);
  follow(t);
  keep_payload(t);
  if (t.has(TcpFlags::kFin)) return first_fin(t);
  return true;
}

// --- SYN seen

bool TcpEngine::on_syn_sent(Turn& t) {
  if (!echo_is_valid(t)) return false;
  if (t.has(TcpFlags::kRst)) {
    if (!rst_is_valid(t)) return false;
    // A client's reset counts only where it is its own SYN's; a server's refuses the connection.
    if (t.to_server() && (t.seq != t.mine.isn || t.p.tcp.window != 0 || t.ack != t.mine.isn + 1))
      return true;
    t.mine.rst_sent = true;
    t.s.closed_by_rst = true;
    set_state(t, TcpState::kClosed);
    return true;
  }
  if (t.has(TcpFlags::kSyn | TcpFlags::kAck)) return syn_sent_synack(t);
  if (t.has(TcpFlags::kSyn)) return syn_sent_syn(t);
  if (t.has(TcpFlags::kFin)) return true;
  if (t.has(TcpFlags::kAck)) return syn_sent_ack(t);
  return true;
}

bool TcpEngine::syn_sent_synack(Turn& t) {
  if (t.to_server()) {
    if (!t.s.four_way) return t.refuse(E::kStream3whsSynackInWrongDirection);
    // Split handshake: the client answers the server's own SYN.
    if (t.ack != t.peer.isn + 1) return t.refuse(E::kStream4whsSynackWithWrongAck);
    if (t.seq != t.mine.isn) return t.refuse(E::kStream4whsSynackWithWrongSyn);
    set_state(t, TcpState::kSynRecv);
    t.peer.acknowledge(t.ack);
    t.peer.window = t.p.tcp.window;
    t.peer.move_window(t.peer.last_ack + (t.peer.window << t.peer.wscale));
    t.mine.move_window(t.mine.last_ack + (t.mine.window << t.mine.wscale));
    return true;
  }
  Sender& client = t.peer;
  const bool has_early_data = t.s.fast_open && client.next_seq != client.isn + 1;
  if (has_early_data && t.ack == client.isn + 1) {
    // The server did not take the data of the SYN: it will come again.
    t.note(E::kStream3whsSynackTfoDataIgnored);
    client.next_seq = client.isn + 1;
    client.buffer = StreamBuffer();
  } else if (t.ack == client.next_seq && t.p.tcp.has_timestamps && client.timestamps &&
             t.p.tcp.ts_echo != client.last_ts) {
    // The server answers a SYN that was sent again later.
    const auto* again = find(t.s, [&t](const QueuedHandshake& q) {
      return q.seq + 1 == t.ack && q.has_timestamps && q.ts == t.p.tcp.ts_echo;
    });
    if (again != nullptr) {
      const QueuedHandshake syn = *again;
      take_syn(client, t.mine, syn);
    }
  } else if (t.ack != client.next_seq) {
    const auto* earlier = find(t.s, [&t](const QueuedHandshake& q) { return q.seq + 1 == t.ack; });
    if (earlier == nullptr) return t.refuse(E::kStream3whsSynackWithWrongAck);
    const QueuedHandshake syn = *earlier;
    take_syn(client, t.mine, syn);
  }
  if (t.s.rare) t.s.rare->queue = {};
  take_synack_options(t);
  set_state(t, TcpState::kSynRecv);
  return true;
}

void TcpEngine::take_synack_options(Turn& t) {
  // server.wscale is what the client's SYN offered; 0 may also mean "offered 0", which scales
  // nothing either.
  take_synack(t.peer, t.mine, handshake_of(t.p), true);
  if (t.len != 0 && t.s.fast_open) {
    t.p.payload_in_stream = true;
    keep_bytes(t, t.seq + 1, t.p.payload);
    t.mine.next_seq += t.len;
  }
}

bool TcpEngine::syn_sent_syn(Turn& t) {
  if (!t.to_server()) {
    // Both ends open at once, or a split handshake: the server sends a SYN of its own.
    t.s.four_way = true;
    t.mine.start(t.seq);
    take_timestamp(t.mine, handshake_of(t.p));
    t.peer.window = t.p.tcp.window;
    t.peer.wscale = t.p.tcp.has_wscale ? std::min(t.p.tcp.wscale, kWscaleMax) : 0;
    return true;
  }
  const QueuedHandshake syn = handshake_of(t.p);
  const bool same_timestamp = !syn.has_timestamps || !t.mine.timestamps || syn.ts == t.mine.last_ts;
  if (t.seq == t.mine.isn && same_timestamp) return true;  // sent again
  const auto same = [&syn](const QueuedHandshake& q) { return q.seq == syn.seq && q.ts == syn.ts; };
  if (find(t.s, same) != nullptr) return true;
  // Another attempt with another number. Which of them the server takes shows in its answer.
  if (!enqueue(t.s, syn, config_.max_syn_queued)) t.note(E::kStream3whsSynFlood);
  return true;
}

bool TcpEngine::syn_sent_ack(Turn& t) {
  if (!config_.async_oneside || !t.to_server()) {
    if (t.s.fast_open && t.to_server() && t.len != 0) {  // more early data
      keep_payload(t);
      follow(t);
    }
    return true;
  }
  // Only the client's side is seen.
  if (t.seq != t.mine.next_seq) return t.refuse(E::kStream3whsAsyncWrongSeq);
  t.s.async = true;
  t.peer.start(t.ack - 1);
  t.mine.window = t.p.tcp.window;
  t.mine.move_window(t.seq + t.mine.window);
  establish(t);
  follow(t);
  keep_payload(t);
  return true;
}

// --- SYN and SYN/ACK seen

bool TcpEngine::on_syn_recv(Turn& t) {
  if (t.has(TcpFlags::kRst)) {
    if (!rst_is_valid(t)) return false;
    // After an ACK that should have brought a reset, these systems ignore the one that comes now.
    if (t.s.evasion_attempt &&
        (t.mine.os_policy == OsPolicy::kLinux || t.mine.os_policy == OsPolicy::kOldLinux ||
         t.mine.os_policy == OsPolicy::kSolaris)) {
      return true;
    }
    return reset(t);
  }
  if (t.has(TcpFlags::kFin)) return timestamp_is_valid(t) && first_fin(t);
  if (t.has(TcpFlags::kSyn | TcpFlags::kAck)) return syn_recv_synack(t);
  if (t.has(TcpFlags::kSyn)) return syn_recv_syn(t);
  if (t.has(TcpFlags::kAck)) return syn_recv_ack(t);
  return true;
}

bool TcpEngine::syn_recv_synack(Turn& t) {
  if (t.to_server()) return t.refuse(E::kStream3whsSynackToserverOnSynRecv);
  if (t.s.four_way) return true;  // the server confirms the split handshake once more
  if (t.ack != t.peer.last_ack && t.ack != t.peer.isn + 1) {
    return t.refuse(E::kStream3whsSynackResendWithDifferentAck);
  }
  if (t.seq == t.mine.isn) return true;
  t.note(E::kStream3whsSynackResendWithDiffSeq);
  if (!enqueue(t.s, handshake_of(t.p), config_.max_synack_queued))
    return t.refuse(E::kStream3whsSynackFlood);
  return true;
}

bool TcpEngine::syn_recv_syn(Turn& t) {
  if (!t.to_server()) return t.refuse(E::kStream3whsSynToclientOnSynRecv);
  if (t.seq != t.mine.isn) return t.refuse(E::kStream3whsSynResendDiffSeqOnSynRecv);
  return true;
}

bool TcpEngine::syn_recv_ack(Turn& t) {
  TcpSession& s = t.s;
  if (t.to_server() && s.rare) {
    // The client answers one of the SYN/ACKs that differ: the earlier or a later one.
    if (const auto* q = find(s, [&t](const QueuedHandshake& h) { return h.seq + 1 == t.ack; })) {
      const QueuedHandshake synack = *q;
      take_synack(t.mine, t.peer, synack, true);
    }
    s.rare->queue = {};
  }
  if (!timestamp_is_valid(t)) return false;
  if (s.four_way && !t.to_server()) {
    if (t.seq != t.mine.next_seq) return t.refuse(E::kStream4whsWrongSeq);
    if (!ack_is_valid(t)) return t.refuse(E::kStream4whsInvalidAck);
  } else if (!t.to_server()) {
    return syn_recv_ack_from_server(t);
  } else if (s.midstream_synack) {
    // Nothing is known of the client but what the SYN/ACK says.
  } else if (t.ack == t.peer.next_seq || (s.fast_open && ack_is_valid(t))) {
    const bool in_window = seq_ge(t.seq, t.mine.isn + 1) && seq_le(t.seq, t.mine.next_win);
    if (t.seq != t.mine.next_seq && !in_window && !s.async)
      return t.refuse(E::kStream3whsWrongSeqWrongAck);
  } else if (t.seq == t.mine.next_seq && seq_gt(t.ack, t.peer.next_seq) &&
             seq_le(t.ack, t.peer.next_win)) {
    // The server's first bytes were not seen, the client has them.
  } else if (t.seq == t.mine.next_seq) {
    s.evasion_attempt = true;
    return t.refuse(E::kStream3whsRightSeqWrongAckEvasion);
  } else {
    return t.refuse(E::kStream3whsWrongSeqWrongAck);
  }
  s.handshake_confirmed = true;
  establish(t);
  follow(t);
  keep_payload(t);
  return true;
}

// The server speaks before the client's last handshake packet was seen. That is right when the
// server has acknowledged bytes of the client, so that the packet was lost on the way to us only;
// else nobody would send so, or somebody injects.
bool TcpEngine::syn_recv_ack_from_server(Turn& t) {
  if ((config_.async_oneside || t.s.midstream_synack) && t.peer.tcp_flags == 0) {
    // Only the server's side is seen.
    t.s.async = config_.async_oneside;
    establish(t);
    follow(t);
    keep_payload(t);
    return true;
  }
  const bool client_was_heard = seq_gt(t.ack, t.peer.isn + 1) && seq_le(t.ack, t.peer.next_win);
  const bool sent_more = seq_gt(t.seq, t.mine.next_seq);  // and we missed its first bytes too
  if (t.s.fast_open) {
    if (!ack_is_valid(t)) return t.refuse(E::kStream3whsWrongSeqWrongAck);
    follow(t);
    keep_payload(t);
    if (!client_was_heard) return true;
  } else if (!client_was_heard && !sent_more) {
    return t.refuse(t.len != 0 ? E::kStream3whsAckDataInject : E::kStream3whsAckInWrongDir);
  }
  establish(t);
  if (!t.s.fast_open) {
    follow(t);
    keep_payload(t);
  }
  return true;
}

}  // namespace vong::reassembly
