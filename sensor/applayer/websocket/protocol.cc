// WebSocket as a table.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "fmt/format.h"
#include "sensor/applayer/websocket/parser.h"

namespace vong::websocket {

using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;

namespace {

using Tx = applayer::Transaction;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

constexpr auto kOpcodes = std::to_array<NumberDef::Value>({
    {"continuation", 0},
    {"text", 1},
    {"binary", 2},
    {"connection_close", 8},
    {"ping", 9},
    {"pong", 10},
});

BufferView payload(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return BufferView::of(of(tx).payload);
}

constexpr auto kBuffers = std::to_array<BufferDef>({
    {"websocket.payload", "", "", 0, 1, 1, payload, false, false,
     "Payload, unmasked and decompressed"},
});

std::optional<uint64_t> opcode(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).opcode;
}
std::optional<uint64_t> mask(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).mask;
}

constexpr auto kNumbers = std::to_array<NumberDef>({
    {"websocket.opcode", "", 1, 1, opcode, kOpcodes, false, 8, "Operation code"},
    {"websocket.mask", "", 1, 1, mask, {}, false, 32, "Masking key"},
});

// Flags that must be set and flags that must not; or the flags as a number, compared.
struct FlagsMatcher : TransactionMatcher {
  enum class Compare : uint8_t { kNone, kEqual, kLess, kGreater, kBetween };
  uint8_t set = 0, clear = 0;
  Compare compare = Compare::kNone;
  bool negated = false;
  uint8_t mask = 0xff, low = 0, high = 0;

  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const uint8_t flags = of(tx).flags;
    if ((flags & set) != set || (flags & clear) != 0) return false;
    return compare == Compare::kNone || holds(flags & mask) != negated;
  }
  [[nodiscard]] bool holds(int flags) const {
    switch (compare) {
      case Compare::kEqual:
        return flags == low;
      case Compare::kLess:
        return flags < high;
      case Compare::kGreater:
        return flags > low;
      default:
        return flags > low && flags < high;
    }
  }
};

bool read_number(std::string_view text, uint8_t& out) {
  text = strip(text);
  const bool hex = starts_with_ignore_case(text, "0x");
  if (hex) text.remove_prefix(2);
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out, hex ? 16 : 10);
  return error == std::errc() && end == text.data() + text.size();
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text = strip(text.substr(prefix.size()));
  return true;
}

// "128", "!128", ">64", "<=64", "1-64" (between the two), "&0xc0=0x80", "&0xc0!=0".
bool read_comparison(std::string_view text, FlagsMatcher& m) {
  using Compare = FlagsMatcher::Compare;
  const auto set = [&](Compare compare, bool negated) {
    m.compare = compare;
    m.negated = negated;
    return true;
  };
  uint8_t number = 0;
  if (take(text, "&")) {
    const size_t at = text.find('=');
    if (at == std::string_view::npos || !read_number(text.substr(at + 1), m.low)) return false;
    const bool unequal = at > 0 && text[at - 1] == '!';
    if (!read_number(text.substr(0, at - (unequal ? 1 : 0)), m.mask)) return false;
    return (m.low & ~m.mask) == 0 && set(Compare::kEqual, unequal);
  }
  if (take(text, ">=")) return read_number(text, m.high) && set(Compare::kLess, true);
  if (take(text, "<=")) return read_number(text, m.low) && set(Compare::kGreater, true);
  if (take(text, ">")) return read_number(text, m.low) && set(Compare::kGreater, false);
  if (take(text, "<")) return read_number(text, m.high) && set(Compare::kLess, false);
  const bool negated = take(text, "!");
  take(text, "=");
  if (read_number(text, number)) {
    m.low = number;
    return set(Compare::kEqual, negated);
  }
  const bool arrows = text.find("<>") != std::string_view::npos;
  const size_t at = arrows ? text.find("<>") : text.find('-');
  if (at == std::string_view::npos || !read_number(text.substr(0, at), m.low) ||
      !read_number(text.substr(at + (arrows ? 2 : 1)), m.high)) {
    return false;
  }
  return m.low + 1 < m.high && set(Compare::kBetween, negated);
}

// "fin,!comp", "&0x80", "!&0x40": bits; otherwise one comparison of the whole.
Result<std::unique_ptr<TransactionMatcher>> parse_flags(std::string_view value) {
  auto m = std::make_unique<FlagsMatcher>();
  uint8_t number = 0;
  for (std::string_view part : split(value, ',')) {
    part = strip(part);
    std::string_view name = part;
    const bool negated = take(name, "!");
    uint8_t bits = 0;
    if (equals_ignore_case(name, "fin")) {
      bits = kFin;
    } else if (equals_ignore_case(name, "comp")) {
      bits = kCompressed;
    } else if (name.starts_with('&') && read_number(name.substr(1), number)) {
      bits = number;
    } else if (m->compare != FlagsMatcher::Compare::kNone || !read_comparison(part, *m)) {
      return fail(
          "websocket.flags takes fin and comp, each with or without !, or a number compared");
    }
    (negated ? m->clear : m->set) |= bits;
  }
  return m;
}

constexpr auto kMatchers = std::to_array<MatcherDef>({
    {"websocket.flags", "", 1, 1, parse_flags, "fin, comp: set, or with ! not set"},
});

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"skip_end_of_payload", "skip_end_of_payload"},
    {"reassembly_limit_reached", "reassembly_limit_reached"},
}};

bool log(const Tx& t, const applayer::LogContext& context, JsonWriter& out) {
  const Transaction& tx = of(t);
  out.open_object("websocket");
  out.field("fin", tx.fin());
  if (tx.mask) out.field("mask", *tx.mask);
  const std::string_view name = opcode_name(tx.opcode);
  out.field("opcode", name.empty() ? fmt::format("unknown-{}", tx.opcode) : std::string(name));
  if (context.options != nullptr && context.options->flag("payload-base64", false)) {
    out.key("payload_base64");
    out.base64(as_bytes(tx.payload));
  }
  if (context.options != nullptr && context.options->flag("payload-printable", false))
    out.field("payload_printable", tx.payload);
  out.close_object();
  return true;
}

constexpr auto kLoggers = std::to_array<LoggerDef>({
    {.event_type = "websocket", .to_server_progress = 1, .to_client_progress = 1, .log = log},
});

// Nothing marks the first frame: it is WebSocket because both sides agreed on it.
applayer::ProbeVerdict probe_expected(Direction, Bytes data) {
  return data.empty() ? applayer::ProbeVerdict::kMoreData : applayer::ProbeVerdict::kYes;
}

std::shared_ptr<const void> configure(const Settings& settings) {
  auto c = std::make_shared<Config>();
  c->payload_bytes_max = static_cast<size_t>(std::clamp<uint64_t>(
      settings.size_bytes("app-layer.protocols.websocket.max-payload-size", kPayloadBytesMax), 1,
      kPayloadBytesCeiling));
  return c;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  return std::make_unique<WebsocketParser>(*static_cast<const Config*>(config));
}

constexpr std::string_view kFrames[] = {"header", "pdu", "data"};  // by FrameKind

ProtocolDef make_def() {
  ProtocolDef def;
  def.id = applayer::AppProto::kWebsocket;
  def.name = "websocket";
  def.probe.when_expected = probe_expected;
  def.complete = {1, 1};
  def.configure = configure;
  def.make = make;
  def.buffers = kBuffers;
  def.numbers = kNumbers;
  def.matchers = kMatchers;
  def.events = kEvents;
  def.loggers = kLoggers;
  def.alert_record = log;
  def.frames = kFrames;
  def.unidirectional = true;
  return def;
}

}  // namespace

std::string_view opcode_name(uint8_t opcode) {
  const auto it = std::ranges::find(kOpcodes, opcode, &NumberDef::Value::value);
  return it == kOpcodes.end() ? std::string_view() : it->name;
}

const ProtocolDef kWebsocketProtocol = make_def();

}  // namespace vong::websocket
