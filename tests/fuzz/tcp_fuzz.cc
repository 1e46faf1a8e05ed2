// Rooms: sensor_reassembly, sensor_flow. A sequence of TCP segments between two ends, made from
// bytes, through flow table and engine; checks what must hold whatever comes: offsets of one
// direction never run backwards, memory stays under its caps, nothing comes behind an end but what
// goes on after a reset.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "sensor/flow/flow_table.h"
#include "sensor/reassembly/tcp_engine.h"
#include "sensor/reassembly/tcp_session.h"

namespace {

using namespace vong;

void must(bool holds) {
  if (!holds) std::abort();
}

struct Checker : reassembly::StreamConsumer {
  explicit Checker(uint8_t style) : style_(style) {}

  struct Seen : flow::FlowState {
    uint64_t next[2] = {0, 0};
    bool ended[2] = {false, false};
    void on_swap_direction() override {
      std::swap(next[0], next[1]);
      std::swap(ended[0], ended[1]);
    }
  };
  static Seen& seen(flow::Flow& f) {
    if (f.slot(flow::FlowSlot::kAppLayer) == nullptr) {
      f.set_slot(flow::FlowSlot::kAppLayer, std::make_unique<Seen>());
    }
    return static_cast<Seen&>(*f.slot(flow::FlowSlot::kAppLayer));
  }

  static bool reset(const flow::Flow& f) {
    return static_cast<const reassembly::TcpSession*>(f.slot(flow::FlowSlot::kStream))
        ->closed_by_rst;
  }

  size_t on_data(flow::Flow& f, Packet& p, Direction d,
                 const reassembly::StreamChunk& chunk) override {
    Seen& s = seen(f);
    const int i = index(d);
    must(chunk.offset == s.next[i]);
    must(!s.ended[i] || reset(f));
    for (const uint8_t byte : chunk.data) sum_ += byte;  // every byte of the view can be read
    s.ended[i] = chunk.end;
    if (style_ == 3 && !swapped_ && !chunk.data.empty()) {
      swapped_ = true;
      flow::swap_direction(f);
      p.direction = opposite(p.direction);
      return 0;
    }
    const size_t took = style_ == 1 ? chunk.data.size() / 2 : chunk.data.size();
    s.next[i] += took;
    return took;
  }
  void on_gap(flow::Flow& f, Packet&, Direction d, uint64_t offset, uint64_t size) override {
    Seen& s = seen(f);
    must(offset >= s.next[index(d)] && size != 0);
    s.next[index(d)] = offset + size;
  }
  bool wants(const flow::Flow&, Direction) const override { return style_ != 2; }

 private:
  uint8_t style_;
  bool swapped_ = false;
  volatile uint64_t sum_ = 0;
};

struct Input {
  const uint8_t* data;
  size_t size;
  uint8_t byte() {
    if (size == 0) return 0;
    --size;
    return *data++;
  }
  uint16_t half() { return static_cast<uint16_t>(byte() << 8 | byte()); }
};

reassembly::TcpConfig config_of(uint8_t a, uint8_t b) {
  reassembly::TcpConfig c;
  c.other_readings = true;
  c.midstream = (a & 1) != 0;
  c.async_oneside = (a & 2) != 0;
  c.inline_mode = (a & 4) != 0;
  c.bypass = (a & 8) != 0;
  c.depth_bytes = (a & 16) != 0 ? 300 : 1 << 20;
  c.reassembly_memcap_bytes = (a & 32) != 0 ? 4096 : 1 << 22;
  c.raw = (a & 64) != 0;
  c.raw_history_bytes = (a & 128) != 0 ? 16 : 0;
  c.raw_chunk_bytes[0] = c.raw_chunk_bytes[1] = 20;
  c.urgent_policy = static_cast<reassembly::UrgentPolicy>(b & 3);
  c.os_policies = reassembly::OsPolicyMap();
  c.os_policies.add("any", static_cast<reassembly::OsPolicy>(
                               (b >> 2) % static_cast<int>(reassembly::OsPolicy::kCount)));
  return c;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  Input in{data, size};
  const uint8_t a = in.byte(), b = in.byte();
  const reassembly::TcpConfig config = config_of(a, b);
  Checker checker(in.byte() & 3);
  reassembly::TcpEngine engine(config, checker);
  flow::FlowTable table{flow::FlowConfig()};

  static uint8_t bytes[70000];
  uint64_t number = 0;
  int64_t now_ns = 1'000'000'000;
  const auto end_flow = [&](flow::Flow& f, flow::FlowEndReason) {
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
      Packet pseudo;
      pseudo.is_pseudo = true;
      pseudo.direction = d;
      if (engine.needs_flush(f, d)) engine.flush(f, pseudo, d);
    }
  };
  while (in.size != 0) {
    const uint8_t how = in.byte();
    const int from = how & 1;
    Packet p;
    now_ns += int64_t{in.byte()} * ((how & 2) != 0 ? 1'000'000'000 : 1'000'000);
    p.ts = timestamp_from_ns(now_ns);
    p.number = ++number;
    p.ip.version = 4;
    p.ip.protocol = 6;
    p.is_tcp = p.wants_flow = true;
    p.src = IpAddress::v4(from == 0 ? 0x0a000001 : 0x0a000002);
    p.dst = IpAddress::v4(from == 0 ? 0x0a000002 : 0x0a000001);
    p.sport = from == 0 ? 40000 : 80;
    p.dport = from == 0 ? 80 : 40000;
    p.tcp.flags = in.byte();
    // Near the start of each end's numbers, sometimes far away.
    const uint32_t isn[2] = {0xffffff00, 0x7fffffc0};
    p.tcp.seq = isn[from] + in.half() % 1024 + ((how & 4) != 0 ? uint32_t{in.half()} << 14 : 0);
    p.tcp.ack = isn[1 - from] + in.half() % 1024 + ((how & 8) != 0 ? uint32_t{in.half()} << 14 : 0);
    p.tcp.window = (how & 16) != 0 ? in.half() : 60000;
    if ((how & 32) != 0) {
      const uint8_t options = in.byte();
      p.tcp.has_wscale = (options & 1) != 0;
      p.tcp.wscale = in.byte() & 15;
      p.tcp.has_timestamps = (options & 2) != 0;
      p.tcp.ts_value = in.half();
      p.tcp.ts_echo = in.half();
      p.tcp.has_fast_open = (options & 4) != 0;
      p.tcp.has_md5 = (options & 8) != 0;
      p.tcp.urgent = in.byte();
    }
    const size_t length = (how & 64) != 0 ? in.byte() : (how & 128) != 0 ? in.half() : 0;
    const uint8_t fill = in.byte();
    for (size_t i = 0; i < length; ++i)
      bytes[i] = static_cast<uint8_t>(p.tcp.seq + i + (fill > 200 ? fill : 0));
    p.payload = Bytes(bytes, length);
    p.frame = p.payload;

    flow::Flow* f = table.lookup(p, p.ts);
    must(f != nullptr);
    engine.process(*f, p);
    if (flow::RawStream* raw = flow::raw_stream(*f)) {
      for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
        const auto w = raw->raw_window(d, (fill & 1) != 0);
        if (w.data.empty()) continue;
        uint64_t sum = 0;
        for (const uint8_t byte : w.data) sum += byte;
        must(sum != UINT64_MAX);
        must(w.offset + w.data.size() > raw->raw_inspected(d));
        if ((fill & 2) == 0) raw->raw_done(d, w.offset + w.data.size());
      }
    }
    must(engine.reassembly_memuse_bytes() <= config.reassembly_memcap_bytes);
    table.expire(p.ts, end_flow);
  }
  table.flush(end_flow);
  must(engine.reassembly_memuse_bytes() == 0);
  must(engine.sessions_alive() == 0);
  return 0;
}
