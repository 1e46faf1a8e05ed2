// Bytes in, bytes out.
#include <algorithm>

#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {
namespace {

using E = PacketEvent;

}  // namespace

void TcpEngine::keep_payload(Turn& t) {
  if (t.len == 0) return;
  if (!t.s.spoken) t.s.spoken = t.mine.spoke_first = true;
  t.p.payload_in_stream = !(t.mine.app_stopped && t.mine.raw_stopped);
  if (config_.depth_bytes != 0) {
    const int64_t end = t.mine.offset_of(t.seq) + static_cast<int64_t>(t.len);
    counters_.depth_packets += end > 0 && t.mine.stream_offset(static_cast<uint64_t>(end)) > config_.depth_bytes;
  }
  if (!t.has(TcpFlags::kUrg)) {
    keep_bytes(t, t.seq, t.p.payload);
    return;
  }
  uint64_t at = 0;
  switch (urgent(t, at)) {
    case UrgentPolicy::kInline:
    case UrgentPolicy::kOob:
      keep_bytes(t, t.seq, t.p.payload);
      break;
    case UrgentPolicy::kDrop:
      t.p.stream_rejected = true;
      t.p.payload_in_stream = false;
      break;
    case UrgentPolicy::kGap: {
      const auto before = static_cast<size_t>(static_cast<int64_t>(at) - t.mine.offset_of(t.seq));
      keep_bytes(t, t.seq, t.p.payload.first(before));
      keep_bytes(t, t.seq + static_cast<uint32_t>(before) + 1, t.p.payload.subspan(before + 1));
      break;
    }
  }
}

// Which policy counts for this packet with URG, and the sequence offset of its urgent byte: the one
// before where the pointer points (RFC 6093 3.4), as far as it is in this packet. Marks the byte
// where it is out of band.
UrgentPolicy TcpEngine::urgent(Turn& t, uint64_t& offset) {
  const uint32_t pointer = t.p.tcp.urgent;
  if (config_.urgent_policy == UrgentPolicy::kInline || pointer == 0 || pointer > t.len)
    return UrgentPolicy::kInline;
  if (config_.urgent_policy == UrgentPolicy::kDrop) return UrgentPolicy::kDrop;
  const int64_t at = t.mine.offset_of(t.seq + pointer - 1);
  if (at < 0) return UrgentPolicy::kInline;
  offset = static_cast<uint64_t>(at);
  if (config_.urgent_policy == UrgentPolicy::kGap) return UrgentPolicy::kGap;
  const uint32_t before = t.mine.urgent_oob_bytes;
  if (before < kMaxUrgentBytes && t.mine.mark_urgent(offset)) {
    counters_.urgent_oob_bytes += t.mine.urgent_oob_bytes - before;
    return UrgentPolicy::kOob;
  }
  t.note(E::kStreamReassemblyUrgentOobLimitReached);
  return config_.urgent_limit_policy == UrgentPolicy::kOob ? UrgentPolicy::kInline
                                                           : config_.urgent_limit_policy;
}

void TcpEngine::keep_bytes(Turn& t, uint32_t seq, Bytes data) {
  Sender& mine = t.mine;
  if ((mine.app_stopped && mine.raw_stopped) || data.empty()) return;
  int64_t offset = mine.offset_of(seq);
  if (offset < 0) {
    if (offset + static_cast<int64_t>(data.size()) <= 0) {
      t.note(E::kStreamReassemblySegmentBeforeBaseSeq);
      return;
    }
    data = data.subspan(static_cast<size_t>(-offset));
    offset = 0;
  }
  auto begin = static_cast<uint64_t>(offset);
  if (mine.urgent_passed != 0 && begin < mine.ack_offset) {
    // Where the out-of-band bytes among acknowledged ones stood is forgotten, and their bytes are
    // not needed again.
    if (begin + data.size() <= mine.ack_offset) return;
    data = data.subspan(mine.ack_offset - begin);
    begin = mine.ack_offset;
  }
  // Nothing counts behind a FIN.
  if (mine.fin_offset != kNoOffset && begin + data.size() > mine.fin_offset) {
    if (begin >= mine.fin_offset) return;
    data = data.first(mine.fin_offset - begin);
  }
  if (mine.urgent_ahead) {
    for (const uint64_t at : *mine.urgent_ahead) {
      if (at < begin) continue;
      if (at >= begin + data.size()) break;
      keep_run(t, mine.stream_offset(begin), data.first(at - begin));
      data = data.subspan(at - begin + 1);
      begin = at + 1;
    }
  }
  keep_run(t, mine.stream_offset(begin), data);
}

struct TcpEngine::ConflictNote final : ConflictObserver {
  ConflictNote(TcpEngine& e, Turn& t) : engine(e), turn(t) {}
  void on_conflict(const StreamBuffer& before, bool given_out) override {
    engine.begin_readings(turn, before, given_out);
  }
  TcpEngine& engine;
  Turn& turn;
};

// Segments conflict: from here on the bytes are also kept as other policies read them, from where
// raw inspection stands, which is mostly where a request or an answer begins.
void TcpEngine::begin_readings(Turn& t, const StreamBuffer& before, bool given_out) {
  const Sender& mine = t.mine;
  if (!config_.other_readings || mine.raw_stopped) return;
  // What a receiver has acknowledged it has read; only where nobody acknowledges that is not known.
  const bool reopen = given_out && (t.s.async || config_.inline_mode);
  if (given_out && !reopen) return;
  RareState& rare = t.s.more();
  auto& readings = rare.readings[&mine == &t.s.sender[1]];
  if (readings) return;
  uint64_t unit = std::max(before.released(), mine.raw_done);
  const uint64_t history = std::min<uint64_t>(unit, config_.raw_history_bytes);
  uint64_t from = std::max(before.released(), unit - history);
  for (uint64_t end = before.known_until(from); end < before.contiguous_end();
       end = before.known_until(from))
    from = before.next_known(end);
  unit = std::max(unit, from);
  if (reopen) unit = from;
  if (rare.readings_begun >= kMaxReadingsBegun || before.highest() > from + kMaxReadingBytes) {
    ++counters_.readings_given_up;
    return;
  }
  ++rare.readings_begun;
  ++counters_.readings_begun;
  readings = OtherReadings::begin(memory_.readings, pool_, before, mine.os_policy, from, unit, reopen);
  if (!readings) ++counters_.readings_given_up;
}

void TcpEngine::add_to_readings(Turn& t, uint64_t begin, Bytes data) {
  auto& readings = t.s.rare->readings[&t.mine == &t.s.sender[1]];
  if (!readings) return;
  if (t.mine.raw_stopped || readings->insert(begin, data, t.mine.buffer.final_end())) {
    if (t.mine.raw_stopped) readings.reset();
    return;
  }
  readings.reset();
  ++counters_.readings_given_up;
}

// Bytes without out-of-band ones in between; `begin` is a stream offset.
void TcpEngine::keep_run(Turn& t, uint64_t begin, Bytes data) {
  Sender& mine = t.mine;
  if (data.empty()) return;
  if (config_.depth_bytes != 0 && begin + data.size() > config_.depth_bytes) {
    if (!mine.depth_reached) {
      mine.depth_reached = true;
      ++counters_.depth_reached;
      t.note(E::kStreamReassemblyDepthReached);
    }
    if (begin >= config_.depth_bytes) return;
    data = data.first(config_.depth_bytes - begin);
  }
  if (begin + data.size() <= mine.buffer.released()) {
    t.note(E::kStreamReassemblySegmentBeforeBaseSeq);
    return;
  }
  ConflictNote note(*this, t);
  const InsertResult r =
      mine.buffer.insert(pool_, begin, data, mine.os_policy, config_.max_regions, &note);
  if (t.s.rare) [[unlikely]] add_to_readings(t, begin, data);
  switch (r.status) {
    case InsertStatus::kOk:
    case InsertStatus::kNothingNew:
      break;
    case InsertStatus::kTooManySegments:
    case InsertStatus::kTooManyRegions:
      ++counters_.insert_limit;
      t.note(E::kStreamReassemblyInsertLimit);
      break;
    case InsertStatus::kNoMemory:
      ++counters_.segment_memcap_drop;
      t.note(E::kStreamReassemblyInsertMemcap);
      apply_exception(t.f, t.p, ExceptionTarget::kStreamReassembly);
      break;
  }
  counters_.overlap += r.overlap;
  if (r.different && config_.check_overlap) {
    ++counters_.overlap_different_data;
    t.s.ambiguous = true;
    t.note(E::kStreamReassemblyOverlapDifferentData);
  }
}

// Missing bytes before what is ready are lost when the receiver has acknowledged them. An
// acknowledgement beyond all that was seen is not trusted so far, unless bytes behind the hole show
// that something was missed.
bool TcpEngine::gap_is_certain(const TcpSession& s, const Sender& mine) const {
  const uint64_t hole = mine.buffer.contiguous_end();
  const uint64_t next = mine.buffer.next_known(hole);
  if (s.async || config_.inline_mode) return next != kNoOffset;
  const uint64_t acknowledged = mine.stream_offset(mine.ack_offset);
  if (hole >= acknowledged) return false;
  return seq_le(mine.last_ack, mine.next_seq) || next < acknowledged;
}

// Gives [app_done, upto) to the consumer. False when it left some of it.
bool TcpEngine::offer(flow::Flow& f, Packet& p, TcpSession& s, Sender& mine, uint64_t upto,
                      bool last) {
  const Direction d = s.direction_of(mine);
  if (!mine.app_stopped && !consumer_.wants(f, d)) mine.app_stopped = true;
  if (mine.app_stopped) {
    mine.app_done = mine.app_offered = std::max(mine.app_done, upto);
    return true;
  }
  if (!last && upto <= mine.app_offered) return mine.app_done >= upto;
  StreamChunk chunk;
  chunk.data = mine.buffer.view(mine.app_done, upto);
  chunk.offset = mine.app_done;
  chunk.end = last;
  chunk.depth = mine.depth_reached;
  mine.app_offered = std::max(mine.app_offered, upto);
  if (last) mine.end_told = true;
  if (mine.depth_reached && upto == config_.depth_bytes) mine.depth_told = true;
  const size_t took = consumer_.on_data(f, p, d, chunk);
  mine.app_done += std::min(took, chunk.data.size());
  if (consumer_.other_side_first(f, d)) {
    Sender& other = s.of(opposite(d));
    const uint64_t there = std::min(other.buffer.contiguous_end(), other.app_offered);
    other.app_offered = other.app_done;
    if (there > other.app_done) (void)offer(f, p, s, other, there, false);
    mine.app_offered = mine.app_done;
    return offer(f, p, s, mine, upto, last);
  }
  return mine.app_done >= upto;
}

// The flow ends with bytes behind a hole that nobody acknowledged: the receiver never had them in
// order. Parsers end before the hole; raw inspection still sees them.
void TcpEngine::give_up_behind_hole(flow::Flow& f, Packet& p, TcpSession& s, Sender& mine) {
  if (!mine.end_told)
    (void)offer(f, p, s, mine, std::max(mine.app_done, mine.buffer.contiguous_end()), true);
  mine.app_stopped = true;
}

void TcpEngine::hand_out(flow::Flow& f, Packet& p, TcpSession& s, Sender& mine) {
  uint64_t upto = config_.inline_mode ? std::max(mine.ready_end(), mine.buffer.contiguous_end())
                                      : mine.ready_end();
  if (config_.depth_bytes != 0) upto = std::min(upto, config_.depth_bytes);
  if (upto < mine.app_done && !mine.ended) return;
  StreamBuffer& buffer = mine.buffer;
  for (;;) {
    const uint64_t run_end = std::min(buffer.contiguous_end(), upto);
    if (run_end > mine.app_offered) (void)offer(f, p, s, mine, run_end, false);
    if (buffer.contiguous_end() >= upto) break;
    if (mine.app_stopped && mine.raw_stopped) {  // nothing was kept: nothing is missing
      buffer.skip_to(upto);
      break;
    }
    const uint64_t gap = buffer.contiguous_end();
    const uint64_t gap_end = std::min(buffer.next_known(gap), upto);
    if (!gap_is_certain(s, mine)) {
      if (!mine.flushed) break;
      give_up_behind_hole(f, p, s, mine);
      buffer.skip_to(gap_end);
      continue;
    }
    ++counters_.reassembly_gap;
    counters_.gap_bytes += gap_end - gap;
    mine.had_gap = true;
    p.events.set(E::kStreamReassemblySeqGap);
    buffer.skip_to(gap_end);
    const Direction d = s.direction_of(mine);
    if (!mine.app_stopped && consumer_.wants(f, d)) {
      consumer_.on_gap(f, p, d, gap, gap_end - gap);
    }
    mine.app_done = mine.app_offered = std::max(mine.app_done, gap_end);
  }
  const bool all_given = buffer.contiguous_end() >= upto || mine.flushed;
  const bool fin_reached =
      mine.fin_offset != kNoOffset && mine.ack_offset >= mine.fin_offset && all_given;
  if (fin_reached) mine.ended = true;
  if (mine.ended && all_given && !mine.end_told) {
    (void)offer(f, p, s, mine, std::max(mine.app_done, std::min(buffer.contiguous_end(), upto)),
                true);
  } else if (mine.depth_reached && !mine.depth_told && upto >= config_.depth_bytes && all_given &&
             !mine.app_stopped) {
    mine.app_offered = mine.app_done;  // tell even when no byte is new
    (void)offer(f, p, s, mine, std::min(buffer.contiguous_end(), upto), true);
  }
  s.trim(mine);
}

}  // namespace vong::reassembly
