// DNP3 as a table: keywords, record, events, detection.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/dnp3/parser.h"

namespace vong::dnp3 {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;

namespace {

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

BufferView data(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return of(tx).message.empty() ? BufferView::none() : BufferView::of(of(tx).message);
}

constexpr std::array kBuffers = {
    BufferDef{.name = "dnp3_data",
              .alias = "dnp3.data",
              .modifier = {},
              .to_server_progress = 1,
              .to_client_progress = 1,
              .get = data,
              .help = "the application message, reassembled from its segments, without checksums"}};

// ---------------------------------------------------------------- function codes

constexpr auto kFunctions = std::to_array<NumberDef::Value>({
    {"confirm", 0},
    {"read", 1},
    {"write", 2},
    {"select", 3},
    {"operate", 4},
    {"direct_operate", 5},
    {"direct_operate_nr", 6},
    {"immed_freeze", 7},
    {"immed_freeze_nr", 8},
    {"freeze_clear", 9},
    {"freeze_clear_nr", 10},
    {"freeze_at_time", 11},
    {"freeze_at_time_nr", 12},
    {"cold_restart", 13},
    {"warm_restart", 14},
    {"initialize_data", 15},
    {"initialize_appl", 16},
    {"start_appl", 17},
    {"stop_appl", 18},
    {"save_config", 19},
    {"enable_unsolicited", 20},
    {"disable_unsolicited", 21},
    {"assign_class", 22},
    {"delay_measure", 23},
    {"record_current_time", 24},
    {"open_file", 25},
    {"close_file", 26},
    {"delete_file", 27},
    {"get_file_info", 28},
    {"authenticate_file", 29},
    {"abort_file", 30},
    {"activate_config", 31},
    {"authenticate_req", 32},
    {"authenticate_err", 33},
    {"response", 129},
    {"unsolicited_response", 130},
    {"authenticate_resp", 131},
});

std::optional<uint64_t> function(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).function;
}

constexpr std::array kNumbers = {NumberDef{.name = "dnp3_func",
                                           .alias = "dnp3.func",
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .get = function,
                                           .values = kFunctions,
                                           .bits = 8,
                                           .help = "function code of the message"}};

// ---------------------------------------------------------------- indications

constexpr auto kIndications = std::to_array<NumberDef::Value>({
    {"device_restart", 0x8000},
    {"device_trouble", 0x4000},
    {"local_control", 0x2000},
    {"need_time", 0x1000},
    {"class_3_events", 0x0800},
    {"class_2_events", 0x0400},
    {"class_1_events", 0x0200},
    {"all_stations", 0x0100},
    {"reserved_1", 0x0080},
    {"reserved_2", 0x0040},
    {"config_corrupt", 0x0020},
    {"already_executing", 0x0010},
    {"event_buffer_overflow", 0x0008},
    {"parameter_error", 0x0004},
    {"object_unknown", 0x0002},
    {"no_func_code_support", 0x0001},
});

struct Indications : TransactionMatcher {
  uint16_t wanted = 0;  // any of these
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    return !of(tx).is_request && (of(tx).indications & wanted) != 0;
  }
};

std::optional<uint64_t> number_of(std::string_view text, int base = 10) {
  if (base == 10 && text.starts_with("0x")) return number_of(text.substr(2), 16);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::unique_ptr<TransactionMatcher>> parse_indications(std::string_view value) {
  auto m = std::make_unique<Indications>();
  for (std::string_view name : split(value, ',')) {
    name = strip(name);
    const auto* known = std::ranges::find_if(
        kIndications, [&](const auto& v) { return equals_ignore_case(v.name, name); });
    if (known != kIndications.end()) {
      m->wanted |= static_cast<uint16_t>(known->value);
    } else if (const auto n = number_of(name); n && *n <= UINT16_MAX) {
      m->wanted |= static_cast<uint16_t>(*n);
    } else {
      return fail("unknown internal indication '" + std::string(name) + "'");
    }
  }
  return m;
}

// ---------------------------------------------------------------- objects

struct ObjectType : TransactionMatcher {
  uint8_t group = 0, variation = 0;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    return std::ranges::any_of(of(tx).objects, [this](const Object& o) {
      return o.group == group && o.variation == variation;
    });
  }
};

Result<std::unique_ptr<TransactionMatcher>> parse_object(std::string_view value) {
  const auto parts = split(value, ',');
  if (parts.size() != 2) return fail("expected a group and a variation");
  const auto group = number_of(strip(parts[0])), variation = number_of(strip(parts[1]));
  if (!group || !variation || *group > 255 || *variation > 255)
    return fail("group and variation are numbers up to 255");
  auto m = std::make_unique<ObjectType>();
  m->group = static_cast<uint8_t>(*group);
  m->variation = static_cast<uint8_t>(*variation);
  return m;
}

constexpr std::array kMatchers = {
    MatcherDef{"dnp3_ind", "dnp3.ind", BufferDef::kNotHere, 1, parse_indications,
               "internal indications of a response: any of those named"},
    MatcherDef{"dnp3_obj", "dnp3.obj", 1, 1, parse_object, "an object of this group and variation"},
};

// ---------------------------------------------------------------- record

bool log_dnp3(const Tx& base, const LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  if (!tx.done) return false;
  out.open_object("dnp3");
  write_message(tx, out);
  out.close_object();
  return true;
}

bool alert_dnp3(const Tx& base, const LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  if (!tx.done) return false;
  out.open_object("dnp3");
  out.open_object(tx.is_request ? "request" : "response");
  write_message(tx, out);
  out.close_object();
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "dnp3",
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .direction = Direction::kToServer,
                                           .log = log_dnp3}};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"flooded", ""},
    {"len_too_small", ""},
    {"bad_link_crc", ""},
    {"bad_transport_crc", ""},
    {"malformed", ""},
    {"unknown_object", ""},
    {"too_many_points", ""},
    {"too_many_objects", ""},
    {"too_long_reassembly", ""},
}};

std::shared_ptr<const void> configure(const Settings& s) {
  const auto number = [&](const char* name, size_t fallback) {
    const int64_t v =
        s.integer(std::string("app-layer.protocols.dnp3.") + name, static_cast<int64_t>(fallback));
    return v > 0 ? static_cast<size_t>(v) : fallback;
  };
  auto config = std::make_shared<Config>();
  config->transactions_max = number("max-tx", kMaxTransactions);
  config->points_max = number("max-points", kMaxPoints);
  config->objects_max = number("max-objects", kMaxObjects);
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<Dnp3Parser>(config != nullptr ? *static_cast<const Config*>(config)
                                                        : kDefault);
}

constexpr std::array<uint16_t, 1> kPorts = {20000};

}  // namespace

std::span<const NumberDef::Value> indications() { return kIndications; }

void write_message(const Transaction& tx, JsonWriter& out) {
  out.field("type", tx.is_request                         ? "request"
                    : tx.function == kUnsolicitedResponse ? "unsolicited_response"
                                                          : "response");
  out.open_object("control");
  out.field("dir", tx.link.from_master());
  out.field("pri", tx.link.primary());
  out.field("fcb", tx.link.frame_count());
  out.field("fcv", tx.link.frame_count_valid());
  out.field("function_code", tx.link.function());
  out.close_object();
  out.field("src", tx.link.source);
  out.field("dst", tx.link.destination);
  out.open_object("application");
  out.open_object("control");
  out.field("fir", (tx.control & 0x80) != 0);
  out.field("fin", (tx.control & 0x40) != 0);
  out.field("con", (tx.control & 0x20) != 0);
  out.field("uns", (tx.control & 0x10) != 0);
  out.field("sequence", tx.control & 0x0f);
  out.close_object();
  out.field("function_code", tx.function);
  write_objects(tx.objects, tx.object_bytes(), out);
  out.field("complete", tx.complete);
  out.close_object();
  if (tx.is_request) return;
  out.open_object("iin");
  if (tx.indications != 0) {
    out.open_array("indicators");
    for (const auto& i : kIndications) {
      if ((tx.indications & i.value) != 0) out.string(i.name);
    }
    out.close_array();
  }
  out.close_object();
}

const ProtocolDef kDnp3Protocol = {
    .id = AppProto::kDnp3,
    .name = "dnp3",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 4},
    .complete = {1, 1},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_dnp3,
    .unidirectional = true,
    .enabled_by_default = false,
};

}  // namespace vong::dnp3
