// The part that every EVE record begins with: time, flow, packet, addresses.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_writer.h"
#include "sensor/emit/eve_config.h"
#include "sensor/emit/file_store.h"
#include "sensor/emit/line_sink.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

namespace vong::emit {

// Which way src and dest stand in a record: as in the packet, or along the flow.
enum class RecordDirection : uint8_t { kPacket, kToServer, kToClient };

// What a record knows besides its flow and packet.
struct Origin {
  const EveConfig& config;
  std::string_view interface;     // EVE's in_iface; empty when reading files
  std::string_view capture_file;  // EVE's pcap_filename, with pcap-file on
  // What rules captured from the packet in work: EVE's metadata.pktvars.
  std::span<const std::pair<std::string, std::string>> packet_vars = {};
  // The policies under which a host reads what the alerts speak of; empty: it is the receiver's own reading.
  std::span<const std::string_view> reading = {};
  Bytes stream_payload = {};   // of the stream, that the packet's rules looked at
  FileStore* store = nullptr;  // where files go; null: nowhere
  uint64_t* shed = nullptr;    // overload: counts records that are not written; null: all are
  const Origin* next = nullptr;   // of the next output, which gets the same records in its own form; null: the last
  LineSink* next_sink = nullptr;  // where that one's lines go
};

// write(sink, origin) for each output.
template <typename Write>
void for_each_output(LineSink& sink, const Origin& origin, Write&& write) {
  LineSink* to = &sink;
  for (const Origin* o = &origin; o != nullptr; to = o->next_sink, o = o->next) write(*to, *o);
}

// Opens the object and writes the common fields. `flow` may be null (packet records), `packet` too
// (flow records); not both. `client`: stands in the place of the client's address (xff).
void open_record(JsonWriter& out, const Origin& origin, std::string_view event_type, Timestamp ts,
                 const flow::Flow* flow, const Packet* packet, RecordDirection direction,
                 const IpAddress* client = nullptr);

// "metadata":{flowbits, flowints, flowvars, pktvars, entropy} and "traffic"; nothing when there are none. `flow` and `packet` as
// for open_record, which writes it.
void write_metadata(JsonWriter& out, const Origin& origin, const flow::Flow* flow,
                    const Packet* packet);

// "TCP", "UDP", "ICMP", "IPv6-ICMP", "SCTP", ... ; a number for what has no name.
void write_protocol(JsonWriter& out, uint8_t ip_protocol);

// "app_proto" and, where they differ, app_proto_ts, app_proto_tc, app_proto_orig,
// app_proto_expected.
void write_app_proto(JsonWriter& out, const flow::Flow& flow);

// Community ID 1.0 (https://github.com/corelight/community-id-spec) of the flow.
[[nodiscard]] std::string community_id(const flow::FlowKey& key, uint8_t icmp_type,
                                       uint8_t icmp_code, uint16_t seed);

// Remembers the packet's Ethernet addresses with its flow, for the flow's record.
void note_macs(const Packet& packet);

// Where the packet comes from, as EVE's pkt_src spells it.
[[nodiscard]] std::string_view packet_source_name(const Packet& packet);

}  // namespace vong::emit
