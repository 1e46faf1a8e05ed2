// DCERPC as tables: buffers, keywords, records, detection.
#include <algorithm>
#include <array>

#include "sensor/applayer/dcerpc/parser.h"
#include "sensor/applayer/formats/text.h"

namespace vong::dcerpc {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;
using Parsed = Result<std::unique_ptr<TransactionMatcher>>;

namespace {

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

BufferView stub_data(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  const Transaction::Stub& s = of(tx).stubs[static_cast<size_t>(index(d))];
  if (s.data.empty()) return BufferView::none();
  BufferView v = BufferView::of(s.data);
  v.complete = of(tx).done(d);
  return v;
}

constexpr std::array kBuffers = {
    BufferDef{.name = "dcerpc.stub_data",
              .alias = "dce_stub_data",
              .modifier = {},
              .to_server_progress = kInProgress,
              .to_client_progress = kInProgress,
              .get = stub_data,
              .streaming = true,
              .help = "arguments of a call of DCERPC"},
};

std::optional<uint64_t> little_endian(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).little_endian ? 1 : 0;
}

constexpr std::array kNumbers = {
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

struct InterfaceMatcher : TransactionMatcher {
  rpc::InterfaceTest test;
  [[nodiscard]] bool match(const Tx& base, Direction) const override {
    const Transaction& tx = of(base);
    if (tx.request != rpc::kRequest || (!test.any_fragment && !tx.first_fragment)) return false;
    if (tx.interface) return test.matches(*tx.interface);
    return std::ranges::any_of(tx.session->interfaces, [&](const rpc::Interface& i) {
      return i.acked && i.ack_result == 0 && i.context_id == tx.context_id && (test.any_fragment || i.from_first_fragment) &&
             test.matches(i);
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
    return of(tx).request == rpc::kRequest && test.matches(of(tx).opnum);
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

// ---------------------------------------------------------------- records

void interface(const rpc::Interface& i, bool with_result, JsonWriter& out) {
  out.open_object();
  out.field("uuid", formats::uuid_text(as_bytes(i.uuid)));
  out.field("version", std::to_string(i.version) + "." + std::to_string(i.minor));
  if (with_result && i.acked) out.field("ack_result", i.ack_result);
  out.close_object();
}

void interfaces(const Transaction& tx, JsonWriter& out) {
  const bool call = tx.request == rpc::kRequest;
  std::vector<const rpc::Interface*> shown;
  if (tx.interface) {
    shown.push_back(&*tx.interface);
  } else {
    for (const rpc::Interface& i : tx.session->interfaces) {
      if (!call || (i.context_id == tx.context_id && i.acked && i.ack_result == 0))
        shown.push_back(&i);
    }
  }
  if (shown.empty()) return;
  out.open_array("interfaces");
  for (const rpc::Interface* i : shown) interface(*i, !tx.connectionless, out);
  out.close_array();
}

void stub(std::string_view key, const Transaction& tx, Direction d, JsonWriter& out) {
  const Transaction::Stub& s = tx.stubs[static_cast<size_t>(index(d))];
  out.open_object(key);
  if (d == Direction::kToServer) out.field("opnum", tx.opnum);
  out.field("frag_cnt", s.fragments);
  out.field("stub_data_size", s.size);
  out.close_object();
}

bool log_dcerpc(const Tx& base, const applayer::LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  out.open_object("dcerpc");
  out.field("request", tx.request ? rpc::name_of(*tx.request) : std::string_view("REQUEST_LOST"));
  if (tx.request == rpc::kRequest) stub("req", tx, Direction::kToServer, out);
  if (tx.request) interfaces(tx, out);
  out.field("response", tx.response ? rpc::name_of(*tx.response) : std::string_view("UNREPLIED"));
  if (tx.response == rpc::kResponse) stub("res", tx, Direction::kToClient, out);
  if (tx.connectionless) {
    out.field("activityuuid", formats::uuid_text(as_bytes(tx.activity)));
    out.field("seqnum", tx.sequence);
  } else {
    out.field("call_id", tx.call_id);
  }
  out.field("rpc_version", std::to_string(tx.version) + "." + std::to_string(tx.minor));
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "dcerpc",
                                           .to_server_progress = kFinished,
                                           .to_client_progress = kFinished,
                                           .direction = Direction::kToServer,
                                           .log = log_dcerpc}};

// ---------------------------------------------------------------- detection

// Whose units these are; nothing for types that both send.
std::optional<Direction> sender_of(uint8_t type) {
  switch (type) {
    case rpc::kRequest:
    case rpc::kBind:
    case rpc::kAlterContext:
    case rpc::kAuth3:
    case rpc::kCoCancel:
    case rpc::kOrphaned:
      return Direction::kToServer;
    case rpc::kResponse:
    case rpc::kFault:
    case rpc::kBindAck:
    case rpc::kBindNak:
    case rpc::kAlterContextResponse:
    case rpc::kShutdown:
      return Direction::kToClient;
    default:
      return std::nullopt;
  }
}

ProbeVerdict verdict(Direction d, uint8_t type) {
  const auto sender = sender_of(type);
  return !sender || *sender == d ? ProbeVerdict::kYes : ProbeVerdict::kReversed;
}

ProbeVerdict probe(Direction d, Bytes data) {
  if (!data.empty() && data[0] != 5) return ProbeVerdict::kNo;
  if (data.size() >= 2 && data[1] != 0) return ProbeVerdict::kNo;
  // Representation: integers and characters, floats. What else the header says is the parser's to judge.
  if (data.size() >= 6 && ((data[4] & 0xee) != 0 || data[5] > 3)) return ProbeVerdict::kNo;
  if (data.size() < rpc::kHeaderBytes) return ProbeVerdict::kMoreData;
  return verdict(d, data[2]);
}

ProbeVerdict datagram_probe(Direction d, Bytes data) {
  constexpr size_t kHeader = 80, kTypeMax = 10;
  if (data.size() < kHeader || data[0] != 4 || data[1] > kTypeMax || (data[2] & 0xc0) != 0 ||
      (data[3] & 0xfc) != 0 || (data[4] & 0xee) != 0 || data[5] > 3 || data[6] != 0)
    return ProbeVerdict::kNo;
  const bool little = (data[4] & 0x10) != 0;
  const size_t size = little ? data[74] | data[75] << 8 : data[74] << 8 | data[75];
  if (size == 0 || size + kHeader > data.size()) return ProbeVerdict::kNo;
  return verdict(d, data[1]);
}

std::shared_ptr<const void> configure(const Settings& s) {
  auto c = std::make_shared<Config>();
  c->transactions_max = static_cast<size_t>(std::clamp<int64_t>(
      s.integer("app-layer.protocols.dcerpc.max-tx", kMaxTransactions), 1, 65536));
  return c;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<DcerpcParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                          : kDefault);
}

constexpr std::string_view kFrames[] = {"pdu", "hdr", "data"};  // by Frame

}  // namespace

const ProtocolDef kDcerpcProtocol = {
    .id = AppProto::kDcerpc,
    .name = "dcerpc",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = {},
              .min_bytes = 0,
              .datagram_probe = datagram_probe},
    .complete = {kFinished, kFinished},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = {},
    .loggers = kLoggers,
    .alert_record = log_dcerpc,
    .frames = kFrames,
};

}  // namespace vong::dcerpc
