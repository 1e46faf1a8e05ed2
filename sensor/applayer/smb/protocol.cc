// SMB as tables: buffers, keywords, events, records, detection.
#include <algorithm>
#include <array>

#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/smb/parser.h"
#include "sensor/applayer/smb/record.h"

namespace vong::smb {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;
using Parsed = Result<std::unique_ptr<TransactionMatcher>>;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

BufferView text(const std::string& s) { return s.empty() ? BufferView::none() : BufferView::of(s); }

// ---------------------------------------------------------------- buffers

BufferView share(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto* t = of(tx).as<TreeConnect>();
  return t == nullptr || t->is_pipe ? BufferView::none() : text(t->share);
}

BufferView named_pipe(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto* t = of(tx).as<TreeConnect>();
  return t == nullptr || !t->is_pipe ? BufferView::none() : text(t->share);
}

BufferView ntlm_user(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto* s = of(tx).as<SessionSetup>();
  return s == nullptr || !s->ntlm ? BufferView::none() : text(s->ntlm->user);
}

BufferView ntlm_domain(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto* s = of(tx).as<SessionSetup>();
  return s == nullptr || !s->ntlm ? BufferView::none() : text(s->ntlm->domain);
}

BufferView stub_data(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  const auto* c = of(tx).as<PipeCall>();
  if (c == nullptr) return BufferView::none();
  const PipeCall::Stub& s = c->stubs[static_cast<size_t>(index(d))];
  if (s.data.empty()) return BufferView::none();
  BufferView v = BufferView::of(s.data);
  v.complete = of(tx).done(d);
  return v;
}

constexpr BufferDef from_client(std::string_view name, std::string_view alias,
                                applayer::BufferGetter get, std::string_view help) {
  return {.name = name,
          .alias = alias,
          .modifier = {},
          .to_server_progress = kInProgress,
          .to_client_progress = kNever,
          .get = get,
          .help = help};
}

constexpr BufferDef both_ways(std::string_view name, std::string_view alias,
                              applayer::BufferGetter get, bool multi, bool streaming,
                              std::string_view help) {
  return {.name = name,
          .alias = alias,
          .modifier = {},
          .to_server_progress = kInProgress,
          .to_client_progress = kInProgress,
          .get = get,
          .multi = multi,
          .streaming = streaming,
          .help = help};
}

constexpr std::array kBuffers = {
    from_client("smb.named_pipe", "smb_named_pipe", named_pipe, "pipe that is connected to"),
    from_client("smb.share", "smb_share", share, "share that is connected to"),
    from_client("smb.ntlmssp_user", "smb_ntlmssp_user", ntlm_user, "user who logs on"),
    from_client("smb.ntlmssp_domain", "smb_ntlmssp_domain", ntlm_domain,
                "domain of the user who logs on"),
    both_ways("dcerpc.stub_data", "dce_stub_data", stub_data, false, true,
              "arguments of a call of DCERPC"),
    both_ways("file.data", "file_data", applayer::file_data, true, true, "Content of files"),
    both_ways("file.name", "", applayer::file_name, true, false, "Names of files"),
};

std::optional<uint64_t> version(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).version;
}

std::optional<uint64_t> little_endian(const Tx& tx, Direction, uint32_t i) {
  const auto* c = of(tx).as<PipeCall>();
  if (i > 0 || c == nullptr) return std::nullopt;
  return c->little_endian ? 1 : 0;
}

constexpr std::array kNumbers = {
    NumberDef{.name = "smb.version",
              .alias = {},
              .to_server_progress = kInProgress,
              .to_client_progress = kInProgress,
              .get = version,
              .values = {},
              .bits = 8,
              .help = "version of the protocol: 1 or 2"},
    NumberDef{.name = "dcerpc.little_endian",
              .alias = {},
              .to_server_progress = kInProgress,
              .to_client_progress = kInProgress,
              .get = little_endian,
              .values = {},
              .bits = 8,
              .help =
                  "byte order of a call: 1 little endian, 0 big endian; what `dce` of byte_test "
                  "and the like goes by"},
};

// ---------------------------------------------------------------- matchers

namespace rpc = formats::dcerpc;

const PipeCall* request_of(const Tx& tx) {
  const auto* c = of(tx).as<PipeCall>();
  return c != nullptr && c->request == rpc::kRequest ? c : nullptr;
}

struct InterfaceMatcher : TransactionMatcher {
  rpc::InterfaceTest test;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const PipeCall* c = request_of(tx);
    if (c == nullptr) return false;
    return std::ranges::any_of(of(tx).session->interfaces, [&](const rpc::Interface& i) {
      return i.acked && i.ack_result == 0 && test.matches(i);
    });
  }
};

Parsed parse_interface(std::string_view value) {
  auto test = rpc::parse_interface_test(value);
  if (!test) return std::unexpected(test.error());
  auto m = std::make_unique<InterfaceMatcher>();
  m->test = std::move(*test);
  return m;
}

struct OpnumMatcher : TransactionMatcher {
  rpc::OpnumTest test;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const PipeCall* c = request_of(tx);
    return c != nullptr && test.matches(c->opnum);
  }
};

Parsed parse_opnum(std::string_view value) {
  auto test = rpc::parse_opnum_test(value);
  if (!test) return std::unexpected(test.error());
  auto m = std::make_unique<OpnumMatcher>();
  m->test = std::move(*test);
  return m;
}

constexpr std::array kMatchers = {
    MatcherDef{"dcerpc.iface", "dce_iface", kInProgress, kInProgress, parse_interface,
               "interface of a call: <uuid>[, <op><version>][, any_frag]"},
    MatcherDef{"dcerpc.opnum", "dce_opnum", kInProgress, kInProgress, parse_opnum,
               "operation of a call: numbers and ranges"},
};

// ---------------------------------------------------------------- events, records

constexpr EventDef event(std::string_view name) { return {name, name}; }

constexpr std::array<EventDef, kEventCount> kEvents = {{
    event("internal_error"),
    event("malformed_data"),
    event("record_overflow"),
    event("malformed_ntlmssp_request"),
    event("malformed_ntlmssp_response"),
    event("duplicate_negotiate"),
    event("negotiate_malformed_dialects"),
    event("file_overlap"),
    event("request_to_client"),
    event("response_to_server"),
    event("negotiate_max_read_size_too_small"),
    event("negotiate_max_read_size_too_large"),
    event("read_request_too_large"),
    event("read_response_too_large"),
    event("negotiate_max_write_size_too_small"),
    event("negotiate_max_write_size_too_large"),
    event("write_request_too_large"),
    event("read_queue_size_exceeded"),
    event("read_queue_cnt_exceeded"),
    event("write_queue_size_exceeded"),
    event("write_queue_cnt_exceeded"),
    event("unusual_ntlmssp_order"),
    event("too_many_transactions"),
}};

bool alert_record(const Tx& tx, const applayer::LogContext&, JsonWriter& out) {
  write_record(of(tx), out);
  return true;
}

bool log_smb(const Tx& tx, const applayer::LogContext& context, JsonWriter& out) {
  if (context.options != nullptr) {
    const auto types = context.options->children("types");
    if (!types.empty() && std::ranges::none_of(types, [&](const std::string& i) {
          return context.options->text("types." + i, "") == record_type(of(tx));
        }))
      return false;
  }
  return alert_record(tx, context, out);
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "smb",
                                           .to_server_progress = kFinished,
                                           .to_client_progress = kFinished,
                                           .direction = Direction::kToServer,
                                           .log = log_smb}};

// ---------------------------------------------------------------- detection

// A NetBIOS header with a record of any version behind it. Who speaks is told by the record itself.
ProbeVerdict probe(Direction d, Bytes data) {
  constexpr size_t kFlags1At = kNbssHeaderBytes + 9, kFlags2At = kNbssHeaderBytes + 16;
  if (data.size() >= 1 && data[0] != kNbssMessage) {
    // Sessions on port 139 begin with a request by name.
    if (data[0] < kNbssRequest || data[0] > kNbssKeepAlive) return ProbeVerdict::kNo;
    if (data.size() < kNbssHeaderBytes) return ProbeVerdict::kMoreData;
    const size_t next = kNbssHeaderBytes + (size_t{data[2]} << 8 | data[3]);
    if (data[1] > 1 || next > 1024) return ProbeVerdict::kNo;
    return data.size() < next + kNbssHeaderBytes + 4 ? ProbeVerdict::kMoreData
                                                     : probe(d, data.subspan(next));
  }
  constexpr std::string_view kMagic = "SMB";
  for (size_t i = 0; i < kMagic.size(); ++i) {
    const size_t at = kNbssHeaderBytes + 1 + i;
    if (data.size() <= at) return ProbeVerdict::kMoreData;
    if (data[at] != static_cast<uint8_t>(kMagic[i])) return ProbeVerdict::kNo;
  }
  const uint8_t first = data[kNbssHeaderBytes];
  if (first == 0xfd || first == 0xfc) return ProbeVerdict::kEitherWay;   // encrypted or compressed: nothing says whose
  if (first != 0xff && first != 0xfe) return ProbeVerdict::kNo;
  const size_t at = first == 0xff ? kFlags1At : kFlags2At;
  if (data.size() <= at) return ProbeVerdict::kMoreData;
  const bool answer = first == 0xff ? (data[at] & 0x80) != 0 : (data[at] & 1) != 0;
  return answer == (d == Direction::kToClient) ? ProbeVerdict::kYes : ProbeVerdict::kReversed;
}

uint32_t bounded(uint64_t v) { return static_cast<uint32_t>(std::min<uint64_t>(v, UINT32_MAX)); }

std::shared_ptr<const void> configure(const Settings& s) {
  auto c = std::make_shared<Config>();
  c->files = applayer::file_options(s);
  const std::string base = "app-layer.protocols.smb.";
  const auto size = [&](std::string_view key, uint64_t fallback) {
    return s.size_bytes(base + std::string(key), fallback);
  };
  c->one_sided = s.flag("stream.async-oneside", false);
  c->transactions_max = std::clamp<size_t>(size("max-tx", kMaxTransactions), 1, 65536);
  c->part_bytes_max = {bounded(size("max-write-size", kMaxPartBytes)),
                       bounded(size("max-read-size", kMaxPartBytes))};
  c->queue = {{{size("max-write-queue-size", kMaxQueuedBytes),
                bounded(size("max-write-queue-cnt", kMaxQueuedParts))},
               {size("max-read-queue-size", kMaxQueuedBytes),
                bounded(size("max-read-queue-cnt", kMaxQueuedParts))}}};
  c->guids_max = size("max-guid-cache-size", kMaxGuids);
  c->offsets_max = size("max-rec-offset-cache-size", kMaxOffsets);
  c->trees_max = size("max-tree-cache-size", kMaxTrees);
  c->fragments_max = size("max-dcerpc-frag-cache-size", kMaxFragments);
  c->names_max = size("max-session-cache-size", kMaxPendingNames);
  return c;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<SmbParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                       : kDefault);
}

constexpr std::string_view kFrames[] = {"nbss.pdu",  "nbss.hdr", "nbss.data", "smb1.pdu",  "smb1.hdr", "smb1.data",
                                        "smb2.pdu",  "smb2.hdr", "smb2.data", "smb3.pdu",  "smb3.hdr", "smb3.data"};  // by Frame

}  // namespace

const ProtocolDef kSmbProtocol = {
    .id = AppProto::kSmb,
    .name = "smb",
    .rule_alias = {},
    .probe =
        {.tcp = true, .udp = false, .patterns = {}, .probe = probe, .ports = {}, .min_bytes = 4},
    .complete = {kFinished, kFinished},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_record,
    .frames = kFrames,
    .end_hands_out_stream = {true, false},
};

}  // namespace vong::smb
