// Bytes in, bytes out.
#include <algorithm>

#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {
namespace {

using E = PacketEvent;

}  // namespace

void TcpEngine::keep_payload(Turn& t) {
  if (t.len == 0) return;
  if (t.has(TcpFlags::kUrg) && t.p.tcp.urgent != 0 &&
      config_.urgent_policy != UrgentPolicy::kInline) {
    keep_without_urgent(t);
    return;
  }
  keep_bytes(t, t.seq, t.p.payload);
}

// RFC 6093: the urgent pointer means the byte before it; receivers take that byte out of the
// stream.
void TcpEngine::keep_without_urgent(Turn& t) { keep_bytes(t, t.seq, t.p.payload); }

void TcpEngine::keep_bytes(Turn& t, uint32_t seq, Bytes data) {
  Sender& mine = t.mine;
  if (mine.app_stopped && mine.raw_stopped) return;
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
  // Nothing counts behind a FIN.
  if (mine.fin_offset != kNoOffset && begin + data.size() > mine.fin_offset) {
    if (begin >= mine.fin_offset) return;
    data = data.first(mine.fin_offset - begin);
  }
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
  const InsertResult r =
      mine.buffer.insert(pool_, begin, data, mine.os_policy, config_.max_regions);
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
  if (mine.flushed || s.async || config_.inline_mode)
    return mine.buffer.next_known(mine.buffer.contiguous_end()) != kNoOffset;
  if (seq_le(mine.last_ack, mine.next_seq)) return true;
  const uint64_t next = mine.buffer.next_known(mine.buffer.contiguous_end());
  return next != kNoOffset && next < mine.ack_offset;
}

// Gives [app_done, upto) to the consumer. False when it left some of it.
bool TcpEngine::offer(flow::Flow& f, Packet& p, Sender& mine, Direction d, uint64_t upto,
                      bool last) {
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
  chunk.depth = mine.depth_reached && upto == config_.depth_bytes;
  mine.app_offered = std::max(mine.app_offered, upto);
  if (last) mine.end_told = true;
  if (chunk.depth) mine.depth_told = true;
  const size_t took = consumer_.on_data(f, p, d, chunk);
  mine.app_done += std::min(took, chunk.data.size());
  return mine.app_done >= upto;
}

void TcpEngine::hand_out(flow::Flow& f, Packet& p, TcpSession& s, Direction d) {
  Sender& mine = s.of(d);
  if (config_.inline_mode || s.async) {
    const uint64_t end = mine.buffer.contiguous_end();
    if (s.async && end > mine.ack_offset)
      mine.acknowledge(mine.last_ack + static_cast<uint32_t>(end - mine.ack_offset));
  }
  uint64_t upto = config_.inline_mode ? std::max(mine.ready_end(), mine.buffer.contiguous_end())
                                      : mine.ready_end();
  if (config_.depth_bytes != 0) upto = std::min(upto, config_.depth_bytes);
  if (upto < mine.app_done && !mine.ended) return;
  StreamBuffer& buffer = mine.buffer;
  for (;;) {
    const uint64_t run_end = std::min(buffer.contiguous_end(), upto);
    if (run_end > mine.app_offered) (void)offer(f, p, mine, d, run_end, false);
    if (buffer.contiguous_end() >= upto) break;
    if (mine.app_stopped && mine.raw_stopped) {  // nothing was kept: nothing is missing
      buffer.skip_to(upto);
      break;
    }
    if (!gap_is_certain(s, mine)) break;
    const uint64_t gap = buffer.contiguous_end();
    const uint64_t gap_end = std::min(buffer.next_known(gap), upto);
    ++counters_.reassembly_gap;
    counters_.gap_bytes += gap_end - gap;
    mine.had_gap = true;
    p.events.set(E::kStreamReassemblySeqGap);
    buffer.skip_to(gap_end);
    if (!mine.app_stopped && consumer_.wants(f, d)) consumer_.on_gap(f, p, d, gap, gap_end - gap);
    mine.app_done = mine.app_offered = std::max(mine.app_done, gap_end);
  }
  const bool all_given = buffer.contiguous_end() >= upto || mine.flushed;
  const bool fin_reached =
      mine.fin_offset != kNoOffset && mine.ack_offset >= mine.fin_offset && all_given;
  if (fin_reached) mine.ended = true;
  if (mine.ended && all_given && !mine.end_told) {
    (void)offer(f, p, mine, d, std::max(mine.app_done, std::min(buffer.contiguous_end(), upto)),
                true);
  } else if (mine.depth_reached && !mine.depth_told && upto >= config_.depth_bytes && all_given &&
             !mine.app_stopped) {
    mine.app_offered = mine.app_done;  // tell even when no byte is new
    (void)offer(f, p, mine, d, std::min(buffer.contiguous_end(), upto), true);
  }
  s.trim(d);
}

}  // namespace vong::reassembly
