// A flow's frames out of a packet ring, also while it is being written.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/packet/types.h"

namespace vong::evidence {

// What reading a frame's headers tells; the caller does it.
struct FrameReading {
  std::vector<std::string> community_ids;  // of all its packets
  std::vector<std::string> fragments;      // names of the datagrams that it is a fragment of
};
using ReadFrame = std::function<FrameReading(const RawPacket&)>;

struct Query {
  uint64_t flow_id = 0;      // or
  std::string community_id;  // of all flows with it
  int64_t from_ns = std::numeric_limits<int64_t>::min(),
          to_ns = std::numeric_limits<int64_t>::max();
};

struct Extracted {
  uint64_t frames = 0, segments = 0, damaged_segments = 0;
  std::set<uint64_t> flows;
};

// Writes the flow's frames to `path` ("-": standard output) as a pcap file with nanoseconds, in
// order of time; fragments of its datagrams too. An error when the folder or the file cannot be
// used, or frames of several link types belong to it.
[[nodiscard]] Result<Extracted> extract(const std::string& folder, const Query& query,
                                        const ReadFrame& read, const std::string& path);

}  // namespace vong::evidence
