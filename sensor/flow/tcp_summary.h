// What a flow record says of TCP: EVE's `tcp` object. Filled by reassembly's session.
#pragma once

#include <cstdint>
#include <string_view>

namespace vong::flow {

struct TcpSummary {
  uint8_t flags = 0, flags_to_server = 0, flags_to_client = 0;  // all bits seen (TcpFlags)
  std::string_view
      state;  // "none", "syn_sent", "syn_recv", "established", "fin_wait1", ... "closed"; static
  bool gap_to_server = false, gap_to_client = false;
  uint16_t max_regions_to_server = 0,
           max_regions_to_client = 0;  // most separate runs of bytes held at one time
  uint32_t urgent_oob_to_server = 0, urgent_oob_to_client = 0;  // bytes taken out of band
};

}  // namespace vong::flow
