// DNS and its relatives as tables.
#include <array>

#include "sensor/applayer/dns/limits.h"
#include "sensor/applayer/dns/parser.h"

namespace vong::dns {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ProbeDef;
using applayer::ProbePattern;
using applayer::ProtocolDef;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Message& message_of(const applayer::Transaction& tx) {
  return static_cast<const Transaction&>(tx).message;
}

// ---------------------------------------------------------------- buffers

BufferView query_name(const applayer::Transaction& tx, Direction, uint32_t i, BufferScratch&) {
  const auto& queries = message_of(tx).queries;
  return i < queries.size() ? BufferView::of(queries[i].name.value) : BufferView::none();
}

template <std::vector<Record> Message::*kSection>
BufferView record_name(const applayer::Transaction& tx, Direction, uint32_t i, BufferScratch&) {
  const auto& records = message_of(tx).*kSection;
  return i < records.size() ? BufferView::of(records[i].name.value) : BufferView::none();
}

BufferView any_name(const applayer::Transaction& tx, Direction, uint32_t i, BufferScratch&) {
  const auto& names = static_cast<const Transaction&>(tx).all_names();
  return i < names.size() ? BufferView::of(names[i]) : BufferView::none();
}

constexpr BufferDef both_ways(std::string_view name, applayer::BufferGetter get,
                              std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = 1,
          .to_client_progress = 1,
          .get = get,
          .multi = true,
          .help = help};
}

constexpr auto kAnswers = record_name<&Message::answers>;
constexpr auto kAuthorities = record_name<&Message::authorities>;
constexpr auto kAdditionals = record_name<&Message::additionals>;

constexpr std::array kDnsBuffers = {
    BufferDef{.name = "dns.query",
              .alias = "dns_query",
              .modifier = {},
              .to_server_progress = 1,
              .to_client_progress = kNever,
              .get = query_name,
              .multi = true,
              .help = "names asked for, in requests"},
    both_ways("dns.queries.rrname", query_name,
              "names in the question section, of requests and responses"),
    both_ways("dns.answers.rrname", kAnswers, "owner names of the answer section"),
    both_ways("dns.authorities.rrname", kAuthorities, "owner names of the authority section"),
    both_ways("dns.additionals.rrname", kAdditionals, "owner names of the additional section"),
    BufferDef{.name = "dns.response.rrname",
              .alias = {},
              .modifier = {},
              .to_server_progress = kNever,
              .to_client_progress = 1,
              .get = any_name,
              .multi = true,
              .help = "every name in a response: of questions, records, and what records point to"},
};

constexpr std::array kMdnsBuffers = {
    both_ways("mdns.queries.rrname", query_name, "names in the question section"),
    both_ways("mdns.answers.rrname", kAnswers, "owner names of the answer section"),
    both_ways("mdns.authorities.rrname", kAuthorities, "owner names of the authority section"),
    both_ways("mdns.additionals.rrname", kAdditionals, "owner names of the additional section"),
    both_ways(
        "mdns.response.rrname",
        [](const applayer::Transaction& tx, Direction d, uint32_t i, BufferScratch& s) {
          return message_of(tx).is_response() ? any_name(tx, d, i, s) : BufferView::none();
        },
        "every name in a response: of questions, records, and what records point to"),
};

constexpr std::array kLlmnrBuffers = {
    both_ways("llmnr.queries.rrname", query_name, "names in the question section"),
    both_ways("llmnr.answers.rrname", kAnswers, "owner names of the answer section"),
    both_ways("llmnr.authorities.rrname", kAuthorities, "owner names of the authority section"),
    both_ways("llmnr.additionals.rrname", kAdditionals, "owner names of the additional section"),
    BufferDef{.name = "llmnr.response.rrname",
              .alias = {},
              .modifier = {},
              .to_server_progress = kNever,
              .to_client_progress = 1,
              .get = any_name,
              .multi = true,
              .help = "every name in a response: of questions, records, and what records point to"},
};

// ---------------------------------------------------------------- numbers

std::optional<uint64_t> opcode(const applayer::Transaction& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return message_of(tx).opcode();
}

std::optional<uint64_t> rcode(const applayer::Transaction& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return message_of(tx).rcode();
}

// Of a request what it asks for; of a response the types of its answers too.
std::optional<uint64_t> record_type(const applayer::Transaction& tx, Direction, uint32_t i) {
  const Message& m = message_of(tx);
  if (i < m.queries.size()) return m.queries[i].type;
  i -= static_cast<uint32_t>(m.queries.size());
  if (m.is_response() && i < m.answers.size()) return m.answers[i].type;
  return std::nullopt;
}

std::vector<NumberDef::Value> values_of(const std::vector<NamedNumber>& names) {
  std::vector<NumberDef::Value> values;
  for (const NamedNumber& n : names) values.push_back({n.name, n.value});
  return values;
}

const std::vector<NumberDef::Value> kRcodeValues = values_of(rcodes()),
                                    kTypeValues = values_of(record_types());

const std::array kDnsNumbers = {
    NumberDef{.name = "dns.opcode",
              .alias = {},
              .to_server_progress = 1,
              .to_client_progress = 1,
              .get = opcode,
              .values = {},
              .bits = 8,
              .help = "operation code of the header"},
    NumberDef{.name = "dns.rcode",
              .alias = {},
              .to_server_progress = 1,
              .to_client_progress = 1,
              .get = rcode,
              .values = kRcodeValues,
              .bits = 16,
              .help = "response code of the header"},
    NumberDef{.name = "dns.rrtype",
              .alias = {},
              .to_server_progress = 1,
              .to_client_progress = 1,
              .get = record_type,
              .values = kTypeValues,
              .multi = true,
              .bits = 16,
              .help = "types asked for or answered"},
};

// ---------------------------------------------------------------- events, records, detection

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"malformed_data", "malformed_data"},
    {"not_a_request", "not_a_request"},
    {"not_a_response", "not_a_response"},
    {"z_flag_set", "z_flag_set"},
    {"invalid_opcode", "invalid_opcode"},
    {"invalid_additionals", "invalid_additionals"},
    {"invalid_authorities", "invalid_authorities"},
    {"name_too_long", "name_too_long"},
    {"infinite_loop", "infinite_loop"},
    {"too_many_labels", "too_many_labels"},
}};

constexpr std::array kDnsLoggers = {
    LoggerDef{.event_type = "dns",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_dns},
    LoggerDef{.event_type = "dns",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_dns},
};
constexpr std::array kMdnsLoggers = {
    LoggerDef{.event_type = "mdns", .direction = Direction::kToServer, .log = log_mdns}};
constexpr std::array kLlmnrLoggers = {
    LoggerDef{.event_type = "llmnr", .direction = Direction::kToServer, .log = log_llmnr}};

template <Flavor kFlavor>
std::unique_ptr<applayer::Parser> make_parser(const void*) {
  return std::make_unique<DnsParser>(kFlavor);
}

// Whichever way a multicast message goes, it goes to the group.
applayer::ProbeVerdict probe_mdns(Direction d, Bytes data) {
  return probe_udp(d, data) == applayer::ProbeVerdict::kNo ? applayer::ProbeVerdict::kNo
                                                           : applayer::ProbeVerdict::kYes;
}

constexpr uint16_t kProbeBytes = 12;
constexpr std::array<uint16_t, 1> kDnsPorts = {53}, kMdnsPorts = {5353}, kLlmnrPorts = {5355};

constexpr std::string_view kFrames[] = {"pdu"};   // by Frame

}  // namespace

const ProtocolDef kDnsProtocol = {
    .id = AppProto::kDns,
    .name = "dns",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe_tcp,
              .ports = kDnsPorts,
              .min_bytes = kProbeBytes,
              .datagram_probe = probe_udp},
    .complete = {1, 1},
    .make = make_parser<Flavor::kDns>,
    .buffers = kDnsBuffers,
    .numbers = kDnsNumbers,
    .matchers = {},
    .events = kEvents,
    .loggers = kDnsLoggers,
    .alert_record = alert_dns,
    .unidirectional = true,
    .frames = kFrames,
};

const ProtocolDef kMdnsProtocol = {
    .id = AppProto::kMdns,
    .name = "mdns",
    .rule_alias = {},
    .probe = {.tcp = false,
              .udp = true,
              .patterns = {},
              .probe = probe_mdns,
              .ports = kMdnsPorts,
              .min_bytes = kHeaderBytes},
    .complete = {1, 1},
    .make = make_parser<Flavor::kMdns>,
    .buffers = kMdnsBuffers,
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kMdnsLoggers,
    .alert_record = log_mdns,
    .unidirectional = true,
    .frames = kFrames,
};

// Not on by itself: the reference release does not know this protocol, so its flows would be named
// differently.
const ProtocolDef kLlmnrProtocol = {
    .id = AppProto::kLlmnr,
    .name = "llmnr",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe_tcp,
              .ports = kLlmnrPorts,
              .min_bytes = kProbeBytes,
              .datagram_probe = probe_udp},
    .complete = {1, 1},
    .make = make_parser<Flavor::kLlmnr>,
    .buffers = kLlmnrBuffers,
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kLlmnrLoggers,
    .alert_record = log_llmnr,
    .unidirectional = true,
    .enabled_by_default = false,
    .frames = kFrames,
};

}  // namespace vong::dns
