// Checks of single packets against a connection.
#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {
namespace {

using E = PacketEvent;

constexpr uint32_t kPawsIdleSeconds = 24 * 86400;  // RFC 7323 5.5: older timestamps tell nothing

uint32_t second_of(const Packet& p) {
  return static_cast<uint32_t>(
      std::chrono::floor<std::chrono::seconds>(p.ts).time_since_epoch().count());
}

}  // namespace

bool TcpEngine::ack_is_valid(Turn& t) {
  if (!t.has(TcpFlags::kAck)) return true;
  const Sender& acked = t.peer;
  if (t.ack == acked.last_ack) return true;
  if (seq_gt(t.ack, acked.last_ack) && seq_le(t.ack, acked.next_win)) return true;
  if (seq_lt(t.ack, acked.last_ack)) {
    // An old one: fine as far back as a window reaches.
    if (acked.window == 0 || seq_ge(t.ack, acked.last_ack - acked.window)) return true;
    return t.refuse(E::kStreamPktInvalidAck);
  }
  if (t.s.async) return true;
  if (t.s.state > TcpState::kSynSent) {
    // A FIN takes a number beyond the window's last byte.
    if (seq_le(t.ack, acked.next_seq)) return true;
    return t.refuse(E::kStreamPktInvalidAck);
  }
  return t.ack == acked.isn + 1 || t.ack == acked.next_seq ? true
                                                           : t.refuse(E::kStreamPktInvalidAck);
}

// PAWS (RFC 7323 5): a timestamp that runs backwards belongs to an old duplicate.
bool TcpEngine::timestamp_is_valid(Turn& t) {
  if (!t.mine.timestamps || !t.p.tcp.has_timestamps) return true;
  const uint32_t ts = t.p.tcp.ts_value;
  const uint32_t now = second_of(t.p);
  Sender& mine = t.mine;
  if (mine.zero_timestamp) {  // started at 0: some systems begin to count late
    const bool lenient = mine.os_policy == OsPolicy::kLinux ||
                         mine.os_policy == OsPolicy::kWindows2k3 ||
                         mine.os_policy == OsPolicy::kOldLinux ||
                         mine.os_policy == OsPolicy::kWindows || mine.os_policy == OsPolicy::kVista;
    if (lenient && ts == 0) return true;
    mine.zero_timestamp = false;
    mine.last_ts = ts;
    mine.last_ts_second = now;
    return true;
  }
  // HP-UX 11 does not look at the timestamps of segments out of order.
  const bool looked_at = mine.os_policy != OsPolicy::kHpux11 || t.seq == mine.next_seq;
  if (looked_at && mine.last_ts != 0) {
    const bool idle_too_long =
        now > mine.last_ts_second && now - mine.last_ts_second > kPawsIdleSeconds;
    // Linux lets a timestamp be one tick behind.
    const int32_t tolerance =
        mine.os_policy == OsPolicy::kLinux || config_.liberal_timestamps ? 1 : 0;
    if (seq_diff(ts, mine.last_ts) + tolerance < 0 && !(idle_too_long && t.seq == mine.next_seq)) {
      return t.refuse(E::kStreamPktInvalidTimestamp);
    }
  }
  if (t.seq == mine.next_seq) mine.last_ts = ts;
  mine.last_ts_second = now;
  return true;
}

// The first packet after a SYN must echo the SYN's timestamp. Where the SYN had none the client ignores a SYN/ACK's, but anything else
// that has one is nobody's answer.
bool TcpEngine::echo_is_valid(Turn& t) {
  if (t.to_server() || !t.p.tcp.has_timestamps || !t.has(TcpFlags::kAck) || t.p.tcp.ts_echo == 0)
    return true;
  const Sender& client = t.peer;
  if (client.timestamps ? client.last_ts == 0 || t.p.tcp.ts_echo == client.last_ts : t.has(TcpFlags::kSyn)) return true;
  // Of SYNs that differ any may be meant.
  if (t.s.rare) {
    for (const QueuedHandshake& q : t.s.rare->queue) {
      if (q.has_timestamps && q.ts == t.p.tcp.ts_echo) return true;
    }
  }
  return t.refuse(E::kStreamPktInvalidTimestamp);
}

// Which resets a receiver honours depends on its system.
bool TcpEngine::rst_is_valid(Turn& t) {
  // Signed segments (RFC 2385, 5925) on a connection that does not sign: the receiver drops it, so
  // it is there for us.
  if ((t.p.tcp.has_md5 || t.p.tcp.has_ao) && !t.s.signed_segments)
    return t.refuse(E::kStreamSuspectedRstInject);
  if (t.len != 0) t.note(E::kStreamRstWithData);  // text of some servers, no part of the stream
  if (t.mine.timestamps && t.p.tcp.has_timestamps && !timestamp_is_valid(t)) return false;
  if (t.s.state == TcpState::kSynSent) {
    if (t.to_server()) return true;
    if (t.has(TcpFlags::kAck) && !ack_is_valid(t)) return t.refuse(E::kStreamRstInvalidAck);
    return true;
  }
  if (t.has(TcpFlags::kAck) && !ack_is_valid(t)) return t.refuse(E::kStreamRstInvalidAck);
  if (t.s.async || t.s.midstream) return true;
  const Sender& mine = t.mine;
  switch (mine.os_policy) {
    case OsPolicy::kHpux11:
      return seq_ge(t.seq, mine.next_seq);
    case OsPolicy::kOldLinux:
    case OsPolicy::kLinux:
    case OsPolicy::kSolaris:
      // These also take one right behind what was acknowledged, payload and all.
      return seq_ge(t.seq + t.len, mine.last_ack) && seq_le(t.seq, mine.last_ack + mine.window);
    case OsPolicy::kBsd:
    case OsPolicy::kFirst:
    case OsPolicy::kHpux10:
    case OsPolicy::kIrix:
    case OsPolicy::kMacos:
    case OsPolicy::kLast:
    case OsPolicy::kWindows:
    case OsPolicy::kWindows2k3:
    case OsPolicy::kVista:
      return t.seq == mine.next_seq;
    default:
      return seq_ge(t.seq, mine.last_ack) && seq_le(t.seq, mine.last_ack + mine.window);
  }
}

// RFC 9293 3.8.4: a byte before the next one, or none, to make the other end answer.
bool TcpEngine::is_keepalive(Turn& t) {
  if (t.s.state != TcpState::kEstablished || t.len > 1 || t.seq != t.mine.next_seq - 1 ||
      (t.flags & (TcpFlags::kSyn | TcpFlags::kFin | TcpFlags::kRst)) != 0 ||
      !t.has(TcpFlags::kAck)) {
    return false;
  }
  if (t.ack != t.peer.last_ack || t.mine.next_seq == t.mine.isn + 1) return false;
  t.mine.keepalive_seen = true;
  return true;
}

// An old packet that arrives late would shrink the window by more than its bytes fill.
bool TcpEngine::is_bad_window_update(Turn& t) {
  if (t.s.state < TcpState::kEstablished || t.s.state == TcpState::kClosed) return false;
  if ((t.flags & (TcpFlags::kSyn | TcpFlags::kFin | TcpFlags::kRst)) != 0 || !t.has(TcpFlags::kAck))
    return false;
  const uint32_t window = t.window();
  if (window >= t.peer.window || t.peer.window - window <= t.len) return false;
  if (!seq_gt(t.mine.next_seq, t.seq) || !seq_gt(t.peer.next_seq, t.ack) ||
      !seq_lt(t.ack, t.peer.last_ack)) {
    return false;
  }
  t.note(E::kStreamPktBadWindowUpdate);
  return true;
}

// All of its bytes were seen and acknowledged before. (An acknowledgement may overtake its data on the way to us.)
bool TcpEngine::is_spurious_retransmission(Turn& t) {
  if (t.len == 0 || t.s.state < TcpState::kEstablished || t.s.async) return false;
  if ((t.flags & (TcpFlags::kSyn | TcpFlags::kRst | TcpFlags::kFin)) != 0) return false;
  if (!seq_le(t.seq + t.len, t.mine.last_ack) || seq_gt(t.seq + t.len, t.mine.next_seq)) return false;
  t.note(E::kStreamPktSpuriousRetransmission);
  return true;
}

}  // namespace vong::reassembly
