// What the eve-log section of the configuration asks for. Read once; immutable, shared by the
// workers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"
#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/emit/forwarded_for.h"
#include "sensor/emit/line_record.h"
#include "sensor/packet/exception_policy.h"

namespace vong::emit {

struct AlertOptions {
  ForwardedFor xff;
  bool payload = false, payload_printable = false, payload_length = false, packet = false;
  bool http_body = false, http_body_printable = false;
  bool app_layer = true, flow = true, rule_metadata = true, rule_text = false, reference = false;
  bool tagged_packets = true, verdict = false, websocket_payload = false;
  bool matches = false;  // where the rule's contents were found, in alert.metadata
  uint64_t payload_buffer_bytes = 4096;
};

struct AnomalyOptions {
  bool decode = false, stream = false, applayer = true, packethdr = false;
};

struct EveConfig {
  ExceptionPolicies exceptions;  // what flows' records say was applied
  bool enabled = true;
  std::string filename = "eve.json";
  // Records; or a file of text: a line an alert (`fast`), a line a transaction (`http-log`, `tls-log`).
  enum class Form : uint8_t { kRecords, kFast, kLine } form = Form::kRecords;
  LineForm line;           // of kLine
  std::string section = "outputs.1.eve-log";   // where its settings stand: how its lines are written (sensor/outputs)
  bool community_id = false;
  uint16_t community_id_seed = 0;
  bool pcap_file = false;  // add pcap_filename
  bool ethernet = false;   // add ether
  bool metadata = true;    // add flowbits, flowints, vars
  bool suricata_version = false;
  std::string sensor_name;  // EVE's host; empty: left out

  bool alert = true, anomaly = true, flow = true, netflow = false, stats = true, files = true,
       drop = false, frame = false, arp = false, metadata_records = false;
  AlertOptions alerts;
  AnomalyOptions anomalies;
  applayer::FileOptions file_hashes;  // force-magic, force-hash
  bool stats_totals = true, stats_threads = false, stats_null_values = true;

  ForwardedFor xff;       // of alerts and HTTP records that have none of their own
  ForwardedFor http_xff;  // of HTTP records

  // Further files, each with records of its own: each eve-log behind the first, and `fast`. They have no such list themselves.
  std::vector<EveConfig> further;

  // Application records that are on, with their options.
  std::map<std::string, Settings, std::less<>> records;

  [[nodiscard]] const Settings* record(std::string_view event_type) const {
    const auto it = records.find(event_type);
    return it == records.end() ? nullptr : &it->second;
  }
};

// The first enabled eve-log among outputs.*, and in `further` what else is to be written; without any `outputs` section, what the
// reference ships as its default.
[[nodiscard]] EveConfig read_eve_config(const Settings& settings);

}  // namespace vong::emit
