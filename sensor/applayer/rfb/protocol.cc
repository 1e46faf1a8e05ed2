// RFB as a table.
#include <array>

#include "sensor/applayer/rfb/parser.h"

namespace vong::rfb {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ProbePattern;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

// ---------------------------------------------------------------- keywords

BufferView name(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto& f = of(tx).framebuffer;
  return f ? BufferView::of(f->name) : BufferView::none();
}

constexpr std::array kBuffers = {BufferDef{.name = "rfb.name",
                                           .alias = {},
                                           .modifier = {},
                                           .to_server_progress = kNever,
                                           .to_client_progress = 1,
                                           .get = name,
                                           .help = "name of the desktop"}};

template <std::optional<uint32_t> Transaction::*kField>
std::optional<uint64_t> number(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !(of(tx).*kField)) return std::nullopt;
  return *(of(tx).*kField);
}

constexpr auto kResults =
    std::to_array<NumberDef::Value>({{"ok", 0}, {"fail", 1}, {"toomany", 2}, {"unknown", 3}});

constexpr std::array kNumbers = {
    NumberDef{.name = "rfb.sectype",
              .alias = {},
              .to_server_progress = 1,
              .to_client_progress = kNever,
              .get = number<&Transaction::security_type>,
              .values = {},
              .bits = 32,
              .help = "security type that was chosen: 1 none, 2 VNC ..."},
    NumberDef{.name = "rfb.secresult",
              .alias = {},
              .to_server_progress = kNever,
              .to_client_progress = 1,
              .get = number<&Transaction::security_result>,
              .values = kResults,
              .bits = 32,
              .help = "how the authentication ended"},
};

// ---------------------------------------------------------------- record

void write_version(std::string_view key, const std::optional<Version>& v, JsonWriter& out) {
  if (!v) return;
  out.open_object(key);
  out.field("major", v->major);
  out.field("minor", v->minor);
  out.close_object();
}

void write_result(uint32_t result, JsonWriter& out) {
  static constexpr std::array<std::string_view, 3> kNames = {"OK", "FAIL", "TOOMANY"};
  out.field("security_result", result < kNames.size() ? std::string(kNames[result])
                                                      : "UNKNOWN (" + std::to_string(result) + ")");
}

void write_authentication(const Transaction& tx, JsonWriter& out) {
  if (!tx.security_type) return;
  out.open_object("authentication");
  out.field("security_type", *tx.security_type);
  if (*tx.security_type == kVnc && !tx.challenge.empty()) {
    out.open_object("vnc");
    out.key("challenge");
    out.hex(as_bytes(tx.challenge));
    if (!tx.response.empty()) {
      out.key("response");
      out.hex(as_bytes(tx.response));
    }
    out.close_object();
  }
  if (tx.security_result) write_result(*tx.security_result, out);
  out.close_object();
}

void write_framebuffer(const Framebuffer& f, JsonWriter& out) {
  out.open_object("framebuffer");
  out.field("width", f.width);
  out.field("height", f.height);
  out.field("name", f.name);
  out.open_object("pixel_format");
  out.field("bits_per_pixel", f.pixels.bits_per_pixel);
  out.field("depth", f.pixels.depth);
  out.field("big_endian", f.pixels.big_endian);
  out.field("true_color", f.pixels.true_color);
  out.field("red_max", f.pixels.red_max);
  out.field("green_max", f.pixels.green_max);
  out.field("blue_max", f.pixels.blue_max);
  out.field("red_shift", f.pixels.red_shift);
  out.field("green_shift", f.pixels.green_shift);
  out.field("blue_shift", f.pixels.blue_shift);
  out.close_object();
  out.close_object();
}

bool log_rfb(const Tx& base, const LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  out.open_object("rfb");
  write_version("server_protocol_version", tx.server, out);
  write_version("client_protocol_version", tx.client, out);
  write_authentication(tx, out);
  if (tx.shared) out.field("screen_shared", *tx.shared);
  if (tx.framebuffer) write_framebuffer(*tx.framebuffer, out);
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "rfb",
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .direction = Direction::kToServer,
                                           .log = log_rfb}};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"unimplemented_security_type", "unimplemented_security_type"},
    {"unknown_security_result", "unknown_security_result"},
    {"malformed_message", "malformed_message"},
    {"confused_state", "confused_state"},
}};

constexpr std::array kPatterns = {ProbePattern{.bytes = "RFB ", .direction = Direction::kToServer},
                                  ProbePattern{.bytes = "RFB ", .direction = Direction::kToClient}};

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<RfbParser>(); }

constexpr std::string_view kFrames[] = {"pdu"};  // by Frame

}  // namespace

const ProtocolDef kRfbProtocol = {
    .id = AppProto::kRfb,
    .name = "rfb",
    .rule_alias = {},
    .probe = {.tcp = true, .udp = false, .patterns = kPatterns, .ports = {}},
    .complete = {1, 1},
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_rfb,
    .frames = kFrames,
};

}  // namespace vong::rfb
