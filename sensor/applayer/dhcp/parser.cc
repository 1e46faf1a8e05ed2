#include "sensor/applayer/dhcp/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/dhcp/limits.h"

namespace vong::dhcp {

using applayer::Input;
using applayer::ParseResult;
using applayer::ProbeVerdict;

namespace {

constexpr size_t kHardwareBytes = 16, kServerNameBytes = 64, kFileBytes = 128, kMagicBytes = 4;
constexpr size_t kHeaderBytes = 240;

bool read_header(ByteReader& in, Transaction& tx) {
  tx.opcode = in.u8();
  in.skip(1);  // kind of hardware
  const size_t mac_bytes = std::min<size_t>(in.u8(), kHardwareBytes);
  in.skip(1);  // hops
  tx.xid = in.u32();
  in.skip(4);  // seconds, flags
  for (uint32_t& a : tx.addresses) a = in.u32();
  const Bytes hardware = in.bytes(kHardwareBytes);
  if (in.ok()) tx.client_mac = as_text(hardware.first(mac_bytes));
  in.skip(kServerNameBytes + kFileBytes + kMagicBytes);
  return in.ok();
}

// What an option must be able to say.
bool fits(const Option& o) {
  switch (o.code) {
    case kLeaseTime:
    case kRenewalTime:
    case kRebindingTime:
      return o.data.size() >= 4;
    case kMessageType:
    case kClientId:
      return !o.data.empty();
    default:
      return true;
  }
}

void read_options(ByteReader& in, Transaction& tx) {
  while (!in.empty()) {
    Option o;
    o.code = in.u8();
    if (o.code == kPad) continue;
    if (o.code == kEnd) return;
    o.data = as_text(in.bytes(in.u8()));
    if (!in.ok()) break;
    if (!fits(o) || tx.options.size() >= kMaxOptions) {
      tx.add_event(kMalformedOptions);
      return;
    }
    tx.options.push_back(std::move(o));
  }
  tx.add_event(kTruncatedOptions);
}

ProbeVerdict probe(Direction, Bytes data) {
  ByteReader in(data);
  Transaction tx;
  return read_header(in, tx) ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

// ---------------------------------------------------------------- table

using applayer::BufferDef;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::NumberDef;

template <OptionCode kCode>
std::optional<uint64_t> time_of(const applayer::Transaction& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return static_cast<const Transaction&>(tx).number(kCode);
}

constexpr NumberDef number(std::string_view name,
                           std::optional<uint64_t> (*get)(const applayer::Transaction&, Direction,
                                                          uint32_t),
                           std::string_view help) {
  return {.name = name,
          .alias = {},
          .to_server_progress = 1,
          .to_client_progress = 1,
          .get = get,
          .values = {},
          .bits = 64,
          .help = help};
}

constexpr std::array kNumbers = {
    number("dhcp.leasetime", time_of<kLeaseTime>, "lease time in seconds (option 51)"),
    number("dhcp.rebinding_time", time_of<kRebindingTime>, "rebinding time in seconds (option 59)"),
    number("dhcp.renewal_time", time_of<kRenewalTime>, "renewal time in seconds (option 58)"),
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"truncated_options", "truncated_options"},
    {"malformed_options", "malformed_options"},
}};

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "dhcp",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_dhcp},
    LoggerDef{.event_type = "dhcp",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_dhcp},
};

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<DhcpParser>(); }

constexpr std::array<uint16_t, 2> kPorts = {67, 68};

}  // namespace

const Option* Transaction::option(uint8_t code) const {
  const auto found =
      std::ranges::find_if(options, [code](const Option& o) { return o.code == code; });
  return found == options.end() ? nullptr : &*found;
}

std::optional<uint64_t> Transaction::number(uint8_t code) const {
  const Option* o = option(code);
  if (o == nullptr || o->data.size() < 4) return std::nullopt;
  return ByteReader(as_bytes(o->data)).u32();
}

ParseResult DhcpParser::parse(Direction d, const Input& in) {
  if (in.data.empty() || transactions.size() >= kMaxTransactions)
    return ParseResult::ok(in.data.size());
  auto tx = std::make_unique<Transaction>();
  ByteReader reader(in.data);
  if (!read_header(reader, *tx)) return ParseResult::error();
  read_options(reader, *tx);
  tx->direction = d;
  tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  tx->progress = {1, 1};
  add(std::move(tx));
  return ParseResult::ok(in.data.size());
}

const applayer::ProtocolDef kDhcpProtocol = {
    .id = applayer::AppProto::kDhcp,
    .name = "dhcp",
    .rule_alias = {},
    .probe = {.tcp = false,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = kHeaderBytes},
    .complete = {1, 1},
    .make = make,
    .buffers = {},
    .numbers = kNumbers,
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_dhcp,
    .unidirectional = true,
};

}  // namespace vong::dhcp
