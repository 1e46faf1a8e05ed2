#include "sensor/reassembly/tcp_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {

std::string_view name_of(TcpState state) {
  constexpr std::array<std::string_view, 11> kNames = {
      "none",      "syn_sent", "syn_recv",   "established", "fin_wait1", "fin_wait2",
      "time_wait", "last_ack", "close_wait", "closing",     "closed"};
  return kNames[static_cast<size_t>(state)];
}

void Sender::start(uint32_t initial) {
  isn = initial;
  next_seq = last_ack = initial + 1;
  next_win = last_ack;
  ack_offset = 0;
}

void Sender::acknowledge(uint32_t ack) {
  if (!seq_gt(ack, last_ack)) return;
  ack_offset += static_cast<uint32_t>(ack - last_ack);
  last_ack = ack;
  if (!urgent_ahead) return;
  const auto end = std::lower_bound(urgent_ahead->begin(), urgent_ahead->end(), ack_offset);
  urgent_passed += static_cast<uint64_t>(end - urgent_ahead->begin());
  urgent_ahead->erase(urgent_ahead->begin(), end);
}

uint64_t Sender::stream_offset(uint64_t sequence_offset) const {
  if (urgent_oob_bytes == 0) return sequence_offset;
  uint64_t out_of_band = urgent_passed;
  if (urgent_ahead) {
    const auto end = std::lower_bound(urgent_ahead->begin(), urgent_ahead->end(), sequence_offset);
    out_of_band += static_cast<uint64_t>(end - urgent_ahead->begin());
  }
  return sequence_offset > out_of_band ? sequence_offset - out_of_band : 0;
}

bool Sender::mark_urgent(uint64_t sequence_offset) {
  if (!urgent_ahead) urgent_ahead = std::make_unique<std::vector<uint64_t>>();
  const auto at = std::lower_bound(urgent_ahead->begin(), urgent_ahead->end(), sequence_offset);
  if (at != urgent_ahead->end() && *at == sequence_offset) return true;
  if (sequence_offset < ack_offset) return true;  // taken out before
  if (urgent_ahead->size() >= kMaxUrgentAhead) return false;
  urgent_ahead->insert(at, sequence_offset);
  ++urgent_oob_bytes;
  return true;
}

uint64_t Sender::ready_end() const {
  const uint64_t end = stream_offset(std::min(ack_offset, fin_offset));
  return flushed ? std::max(end, buffer.highest()) : end;
}

TcpSession::TcpSession(const TcpConfig& config, SessionMemory& memory)
    : config_(config), memory_(memory) {
  ++memory_.sessions;
  for (Sender& s : sender) s.raw_stopped = !config.raw;
}

TcpSession::~TcpSession() { --memory_.sessions; }

flow::RawStream::Window TcpSession::raw_window(Direction d, bool force) const {
  const Sender& s = of(d);
  if (s.raw_stopped) return {};
  const uint64_t ready = std::min(s.ready_end(), s.buffer.contiguous_end());
  const uint64_t from = s.buffer.next_known(s.raw_done);
  if (from >= ready) return {};
  const uint64_t run_end = s.buffer.known_until(from);
  const uint64_t to = std::min(run_end, ready);
  if (to <= from) return {};
  // Once both ends are about to close, or the client is, whatever is there goes out: as the
  // reference does it, so that an absolute offset counts from where it counts there.
  const bool closing = state > TcpState::kTimeWait;
  const bool run_is_over = run_end < ready || s.ended || s.flushed || s.depth_reached || closing;
  force |= s.raw_triggered;
  if (!force && !run_is_over && to - from < config_.raw_chunk_bytes[index(d)]) return {};
  const uint64_t history = from == s.raw_done ? config_.raw_history_bytes : 0;
  uint64_t begin = std::max(s.buffer.released(), from > history ? from - history : 0);
  // History stops at a gap.
  if (s.buffer.known_until(begin) < to) begin = from;
  return {s.buffer.view(begin, to), begin};
}

void TcpSession::raw_done(Direction d, uint64_t offset) {
  Sender& s = of(d);
  if (offset > s.raw_done) s.raw_triggered = false;
  s.raw_done = std::max(s.raw_done, std::min(offset, s.buffer.contiguous_end()));
  trim(s);
}

void TcpSession::raw_stop(Direction d) {
  of(d).raw_stopped = true;
  trim(of(d));
}

// What goes before new bytes when they are inspected: nothing once no new ones can come. Behind a
// reset they can: whoever was not reached by it, since it was not the other side's, goes on.
uint64_t TcpSession::history_of(const Sender& s) const {
  const bool over = s.ended && (!closed_by_rst || s.rst_sent) && s.raw_done >= s.buffer.highest();
  return over ? 0 : std::min<uint64_t>(config_.raw_history_bytes, s.raw_done);
}

void TcpSession::trim(Sender& s) {
  uint64_t keep_from = std::min(s.ready_end(), s.buffer.contiguous_end());
  if (!s.app_stopped) keep_from = std::min(keep_from, s.app_done);
  if (!s.raw_stopped) {
    if (s.raw_done + kRawBacklogBytes < keep_from) {
      s.raw_done = keep_from - kRawBacklogBytes;
      ++memory_.raw_given_up;
    }
    keep_from = std::min(keep_from, s.raw_done - history_of(s));
  }
  // What anybody has seen never changes again.
  uint64_t seen = keep_from;
  if (!s.app_stopped) seen = std::max(seen, s.app_offered);
  if (!s.raw_stopped) seen = std::max(seen, s.raw_done);
  s.buffer.make_final(std::min(seen, s.buffer.contiguous_end()));
  s.buffer.release(keep_from);
}

bool TcpSession::gives_way_to(const Packet& p, Direction d) const {
  constexpr uint8_t kMask = TcpFlags::kSyn | TcpFlags::kAck | TcpFlags::kFin | TcpFlags::kRst;
  const uint8_t flags = p.tcp.flags & kMask;
  const bool starts =
      flags == TcpFlags::kSyn || (flags == (TcpFlags::kSyn | TcpFlags::kAck) && config_.midstream);
  if (!starts) return false;
  if (state == TcpState::kNone) return true;
  return state >= TcpState::kLastAck && of(d).isn != p.tcp.seq;
}

// May come from the consumer in the middle of a delivery: the senders stay where they are, their
// names change.
void TcpSession::on_swap_direction() { swapped = !swapped; }

flow::TcpSummary TcpSession::summary() const {
  const Sender& to_server = of(Direction::kToServer);
  const Sender& to_client = of(Direction::kToClient);
  flow::TcpSummary out;
  out.flags = tcp_flags;
  out.flags_to_server = to_server.tcp_flags;
  out.flags_to_client = to_client.tcp_flags;
  out.state = name_of(state);
  out.max_regions_to_server = std::max<uint16_t>(1, to_server.buffer.regions_max());
  out.max_regions_to_client = std::max<uint16_t>(1, to_client.buffer.regions_max());
  out.gap_to_server = to_server.had_gap;
  out.gap_to_client = to_client.had_gap;
  out.urgent_oob_to_server = to_server.urgent_oob_bytes;
  out.urgent_oob_to_client = to_client.urgent_oob_bytes;
  return out;
}

}  // namespace vong::reassembly
