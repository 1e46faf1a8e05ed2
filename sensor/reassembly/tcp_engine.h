// TCP tracking and reassembly of one worker. For each TCP packet with a flow: checks it against the
// connection's state, raises stream events on it, keeps its bytes, and hands bytes to the consumer
// once the other end has acknowledged them (RFC 9293), as a passive observer can only know then
// that the receiver took them.
//
//   engine.process(flow, packet);              // after FlowTable::lookup, for packet.is_tcp
//   if (engine.needs_flush(flow, d)) engine.flush(flow, pseudo, d);    // flow end, per direction,
//   pseudo.direction = d
//
// A packet that the state machine refuses gets stream_rejected and changes nothing. The engine must
// outlive all flows it has seen: their sessions count in its memory account and return their blocks
// to its pool.
#pragma once

#include <cstdint>

#include "sensor/packet/packet.h"
#include "sensor/reassembly/block_pool.h"
#include "sensor/reassembly/stream_consumer.h"
#include "sensor/reassembly/tcp_config.h"
#include "sensor/reassembly/tcp_session.h"

namespace vong::reassembly {

// EVE's stats.tcp.* and what the loss ledger needs beside.
struct TcpCounters {
  uint64_t sessions = 0, midstream_pickups = 0, syn = 0, synack = 0, rst = 0, urg = 0;
  uint64_t invalid_checksum = 0, rejected = 0, no_session = 0;
  uint64_t session_memcap_drop = 0, segment_memcap_drop = 0, insert_limit = 0;
  uint64_t overlap = 0, overlap_different_data = 0;
  uint64_t reassembly_gap = 0, gap_bytes = 0, ack_unseen_data = 0;
  uint64_t depth_reached = 0, urgent_oob_bytes = 0;
  uint64_t depth_packets = 0;  // packets with bytes behind the depth, which are not kept
  uint64_t bypassed = 0;
  uint64_t readings_begun = 0, readings_given_up = 0;  // of other policies; given up: a cap was reached
  // How often an exception policy was applied.
  ExceptionCounters exception_midstream{}, exception_memcap{}, exception_reassembly{};
};

struct SessionMemory {
  uint64_t sessions = 0;      // alive
  uint64_t raw_given_up = 0;  // times that raw inspection was too far behind
  uint64_t readings = 0;      // OtherReadings alive
};

class TcpEngine {
 public:
  // `consumer` is called during process and flush; it must outlive the engine's last call.
  TcpEngine(const TcpConfig& config, StreamConsumer& consumer);

  void process(flow::Flow& f, Packet& p);

  // True when bytes of this direction wait for a consumer or for raw inspection, or an end was not
  // told.
  [[nodiscard]] bool needs_flush(const flow::Flow& f, Direction d) const;
  // Hands out all that is left of direction `d`, acknowledged or not, then the end.
  void flush(flow::Flow& f, Packet& pseudo, Direction d);

  [[nodiscard]] const TcpCounters& counters() const { return counters_; }
  // Directions of connections in which segments conflict just now.
  [[nodiscard]] uint64_t readings_alive() const { return memory_.readings; }
  [[nodiscard]] uint64_t sessions_alive() const { return memory_.sessions; }
  [[nodiscard]] uint64_t memuse_bytes() const { return memory_.sessions * sizeof(TcpSession); }
  [[nodiscard]] uint64_t reassembly_memuse_bytes() const { return pool_.in_use_bytes(); }

 private:
  // The packet in work.
  struct Turn {
    flow::Flow& f;
    Packet& p;
    TcpSession& s;
    Sender& mine;  // who sent the packet
    Sender& peer;  // who receives it
    uint32_t seq, ack, len;
    uint8_t flags;
    [[nodiscard]] bool has(uint8_t bits) const { return (flags & bits) == bits; }
    [[nodiscard]] bool to_server() const { return p.direction == Direction::kToServer; }
    void note(PacketEvent e) const { p.events.set(e); }
    // Raises the event; for "return t.refuse(...)".
    [[nodiscard]] bool refuse(PacketEvent e) const {
      p.events.set(e);
      return false;
    }
    // Receive window that this packet offers for the peer's bytes.
    [[nodiscard]] uint32_t window() const {
      return static_cast<uint32_t>(p.tcp.window) << peer.wscale;
    }
  };
  [[nodiscard]] Turn turn(flow::Flow& f, Packet& p, TcpSession& s) const;

  // tcp_engine.cc
  void count(const Packet& p);
  void apply_exception(flow::Flow& f, Packet& p, ExceptionTarget target);
  [[nodiscard]] TcpSession* new_session(flow::Flow& f, Packet& p);
  [[nodiscard]] bool step(flow::Flow& f, Packet& p, TcpSession& s);
  [[nodiscard]] bool dispatch(Turn& t, TcpState state);
  void set_state(Turn& t, TcpState state);
  void finish_packet(flow::Flow& f, Packet& p, TcpSession& s);

  // tcp_handshake.cc: true when the packet is accepted
  [[nodiscard]] bool on_none(flow::Flow& f, Packet& p);
  [[nodiscard]] bool may_pick_up(flow::Flow& f, Packet& p, bool wanted);
  [[nodiscard]] bool pick_up_synack(flow::Flow& f, Packet& p);
  [[nodiscard]] bool pick_up(flow::Flow& f, Packet& p);
  [[nodiscard]] bool on_syn_sent(Turn& t);
  [[nodiscard]] bool syn_sent_synack(Turn& t);
  [[nodiscard]] bool syn_sent_syn(Turn& t);
  [[nodiscard]] bool syn_sent_ack(Turn& t);
  [[nodiscard]] bool on_syn_recv(Turn& t);
  [[nodiscard]] bool syn_recv_synack(Turn& t);
  [[nodiscard]] bool syn_recv_syn(Turn& t);
  [[nodiscard]] bool syn_recv_ack(Turn& t);
  [[nodiscard]] bool syn_recv_ack_from_server(Turn& t);
  void take_syn_options(Turn& t);
  void take_synack_options(Turn& t);

  // tcp_established.cc
  [[nodiscard]] bool on_established(Turn& t);
  [[nodiscard]] bool established_synack(Turn& t);
  [[nodiscard]] bool established_syn(Turn& t);
  [[nodiscard]] bool data_packet(Turn& t, PacketEvent invalid_ack, PacketEvent before_last_ack,
                                 PacketEvent out_of_window);
  void establish(Turn& t);
  void follow(Turn& t);
  [[nodiscard]] bool reset(Turn& t);

  // tcp_closing.cc
  [[nodiscard]] bool first_fin(Turn& t);
  [[nodiscard]] bool on_closing_state(Turn& t, TcpState state);
  [[nodiscard]] bool second_fin(Turn& t, TcpState state);
  [[nodiscard]] bool closing_ack(Turn& t, TcpState state);
  [[nodiscard]] bool on_closed(Turn& t);

  // tcp_checks.cc
  [[nodiscard]] bool ack_is_valid(Turn& t);
  [[nodiscard]] bool timestamp_is_valid(Turn& t);
  [[nodiscard]] bool echo_is_valid(Turn& t);
  [[nodiscard]] bool rst_is_valid(Turn& t);
  [[nodiscard]] bool is_keepalive(Turn& t);
  [[nodiscard]] bool is_bad_window_update(Turn& t);
  [[nodiscard]] bool is_spurious_retransmission(Turn& t);

  // tcp_delivery.cc
  void keep_payload(Turn& t);
  // `seq`: of data[0]. Without the bytes that are marked as out of band.
  void keep_bytes(Turn& t, uint32_t seq, Bytes data);
  void keep_run(Turn& t, uint64_t begin, Bytes data);
  struct ConflictNote;
  void begin_readings(Turn& t, const StreamBuffer& before, bool given_out);
  void add_to_readings(Turn& t, uint64_t begin, Bytes data);
  [[nodiscard]] UrgentPolicy urgent(Turn& t, uint64_t& offset);
  void hand_out(flow::Flow& f, Packet& p, TcpSession& s, Sender& mine);
  [[nodiscard]] bool gap_is_certain(const TcpSession& s, const Sender& mine) const;
  void give_up_behind_hole(flow::Flow& f, Packet& p, TcpSession& s, Sender& mine);
  [[nodiscard]] bool offer(flow::Flow& f, Packet& p, TcpSession& s, Sender& mine, uint64_t upto,
                           bool last);

  const TcpConfig config_;
  StreamConsumer& consumer_;
  BlockPool pool_;
  SessionMemory memory_;
  TcpCounters counters_;
};

}  // namespace vong::reassembly
