// What TCP tracking takes from the configuration (stream.*, host-os-policy.*).
#pragma once

#include <cstdint>

#include "base/settings.h"
#include "sensor/packet/exception_policy.h"
#include "sensor/reassembly/os_policy.h"

namespace vong::reassembly {

// What becomes of the byte that TCP's urgent pointer marks (RFC 6093): out of band (taken out of
// the stream), left in line, the whole packet dropped, or its data treated as missing.
enum class UrgentPolicy : uint8_t { kOob, kInline, kDrop, kGap };

struct TcpConfig {
  uint64_t memcap_bytes = 64u << 20;              // sessions
  uint64_t reassembly_memcap_bytes = 256u << 20;  // buffered bytes; 0: none
  uint64_t depth_bytes = 1u << 20;                // per direction; 0: unlimited
  uint32_t raw_chunk_bytes[2] = {2560, 2560};     // to server, to client
  uint32_t raw_history_bytes = 256;               // inspected bytes shown again before new ones
  bool raw = true;
  bool checksum_validation = true;
  bool midstream = false;
  bool async_oneside = false;
  bool inline_mode = false;   // data goes out when it comes, not when it is acknowledged
  bool bypass = false;        // a flow is bypassed once the depth of one direction is reached
  bool check_overlap = true;  // raise reassembly_overlap_different_data
  bool other_readings = false;  // keep how other policies read what conflicts, for detection
  bool liberal_timestamps = false;
  uint8_t max_syn_queued = 10, max_synack_queued = 5;
  uint8_t max_regions = 8;
  UrgentPolicy urgent_policy = UrgentPolicy::kOob;
  UrgentPolicy urgent_limit_policy = UrgentPolicy::kDrop;  // once too many were taken out
  OsPolicyMap os_policies;
  ExceptionPolicies exceptions;

  [[nodiscard]] static TcpConfig from_settings(const Settings& settings);
};

}  // namespace vong::reassembly
