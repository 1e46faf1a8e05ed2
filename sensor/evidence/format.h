// The packet ring on disk
// =======================
//
// A folder with pairs of files, numbered without end: ring-0000000001.pcap, ring-0000000001.idx.
// Only the newest pair grows.
//
// .pcap: a capture file with nanoseconds (magic A1B23C4D, in the machine's order), one link type.
// .idx: 16 bytes "VONGRIX1" and 8 zeros; then 24 bytes for each frame and flow, in the order of the
// frames:
//    0  8  flow id as in EVE's flow_id; 0: the frame has no flow
//    8  8  time, ns since 1970
//   16  4  offset of the frame's record header in the .pcap
//   20  4  0
// Numbers in the machine's order. Data is written before its index, so an entry always points to a
// whole frame, unless the machine died.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vong::evidence {

inline constexpr uint32_t kPcapMagic = 0xa1b23c4d;
inline constexpr uint64_t kIndexMagic = 0x31584952474e4f56;  // "VONGRIX1" little endian
inline constexpr uint32_t kMaxFrameBytes = 262144;
inline constexpr size_t kMaxFlowsOfFrame = 8;

struct PcapHeader {
  uint32_t magic = kPcapMagic;
  uint16_t major = 2, minor = 4;
  uint32_t zone = 0, accuracy = 0, snap = kMaxFrameBytes, link_type = 1;
};
struct PcapRecord {
  uint32_t seconds, nanoseconds, captured, wire;
};
struct IndexHeader {
  uint64_t magic = kIndexMagic, zero = 0;
};
struct IndexEntry {
  uint64_t flow_id;
  int64_t time_ns;
  uint32_t offset, zero = 0;
};
static_assert(sizeof(PcapHeader) == 24 && sizeof(PcapRecord) == 16 && sizeof(IndexEntry) == 24);

[[nodiscard]] std::string segment_path(const std::string& folder, uint64_t number);  // of the .pcap
[[nodiscard]] std::string index_path(const std::string& folder, uint64_t number);
// The numbers of the segments there, rising.
[[nodiscard]] std::vector<uint64_t> list_segments(const std::string& folder);

}  // namespace vong::evidence
