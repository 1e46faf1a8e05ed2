// Which protocol do these bytes speak? Patterns first, then probes (those whose ports fit, then the
// port-free ones). Immutable after construction, shared by workers; what is known of a flow so far
// stands in DetectionState.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/settings.h"
#include "sensor/applayer/core/driver.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::applayer {

class Detector {
 public:
  struct Verdict {
    AppProto proto = AppProto::kUnknown;
    bool reversed = false;  // these bytes are of the other direction than the flow says
  };

  Detector(const Settings& settings, std::span<const ProtocolDef* const> protocols);

  // `data`: the direction's bytes from its first one on. With `end` nothing more will come.
  // `may_reverse`: patterns of the other direction are tried too (midstream, UDP).
  [[nodiscard]] Verdict detect(bool tcp, Direction d, Bytes data, bool end, uint16_t sport,
                               uint16_t dport, bool may_reverse, DetectionState& state) const;
  // A new attempt on probes that had all refused: the other direction has found its protocol.
  [[nodiscard]] size_t pattern_depth(bool tcp, Direction d) const {
    return sets_[tcp][index(d)].depth;
  }

 private:
  struct Pattern {
    AppProto proto;
    ProbePattern pattern;
  };
  struct Probe {
    AppProto proto;
    ProbeFn fn;
    std::vector<uint16_t> ports;  // empty: any
    uint16_t min_bytes;
  };
  struct PatternSet {
    std::vector<Pattern> patterns;
    size_t depth = 0;  // bytes after which no pattern can match any more
  };

  [[nodiscard]] static AppProto match_patterns(const PatternSet& set, Bytes data);
  [[nodiscard]] Verdict ask_probes(bool tcp, Direction d, Bytes data, bool end, uint16_t sport,
                                   uint16_t dport, DetectionState& state) const;

  PatternSet sets_[2][kDirections];  // [tcp][direction]
  std::vector<Probe> probes_[2];     // [tcp]; at most 64
};

// "yes", "no", "detection-only" for a protocol and transport.
enum class ProtocolMode : uint8_t { kOff, kDetectionOnly, kOn };
[[nodiscard]] ProtocolMode protocol_mode(const Settings& settings, const ProtocolDef& def,
                                         bool tcp);

}  // namespace vong::applayer
