#include "sensor/flow/flow_table.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <iterator>

#include "sensor/flow/raw_stream.h"

namespace vong::flow {
namespace {

constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58, kSctp = 132;

uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t endpoint(const IpAddress& address, uint16_t port, uint64_t seed) {
  const uint8_t* bytes = address.bytes().data();
  if (address.is_v4()) {
    uint32_t v4;
    std::memcpy(&v4, bytes, 4);
    return mix(seed ^ v4, 0xa0761d6478bd642f ^ (uint64_t{port} << 32));
  }
  uint64_t half[2];
  std::memcpy(half, bytes, sizeof half);
  return mix(half[0] ^ seed, half[1] ^ 0xe7037ed1a0b428db) ^ mix(seed + port, 0x8ebc6af09c88c6e3);
}

TimeoutClass timeout_class(uint8_t protocol) {
  switch (protocol) {
    case kTcp:
      return TimeoutClass::kTcp;
    case kUdp:
      return TimeoutClass::kUdp;
    case kIcmp:
    case kIcmp6:
      return TimeoutClass::kIcmp;
    default:
      return TimeoutClass::kDefault;
  }
}

// The ICMP type that answers this one (RFC 792, 950, 4443, 4861), 0 where there is none. Exchanges
// are one flow.
uint8_t icmp_counterpart(uint8_t protocol, uint8_t type) {
  if (protocol == kIcmp) {
    switch (type) {
      case 0:
        return 8;
      case 8:
        return 0;
      case 13:
        return 14;
      case 14:
        return 13;
      case 15:
        return 16;
      case 16:
        return 15;
      case 17:
        return 18;
      case 18:
        return 17;
      default:
        return 0;
    }
  }
  switch (type) {
    case 128:
      return 129;
    case 129:
      return 128;
    case 130:
      return 131;
    case 131:
      return 130;
    case 133:
      return 134;
    case 134:
      return 133;
    case 135:
      return 136;
    case 136:
      return 135;
    case 139:
      return 140;
    case 140:
      return 139;
    case 144:
      return 145;
    case 145:
      return 144;
    default:
      return 0;
  }
}

bool same_ends(const FlowKey& a, const FlowKey& b) {
  return a.src == b.src && a.dst == b.dst && a.sport == b.sport && a.dport == b.dport;
}

bool crossed_ends(const FlowKey& a, const FlowKey& b) {
  return a.src == b.dst && a.dst == b.src && a.sport == b.dport && a.dport == b.sport;
}

bool same_domain(const FlowKey& a, const FlowKey& b, bool by_vlan) {
  return a.protocol == b.protocol && a.spi == b.spi && a.tunnel_depth == b.tunnel_depth &&
         (!by_vlan || a.vlan_id == b.vlan_id);
}

// Types only: an echo with an odd code is answered with code 0 and still is the same exchange.
bool icmp_matches(const Flow& f, const Packet& p, bool same_direction) {
  const uint8_t response = icmp_counterpart(f.key.protocol, p.icmp.type);
  if (same_direction) return f.icmp_type == p.icmp.type && f.icmp_response_type == response;
  return f.icmp_response_type == p.icmp.type && f.icmp_type == response;
}

// ICMPv4 errors speak of other flows and are none of their own.
bool is_icmp_error(const Packet& p) {
  if (!p.is_icmp4) return false;
  switch (p.icmp.type) {
    case 3:   // destination unreachable
    case 4:   // source quench
    case 5:   // redirect
    case 11:  // time exceeded
    case 12:  // parameter problem
      return true;
    default:
      return false;
  }
}

bool matches(const Flow& f, const FlowKey& key, const Packet& p, bool by_vlan) {
  if (!same_domain(f.key, key, by_vlan)) return false;
  const bool is_icmp = key.protocol == kIcmp || key.protocol == kIcmp6;
  if (same_ends(f.key, key) && (!is_icmp || icmp_matches(f, p, true))) return true;
  return crossed_ends(f.key, key) && (!is_icmp || icmp_matches(f, p, false));
}

void prefetch(const void* p, size_t bytes) {
  constexpr size_t kLine = 64;
  const auto* at = static_cast<const char*>(p);
  for (size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(at + i);
}

int64_t second_of(Timestamp t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

}  // namespace

struct FlowTable::Chunk {
  std::array<Flow, kChunk> flows;
};

FlowTable::FlowTable(const FlowConfig& config)
    : config_(config),
      max_flows_(config.max_flows()),
      index_(1024, Entry{0, kNoFlow}),
      wheel_(kWheelSlots, kNoFlow),
      wheel_last_(kWheelSlots, kNoFlow) {}

FlowTable::~FlowTable() = default;

Flow& FlowTable::at(uint32_t i) const { return chunks_[i / kChunk]->flows[i % kChunk]; }

uint64_t FlowTable::memuse_bytes() const {
  return chunks_.size() * sizeof(Chunk) + index_.size() * sizeof(Entry) +
         2 * kWheelSlots * sizeof(uint32_t);
}

FlowKey FlowTable::key_of(const Packet& p) const {
  FlowKey key;
  key.src = p.src;
  key.dst = p.dst;
  if (p.is_tcp || p.is_udp || p.is_sctp) {
    key.sport = p.sport;
    key.dport = p.dport;
  }
  if (p.is_esp) key.spi = p.esp_spi;
  key.protocol = p.ip.protocol;
  if (config_.recursion_for_tracking) key.tunnel_depth = p.tunnel_depth;
  // Kept for the flow's records even where it does not tell flows apart.
  for (int i = 0; i < p.vlan_count && i < kMaxVlanTags; ++i) {
    key.vlan_id[static_cast<size_t>(i)] = p.vlan_tci[static_cast<size_t>(i)] & 0x0fff;
  }
  return key;
}

uint32_t FlowTable::hash_of(const FlowKey& key) const {
  const uint64_t a = endpoint(key.src, key.sport, config_.seed);
  const uint64_t b = endpoint(key.dst, key.dport, config_.seed);
  uint64_t rest = uint64_t{key.protocol} << 56 | uint64_t{key.tunnel_depth} << 48;
  if (config_.vlan_for_tracking)
    rest |= uint64_t{key.vlan_id[0]} << 32 | uint64_t{key.vlan_id[1]} << 16 | key.vlan_id[2];
  const uint64_t h = mix(a + b, 0x589965cc75374cc3 ^ rest) ^ mix(a ^ b, config_.seed);
  return static_cast<uint32_t>(h ^ h >> 32);
}

// One flow a packet and tunnel depth at most: packet number and depth name it, in any run and with
// any number of workers. The multiplication (odd, modulo 2^53) keeps them apart and lets ids of
// neighbours look different.
uint64_t FlowTable::id_for(const Packet& p) const {
  constexpr uint64_t kMask = (uint64_t{1} << 53) - 1;
  const uint64_t number = p.number != 0 ? p.number : (uint64_t{1} << 48) + made_;
  uint64_t id = (number << 3 | std::min<uint64_t>(p.tunnel_depth, 7)) & kMask;
  id = (id * (config_.seed | 1)) & kMask;
  id ^= id >> 27;
  return (id * 0x9e3779b97f4a7) & kMask;
}

void FlowTable::index_insert(uint32_t hash, uint32_t flow) {
  const size_t mask = index_.size() - 1;
  size_t i = hash & mask;
  while (index_[i].flow != kNoFlow) i = (i + 1) & mask;
  index_[i] = {hash, flow};
}

void FlowTable::index_erase(const Flow& f) {
  const size_t mask = index_.size() - 1;
  size_t hole = f.hash & mask;
  while (index_[hole].flow != f.links.self) hole = (hole + 1) & mask;
  // Entries behind the hole move up unless they already stand at or after their own place.
  for (size_t i = (hole + 1) & mask; index_[i].flow != kNoFlow; i = (i + 1) & mask) {
    const size_t home = index_[i].hash & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      index_[hole] = index_[i];
      hole = i;
    }
  }
  index_[hole].flow = kNoFlow;
  --size_;
}

void FlowTable::grow() {
  std::vector<Entry> old(index_.size() * 2, Entry{0, kNoFlow});
  old.swap(index_);
  for (const Entry& e : old) {
    if (e.flow != kNoFlow) index_insert(e.hash, e.flow);
  }
}

Flow* FlowTable::find(const FlowKey& key, const Packet& p, uint32_t hash) const {
  const size_t mask = index_.size() - 1;
  for (size_t i = hash & mask; index_[i].flow != kNoFlow; i = (i + 1) & mask) {
    if (index_[i].hash != hash) continue;
    Flow& f = at(index_[i].flow);
    if (matches(f, key, p, config_.vlan_for_tracking)) return &f;
  }
  return nullptr;
}

uint32_t FlowTable::expect(const IpAddress& src, const IpAddress& dst, uint16_t sport, uint16_t dport, uint8_t protocol) const {
  FlowKey key;
  key.src = src;
  key.dst = dst;
  key.sport = sport;
  key.dport = dport;
  key.protocol = protocol;
  const uint32_t hash = hash_of(key);
  __builtin_prefetch(&index_[hash & (index_.size() - 1)]);
  return hash;
}

const Flow* FlowTable::expect_flow(uint32_t hash) const {
  const size_t mask = index_.size() - 1;
  for (size_t i = hash & mask; index_[i].flow != kNoFlow; i = (i + 1) & mask) {
    if (index_[i].hash != hash) continue;
    const Flow& f = at(index_[i].flow);
    prefetch(&f, sizeof f);
    return &f;
  }
  return nullptr;
}

void FlowTable::expect_state(const Flow& f) {
  constexpr size_t kStateBytes[] = {576, 128, 64, 64};   // by FlowSlot: how much of it is touched
  static_assert(std::size(kStateBytes) == static_cast<size_t>(FlowSlot::kCount));
  for (size_t i = 0; i < std::size(kStateBytes); ++i) {
    if (f.slots[i] != nullptr) prefetch(f.slots[i].get(), kStateBytes[i]);
  }
}

// The flow that an ICMPv4 destination unreachable message speaks of.
Flow* FlowTable::find_embedded(Packet& p) const {
  FlowKey key = key_of(p);
  key.src = p.icmp.embedded_src;
  key.dst = p.icmp.embedded_dst;
  key.protocol = p.icmp.embedded_protocol;
  const bool has_ports = key.protocol == kTcp || key.protocol == kUdp || key.protocol == kSctp;
  if (!has_ports) return nullptr;
  key.sport = p.icmp.embedded_sport;
  key.dport = p.icmp.embedded_dport;
  return find(key, p, hash_of(key));
}

uint32_t FlowTable::allocate(Timestamp now) {
  if (size_ + ended_.size() >= max_flows_ && !evict_some(now)) {
    ++counters_.memcap;
    return kNoFlow;
  }
  if (!free_.empty()) {
    const uint32_t i = free_.back();
    free_.pop_back();
    return i;
  }
  if (used_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique<Chunk>());
  return used_++;
}

void FlowTable::free_flow(uint32_t i) {
  at(i) = Flow();
  free_.push_back(i);
}

Flow* FlowTable::create(Packet& p, const FlowKey& key, uint32_t hash, Timestamp now) {
  const uint32_t i = allocate(now);
  if (i == kNoFlow) return nullptr;
  Flow& f = at(i);
  f.key = key;
  f.hash = hash;
  f.id = id_for(p);
  ++made_;
  f.start = f.last = now;
  f.interface = p.interface;
  f.first_packet_number = p.number;
  f.emergency = emergency_;
  f.links.self = i;
  f.links.timeout_class = static_cast<uint8_t>(timeout_class(key.protocol));
  if (p.is_icmp4 || p.is_icmp6) {
    f.icmp_type = p.icmp.type;
    f.icmp_code = p.icmp.code;
    f.icmp_response_type = icmp_counterpart(key.protocol, p.icmp.type);
  }
  if ((size_ + 1) * 2 > index_.size()) grow();
  index_insert(hash, i);
  ++size_;
  schedule(f);
  ++counters_.total;
  counters_.tcp += p.is_tcp;
  counters_.udp += p.is_udp;
  counters_.icmpv4 += p.is_icmp4;
  counters_.icmpv6 += p.is_icmp6;
  return &f;
}

const Flow* FlowTable::peek(const Packet& p) const {
  if (!p.wants_flow || is_icmp_error(p)) return nullptr;
  const FlowKey key = key_of(p);
  return find(key, p, hash_of(key));
}

Flow* FlowTable::lookup(Packet& p, Timestamp now) {
  settle();
  p.flow = nullptr;
  if (!p.wants_flow) return nullptr;
  now_ = std::max(now_, now);
  Flow* f = nullptr;
  FlowKey key = key_of(p);
  const uint32_t hash = hash_of(key);
  if (is_icmp_error(p)) {
    constexpr uint8_t kDestinationUnreachable = 3;
    if (p.icmp.type != kDestinationUnreachable || !p.icmp.has_embedded) return nullptr;
    f = find_embedded(p);
    if (f == nullptr) return nullptr;
  } else {
    f = find(key, p, hash);
  }
  if (f != nullptr && deadline(*f, emergency_) < now) {
    put_aside(*f, FlowEndReason::kTimeout);
    f = nullptr;
  }
  if (f != nullptr && p.is_tcp && (p.tcp.flags & TcpFlags::kSyn) != 0) {
    const RawStream* stream = raw_stream(*f);
    if (stream != nullptr && stream->gives_way_to(p, direction_of(*f, p))) {
      ++counters_.tcp_reuse;
      put_aside(*f, FlowEndReason::kTcpReuse);
      f = nullptr;
    }
  }
  if (f == nullptr) f = create(p, key, hash, now);
  if (f == nullptr) return nullptr;
  touched_ = f->links.self;
  count_packet(*f, p, now);
  return f;
}

void FlowTable::count_packet(Flow& f, Packet& p, Timestamp now) {
  const bool of_other_protocol = p.ip.protocol != f.key.protocol;  // an ICMP error about this flow
  p.flow = &f;
  p.direction = of_other_protocol
                    ? (p.src == f.key.src ? Direction::kToServer : Direction::kToClient)
                    : direction_of(f, p);
  const int d = index(p.direction);
  f.last = std::max(f.last, now);
  ++f.counters[d].packets;
  f.counters[d].bytes += p.frame.size();
  if (f.phase == FlowPhase::kBypassed) {
    p.no_payload_inspection = true;
    ++counters_.bypassed_packets;
    counters_.bypassed_bytes += p.frame.size();
  }
  f.min_ttl[d] = std::min(f.min_ttl[d], p.ip.ttl);
  f.max_ttl[d] = std::max(f.max_ttl[d], p.ip.ttl);
  // An error about the flow is no answer.
  if (!of_other_protocol) {
    (p.direction == Direction::kToServer ? f.to_server_seen : f.to_client_seen) = true;
  }
  if (f.phase == FlowPhase::kNew && f.key.protocol != kTcp && f.to_server_seen &&
      f.to_client_seen) {
    f.phase = FlowPhase::kEstablished;
  }
  p.flow_established = f.phase == FlowPhase::kEstablished;
  if (f.key.protocol == kTcp && !p.flow_established) {
    const RawStream* stream = raw_stream(f);
    p.flow_established = stream != nullptr && stream->established();
  }
}

// --- time

Timestamp FlowTable::deadline(const Flow& f, bool emergency) const {
  const TimeoutTable& table = emergency ? config_.emergency_timeouts : config_.timeouts;
  return f.last + table[f.links.timeout_class][static_cast<size_t>(f.phase)];
}

void FlowTable::schedule(Flow& f) {
  const int64_t now = wheel_started_ ? wheel_second_ : second_of(now_);
  if (!wheel_started_) {
    wheel_started_ = true;
    wheel_second_ = now;
  }
  const int64_t at_second = second_of(deadline(f, false)) + 1;
  const int64_t delay = std::clamp<int64_t>(at_second - wheel_second_, 0, kWheelSlots - 1);
  const auto slot = static_cast<uint32_t>((wheel_second_ + delay) & (kWheelSlots - 1));
  f.links.scheduled_phase = f.phase;
  f.links.wheel_slot = slot;
  f.links.next = kNoFlow;
  f.links.previous = wheel_last_[slot];
  (wheel_last_[slot] == kNoFlow ? wheel_[slot] : at(wheel_last_[slot]).links.next) = f.links.self;
  wheel_last_[slot] = f.links.self;
}

void FlowTable::unschedule(Flow& f) {
  const uint32_t slot = f.links.wheel_slot;
  (f.links.previous == kNoFlow ? wheel_[slot] : at(f.links.previous).links.next) = f.links.next;
  (f.links.next == kNoFlow ? wheel_last_[slot] : at(f.links.next).links.previous) =
      f.links.previous;
  f.links.wheel_slot = kNoFlow;
}

// A flow that is touched stays in its slot, which is too early for it by then, and is put in anew
// when the slot comes up: one move a timeout instead of one a packet. Only a change of phase, which
// may shorten the timeout, moves it at once.
void FlowTable::settle() {
  if (touched_ == kNoFlow) return;
  Flow& f = at(touched_);
  touched_ = kNoFlow;
  if (f.phase == f.links.scheduled_phase) return;
  unschedule(f);
  schedule(f);
}

void FlowTable::put_aside(Flow& f, FlowEndReason reason) {
  unschedule(f);
  index_erase(f);
  ended_.push_back({f.links.self, reason});
}

size_t FlowTable::finish(Flow& f, FlowEndReason reason, EndFn on_end) {
  ++counters_.ended_in[static_cast<size_t>(f.phase)];
  on_end(f, reason);
  free_flow(f.links.self);
  return 1;
}

size_t FlowTable::finish_ended(EndFn on_end) {
  for (size_t i = 0; i < ended_.size(); ++i) {
    const Ended e = ended_[i];
    finish(at(e.flow), e.reason, on_end);
  }
  const size_t n = ended_.size();
  ended_.clear();
  return n;
}

size_t FlowTable::expire(Timestamp now, EndFn on_end) {
  size_t n = ended_.empty() ? 0 : finish_ended(on_end);
  now_ = std::max(now_, now);
  const int64_t until = second_of(now_);
  if (!wheel_started_ || wheel_second_ > until) return n;
  settle();
  // A jump of more than a turn looks at each slot once.
  wheel_second_ = std::max(wheel_second_, until - static_cast<int64_t>(kWheelSlots) + 1);
  while (wheel_second_ <= until) {
    const auto slot = static_cast<uint32_t>(wheel_second_ & (kWheelSlots - 1));
    uint32_t i = wheel_[slot];
    wheel_[slot] = wheel_last_[slot] = kNoFlow;
    ++wheel_second_;
    while (i != kNoFlow) {
      Flow& f = at(i);
      i = f.links.next;
      f.links.wheel_slot = kNoFlow;
      if (deadline(f, false) < now_) {
        index_erase(f);
        n += finish(f, FlowEndReason::kTimeout, on_end);
      } else {
        schedule(f);
      }
    }
  }
  if (emergency_ && (max_flows_ - std::min(size_, max_flows_)) * 100 >=
                        max_flows_ * config_.emergency_recovery_percent) {
    emergency_ = false;
    ++counters_.emergency_over;
  }
  return n;
}

// The table is full: from now on the shorter timeouts count. Looks at the next few flows in turn
// and puts aside those past them; a new flow finds no place when none is, so flows that are alive
// are never given up for new ones.
bool FlowTable::evict_some(Timestamp now) {
  if (!emergency_) {
    emergency_ = true;
    ++counters_.emergency_entered;
  }
  bool found = false;
  for (size_t n = 0; n < kEvictionScan && used_ != 0; ++n) {
    evict_hand_ = evict_hand_ + 1 < used_ ? evict_hand_ + 1 : 0;
    Flow& f = at(evict_hand_);
    if (f.links.wheel_slot == kNoFlow || deadline(f, true) >= now) continue;
    put_aside(f, FlowEndReason::kForced);
    ++counters_.evicted;
    found = true;
  }
  // Room comes when expire has told of the ends; until then a few flows stand above the cap.
  return found && ended_.size() < 2 * kEvictionScan;
}

size_t FlowTable::flush(EndFn on_end, FlowEndReason reason) {
  settle();
  size_t n = finish_ended(on_end);
  std::vector<uint32_t> order;
  order.reserve(size_);
  for (uint32_t i = 0; i < used_; ++i) {
    if (at(i).links.wheel_slot != kNoFlow) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) {
    const Flow &x = at(a), &y = at(b);
    if (x.first_packet_number != y.first_packet_number)
      return x.first_packet_number < y.first_packet_number;
    if (x.start != y.start) return x.start < y.start;
    return x.id < y.id;
  });
  constexpr size_t kFlowAhead = 8, kStateAhead = 4;   // what comes is brought into the cache
  for (size_t k = 0; k < order.size(); ++k) {
    if (k + kFlowAhead < order.size()) prefetch(&at(order[k + kFlowAhead]), sizeof(Flow));
    if (k + kStateAhead < order.size()) expect_state(at(order[k + kStateAhead]));
    Flow& f = at(order[k]);
    unschedule(f);
    index_erase(f);
    n += finish(f, reason, on_end);
  }
  return n;
}

}  // namespace vong::flow
