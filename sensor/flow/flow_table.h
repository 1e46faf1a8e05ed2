// The flow table of one worker: finds or makes the flow of each packet, and ends flows when packet
// time has passed their timeout.
//
// Order and time: everything goes by packet time, never by the clock, and nothing depends on
// addresses in memory: the same packets give the same flows, ids and order of ends in every run.
// Timeouts are exact at lookup (a packet after its flow's deadline opens a new flow); flows that
// nobody asks for end within two seconds of their deadline.
//
//   Flow* f = table.lookup(p, p.ts);        // null: not a flow's packet, or the table is full
//   (counted)
//   ... reassembly, applayer, detect, emit ...
//   table.expire(p.ts, on_end);             // flows whose time has come; also those that lookup
//   put aside table.flush(on_end);                    // end of the run, in the order in which
//   flows began
//
// A Flow* stays valid until on_end has returned for it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "sensor/flow/flow.h"
#include "sensor/flow/flow_config.h"
#include "sensor/flow/limits.h"

namespace vong::flow {

struct FlowCounters {
  uint64_t total = 0, tcp = 0, udp = 0, icmpv4 = 0, icmpv6 = 0;  // flows made
  uint64_t tcp_reuse = 0;
  uint64_t memcap = 0;   // packets left without a flow: table full and nothing to evict
  uint64_t evicted = 0;  // ended early in emergency mode
  uint64_t emergency_entered = 0, emergency_over = 0;
  uint64_t bypassed_packets = 0, bypassed_bytes = 0;  // EVE's flow_bypassed.local_*
  uint64_t ended_in[kFlowPhases] = {};                // by phase at the end
};

class FlowTable {
 public:
  using EndFn = absl::FunctionRef<void(Flow&, FlowEndReason)>;

  explicit FlowTable(const FlowConfig& config);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // The packet's flow, made when there is none; sets p.flow, p.direction, p.flow_established and
  // counts the packet. Null when decode says that it belongs to no flow (wants_flow), and at the
  // memcap.
  Flow* lookup(Packet& p, Timestamp now);

  // The packet's flow as it stands, for looking only: nothing is made, counted or ended; null when there is none.
  [[nodiscard]] const Flow* peek(const Packet& p) const;

  // For packets that come soon: brings into the cache what their lookup will touch, in steps that each need the one before to have arrived. No
  // effect besides. `expect` takes the ends of a TCP or UDP packet without VLAN tags and tunnels and gives its hash; `expect_flow` gives the flow
  // that probably is the packet's, null when none is known.
  [[nodiscard]] uint32_t expect(const IpAddress& src, const IpAddress& dst, uint16_t sport, uint16_t dport, uint8_t protocol) const;
  [[nodiscard]] const Flow* expect_flow(uint32_t hash) const;
  static void expect_state(const Flow& f);

  // Ends flows that lookup put aside (timeout, TCP reuse, eviction) and all whose deadline is
  // before `now`. Returns how many ended.
  size_t expire(Timestamp now, EndFn on_end);
  // Ends all flows, oldest first.
  size_t flush(EndFn on_end, FlowEndReason reason = FlowEndReason::kShutdown);

  [[nodiscard]] const FlowCounters& counters() const { return counters_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool emergency() const { return emergency_; }
  [[nodiscard]] uint64_t memuse_bytes() const;

 private:
  struct Entry {
    uint32_t hash;
    uint32_t flow;  // index, or kNoFlow
  };
  struct Ended {
    uint32_t flow;
    FlowEndReason reason;
  };
  static constexpr uint32_t kChunk = 1024;
  struct Chunk;

  [[nodiscard]] Flow& at(uint32_t i) const;
  [[nodiscard]] uint32_t allocate(Timestamp now);
  void free_flow(uint32_t i);
  void index_insert(uint32_t hash, uint32_t flow);
  void index_erase(const Flow& f);
  void grow();
  [[nodiscard]] Flow* find(const FlowKey& key, const Packet& p, uint32_t hash) const;
  Flow* find_embedded(Packet& p) const;
  Flow* create(Packet& p, const FlowKey& key, uint32_t hash, Timestamp now);
  void count_packet(Flow& f, Packet& p, Timestamp now);
  [[nodiscard]] uint32_t hash_of(const FlowKey& key) const;
  [[nodiscard]] FlowKey key_of(const Packet& p) const;
  [[nodiscard]] uint64_t id_for(const Packet& p) const;

  [[nodiscard]] Timestamp deadline(const Flow& f, bool emergency) const;
  void schedule(Flow& f);
  void unschedule(Flow& f);
  void settle();
  void put_aside(Flow& f, FlowEndReason reason);
  size_t finish(Flow& f, FlowEndReason reason, EndFn on_end);
  size_t finish_ended(EndFn on_end);
  bool evict_some(Timestamp now);

  const FlowConfig config_;
  const size_t max_flows_;
  FlowCounters counters_;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<uint32_t> free_;
  uint32_t used_ = 0;         // flows ever handed out of chunks_
  std::vector<Entry> index_;  // open addressing, linear probing, power of two
  size_t size_ = 0;           // flows in the index
  uint64_t made_ = 0;

  std::vector<uint32_t> wheel_;  // first flow of each slot
  std::vector<uint32_t> wheel_last_;
  int64_t wheel_second_ = 0;  // next second to be looked at
  bool wheel_started_ = false;
  Timestamp now_;  // highest packet time so far

  std::vector<Ended> ended_;    // out of the index, end not told yet
  uint32_t touched_ = kNoFlow;  // flow of the packet in work: its phase may have changed since
  bool emergency_ = false;
  uint32_t evict_hand_ = 0;
};

}  // namespace vong::flow
