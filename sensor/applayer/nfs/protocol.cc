// NFS as tables: buffers, keywords, events, records, detection.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/nfs/names.h"
#include "sensor/applayer/nfs/parser.h"

namespace vong::nfs {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

// ---------------------------------------------------------------- keywords

constexpr BufferDef both_ways(std::string_view name, std::string_view alias,
                              applayer::BufferGetter get, bool streaming, std::string_view help) {
  return {.name = name,
          .alias = alias,
          .modifier = {},
          .to_server_progress = kInProgress,
          .to_client_progress = kInProgress,
          .get = get,
          .multi = true,
          .streaming = streaming,
          .help = help};
}

constexpr std::array kBuffers = {
    both_ways("file.data", "file_data", applayer::file_data, true, "Content of files"),
    both_ways("file.name", "", applayer::file_name, false, "Names of files"),
};

std::optional<uint64_t> procedure(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).procedure;
}

std::optional<uint64_t> version(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).version;
}

constexpr NumberDef number(std::string_view name, std::string_view alias,
                           std::optional<uint64_t> (*get)(const Tx&, Direction, uint32_t),
                           std::string_view help) {
  return {.name = name,
          .alias = alias,
          .to_server_progress = kInProgress,
          .to_client_progress = kInProgress,
          .get = get,
          .values = {},
          .bits = 32,
          .help = help};
}

constexpr std::array kNumbers = {
    number("nfs_procedure", "nfs.procedure", procedure,
           "number of the procedure (version 4: of the operation)"),
    number("nfs_version", "nfs.version", version, "version of the protocol: 2 to 4"),
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"malformed_data", "malformed_data"},
    {"non_existing_version", "non_existing_version"},
    {"unsupported_version", "unsupported_version"},
}};

// ---------------------------------------------------------------- records

// CRC-32 as Ethernet has it: how analysts' tools show file handles.
uint32_t checksum(std::string_view data) {
  return static_cast<uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())));
}

void write_rpc(const Transaction& tx, JsonWriter& out) {
  out.open_object("rpc");
  out.field("xid", tx.xid);
  if (tx.denied) out.field("status", *tx.denied ? "DENIED" : "ACCEPTED");
  out.field("auth_type", auth_name(tx.credentials.flavor));
  if (tx.credentials.flavor == kAuthUnix) {
    out.open_object("creds");
    out.field("machine_name", tx.credentials.machine);
    out.field("uid", tx.credentials.uid);
    out.field("gid", tx.credentials.gid);
    out.close_object();
  }
  out.close_object();
}

void write_transfer(const FileTransfer& f, JsonWriter& out) {
  out.open_object(f.direction == Direction::kToServer ? "write" : "read");
  out.field("first", f.chunks > 0);
  out.field("last", f.last);
  out.field("last_xid", f.last_xid);
  out.field("chunks", f.chunks);
  out.close_object();
}

void write_nfs(const Transaction& tx, JsonWriter& out) {
  out.open_object("nfs");
  out.field("version", tx.version);
  out.field("procedure", procedure_name(tx.version, tx.procedure));
  out.field("filename", tx.name);
  if (!tx.handle.empty()) out.field("hhash", fmt::format("{:08x}", checksum(tx.handle)));
  out.field("id", tx.id + 1);
  out.field("file_tx", tx.file.has_value());
  out.field("type", "response");
  out.field("status", tx.status ? status_name(tx.version, *tx.status) : std::string("UNKNOWN"));
  if (tx.file) write_transfer(*tx.file, out);
  if (tx.has_rename) {
    out.open_object("rename");
    out.field("from", tx.name);
    out.field("to", tx.new_name);
    out.close_object();
  }
  out.close_object();
}

bool alert_record(const Tx& tx, const applayer::LogContext&, JsonWriter& out) {
  write_rpc(of(tx), out);
  write_nfs(of(tx), out);
  return true;
}

bool log_nfs(const Tx& base, const applayer::LogContext& context, JsonWriter& out) {
  constexpr uint32_t kGetattr = 1;
  const Transaction& tx = of(base);
  // Attributes are asked for all the time: not told, as in the reference.
  if (!tx.answered || (tx.version <= 3 && tx.procedure == kGetattr)) return false;
  return alert_record(base, context, out);
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "nfs",
                                           .to_server_progress = kFinished,
                                           .to_client_progress = kFinished,
                                           .direction = Direction::kToClient,
                                           .log = log_nfs}};

// ---------------------------------------------------------------- detection

ProbeVerdict datagram_probe(Direction d, Bytes data) {
  ByteReader in(data);
  in.skip(4);
  const uint32_t type = in.u32(), next = in.u32(), program = in.u32(), version = in.u32();
  if (data.size() < 20 || type > 1) return ProbeVerdict::kNo;
  const bool call = type == 0;
  if (call && (next != 2 || program != kNfsProgram || version < 2 || version > 4))
    return ProbeVerdict::kNo;
  if (!call && next > 1) return ProbeVerdict::kNo;
  return call == (d == Direction::kToServer) ? ProbeVerdict::kYes : ProbeVerdict::kReversed;
}

ProbeVerdict probe(Direction d, Bytes data) {
  constexpr size_t kMarkBytes = 4, kNeeded = kMarkBytes + 20;
  if (data.size() < kNeeded) return ProbeVerdict::kMoreData;
  ByteReader mark(data);
  if ((mark.u32() & 0x7fffffff) < 20) return ProbeVerdict::kNo;
  return datagram_probe(d, data.subspan(kMarkBytes));
}

constexpr std::array<uint16_t, 1> kPorts = {2049};

std::shared_ptr<const void> configure(const Settings& s) {
  auto c = std::make_shared<Config>();
  c->files = applayer::file_options(s);
  c->transactions_max = static_cast<size_t>(
      std::clamp<int64_t>(s.integer("app-layer.protocols.nfs.max-tx", kMaxTransactions), 1, 65536));
  return c;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<NfsParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                       : kDefault);
}

}  // namespace

const ProtocolDef kNfsProtocol = {
    .id = AppProto::kNfs,
    .name = "nfs",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 0,
              .datagram_probe = datagram_probe},
    .complete = {kFinished, kFinished},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_record,
};

}  // namespace vong::nfs
