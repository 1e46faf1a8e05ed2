// A small language for TCP tests: a connection between client (c) and server (s), packets said in
// relative numbers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/flow/flow_table.h"
#include "sensor/reassembly/tcp_engine.h"

namespace vong::reassembly {

struct Recorder : StreamConsumer {
  std::string got[2];  // gaps as "<n>"
  int ends[2] = {0, 0}, gaps[2] = {0, 0}, calls[2] = {0, 0}, depths[2] = {0, 0};
  size_t take_at_most = SIZE_MAX;  // of each chunk
  size_t needs = 0;                // takes nothing of smaller chunks
  bool wanted = true;
  uint64_t next[2] = {0, 0};

  size_t on_data(flow::Flow&, Packet&, Direction d, const StreamChunk& chunk) override {
    ++calls[index(d)];
    EXPECT_EQ(chunk.offset, next[index(d)]);
    ends[index(d)] += chunk.end;
    depths[index(d)] += chunk.depth;
    if (chunk.data.size() < needs && !chunk.end) return 0;
    const size_t n = std::min(take_at_most, chunk.data.size());
    got[index(d)] += as_text(chunk.data.first(n));
    next[index(d)] += n;
    return n;
  }
  void on_gap(flow::Flow&, Packet&, Direction d, uint64_t offset, uint64_t size) override {
    EXPECT_GE(offset, next[index(d)]);
    ++gaps[index(d)];
    got[index(d)] += "<" + std::to_string(size) + ">";
    next[index(d)] = offset + size;
  }
  bool wants(const flow::Flow&, Direction) const override { return wanted; }
};

class TcpBench {
 public:
  explicit TcpBench(const TcpConfig& config = TcpConfig(), uint32_t client_isn = 1000,
                    uint32_t server_isn = 5000)
      : isn_{client_isn, server_isn}, engine(config, recorder), table(flow::FlowConfig()) {}
  ~TcpBench() { finish(); }

  // c("SA", 0, 0): packet of the client with flags out of SAFRPU, relative sequence and
  // acknowledgement numbers (0: the SYN's own).
  Packet& c(std::string_view flags, uint32_t seq, uint32_t ack, std::string_view data = "") {
    return send(Direction::kToServer, flags, seq, ack, data);
  }
  Packet& s(std::string_view flags, uint32_t seq, uint32_t ack, std::string_view data = "") {
    return send(Direction::kToClient, flags, seq, ack, data);
  }
  void handshake() {
    c("S", 0, 0);
    s("SA", 0, 1);
    c("A", 1, 1);
  }

  Packet& make(Direction from, std::string_view flags, uint32_t seq, uint32_t ack,
               std::string_view data) {
    auto owned = std::make_unique<Packet>();
    Packet& p = *owned;
    packets_.push_back(std::move(owned));
    texts_.push_back(std::make_unique<std::string>(data));
    const int me = index(from), other = 1 - me;
    p.ts = timestamp_from_ns(now_ns);
    p.number = packets_.size();
    p.ip.version = 4;
    p.ip.protocol = 6;
    p.is_tcp = p.wants_flow = true;
    p.src = IpAddress::v4(me == 0 ? 0x0a000001 : 0x0a000002);
    p.dst = IpAddress::v4(me == 0 ? 0x0a000002 : 0x0a000001);
    p.sport = me == 0 ? 40000 : 80;
    p.dport = me == 0 ? 80 : 40000;
    p.tcp.seq = isn_[me] + seq;
    for (const char f : flags) {
      p.tcp.flags |= f == 'S'   ? TcpFlags::kSyn
                     : f == 'A' ? TcpFlags::kAck
                     : f == 'F' ? TcpFlags::kFin
                     : f == 'R' ? TcpFlags::kRst
                     : f == 'P' ? TcpFlags::kPsh
                                : TcpFlags::kUrg;
    }
    if ((p.tcp.flags & TcpFlags::kAck) != 0) p.tcp.ack = isn_[other] + ack;
    p.tcp.window = window;
    p.payload = as_bytes(*texts_.back());
    return p;
  }
  Packet& feed(Packet& p) {
    flow = table.lookup(p, p.ts);
    EXPECT_NE(flow, nullptr);
    engine.process(*flow, p);
    return p;
  }
  Packet& send(Direction from, std::string_view flags, uint32_t seq, uint32_t ack,
               std::string_view data) {
    return feed(make(from, flags, seq, ack, data));
  }
  // The flow's end.
  void finish() {
    table.flush([this](flow::Flow& f, flow::FlowEndReason) {
      for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
        Packet pseudo;
        pseudo.is_pseudo = true;
        pseudo.direction = d;
        pseudo.flow = &f;
        if (engine.needs_flush(f, d)) engine.flush(f, pseudo, d);
      }
    });
    flow = nullptr;
  }
  [[nodiscard]] TcpSession& session() const {
    return *static_cast<TcpSession*>(flow->slot(flow::FlowSlot::kStream));
  }
  [[nodiscard]] std::string_view state() const { return name_of(session().state); }
  [[nodiscard]] const std::string& to_server() const { return recorder.got[0]; }
  [[nodiscard]] const std::string& to_client() const { return recorder.got[1]; }

 private:
  uint32_t isn_[2];
  std::vector<std::unique_ptr<Packet>> packets_;
  std::vector<std::unique_ptr<std::string>> texts_;

 public:
  int64_t now_ns = 1'000'000'000;
  uint16_t window = 60000;
  Recorder recorder;
  TcpEngine engine;
  flow::FlowTable table;
  flow::Flow* flow = nullptr;
};

}  // namespace vong::reassembly
