// EtherNet/IP as a table.
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/enip/names.h"
#include "sensor/applayer/enip/parser.h"

namespace vong::enip {

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

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;
using Number = std::optional<uint64_t>;
using Get = Number (*)(const Tx&, Direction, uint32_t);

// The message that went in this direction; null when there was none.
const Message* message(const Tx& base, Direction d) {
  const auto& tx = static_cast<const Transaction&>(base);
  const auto& m = d == Direction::kToServer ? tx.request : tx.response;
  return m ? &*m : nullptr;
}

constexpr NumberDef number(std::string_view name, std::string_view alias, bool requests,
                           bool responses, int bits, Get get, std::string_view help,
                           std::span<const NumberDef::Value> values = {}, bool multi = false) {
  return {.name = name,
          .alias = alias,
          .to_server_progress = requests ? uint8_t{1} : kNever,
          .to_client_progress = responses ? uint8_t{1} : kNever,
          .get = get,
          .values = values,
          .multi = multi,
          .bits = bits,
          .help = help};
}

template <uint32_t (*kOf)(const Header&)>
Number header(const Tx& tx, Direction d, uint32_t i) {
  const Message* m = message(tx, d);
  if (m == nullptr || i > 0) return std::nullopt;
  return kOf(m->header);
}
uint32_t command_of(const Header& h) { return h.command; }
uint32_t status_of(const Header& h) { return h.status; }

template <auto kField>
Number identity(const Tx& tx, Direction d, uint32_t i) {
  const Message* m = message(tx, d);
  if (m == nullptr || !m->identity || i > 0) return std::nullopt;
  return (*m->identity).*kField;
}

Number revision(const Tx& tx, Direction d, uint32_t i) {
  const Message* m = message(tx, d);
  if (m == nullptr || !m->identity || i > 0) return std::nullopt;
  return m->identity->major << 8 | m->identity->minor;
}

Number capabilities(const Tx& tx, Direction d, uint32_t i) {
  const Message* m = message(tx, d);
  if (m == nullptr || !m->services || i > 0) return std::nullopt;
  return m->services->capabilities;
}

Number protocol_version(const Tx& tx, Direction d, uint32_t i) {
  const Message* m = message(tx, d);
  if (m == nullptr || i > 0) return std::nullopt;
  if (m->registration) return m->registration->protocol_version;
  if (m->services) return m->services->protocol_version;
  if (m->identity) return m->identity->protocol_version;
  return std::nullopt;
}

// Service i of a message: the outer one, then those of a multiple service packet.
const Service* service(const Tx& tx, Direction d, uint32_t i) {
  const Message* m = message(tx, d);
  if (m == nullptr || !m->cip) return nullptr;
  if (i == 0) return &*m->cip;
  return i - 1 < m->cip->multiple.size() ? &m->cip->multiple[i - 1] : nullptr;
}

template <SegmentType kType>
Number segment(const Tx& tx, Direction d, uint32_t i) {
  uint32_t seen = 0;
  for (uint32_t n = 0; const Service* s = service(tx, d, n); ++n) {
    for (const Segment& each : s->path) {
      if (each.type == kType && seen++ == i) return each.value;
    }
  }
  return std::nullopt;
}

Number cip_status(const Tx& tx, Direction d, uint32_t i) {
  const Service* s = service(tx, d, i);
  if (s == nullptr || !s->is_response) return std::nullopt;
  return s->status;
}

Number cip_extended(const Tx& tx, Direction d, uint32_t i) {
  uint32_t seen = 0;
  for (uint32_t n = 0; const Service* s = service(tx, d, n); ++n) {
    if (s->extended_status && seen++ == i) return *s->extended_status;
  }
  return std::nullopt;
}

constexpr std::array kNumbers = {
    number("enip_command", "enip.command", true, true, 16, header<command_of>,
           "command of the header", kCommands),
    number("enip.status", "", true, true, 32, header<status_of>, "status of the header", kStatus),
    number("enip.protocol_version", "", true, true, 16, protocol_version,
           "protocol version of a registration, identity or list of services"),
    number("enip.capabilities", "", false, true, 16, capabilities, "capabilities of a service"),
    number("enip.revision", "", false, true, 16, revision, "revision: major * 256 + minor"),
    number("enip.identity_status", "", false, true, 16, identity<&Identity::status>,
           "status of an identity"),
    number("enip.state", "", false, true, 8, identity<&Identity::state>, "state of an identity"),
    number("enip.serial", "", false, true, 32, identity<&Identity::serial>, "serial number"),
    number("enip.product_code", "", false, true, 16, identity<&Identity::product_code>,
           "product code"),
    number("enip.device_type", "", false, true, 16, identity<&Identity::device_type>,
           "kind of device"),
    number("enip.vendor_id", "", false, true, 16, identity<&Identity::vendor>, "vendor"),
    number("enip.cip_class", "", true, false, 32, segment<SegmentType::kClass>,
           "classes of a CIP request's paths", {}, true),
    number("enip.cip_instance", "", true, false, 32, segment<SegmentType::kInstance>,
           "instances of a CIP request's paths", {}, true),
    number("enip.cip_attribute", "", true, false, 32, segment<SegmentType::kAttribute>,
           "attributes of a CIP request's paths", {}, true),
    number("enip.cip_status", "", false, true, 8, cip_status, "status of a CIP response", {}, true),
    number("enip.cip_extendedstatus", "", false, true, 16, cip_extended,
           "extended status of a CIP response", {}, true),
};

// ---------------------------------------------------------------- buffers

BufferView product_name(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  const Message* m = message(tx, d);
  return m != nullptr && m->identity ? BufferView::of(m->identity->name) : BufferView::none();
}
BufferView services_name(const Tx& tx, Direction d, uint32_t, BufferScratch&) {
  const Message* m = message(tx, d);
  return m != nullptr && m->services ? BufferView::of(m->services->name) : BufferView::none();
}

constexpr BufferDef buffer(std::string_view name, applayer::BufferGetter get,
                           std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = kNever,
          .to_client_progress = 1,
          .get = get,
          .help = help};
}

constexpr std::array kBuffers = {
    buffer("enip.product_name", product_name, "product name of an identity"),
    buffer("enip.service_name", services_name, "name of a listed service"),
};

// ---------------------------------------------------------------- cip_service

struct CipService : TransactionMatcher {
  uint32_t code = 0;
  std::optional<uint32_t> klass, attribute;
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    for (uint32_t i = 0; const Service* s = service(tx, d, i); ++i) {
      if (s->code != code) continue;
      if (klass && s->segment(SegmentType::kClass) != klass) continue;
      if (attribute && s->segment(SegmentType::kAttribute) != attribute) continue;
      return true;
    }
    return false;
  }
};

Result<std::unique_ptr<TransactionMatcher>> parse_cip_service(std::string_view value) {
  std::array<uint32_t, 3> numbers{};
  const auto parts = split(value, ',');
  if (parts.size() > numbers.size()) return fail("expected service, class, attribute");
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = strip(parts[i]);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), numbers[i]);
    if (part.empty() || error != std::errc() || end != part.data() + part.size() ||
        numbers[i] > (i == 0 ? 127U : 65535U))
      return fail("'" + std::string(part) + "' is no such number");
  }
  auto m = std::make_unique<CipService>();
  m->code = numbers[0];
  if (parts.size() > 1) m->klass = numbers[1];
  if (parts.size() > 2) m->attribute = numbers[2];
  return m;
}

constexpr std::array kMatchers = {
    MatcherDef{"cip_service", "", 1, 1, parse_cip_service,
               "a CIP service, with its class and attribute when given: `cip_service:14,1,7`"}};

// ---------------------------------------------------------------- events, records, detection

constexpr std::string_view kFrames[] = {"hdr", "data", "pdu"};  // by FrameKind

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"invalid_pdu", "invalid_pdu"},
    {"too_many_transactions", "too_many_transactions"},
}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "enip",
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .direction = Direction::kToServer,
                                           .log = log_enip}};

ProbeVerdict probe(Direction, Bytes data) {
  Header h;
  if (!parse_header(data, h)) return ProbeVerdict::kMoreData;
  const bool known_status =
      h.status <= 3 || h.status == 0x64 || h.status == 0x65 || h.status == 0x69 || h.status == 0x6a;
  return !command_name(h.command).empty() && known_status && h.options == 0 ? ProbeVerdict::kYes
                                                                            : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<EnipParser>(); }

constexpr std::array<uint16_t, 1> kPorts = {44818};

}  // namespace

const ProtocolDef kEnipProtocol = {
    .id = AppProto::kEnip,
    .name = "enip",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = kHeaderBytes},
    .complete = {1, 1},
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_enip,
    .enabled_by_default = false,
    .frames = kFrames,
};

}  // namespace vong::enip
