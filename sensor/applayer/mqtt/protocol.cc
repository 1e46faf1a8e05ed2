// MQTT as a table: buffers, keywords, events, detection, configuration.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "sensor/applayer/mqtt/parser.h"

namespace vong::mqtt {

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

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

// ---------------------------------------------------------------- buffers

const Connect* connect_of(const Tx& tx) {
  for (const Message& m : of(tx).messages) {
    if (m.connect != nullptr) return m.connect.get();
  }
  return nullptr;
}

template <std::string Connect::*kText, uint8_t kFlag>
BufferView connect_text(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const Connect* c = connect_of(tx);
  if (c == nullptr || (kFlag != 0 && (c->flags & kFlag) == 0)) return BufferView::none();
  return BufferView::of(c->*kText);
}

template <std::string Message::*kText>
BufferView publish_text(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  for (const Message& m : of(tx).messages) {
    if (m.type() == Type::kPublish && !m.truncated) return BufferView::of(m.*kText);
  }
  return BufferView::none();
}

BufferView topic(const Tx& tx, Type type, uint32_t i, uint32_t limit) {
  if (i >= limit) return BufferView::none();
  for (const Message& m : of(tx).messages) {
    if (m.type() != type) continue;
    if (i < m.topics.size()) return BufferView::of(m.topics[i].name);
    i -= static_cast<uint32_t>(m.topics.size());
  }
  return BufferView::none();
}

BufferView subscribe_topic(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  return topic(tx, Type::kSubscribe, i, of(tx).config.subscribe_topics_max);
}

BufferView unsubscribe_topic(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  return topic(tx, Type::kUnsubscribe, i, of(tx).config.unsubscribe_topics_max);
}

constexpr BufferDef buffer(std::string_view name, applayer::BufferGetter get, bool multi,
                           std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = kDone,
          .to_client_progress = kDone,
          .get = get,
          .multi = multi,
          .help = help};
}

constexpr std::array kBuffers = {
    buffer("mqtt.connect.clientid", connect_text<&Connect::client_id, 0>, false,
           "client id of CONNECT"),
    buffer("mqtt.connect.username", connect_text<&Connect::username, kFlagUsername>, false,
           "user name of CONNECT"),
    buffer("mqtt.connect.password", connect_text<&Connect::password, kFlagPassword>, false,
           "password of CONNECT"),
    buffer("mqtt.connect.willtopic", connect_text<&Connect::will_topic, kFlagWill>, false,
           "topic of the will in CONNECT"),
    buffer("mqtt.connect.willmessage", connect_text<&Connect::will_message, kFlagWill>, false,
           "message of the will in CONNECT"),
    buffer("mqtt.connect.protocol_string", connect_text<&Connect::protocol, 0>, false,
           "protocol's name in CONNECT"),
    buffer("mqtt.publish.topic", publish_text<&Message::topic>, false, "topic of PUBLISH"),
    buffer("mqtt.publish.message", publish_text<&Message::payload>, false, "payload of PUBLISH"),
    buffer("mqtt.subscribe.topic", subscribe_topic, true, "topics of SUBSCRIBE"),
    buffer("mqtt.unsubscribe.topic", unsubscribe_topic, true, "topics of UNSUBSCRIBE"),
};

// ---------------------------------------------------------------- numbers

std::optional<uint64_t> type(const Tx& tx, Direction, uint32_t i) {
  const auto& list = of(tx).messages;
  if (i >= list.size()) return std::nullopt;
  return static_cast<uint64_t>(list[i].type());
}

std::optional<uint64_t> qos(const Tx& tx, Direction, uint32_t i) {
  const auto& list = of(tx).messages;
  if (i >= list.size()) return std::nullopt;
  return list[i].header.qos;
}

std::optional<uint64_t> version(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).version;
}

std::optional<uint64_t> reason(const Tx& tx, Direction, uint32_t i) {
  for (const Message& m : of(tx).messages) {
    if (m.reason && i-- == 0) return *m.reason;
    if (i < m.codes.size()) return m.codes[i];
    i -= static_cast<uint32_t>(m.codes.size());
  }
  return std::nullopt;
}

constexpr std::array<NumberDef::Value, 16> kTypeValues = {{{"unassigned", 0},
                                                           {"connect", 1},
                                                           {"connack", 2},
                                                           {"publish", 3},
                                                           {"puback", 4},
                                                           {"pubrec", 5},
                                                           {"pubrel", 6},
                                                           {"pubcomp", 7},
                                                           {"subscribe", 8},
                                                           {"suback", 9},
                                                           {"unsubscribe", 10},
                                                           {"unsuback", 11},
                                                           {"pingreq", 12},
                                                           {"pingresp", 13},
                                                           {"disconnect", 14},
                                                           {"auth", 15}}};

constexpr NumberDef number(std::string_view name, std::string_view alias,
                           std::optional<uint64_t> (*get)(const Tx&, Direction, uint32_t),
                           std::span<const NumberDef::Value> values, bool multi,
                           std::string_view help) {
  return {.name = name,
          .alias = alias,
          .to_server_progress = kDone,
          .to_client_progress = kDone,
          .get = get,
          .values = values,
          .multi = multi,
          .bits = 8,
          .help = help};
}

constexpr std::array kNumbers = {
    number("mqtt.type", {}, type, kTypeValues, true, "types of the exchange's messages"),
    number("mqtt.qos", {}, qos, {}, true, "QoS levels of the exchange's messages"),
    number("mqtt.protocol_version", {}, version, {}, false, "protocol version of the session"),
    number("mqtt.reason_code", "mqtt.connack.return_code", reason, {}, true,
           "reason and return codes of the exchange"),
};

// ---------------------------------------------------------------- flags

struct FlagName {
  std::string_view name;
  uint8_t bit;
};
constexpr uint8_t kDupBit = 8, kRetainBit = 1;
constexpr FlagName kHeaderFlags[] = {{"dup", kDupBit}, {"retain", kRetainBit}};
constexpr FlagName kConnectFlags[] = {{"username", kFlagUsername},
                                      {"password", kFlagPassword},
                                      {"will_retain", kFlagWillRetain},
                                      {"will", kFlagWill},
                                      {"clean_session", kFlagCleanSession}};

struct Flags : TransactionMatcher {
  uint8_t set = 0, clear = 0;
  [[nodiscard]] bool fits(uint8_t bits) const { return (bits & set) == set && (bits & clear) == 0; }
};

struct HeaderFlags : Flags {
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    return std::ranges::any_of(of(tx).messages, [this](const Message& m) {
      return fits(
          static_cast<uint8_t>((m.header.dup ? kDupBit : 0) | (m.header.retain ? kRetainBit : 0)));
    });
  }
};

struct ConnectFlags : Flags {
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const Connect* c = connect_of(tx);
    return c != nullptr && fits(c->flags);
  }
};

// "retain,!dup"
template <typename T>
Parsed parse_flags(std::string_view value, std::span<const FlagName> names) {
  auto m = std::make_unique<T>();
  for (std::string_view part : split(value, ',')) {
    part = strip(part);
    const bool negated = part.starts_with('!');
    if (negated) part = strip(part.substr(1));
    const auto it = std::ranges::find_if(
        names, [&](const FlagName& f) { return equals_ignore_case(f.name, part); });
    if (it == names.end()) return fail("unknown flag '" + std::string(part) + "'");
    if (((m->set | m->clear) & it->bit) != 0)
      return fail("flag '" + std::string(part) + "' is named twice");
    (negated ? m->clear : m->set) |= it->bit;
  }
  return m;
}

struct SessionPresent : TransactionMatcher {
  bool wanted = false;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    return std::ranges::any_of(of(tx).messages, [this](const Message& m) {
      return m.type() == Type::kConnack && !m.truncated && m.session_present == wanted;
    });
  }
};

Parsed parse_session_present(std::string_view value) {
  const auto flag = parse_flag(strip(value));
  if (!flag) return fail("mqtt.connack.session_present is yes or no");
  auto m = std::make_unique<SessionPresent>();
  m->wanted = *flag;
  return m;
}

constexpr std::array kMatchers = {
    MatcherDef{"mqtt.flags", "", kDone, kDone,
               [](std::string_view v) { return parse_flags<HeaderFlags>(v, kHeaderFlags); },
               "dup and retain of a message's header, with ! for not set"},
    MatcherDef{"mqtt.connect.flags", "", kDone, kDone,
               [](std::string_view v) { return parse_flags<ConnectFlags>(v, kConnectFlags); },
               "username, password, will, will_retain, clean_session of CONNECT"},
    MatcherDef{"mqtt.connack.session_present", "", kDone, kDone, parse_session_present,
               "session-present flag of CONNACK: yes or no"},
};

// ---------------------------------------------------------------- events, detection, settings

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"missing_connect", "missing_connect"},
    {"missing_publish", "missing_publish"},
    {"missing_subscribe", "missing_subscribe"},
    {"missing_unsubscribe", "missing_unsubscribe"},
    {"double_connect", "double_connect"},
    {"unintroduced_message", "unintroduced_message"},
    {"invalid_qos_level", "invalid_qos_level"},
    {"missing_msg_id", "missing_msg_id"},
    {"unassigned_msg_type", "unassigned_msg_type"},
    {"too_many_transactions", "too_many_transactions"},
    {"malformed_traffic", "malformed_traffic"},
}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "mqtt",
                                           .to_server_progress = kDone,
                                           .to_client_progress = kDone,
                                           .direction = Direction::kToServer,
                                           .log = log_mqtt}};

constexpr bool only_from_server(Type t) {
  return t == Type::kConnack || t == Type::kSuback || t == Type::kUnsuback || t == Type::kPingresp;
}
constexpr bool only_from_client(Type t) {
  return t == Type::kConnect || t == Type::kSubscribe || t == Type::kUnsubscribe ||
         t == Type::kPingreq;
}

ProbeVerdict probe(Direction d, Bytes data) {
  FixedHeader h;
  const HeaderStatus status = parse_fixed_header(data, h);
  if (data.empty() || status == HeaderStatus::kBad) return ProbeVerdict::kNo;
  if (h.type == Type::kUnassigned || h.qos > 2) return ProbeVerdict::kNo;
  if (status == HeaderStatus::kMoreData) return ProbeVerdict::kMoreData;
  const bool to_server = d == Direction::kToServer;
  if (to_server ? only_from_server(h.type) : only_from_client(h.type))
    return ProbeVerdict::kReversed;
  return ProbeVerdict::kYes;
}

constexpr std::array<uint16_t, 1> kPorts = {1883};

// -1 stands for no limit.
uint32_t limit(const Settings& s, std::string_view path, uint32_t fallback) {
  const int64_t value = s.integer(path, fallback);
  if (value < 0) return UINT32_MAX;
  return static_cast<uint32_t>(std::min<int64_t>(value, UINT32_MAX));
}

std::shared_ptr<const void> configure(const Settings& s) {
  auto config = std::make_shared<Config>();
  const std::string path = "app-layer.protocols.mqtt.";
  config->message_bytes_max = static_cast<size_t>(std::min<uint64_t>(
      s.size_bytes(path + "max-msg-length", kMaxMessageBytes), kMessageBytesCap));
  config->transactions_max = static_cast<size_t>(
      std::clamp<int64_t>(s.integer(path + "max-tx", kMaxTransactions), 1, 1 << 16));
  config->subscribe_topics_max = limit(s, path + "subscribe-topic-match-limit", kTopicMatchLimit);
  config->unsubscribe_topics_max =
      limit(s, path + "unsubscribe-topic-match-limit", kTopicMatchLimit);
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<MqttParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                        : kDefault);
}

}  // namespace

namespace {
constexpr std::string_view kFrames[] = {"pdu", "header", "data"};  // by Frame
}

const ProtocolDef kMqttProtocol = {
    .id = AppProto::kMqtt,
    .name = "mqtt",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 1},
    .complete = {kDone, kDone},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_mqtt,
    .frames = kFrames,
};

}  // namespace vong::mqtt
