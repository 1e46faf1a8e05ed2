// Lines of text a transaction: `http-log`, `tls-log`, in their standard, extended or a custom form.
#pragma once

#include <string>

#include "sensor/applayer/core/line_log.h"
#include "sensor/emit/line_sink.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

namespace vong::emit {

struct LineForm {
  const applayer::LineLogDef* def = nullptr;   // null: no such output
  bool extended = false;
  std::string custom;                          // customformat; empty: the standard form
};

// `tx` belongs to form.def's protocol. The ends stand as the flow's: its client first.
void write_line_record(LineSink& sink, const LineForm& form, const flow::Flow& flow, Timestamp ts, const applayer::Transaction& tx);

// 01/31/2024-12:00:00.000001, UTC.
void append_line_time(std::string& out, Timestamp ts);

// What came from the network: bytes that are not printable ASCII as |XX|, so that nobody can make a line look like two.
void append_printable(std::string& out, std::string_view text);

}  // namespace vong::emit
