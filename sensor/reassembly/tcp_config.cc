#include "sensor/reassembly/tcp_config.h"

#include <algorithm>

#include "base/strings.h"
#include "sensor/reassembly/limits.h"

namespace vong::reassembly {
namespace {

UrgentPolicy parse_urgent_policy(std::string_view text, UrgentPolicy fallback) {
  const std::string name = to_lower(text);
  if (name == "oob") return UrgentPolicy::kOob;
  if (name == "inline") return UrgentPolicy::kInline;
  if (name == "drop") return UrgentPolicy::kDrop;
  if (name == "gap") return UrgentPolicy::kGap;
  return fallback;
}

template <typename T>
T bounded(const Settings& settings, std::string_view path, T fallback, int64_t low, int64_t high) {
  return static_cast<T>(std::clamp<int64_t>(settings.integer(path, fallback), low, high));
}

}  // namespace

TcpConfig TcpConfig::from_settings(const Settings& settings) {
  TcpConfig c;
  c.memcap_bytes = settings.size_bytes("stream.memcap", c.memcap_bytes);
  c.reassembly_memcap_bytes =
      settings.size_bytes("stream.reassembly.memcap", c.reassembly_memcap_bytes);
  c.depth_bytes = settings.size_bytes("stream.reassembly.depth", c.depth_bytes);
  c.raw_chunk_bytes[0] = static_cast<uint32_t>(std::clamp<uint64_t>(
      settings.size_bytes("stream.reassembly.toserver-chunk-size", c.raw_chunk_bytes[0]), 1,
      1u << 20));
  c.raw_chunk_bytes[1] = static_cast<uint32_t>(std::clamp<uint64_t>(
      settings.size_bytes("stream.reassembly.toclient-chunk-size", c.raw_chunk_bytes[1]), 1,
      1u << 20));
  c.raw = settings.flag("stream.reassembly.raw", c.raw);
  c.checksum_validation = settings.flag("stream.checksum-validation", c.checksum_validation);
  c.midstream = settings.flag("stream.midstream", c.midstream);
  c.async_oneside = settings.flag("stream.async-oneside", c.async_oneside);
  c.inline_mode =
      settings.flag("stream.inline", c.inline_mode);  // "auto": not inline, we are passive
  c.bypass = settings.flag("stream.bypass", c.bypass);
  c.check_overlap =
      settings.flag("stream.reassembly.check-overlap-different-data", c.check_overlap);
  c.other_readings = settings.flag("detect.other-readings.enabled", c.other_readings);
  c.liberal_timestamps = settings.flag("stream.liberal-timestamps", c.liberal_timestamps);
  c.max_syn_queued = bounded<uint8_t>(settings, "stream.max-syn-queued", c.max_syn_queued, 0,
                                      kMaxQueuedHandshakes);
  c.max_synack_queued = bounded<uint8_t>(settings, "stream.max-synack-queued", c.max_synack_queued,
                                         0, kMaxQueuedHandshakes);
  c.max_regions =
      bounded<uint8_t>(settings, "stream.reassembly.max-regions", c.max_regions, 1, 255);
  c.urgent_policy =
      parse_urgent_policy(settings.text("stream.reassembly.urgent.policy", ""), c.urgent_policy);
  c.urgent_limit_policy = parse_urgent_policy(
      settings.text("stream.reassembly.urgent.oob-limit-policy", ""), c.urgent_limit_policy);
  c.os_policies = OsPolicyMap::from_settings(settings);
  c.exceptions = ExceptionPolicies::from_settings(settings);
  return c;
}

}  // namespace vong::reassembly
