#include "sensor/applayer/mqtt/message.h"

#include <algorithm>
#include <array>

#include "base/byte_reader.h"
#include "sensor/applayer/mqtt/limits.h"

namespace vong::mqtt {
namespace {

enum class Shape : uint8_t { kNone, kByte, kU16, kU32, kVarint, kText, kPair };

struct PropertyDef {
  uint8_t id;
  Shape shape;
  std::string_view name;
};

// OASIS MQTT 5.0 section 2.2.2.2.
constexpr PropertyDef kProperties[] = {
    {1, Shape::kByte, "payload_format_indicator"},
    {2, Shape::kU32, "message_expiry_interval"},
    {3, Shape::kText, "content_type"},
    {8, Shape::kText, "response_topic"},
    {9, Shape::kText, "correlation_data"},
    {11, Shape::kVarint, "subscription_identifier"},
    {17, Shape::kU32, "session_expiry_interval"},
    {18, Shape::kText, "assigned_client_identifier"},
    {19, Shape::kU16, "server_keep_alive"},
    {21, Shape::kText, "authentication_method"},
    {22, Shape::kText, "authentication_data"},
    {23, Shape::kByte, "request_problem_information"},
    {24, Shape::kU32, "will_delay_interval"},
    {25, Shape::kByte, "request_response_information"},
    {26, Shape::kText, "response_information"},
    {28, Shape::kText, "server_reference"},
    {31, Shape::kText, "reason_string"},
    {33, Shape::kU16, "receive_maximum"},
    {34, Shape::kU16, "topic_alias_maximum"},
    {35, Shape::kU16, "topic_alias"},
    {36, Shape::kByte, "maximum_qos"},
    {37, Shape::kByte, "retain_available"},
    {38, Shape::kPair, "user_property"},
    {39, Shape::kU32, "maximum_packet_size"},
    {40, Shape::kByte, "wildcard_subscription_available"},
    {41, Shape::kByte, "subscription_identifier_available"},
    {42, Shape::kByte, "shared_subscription_available"},
};

const PropertyDef* find_property(uint8_t id) {
  for (const PropertyDef& p : kProperties) {
    if (p.id == id) return &p;
  }
  return nullptr;
}

constexpr std::array<std::string_view, kTypeCount> kNames = {
    "UNASSIGNED", "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
    "PUBREL",     "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
    "PINGREQ",    "PINGRESP", "DISCONNECT", "AUTH"};

constexpr int kVarintBytesMax = 4;

std::string text(ByteReader& in) {
  const size_t size = in.u16();
  return std::string(as_text(in.bytes(size)));
}

// False when it is longer than four bytes or cut off.
bool varint(ByteReader& in, uint32_t& out) {
  out = 0;
  for (int i = 0; i < kVarintBytesMax; ++i) {
    const uint8_t b = in.u8();
    out |= static_cast<uint32_t>(b & 0x7f) << (7 * i);
    if ((b & 0x80) == 0) return in.ok();
  }
  return false;
}

bool parse_property(ByteReader& in, Property& p) {
  p.id = in.u8();
  const PropertyDef* def = find_property(p.id);
  if (def == nullptr || !in.ok()) return false;
  switch (def->shape) {
    case Shape::kByte:
      p.number = in.u8();
      break;
    case Shape::kU16:
      p.number = in.u16();
      break;
    case Shape::kU32:
      p.number = in.u32();
      break;
    case Shape::kVarint:
      if (!varint(in, p.number)) return false;
      break;
    case Shape::kText:
      p.kind = Property::Kind::kText;
      p.text = text(in);
      break;
    case Shape::kPair:
      p.kind = Property::Kind::kPair;
      p.name = text(in);
      p.text = text(in);
      break;
    case Shape::kNone:
      return false;
  }
  return in.ok();
}

// Nothing in versions before 5.
bool parse_properties(ByteReader& in, uint8_t version, std::vector<Property>& out) {
  if (version < kVersion5) return true;
  uint32_t size = 0;
  if (!varint(in, size)) return false;
  ByteReader part = in.sub(size);
  while (part.ok() && !part.empty()) {
    Property p;
    if (!parse_property(part, p)) return false;
    if (out.size() < kMaxProperties) out.push_back(std::move(p));
  }
  return part.ok();
}

bool parse_connect(ByteReader& in, Message& m) {
  m.connect = std::make_unique<Connect>();
  Connect& c = *m.connect;
  c.protocol = text(in);
  c.version = in.u8();
  c.flags = in.u8();
  c.keep_alive_s = in.u16();
  if (!in.ok() || !parse_properties(in, c.version, m.properties)) return false;
  c.client_id = text(in);
  if ((c.flags & kFlagWill) != 0) {
    if (!in.ok() || !parse_properties(in, c.version, c.will_properties)) return false;
    c.will_topic = text(in);
    c.will_message = text(in);
  }
  if ((c.flags & kFlagUsername) != 0) c.username = text(in);
  if ((c.flags & kFlagPassword) != 0) c.password = text(in);
  return in.ok();
}

bool parse_connack(ByteReader& in, uint8_t version, Message& m) {
  m.session_present = (in.u8() & 1) != 0;
  m.reason = in.u8();
  return in.ok() && parse_properties(in, version, m.properties);
}

bool parse_publish(ByteReader& in, uint8_t version, Message& m) {
  m.topic = text(in);
  if (m.header.qos > 0) m.id = in.u16();
  if (!in.ok() || !parse_properties(in, version, m.properties)) return false;
  m.payload = as_text(in.rest());
  return in.ok();
}

// PUBACK, PUBREC, PUBREL, PUBCOMP: in version 5 the reason may be left out (then it is 0), and the
// properties too.
bool parse_acknowledgement(ByteReader& in, uint8_t version, Message& m) {
  m.id = in.u16();
  if (!in.ok()) return false;
  if (version < kVersion5) return true;
  m.reason = 0;
  if (!in.empty()) m.reason = in.u8();
  return in.empty() || parse_properties(in, version, m.properties);
}

bool parse_topics(ByteReader& in, uint8_t version, bool with_qos, Message& m) {
  m.id = in.u16();
  if (!in.ok() || !parse_properties(in, version, m.properties)) return false;
  while (in.ok() && !in.empty()) {
    Topic t;
    t.name = text(in);
    if (with_qos) t.qos = in.u8();
    if (in.ok() && m.topics.size() < kMaxTopics) m.topics.push_back(std::move(t));
  }
  return in.ok();
}

bool parse_codes(ByteReader& in, uint8_t version, Message& m) {
  m.id = in.u16();
  if (!in.ok() || !parse_properties(in, version, m.properties)) return false;
  if (m.type() == Type::kUnsuback && version < kVersion5) return true;
  const Bytes codes = in.rest();
  m.codes.assign(codes.begin(),
                 codes.begin() + static_cast<ptrdiff_t>(std::min(codes.size(), kMaxTopics)));
  return in.ok();
}

// DISCONNECT, AUTH: a body that leaves parts out stands for reason 0. The reference reads a
// DISCONNECT of one byte so as well, though that byte could be a reason; records agree with it.
bool parse_reason(ByteReader& in, uint8_t version, Message& m) {
  const bool disconnect = m.type() == Type::kDisconnect;
  if (version < kVersion5 && disconnect) return true;
  m.reason = 0;
  if (in.remaining() < (disconnect ? 2 : 1)) return true;
  m.reason = in.u8();
  return in.empty() || parse_properties(in, version, m.properties);
}

}  // namespace

std::string_view name_of(Type t) { return kNames[static_cast<size_t>(t)]; }

std::string_view property_name(uint8_t id) {
  const PropertyDef* p = find_property(id);
  return p != nullptr ? p->name : std::string_view();
}

HeaderStatus parse_fixed_header(Bytes data, FixedHeader& out) {
  ByteReader in(data);
  const uint8_t first = in.u8();
  out.type = static_cast<Type>(first >> 4);
  out.dup = (first & 8) != 0;
  out.qos = first >> 1 & 3;
  out.retain = (first & 1) != 0;
  if (!varint(in, out.remaining)) return in.ok() ? HeaderStatus::kBad : HeaderStatus::kMoreData;
  out.size = in.position();
  return HeaderStatus::kOk;
}

bool parse_body(Bytes body, uint8_t version, Message& m) {
  ByteReader in(body);
  switch (m.type()) {
    case Type::kConnect:
      return parse_connect(in, m);
    case Type::kConnack:
      return parse_connack(in, version, m);
    case Type::kPublish:
      return parse_publish(in, version, m);
    case Type::kPuback:
    case Type::kPubrec:
    case Type::kPubrel:
    case Type::kPubcomp:
      return parse_acknowledgement(in, version, m);
    case Type::kSubscribe:
      return parse_topics(in, version, true, m);
    case Type::kUnsubscribe:
      return parse_topics(in, version, false, m);
    case Type::kSuback:
    case Type::kUnsuback:
      return parse_codes(in, version, m);
    case Type::kDisconnect:
    case Type::kAuth:
      return parse_reason(in, version, m);
    case Type::kPingreq:
    case Type::kPingresp:
    case Type::kUnassigned:
      return true;
  }
  return false;
}

}  // namespace vong::mqtt
