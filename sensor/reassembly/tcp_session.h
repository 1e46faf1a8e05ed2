// One TCP connection as a passive observer has it: states and sequence numbers of both ends (RFC
// 9293), and the bytes of both directions. Lives in FlowSlot::kStream; only the engine writes it.
// Other rooms see it as flow::RawStream and through tcp_summary().
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sensor/flow/raw_stream.h"
#include "sensor/reassembly/other_readings.h"
#include "sensor/reassembly/stream_buffer.h"
#include "sensor/reassembly/tcp_config.h"

namespace vong::reassembly {

// In the order of life; "at least kLastAck" is asked for.
enum class TcpState : uint8_t {
  kNone,
  kSynSent,
  kSynRecv,
  kEstablished,
  kFinWait1,
  kFinWait2,
  kTimeWait,
  kLastAck,
  kCloseWait,
  kClosing,
  kClosed
};
[[nodiscard]] std::string_view name_of(TcpState state);  // as EVE's tcp.state spells it

// Sequence numbers are compared on the circle (RFC 9293 3.4).
[[nodiscard]] constexpr int32_t seq_diff(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b);
}
[[nodiscard]] constexpr bool seq_lt(uint32_t a, uint32_t b) { return seq_diff(a, b) < 0; }
[[nodiscard]] constexpr bool seq_le(uint32_t a, uint32_t b) { return seq_diff(a, b) <= 0; }
[[nodiscard]] constexpr bool seq_gt(uint32_t a, uint32_t b) { return seq_diff(a, b) > 0; }
[[nodiscard]] constexpr bool seq_ge(uint32_t a, uint32_t b) { return seq_diff(a, b) >= 0; }

inline constexpr uint64_t kNoOffset = UINT64_MAX;

// What one end sent, and what the other end let it send.
struct Sender {
  uint32_t isn = 0;
  uint32_t next_seq = 0;                // follows the highest byte seen (SYN and FIN count)
  uint32_t last_ack = 0;                // highest acknowledgement of it
  uint32_t window = 0;                  // that the other end offers, scaled
  uint32_t next_win = 0;                // right edge of what it may send
  uint32_t last_ts = 0;                 // timestamp option, newest in order
  uint32_t last_ts_second = 0;          // packet time of it
  uint8_t wscale = 0;                   // how the other end's window field is shifted
  uint8_t tcp_flags = 0;                // all flags it sent
  OsPolicy os_policy = OsPolicy::kBsd;  // of the receiver
  bool timestamps : 1 = false;
  bool zero_timestamp : 1 = false;
  bool sack_permitted : 1 = false;
  bool rst_sent : 1 = false;
  bool keepalive_seen : 1 = false;
  bool depth_reached : 1 = false;
  bool depth_told : 1 = false;
  bool had_gap : 1 = false;
  bool ended : 1 = false;  // FIN, RST or the flow's end: no more bytes
  bool end_told : 1 = false;
  bool raw_stopped : 1 = false;
  bool raw_triggered : 1 = false;
  bool app_stopped : 1 = false;
  bool flushed : 1 = false;  // acknowledged or not, all goes out
  bool spoke_first : 1 = false;  // the connection's first bytes to arrive were its own

  uint64_t ack_offset = 0;  // stream offset of last_ack
  uint64_t fin_offset = kNoOffset;
  uint64_t app_done = 0;     // given to the consumer and taken
  uint64_t app_offered = 0;  // given to the consumer
  uint64_t raw_done = 0;
  uint32_t urgent_oob_bytes = 0;  // all so far
  uint64_t urgent_passed = 0;     // out-of-band bytes below ack_offset
  // Out-of-band bytes from there on, by sequence offset, sorted; they have no place in the stream.
  std::unique_ptr<std::vector<uint64_t>> urgent_ahead;
  StreamBuffer buffer;

  // Sequence offset (bytes after the SYN) of a sequence number near the last acknowledged one;
  // negative before the first byte.
  [[nodiscard]] int64_t offset_of(uint32_t seq) const {
    return static_cast<int64_t>(ack_offset) + seq_diff(seq, last_ack);
  }
  // Stream offset of a sequence offset: without the out-of-band bytes before it.
  [[nodiscard]] uint64_t stream_offset(uint64_t sequence_offset) const;
  // Marks a byte as out of band. False when too many are marked or it is past already.
  bool mark_urgent(uint64_t sequence_offset);
  void start(uint32_t initial);    // SYN seen (or guessed): the first byte follows `initial`
  void acknowledge(uint32_t ack);  // moves last_ack forward
  void move_window(uint32_t right_edge) {
    if (seq_gt(right_edge, next_win)) next_win = right_edge;
  }
  // End of what may be given out.
  [[nodiscard]] uint64_t ready_end() const;
};

// What a SYN or SYN/ACK said, kept while several differ.
struct QueuedHandshake {
  uint32_t seq = 0, ack = 0, ts = 0, ts_second = 0;
  uint16_t window = 0;
  uint8_t wscale = 0;
  bool has_wscale = false, has_timestamps = false, sack_permitted = false;
};

// What hardly any connection has.
struct RareState {
  std::vector<QueuedHandshake> queue;
  std::unique_ptr<OtherReadings> readings[kDirections];  // by place in TcpSession::sender
  uint8_t readings_begun = 0;
  uint32_t reading_alerts = 0;  // of those who look at the readings: how much they did
  uint64_t reading_bytes = 0;
};

struct SessionMemory;  // the engine's account of sessions

class TcpSession final : public flow::RawStream {
 public:
  TcpSession(const TcpConfig& config, SessionMemory& memory);
  ~TcpSession() override;

  TcpState state = TcpState::kNone;
  TcpState state_before = TcpState::kNone;  // the last change came from here
  bool midstream : 1 = false;
  bool midstream_synack : 1 =
      false;               // picked up at the SYN/ACK: the window scale of one side is a guess
  bool async : 1 = false;  // one side is never seen
  bool handshake_confirmed : 1 = false;  // the server got the third packet
  bool four_way : 1 = false;             // split handshake
  bool evasion_attempt : 1 = false;      // right seq, wrong ack in the handshake
  bool fast_open : 1 = false;
  bool signed_segments : 1 = false;  // the SYN carried a signature option
  bool closed_by_rst : 1 = false;
  bool ambiguous : 1 = false;  // segments overlapped with different bytes
  bool spoken : 1 = false;     // somebody sent bytes
  uint8_t tcp_flags = 0;       // all flags of both
  Sender sender[kDirections];  // by of(): the client's bytes go to the server
  bool swapped = false;        // client and server changed places
  std::unique_ptr<RareState> rare;

  [[nodiscard]] Sender& of(Direction d) { return sender[index(d) ^ int{swapped}]; }
  [[nodiscard]] const Sender& of(Direction d) const { return sender[index(d) ^ int{swapped}]; }
  [[nodiscard]] RareState& more() {
    if (!rare) rare = std::make_unique<RareState>();
    return *rare;
  }
  // How other hosts read what conflicts in this direction; null: nothing does.
  [[nodiscard]] OtherReadings* readings(Direction d) const {
    return rare == nullptr ? nullptr : rare->readings[index(d) ^ int{swapped}].get();
  }
  void drop_readings(Direction d) { rare->readings[index(d) ^ int{swapped}].reset(); }
  [[nodiscard]] Direction direction_of(const Sender& s) const {
    return (&s == &sender[0]) != swapped ? Direction::kToServer : Direction::kToClient;
  }

  // flow::RawStream
  [[nodiscard]] Window raw_window(Direction d, bool force) const override;
  [[nodiscard]] uint64_t raw_inspected(Direction d) const override { return of(d).raw_done; }
  void raw_done(Direction d, uint64_t offset) override;
  void raw_stop(Direction d) override;
  void raw_trigger(Direction d) override { of(d).raw_triggered = true; }
  [[nodiscard]] uint64_t stream_size(Direction d) const override {
    return static_cast<uint32_t>(of(d).next_seq - of(d).isn);
  }
  [[nodiscard]] bool established() const override { return state >= TcpState::kEstablished; }
  [[nodiscard]] bool spoke_first(Direction d) const override { return of(d).spoke_first; }
  [[nodiscard]] bool was_reset() const override { return closed_by_rst; }
  [[nodiscard]] bool depth_reached(Direction d) const override { return of(d).depth_reached; }
  [[nodiscard]] bool gives_way_to(const Packet& p, Direction d) const override;
  [[nodiscard]] flow::TcpSummary summary() const override;
  void on_swap_direction() override;

  // Frees what neither the consumer nor raw inspection will ask for.
  void trim(Sender& s);
  [[nodiscard]] uint64_t history_of(const Sender& s) const;

 private:
  const TcpConfig& config_;
  SessionMemory& memory_;
};

}  // namespace vong::reassembly
