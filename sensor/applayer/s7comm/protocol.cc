// The table that makes S7comm known: detection, keywords, events, records.
#include <array>

#include "base/byte_reader.h"
#include "sensor/applayer/core/value_names.h"
#include "sensor/applayer/s7comm/functions.h"
#include "sensor/applayer/s7comm/parser.h"

namespace vong::s7comm {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

// ---------------------------------------------------------------- keywords

BufferView name_of_service(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  return i > 0 || of(tx).name.empty() ? BufferView::none() : BufferView::of(of(tx).name);
}

constexpr std::array kBuffers = {
    BufferDef{.name = "s7comm.name",
              .alias = {},
              .modifier = {},
              .to_server_progress = kFinished,
              .get = name_of_service,
              .help = "block that is loaded, or service that is started"}};

using Get = std::optional<uint64_t> (*)(const Tx&, Direction, uint32_t);

std::optional<uint64_t> function(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).function || of(tx).kind != Kind::kJob) return std::nullopt;
  return *of(tx).function;
}

std::optional<uint64_t> group(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).group) return std::nullopt;
  return *of(tx).group;
}

template <auto kField>
std::optional<uint64_t> item(const Tx& tx, Direction, uint32_t i) {
  if (i >= of(tx).items.size()) return std::nullopt;
  return of(tx).items[i].*kField;
}

std::optional<uint64_t> error_class(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).error_class) return std::nullopt;
  return *of(tx).error_class;
}

constexpr auto kFunctions = std::to_array<NumberDef::Value>({
    {"read_var", kReadVariables},
    {"write_var", kWriteVariables},
    {"request_download", kRequestDownload},
    {"download_block", kDownloadBlock},
    {"download_ended", kDownloadEnded},
    {"start_upload", kStartUpload},
    {"upload", kUpload},
    {"end_upload", kEndUpload},
    {"plc_control", kControl},
    {"plc_stop", kStop},
    {"setup_communication", kSetupCommunication},
});

constexpr auto kAreas = std::to_array<NumberDef::Value>({
    {"system_info", 0x03},
    {"system_flags", 0x05},
    {"analog_inputs", 0x06},
    {"analog_outputs", 0x07},
    {"counters", 0x1c},
    {"timers", 0x1d},
    {"peripherals", 0x80},
    {"inputs", 0x81},
    {"outputs", 0x82},
    {"flags", 0x83},
    {"data_block", 0x84},
    {"instance_data", 0x85},
    {"local_data", 0x86},
});

constexpr auto kGroups = std::to_array<NumberDef::Value>({
    {"mode_transition", 0},
    {"programmer", 1},
    {"cyclic_data", 2},
    {"blocks", 3},
    {"cpu", 4},
    {"security", 5},
    {"block_messages", 6},
    {"time", 7},
});

constexpr NumberDef number(std::string_view name, Get get, int bits, bool multi, uint8_t to_client,
                           std::string_view help, std::span<const NumberDef::Value> values = {}) {
  return {.name = name,
          .alias = {},
          .to_server_progress =
              to_client == BufferDef::kNotHere ? uint8_t{kFinished} : BufferDef::kNotHere,
          .to_client_progress = to_client,
          .get = get,
          .values = values,
          .multi = multi,
          .bits = bits,
          .help = help};
}

constexpr uint8_t kRequest = BufferDef::kNotHere;  // of the side that answers nothing is asked

constexpr std::array kNumbers = {
    number("s7comm.function", function, 8, false, kRequest,
           "what a job asks for: `write_var` or its number", kFunctions),
    number("s7comm.group", group, 8, false, kRequest, "function group of user data", kGroups),
    number("s7comm.area", item<&Item::area>, 8, true, kRequest, "memory that a variable stands in",
           kAreas),
    number("s7comm.data_block", item<&Item::block>, 16, true, kRequest,
           "number of a variable's data block"),
    number("s7comm.error_class", error_class, 8, false, kFinished, "error class of the answer"),
};

// ---------------------------------------------------------------- record

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kJob:
      return "job";
    case Kind::kAck:
      return "ack";
    case Kind::kAckData:
      return "ack_data";
    case Kind::kUserData:
      return "user_data";
  }
  return "unknown";
}

bool write(const Tx& base, const LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  out.open_object("s7comm");
  if (tx.extended) {
    out.field("kind", "extended");
    out.close_object();
    return true;
  }
  out.field("kind", name_of(tx.kind));
  out.field("reference", tx.reference);
  if (tx.group) out.field("group", applayer::name_of_value(kGroups, *tx.group, "unknown"));
  if (tx.function) {
    out.field("function_id", *tx.function);
    if (tx.kind == Kind::kJob) out.field("function", applayer::name_of_value(kFunctions, *tx.function, "unknown"));
  }
  if (!tx.name.empty()) out.field("name", tx.name);
  if (tx.item_count > 0) out.field("item_count", tx.item_count);
  if (!tx.items.empty()) {
    out.open_array("items");
    for (const Item& i : tx.items) {
      out.open_object();
      out.field("area", applayer::name_of_value(kAreas, i.area, "unknown"));
      out.field("data_block", i.block);
      out.field("address", i.address);
      out.field("count", i.count);
      out.close_object();
    }
    out.close_array();
  }
  out.field("answered", tx.answered);
  if (tx.error_class) out.field("error_class", *tx.error_class);
  if (tx.error_code) out.field("error_code", *tx.error_code);
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "s7comm",
                                           .to_server_progress = kFinished,
                                           .to_client_progress = kFinished,
                                           .direction = Direction::kToServer,
                                           .log = write}};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"malformed_data", "malformed_data"},
    {"unit_too_long", "unit_too_long"},
    {"unexpected_answer", "unexpected_answer"},
}};

// ---------------------------------------------------------------- detection

constexpr uint8_t kConnect = 0xe0, kConfirm = 0xd0, kDataUnit = 0xf0, kCalledPoint = 0xc2;

// Other protocols (MMS) use the same port and transport: what is called is a rack and slot by way
// of one of three kinds of connection, or a controller by its name.
bool is_controller(Bytes point) {
  constexpr std::string_view kName = "SIMATIC-ROOT";
  return (point.size() == 2 && point[0] >= 1 && point[0] <= 3) || as_text(point).starts_with(kName);
}

ProbeVerdict probe(Direction, Bytes data) {
  constexpr size_t kLeast = 7,
                   kFixed = 7;  // of the connection's unit: length, kind, two references, class
  if (data.empty()) return ProbeVerdict::kMoreData;
  if (data[0] != 3 || (data.size() > 1 && data[1] != 0)) return ProbeVerdict::kNo;
  if (data.size() < kLeast) return ProbeVerdict::kMoreData;
  const size_t size = size_t{data[2]} << 8 | data[3];
  if (size < kLeast) return ProbeVerdict::kNo;
  const uint8_t kind = data[5];
  if (kind == kDataUnit) {
    if (data.size() < kLeast + 1) return ProbeVerdict::kMoreData;
    return data[4] == 2 && (data[kLeast] == 0x32 || data[kLeast] == 0x72) ? ProbeVerdict::kYes
                                                                          : ProbeVerdict::kNo;
  }
  if (kind != kConnect && kind != kConfirm) return ProbeVerdict::kNo;
  if (data.size() < size) return ProbeVerdict::kMoreData;
  ByteReader in(data.subspan(4, size - 4));
  in.skip(kFixed);
  while (in.ok() && !in.empty()) {
    const uint8_t parameter = in.u8();
    const Bytes value = in.bytes(in.u8());
    if (in.ok() && parameter == kCalledPoint)
      return is_controller(value) ? ProbeVerdict::kYes : ProbeVerdict::kNo;
  }
  return ProbeVerdict::kNo;
}

constexpr std::array<uint16_t, 1> kPorts = {102};

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<S7commParser>(); }

}  // namespace

// Not on by itself: the reference does not know this protocol, so its flows would be named
// differently.
const ProtocolDef kS7commProtocol = {
    .id = AppProto::kS7comm,
    .name = "s7comm",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 1},
    .complete = {kFinished, kFinished},
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = nullptr,
    .enabled_by_default = false,
};

}  // namespace vong::s7comm
