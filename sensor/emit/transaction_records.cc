#include "sensor/emit/transaction_records.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/strings.h"
#include "sensor/applayer/core/file.h"
#include "sensor/emit/line_record.h"
#include "sensor/flow/raw_stream.h"

namespace vong::emit {
namespace {

using applayer::FileState;
using applayer::LoggerDef;
using applayer::ProtocolDef;
using applayer::Transaction;

const Settings kNoOptions;
constexpr size_t kFramePayloadBytesMax = 4096;  // shown of a frame

// One buffer per thread: records are built in it and handed to the sink.
std::string& line_buffer() {
  thread_local std::string buffer;
  buffer.clear();
  return buffer;
}

bool reached(const Transaction& tx, Direction d, uint8_t wanted) {
  return wanted == applayer::BufferDef::kNotHere ||
         tx.progress[static_cast<size_t>(index(d))] >= wanted;
}

void write_record(LineSink& sink, const Origin& origin, const flow::Flow& flow,
                  const Packet& packet, const ProtocolDef& def, const LoggerDef& logger,
                  const Transaction& tx, const Settings& configured) {
  std::string& line = line_buffer();
  JsonWriter out(line);
  const auto direction = logger.direction == Direction::kToServer ? RecordDirection::kToServer
                                                                  : RecordDirection::kToClient;
  const ForwardedFor& xff = origin.config.http_xff;
  const auto client = xff.of(def, tx);
  open_record(out, origin, logger.event_type, packet.ts, &flow, &packet, direction,
              client && xff.overwrite ? &*client : nullptr);
  out.field("tx_id", tx.id);
  Settings with_client;
  if (client && !xff.overwrite) {
    with_client = configured;
    with_client.set("xff.address", client->to_string());
  }
  const Settings& options = client && !xff.overwrite ? with_client : configured;
  const applayer::LogContext context{logger.event_type, &options, logger.direction};
  if (!logger.log(tx, context, out)) return;
  out.close_object();
  sink.line(line, {logger.event_type, 3, flow.id});
}

// The app-layer record that goes with a file ("http":{...}).
void write_carrier(JsonWriter& out, const Origin& origin, const ProtocolDef& def,
                   const Transaction& tx, Direction d) {
  if (def.alert_record == nullptr) return;
  const Settings* options = origin.config.record(def.name);
  (void)def.alert_record(tx, {"fileinfo", options != nullptr ? options : &kNoOptions, d}, out);
}

// Both ends of the connection have closed it in order: nothing more comes for its transactions, whatever their progress. After a
// reset there may be bytes that nobody acknowledged; they come at the flow's end.
bool is_closed(const flow::Flow& flow) {
  if (flow.phase != flow::FlowPhase::kClosed) return false;
  const flow::RawStream* stream = flow::raw_stream(flow);
  if (stream == nullptr) return false;
  const flow::TcpSummary tcp = stream->summary();
  return tcp.state == "closed" && (tcp.flags & TcpFlags::kRst) == 0;
}

void store_files(FileStore& store, Transaction& tx, Direction d) {
  auto* files = tx.files(d);
  if (files == nullptr) return;
  for (auto& file : files->files()) store.update(file);
}

void write_files(LineSink& sink, const Origin& origin, const flow::Flow& flow, const Packet& packet,
                 const ProtocolDef& def, Transaction& tx, Direction d, bool final) {
  auto* files = tx.files(d);
  if (files == nullptr) return;
  for (auto& file : files->files()) {
    if (file.logged || (file.state == FileState::kOpen && !final)) continue;
    file.logged = true;
    bool told = false;   // beside the stored file, once
    for_each_output(sink, origin, [&](LineSink& to, const Origin& from) {
      if (!from.config.files) return;
      std::string& line = line_buffer();
      JsonWriter out(line);
      open_record(
          out, from, "fileinfo", packet.ts, &flow, &packet,
          d == Direction::kToServer ? RecordDirection::kToServer : RecordDirection::kToClient);
      write_carrier(out, from, def, tx, d);
      write_app_proto(out, flow);
      out.key("fileinfo");
      write_file(out, file, tx.id);
      out.close_object();
      to.line(line, {"fileinfo", 3, flow.id});
      if (file.stored && from.store->wants_fileinfo() && !std::exchange(told, true)) from.store->write_fileinfo(file, packet.ts, line);
    });
  }
}

void write_anomaly(LineSink& sink, const Origin& origin, const flow::Flow& flow,
                   const Packet& packet, std::string_view app_proto, std::string_view event,
                   std::string_view layer, const Transaction* tx) {
  std::string& line = line_buffer();
  JsonWriter out(line);
  open_record(out, origin, "anomaly", packet.ts, &flow, &packet, RecordDirection::kPacket);
  if (tx != nullptr) out.field("tx_id", tx->id);
  out.open_object("anomaly");
  if (!app_proto.empty()) out.field("app_proto", app_proto);
  out.field("type", "applayer");
  out.field("event", event);
  out.field("layer", layer);
  out.close_object();
  out.close_object();
  sink.line(line, {"anomaly", 3, flow.id});
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

void write_events(LineSink& sink, const Origin& origin, const flow::Flow& flow,
                  const Packet& packet, const ProtocolDef& def, Transaction& tx) {
  for (; tx.events_logged < tx.events().size(); ++tx.events_logged) {
    for_each_output(sink, origin, [&](LineSink& to, const Origin& from) {
      if (!from.config.anomaly || !from.config.anomalies.applayer) return;
      const auto& event = def.events[tx.events()[tx.events_logged]];
      const std::string name =
          event.eve_name.empty() ? upper(event.rule_name) : std::string(event.eve_name);
      write_anomaly(to, from, flow, packet, def.name, name, "proto_parser", &tx);
    });
  }
}

std::string_view state_name(FileState s) {
  switch (s) {
    case FileState::kOpen:
      return "UNKNOWN";
    case FileState::kClosed:
      return "CLOSED";
    case FileState::kTruncated:
      return "TRUNCATED";
    case FileState::kError:
      return "ERROR";
  }
  return "UNKNOWN";
}

}  // namespace

void write_file(JsonWriter& out, const applayer::File& file, uint64_t tx_id) {
  out.open_object();
  out.field("filename", std::string_view(file.name));
  if (!file.sids.empty()) {
    out.open_array("sid");
    for (const uint32_t sid : file.sids) out.number(uint64_t{sid});
    out.close_array();
  }
  if (!file.magic.empty()) out.field("magic", std::string_view(file.magic));
  out.field("gaps", file.gaps);
  out.field("state", state_name(file.state));
  if (!file.md5.empty()) out.field("md5", std::string_view(file.md5));
  if (!file.sha1.empty()) out.field("sha1", std::string_view(file.sha1));
  if (!file.sha256.empty()) out.field("sha256", std::string_view(file.sha256));
  out.field("stored", file.stored);
  if (file.stored) out.field("file_id", file.store_id);
  if (file.store_wanted && !file.stored) out.field("storing", true);
  out.field("size", file.size);
  if (file.range) {
    out.field("start", file.range->first);
    out.field("end", file.range->second);
  }
  out.field("tx_id", tx_id);
  out.close_object();
}

void write_transactions(LineSink& sink, const Origin& origin, flow::Flow& flow,
                        const Packet& packet, bool final) {
  auto* app = applayer::app_state(flow);
  if (app == nullptr || app->parser == nullptr || app->def == nullptr) return;
  const ProtocolDef& def = *app->def;
  const bool over = final || is_closed(flow);
  for (auto& tx : app->parser->transactions) {
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
      if (origin.store != nullptr) store_files(*origin.store, *tx, d);
      // A file's record comes with a packet of its own direction, as the reference has it.
      if (d == packet.direction || final) write_files(sink, origin, flow, packet, def, *tx, d, final);
    }
    if (tx->events_logged < tx->events().size()) write_events(sink, origin, flow, packet, def, *tx);
    for (size_t i = 0; i < def.loggers.size(); ++i) {
      const LoggerDef& logger = def.loggers[i];
      const uint32_t bit = 1u << i;
      if ((tx->logged & bit) != 0) continue;
      if (!over && !(reached(*tx, Direction::kToServer, logger.to_server_progress) &&
                      reached(*tx, Direction::kToClient, logger.to_client_progress))) {
        continue;
      }
      tx->logged |= bit;
      for_each_output(sink, origin, [&](LineSink& to, const Origin& from) {
        if (const auto* line = from.config.line.def; line != nullptr) {
          if (line->event_type != logger.event_type || line->protocol != def.name) return;
          if (from.shed != nullptr && !flow.alerted) ++*from.shed;
          else write_line_record(to, from.config.line, flow, packet.ts, *tx);
          return;
        }
        const Settings* options = from.config.record(logger.config.empty() ? logger.event_type : logger.config);
        if (options == nullptr) return;
        if (from.shed != nullptr && !flow.alerted) {
          ++*from.shed;
        } else {
          write_record(to, from, flow, packet, def, logger, *tx, *options);
        }
      });
    }
  }
}

void write_driver_events(LineSink& sink, const Origin& origin, flow::Flow& flow,
                         const Packet& packet) {
  auto* app = applayer::app_state(flow);
  if (app == nullptr || app->driver_events == app->driver_events_logged) return;
  const uint32_t fresh = app->driver_events & ~app->driver_events_logged;
  app->driver_events_logged = app->driver_events;
  for (size_t i = 0; i < static_cast<size_t>(applayer::DriverEvent::kCount); ++i) {
    if ((fresh >> i & 1) == 0) continue;
    const auto name = upper(applayer::name_of(static_cast<applayer::DriverEvent>(i)));
    const auto proto = app->proto == applayer::AppProto::kUnknown ? std::string_view()
                                                                  : applayer::name_of(app->proto);
    for_each_output(sink, origin, [&](LineSink& to, const Origin& from) {
      if (from.config.anomaly && from.config.anomalies.applayer)
        write_anomaly(to, from, flow, packet, proto, name, "proto_detect", nullptr);
    });
  }
}

void write_frame(JsonWriter& out, const flow::Flow& flow, const applayer::Frame& frame) {
  const auto* app = applayer::app_state(flow);
  const auto names = app != nullptr && app->def != nullptr ? app->def->frames : std::span<const std::string_view>();
  out.open_object("frame");
  out.field("type", frame.type < names.size() ? names[frame.type] : std::string_view("stream"));
  out.field("id", frame.id);
  out.field("direction", frame.direction == Direction::kToServer ? "toserver" : "toclient");
  if (flow.key.protocol == 6) out.field("stream_offset", frame.offset);
  if (frame.length != applayer::kUnknownLength) out.field("length", frame.length);
  out.field("complete", frame.complete());
  const Bytes shown = as_bytes(frame.data).first(std::min(frame.data.size(), kFramePayloadBytesMax));
  out.key("payload");
  out.base64(shown);
  out.key("payload_printable");
  out.printable(shown);
  if (frame.tx_id) out.field("tx_id", *frame.tx_id);
  out.close_object();
}

void write_frames(LineSink& sink, const Origin& origin, flow::Flow& flow, const Packet& packet,
                  bool final) {
  auto* app = applayer::app_state(flow);
  if (app == nullptr || app->parser == nullptr || app->parser->frames == nullptr) return;
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    if (d != packet.direction && !final) continue;
    for (auto& frame : app->parser->frames->of(d)) {
      if (frame.logged || !frame.closed) continue;
      frame.logged = true;
      for_each_output(sink, origin, [&](LineSink& to, const Origin& from) {
        if (!from.config.frame) return;
        std::string& line = line_buffer();
        JsonWriter out(line);
        open_record(out, from, "frame", packet.ts, &flow, &packet, RecordDirection::kPacket);
        write_app_proto(out, flow);
        write_frame(out, flow, frame);
        out.close_object();
        to.line(line, {"frame", 3, flow.id});
      });
    }
  }
}

}  // namespace vong::emit
