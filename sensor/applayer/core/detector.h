// Which protocol do these bytes speak? Patterns and the probes that look at every port first, then the
// probes whose ports fit. Immutable after construction, shared by workers; what is known of a flow so far
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

  struct Ports {
    uint16_t src = 0, dst = 0;   // of the flow
  };

  // `data`: the direction's bytes from its first one on. A stream that ends before enough of it was seen leaves the question open, as
  // with the reference.
  // `may_reverse`: patterns of the other direction are tried too (midstream, UDP).
  [[nodiscard]] Verdict detect(bool tcp, Direction d, Bytes data, Ports ports, bool may_reverse, DetectionState& state) const;
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
  [[nodiscard]] Verdict ask_probes(bool tcp, Direction d, Bytes data, bool with_ports, Ports ports, DetectionState& state,
                                   bool& unsure) const;

  PatternSet sets_[2][kDirections];  // [tcp][direction]
  std::vector<Probe> probes_[2];     // [tcp]; at most 64
  bool midstream_;                   // flows may be met midway, and then stand the wrong way round
};

// "yes", "no", "detection-only" for a protocol and transport.
enum class ProtocolMode : uint8_t { kOff, kDetectionOnly, kOn };
[[nodiscard]] ProtocolMode protocol_mode(const Settings& settings, const ProtocolDef& def,
                                         bool tcp);

}  // namespace vong::applayer
