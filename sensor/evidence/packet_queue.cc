#include "sensor/evidence/packet_queue.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace vong::evidence {
namespace {

constexpr size_t kAddressesBytes = 12;  // of an Ethernet header: the tag stands behind them
constexpr size_t kTagBytes = 4;
constexpr uint8_t kTagType[2] = {0x81, 0x00};

}  // namespace

PacketQueue::PacketQueue(size_t bytes)
    : ring_(std::bit_ceil(std::max<size_t>(bytes, 2 * kMaxFrameBytes))), mask_(ring_.size() - 1) {}

void PacketQueue::write(uint64_t at, const void* from, size_t n) {
  const size_t begin = at & mask_, first = std::min(n, ring_.size() - begin);
  std::memcpy(&ring_[begin], from, first);
  if (n > first) std::memcpy(ring_.data(), static_cast<const uint8_t*>(from) + first, n - first);
}

void PacketQueue::read(uint64_t at, void* to, size_t n) const {
  const size_t begin = at & mask_, first = std::min(n, ring_.size() - begin);
  std::memcpy(to, &ring_[begin], first);
  if (n > first) std::memcpy(static_cast<uint8_t*>(to) + first, ring_.data(), n - first);
}

bool PacketQueue::put(const RawPacket& raw, std::span<const uint64_t> flows, uint32_t snap_bytes) {
  const Bytes data = raw.data.first(std::min<size_t>(
      raw.data.size(), std::min(snap_bytes, kMaxFrameBytes - static_cast<uint32_t>(kTagBytes))));
  const bool tag =
      raw.has_vlan_tci && raw.link_type == LinkType::kEthernet && data.size() >= kAddressesBytes;
  QueuedFrame frame;
  frame.time_ns = to_ns(raw.ts);
  frame.captured = static_cast<uint32_t>(data.size() + (tag ? kTagBytes : 0));
  frame.wire = raw.wire_len + static_cast<uint32_t>(tag ? kTagBytes : 0);
  frame.link_type = static_cast<uint16_t>(raw.link_type);
  frame.flow_count = static_cast<uint16_t>(std::min(flows.size(), kMaxFlowsOfFrame));
  std::copy_n(flows.begin(), frame.flow_count, frame.flows);

  uint64_t at = head_.load(std::memory_order_relaxed);
  if (at + sizeof frame + frame.captured - tail_.load(std::memory_order_acquire) > ring_.size())
    return false;
  write(at, &frame, sizeof frame);
  at += sizeof frame;
  if (tag) {
    const uint8_t bytes[kTagBytes] = {kTagType[0], kTagType[1],
                                      static_cast<uint8_t>(raw.vlan_tci >> 8),
                                      static_cast<uint8_t>(raw.vlan_tci)};
    write(at, data.data(), kAddressesBytes);
    write(at + kAddressesBytes, bytes, kTagBytes);
    write(at + kAddressesBytes + kTagBytes, data.data() + kAddressesBytes,
          data.size() - kAddressesBytes);
  } else if (!data.empty()) {
    write(at, data.data(), data.size());
  }
  head_.store(at + frame.captured, std::memory_order_release);
  return true;
}

bool PacketQueue::take(QueuedFrame& frame, std::vector<uint8_t>& bytes) {
  const uint64_t at = tail_.load(std::memory_order_relaxed);
  if (at == head_.load(std::memory_order_acquire)) return false;
  read(at, &frame, sizeof frame);
  bytes.resize(frame.captured);
  if (frame.captured > 0) read(at + sizeof frame, bytes.data(), frame.captured);
  tail_.store(at + sizeof frame + frame.captured, std::memory_order_release);
  return true;
}

}  // namespace vong::evidence
