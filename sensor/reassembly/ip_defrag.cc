#include "sensor/reassembly/ip_defrag.h"

#include <algorithm>
#include <cstring>

namespace vong::reassembly {
namespace {

constexpr size_t kIpv6HeaderBytes = 40;

void store_u16(uint8_t* p, size_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}

// RFC 1071, of a header with an even number of bytes.
uint16_t header_checksum(Bytes header) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < header.size(); i += 2)
    sum += static_cast<uint32_t>(header[i] << 8 | header[i + 1]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

bool in_network(const IpAddress& address, const DefragConfig::HostTimeout& h) {
  if (address.family() != h.network.family()) return false;
  const Bytes a = address.bytes(), n = h.network.bytes();
  const size_t whole = h.bits / 8;
  if (!std::equal(n.begin(), n.begin() + static_cast<std::ptrdiff_t>(whole), a.begin()))
    return false;
  return h.bits % 8 == 0 || (a[whole] ^ n[whole]) >> (8 - h.bits % 8) == 0;
}

Duration timeout_of(const DefragConfig& config, const IpAddress& host) {
  for (const auto& h : config.host_timeouts) {
    if (in_network(host, h)) return h.timeout;
  }
  return config.timeout;
}

}  // namespace

IpDefrag::IpDefrag(DefragConfig config) : config_(std::move(config)) {}

IpDefrag::Key IpDefrag::key_of(const Packet& p) const {
  Key key;
  key.src = p.src;
  key.dst = p.dst;
  key.id = p.ip.id;
  key.protocol = p.ip.version == 4 ? p.ip.protocol : 0;
  key.tunnel_depth = p.tunnel_depth;
  if (config_.vlan_tracking) {
    for (uint8_t i = 0; i < p.vlan_count; ++i) key.vlan_id[i] = p.vlan_tci[i] & 0x0fff;
  }
  return key;
}

void IpDefrag::link_newest(uint32_t index) {
  Tracker& t = *trackers_[index];
  t.older = newest_;
  t.newer = kNone;
  if (newest_ != kNone)
    trackers_[newest_]->newer = index;
  else
    oldest_ = index;
  newest_ = index;
}

void IpDefrag::unlink(uint32_t index) {
  const Tracker& t = *trackers_[index];
  (t.older != kNone ? trackers_[t.older]->newer : oldest_) = t.newer;
  (t.newer != kNone ? trackers_[t.newer]->older : newest_) = t.older;
}

void IpDefrag::count_memory(Tracker& t) {
  size_t now = sizeof(Tracker) + t.buffer.memory_bytes() + t.header.capacity();
  if (t.log) now += t.log->bytes.capacity() + t.log->entries.capacity() * sizeof(Log::Entry);
  counters_.memory_bytes += now - t.memory_bytes;
  t.memory_bytes = now;
}

void IpDefrag::erase(uint32_t index) {
  Tracker& t = *trackers_[index];
  unlink(index);
  by_key_.erase(t.key);
  counters_.memory_bytes -= t.memory_bytes;
  counters_.fragments_held -= t.fragments;
  --counters_.trackers;
  trackers_[index].reset();
  free_.push_back(index);
}

void IpDefrag::give_up_timed_out(uint32_t index) {
  ++family(trackers_[index]->key.src).timeouts;
  erase(index);
}

void IpDefrag::expire(Timestamp now) {
  while (oldest_ != kNone && expired(*trackers_[oldest_], now)) give_up_timed_out(oldest_);
}

// The caps. False: only `keep` itself is left to be given up.
bool IpDefrag::make_room(uint32_t keep) {
  for (;;) {
    uint64_t* reason = nullptr;
    if (counters_.trackers > config_.max_trackers)
      reason = &counters_.max_trackers_reached;
    else if (counters_.fragments_held >= config_.max_fragments)
      reason = &counters_.max_frags_reached;
    else if (counters_.memory_bytes > config_.memcap_bytes)
      reason = &counters_.memcap_reached;
    if (reason == nullptr) return true;
    ++*reason;
    if (oldest_ == keep) return false;
    ++counters_.tracker_hard_reuse;
    erase(oldest_);
  }
}

void IpDefrag::restart(Tracker& t, const Packet& fragment) {
  counters_.fragments_held -= t.fragments;
  t.fragments = 0;
  t.buffer.clear();
  t.header = {};
  t.last_seen = t.ambiguous = false;
  t.log.reset();
  t.log_full = false;
  t.timeout = timeout_of(config_, fragment.dst);
  t.policy = config_.policy_of(fragment.dst);
}

uint32_t IpDefrag::find_or_create(const Packet& fragment) {
  for (int i = 0;
       i < kExpiriesPerFragment && oldest_ != kNone && expired(*trackers_[oldest_], fragment.ts);
       ++i) {
    give_up_timed_out(oldest_);
  }
  const auto [it, is_new] = by_key_.try_emplace(key_of(fragment), kNone);
  if (!is_new) {
    const uint32_t index = it->second;
    Tracker& t = *trackers_[index];
    if (expired(t, fragment.ts)) {  // a host's own, shorter time, or the list's head has not come
                                    // to it yet
      ++family(t.key.src).timeouts;
      ++counters_.tracker_soft_reuse;
      restart(t, fragment);
    }
    unlink(index);
    link_newest(index);
    t.last = fragment.ts;
    return index;
  }
  uint32_t index;
  if (free_.empty()) {
    index = static_cast<uint32_t>(trackers_.size());
    trackers_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  it->second = index;
  trackers_[index] = std::make_unique<Tracker>();
  Tracker& t = *trackers_[index];
  t.key = it->first;
  t.last = fragment.ts;
  restart(t, fragment);
  ++counters_.trackers;
  link_newest(index);
  count_memory(t);
  return index;
}

void IpDefrag::remember_header(Tracker& t, const Packet& fragment, const Ipv6Parts* parts) {
  const Bytes header =
      parts == nullptr ? fragment.ip_header : fragment.ip_header.first(kIpv6HeaderBytes);
  t.header.assign(header.begin(), header.end());
  if (parts == nullptr) return;
  t.header.insert(t.header.end(), parts->unfragmentable.begin(), parts->unfragmentable.end());
  t.next_header = parts->next_header;
  t.next_header_offset = parts->next_header_offset;
}

uint32_t IpDefrag::add(Packet& p, const Ipv6Parts* parts) {
  const bool v4 = parts == nullptr;
  ++family(p.src).fragments;
  const uint32_t begin = p.ip.fragment_offset_bytes;
  if (begin + p.ip_payload.size() > kMaxDatagramBytes) {
    ++counters_.too_large;
    p.events.set(v4 ? PacketEvent::kIpv4FragPktTooLarge : PacketEvent::kIpv6FragPktTooLarge);
    return kNone;
  }
  if (!v4 && p.ip.more_fragments &&
      p.ip_payload.size() % 8 != 0) {  // RFC 8200 4.5: such a fragment is discarded
    p.events.set(PacketEvent::kIpv6FragInvalidLength);
    return kNone;
  }
  const uint32_t index = find_or_create(p);
  Tracker& t = *trackers_[index];
  const auto ignore = [&] {
    ++counters_.ignored;
    p.events.set(v4 ? PacketEvent::kIpv4FragIgnored : PacketEvent::kIpv6FragIgnored);
    return kNone;
  };
  if (!make_room(index)) {
    erase(index);
    return ignore();
  }
  if (config_.other_readings) log_fragment(t, begin, p.ip_payload);
  const auto outcome = t.buffer.insert(t.policy, begin, p.ip_payload);
  if (!outcome.accepted) return ignore();
  ++t.fragments;
  ++counters_.fragments_held;
  if (outcome.overlap) {
    ++counters_.overlaps;
    p.events.set(v4 ? PacketEvent::kIpv4FragOverlap : PacketEvent::kIpv6FragOverlap);
  }
  if (outcome.conflict) {
    if (!t.ambiguous) ++counters_.ambiguous;
    t.ambiguous = true;
    p.ambiguous = true;
  }
  if (outcome.owns_start || (begin == 0 && t.header.empty())) remember_header(t, p, parts);
  if (!p.ip.more_fragments) t.last_seen = true;
  count_memory(t);
  return t.last_seen && !t.buffer.has_gap() && !t.header.empty() ? index : kNone;
}

Defragmenter::Datagram IpDefrag::add_ipv4(Packet& fragment) {
  const uint32_t index = add(fragment, nullptr);
  return index == kNone ? Datagram() : finish(index, fragment);
}

Defragmenter::Datagram IpDefrag::add_ipv6(Packet& fragment, const Ipv6Parts& parts) {
  const uint32_t index = add(fragment, &parts);
  return index == kNone ? Datagram() : finish(index, fragment);
}

Defragmenter::Datagram IpDefrag::finish(uint32_t index, Packet& fragment) {
  Tracker& t = *trackers_[index];
  const bool v4 = t.key.src.is_v4();
  // IPv4 counts the header in its length, IPv6 all but the fixed header.
  const size_t length = t.header.size() + t.buffer.end() - (v4 ? 0 : kIpv6HeaderBytes);
  if (length > kMaxDatagramBytes) {
    ++counters_.too_large;
    fragment.events.set(v4 ? PacketEvent::kIpv4FragPktTooLarge : PacketEvent::kIpv6FragPktTooLarge);
    erase(index);
    return {};
  }
  Bytes prefix(fragment.frame.data(), fragment.ip_header.data());
  if (prefix.size() > kMaxLinkPrefixBytes) prefix = {};

  auto& out = new_result();
  out.resize(prefix.size() + t.header.size() + t.buffer.end());
  uint8_t* ip = out.data() + prefix.size();
  if (!prefix.empty()) std::memcpy(out.data(), prefix.data(), prefix.size());
  std::memcpy(ip, t.header.data(), t.header.size());
  t.buffer.copy_to(ip + t.header.size());
  if (v4) {
    store_u16(ip + 2, length);
    store_u16(ip + 6, 0);
    store_u16(ip + 10, 0);
    store_u16(ip + 10, header_checksum({ip, t.header.size()}));
  } else {
    store_u16(ip + 4, length);
    ip[t.next_header_offset] = t.next_header;
  }
  ++family(t.key.src).reassembled;
  others_.clear();
  const Bytes frame = out;
  if (t.ambiguous && config_.other_readings) read_otherwise(t, frame, prefix.size() + t.header.size(), fragment.ts);
  const Datagram datagram{frame, prefix.size(), t.ambiguous, others_};
  erase(index);
  return datagram;
}

std::vector<uint8_t>& IpDefrag::new_result() {
  if (results_used_ == results_.size()) results_.emplace_back();
  return results_[results_used_++];
}

// --- how other policies read it

bool IpDefrag::Log::add(uint32_t begin, Bytes data) {
  if (entries.size() >= kMaxLoggedFragments || bytes.size() + data.size() > kMaxLoggedBytes) return false;
  entries.push_back({begin, static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(data.size())});
  bytes.insert(bytes.end(), data.begin(), data.end());
  return true;
}

// Up to the first overlap all policies hold the same, fragment by fragment.
void IpDefrag::log_fragment(Tracker& t, uint32_t begin, Bytes data) {
  if (t.log_full) return;
  bool fits = true;
  if (!t.log) {
    if (!t.buffer.overlaps(begin, begin + static_cast<uint32_t>(data.size()))) return;
    t.log = std::make_unique<Log>();
    t.buffer.each_piece([&](uint32_t at, Bytes piece) { fits = fits && t.log->add(at, piece); });
  }
  if (fits && t.log->add(begin, data)) return;
  ++counters_.readings_given_up;
  t.log.reset();
  t.log_full = true;
}

// `frame`: the receiver's own reading, whose headers the others get.
void IpDefrag::read_otherwise(const Tracker& t, Bytes frame, size_t payload_at, Timestamp now) {
  if (!t.log) return;
  const int64_t second = to_ns(now) / 1'000'000'000;
  if (second != read_second_) {
    read_second_ = second;
    read_in_second_ = 0;
  }
  if (++read_in_second_ > kMaxReadDatagramsPerSecond) {
    ++counters_.readings_given_up;
    return;
  }
  std::vector<uint8_t> payload;
  for (int i = 0; i < kDefragPolicies; ++i) {
    const auto policy = static_cast<DefragPolicy>(i);
    if (policy == t.policy) continue;
    FragmentBuffer buffer;
    for (const Log::Entry& e : t.log->entries)
      (void)buffer.insert(policy, e.begin, Bytes(t.log->bytes).subspan(e.at, e.size));
    if (buffer.has_gap() || payload_at + buffer.end() != frame.size()) continue;
    payload.resize(buffer.end());
    buffer.copy_to(payload.data());
    const auto same = [&](Bytes other) { return std::equal(payload.begin(), payload.end(), other.begin() + static_cast<std::ptrdiff_t>(payload_at)); };
    if (same(frame)) continue;
    const auto known = std::find_if(others_.begin(), others_.end(), [&](const OtherReading& o) { return same(o.frame); });
    if (known != others_.end()) {
      known->policies |= static_cast<uint8_t>(1u << i);
      continue;
    }
    auto& out = new_result();
    out.assign(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(payload_at));
    out.insert(out.end(), payload.begin(), payload.end());
    others_.push_back({out, static_cast<uint8_t>(1u << i)});
    ++counters_.other_readings;
  }
}

}  // namespace vong::reassembly
