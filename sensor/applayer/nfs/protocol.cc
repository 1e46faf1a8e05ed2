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

// ONC RPC (RFC 5531): a call of a program that is NFS, with a procedure that it has, or an answer that was accepted and done.
constexpr size_t kCallBytes = 28;   // up to the kind of credentials
constexpr uint32_t kProceduresMax = 21;

ProbeVerdict probe_message(Direction d, Bytes data, uint32_t oldest) {
  ByteReader in(data);
  in.skip(4);
  const uint32_t type = in.u32(), next = in.u32();
  if (!in.ok()) return ProbeVerdict::kMoreData;
  if (type > 1) return ProbeVerdict::kNo;
  if (type == 0) {
    const uint32_t program = in.u32(), version = in.u32(), procedure = in.u32();
    if (data.size() < kCallBytes) return ProbeVerdict::kMoreData;
    if (next != 2 || program != kNfsProgram || version < oldest || version > 4 || procedure > kProceduresMax) return ProbeVerdict::kNo;
    return d == Direction::kToServer ? ProbeVerdict::kYes : ProbeVerdict::kReversed;
  }
  in.skip(4);   // verifier's kind
  const uint32_t verifier = in.u32();
  in.skip(verifier <= 400 ? verifier : 0);
  const uint32_t state = in.u32();
  if (!in.ok()) return ProbeVerdict::kMoreData;
  if (next != 0 || state != 0) return ProbeVerdict::kNo;
  return d == Direction::kToClient ? ProbeVerdict::kYes : ProbeVerdict::kReversed;
}

ProbeVerdict datagram_probe(Direction d, Bytes data) {
  constexpr size_t kSmallestCall = 48, kSmallestReply = 32;   // one without arguments and credentials tells too little
  ByteReader in(data);
  in.skip(4);
  if (data.size() < (in.u32() == 0 ? kSmallestCall : kSmallestReply)) return ProbeVerdict::kNo;
  const ProbeVerdict verdict = probe_message(d, data, 2);
  return verdict == ProbeVerdict::kMoreData ? ProbeVerdict::kNo : verdict;
}

ProbeVerdict probe(Direction d, Bytes data) {
  constexpr size_t kMarkBytes = 4, kSmallest = 24, kLargest = 35'000;
  ByteReader mark(data);
  const uint32_t size = mark.u32() & 0x7fffffff;
  if (!mark.ok()) return ProbeVerdict::kMoreData;
  if (size < kSmallest || size > kLargest) return ProbeVerdict::kNo;
  return probe_message(d, data.subspan(kMarkBytes), 3);
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

constexpr std::string_view kFrames[] = {"rpc.pdu",    "rpc.hdr",  "rpc.data", "rpc.creds", "nfs.pdu",
                                        "nfs.status", "nfs4.pdu", "nfs4.hdr", "nfs4.ops",  "nfs4.status"};  // by Frame

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
              .min_bytes = 28,
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
    .frames = kFrames,
};

}  // namespace vong::nfs
