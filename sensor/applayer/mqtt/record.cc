// EVE's mqtt record: an object per message of the exchange.
#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"
#include "sensor/applayer/mqtt/parser.h"

namespace vong::mqtt {
namespace {

struct Options {
  bool passwords = true;
  size_t log_bytes_max = kMaxLogBytes;
};

Options options_of(const applayer::LogContext& context) {
  Options o;
  if (context.options == nullptr) return o;
  o.passwords = context.options->flag("passwords", true);
  o.log_bytes_max =
      static_cast<size_t>(context.options->size_bytes("string-log-limit", kMaxLogBytes));
  return o;
}

// Where to cut so that no UTF-8 sequence is cut through.
size_t cut_at(std::string_view text, size_t limit) {
  size_t at = limit;
  for (int back = 0; back < 3 && at > 0 && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80; ++back)
    --at;
  return at;
}

// Counts what it wrote against `left`, so that several texts can share one limit.
void limited(JsonWriter& out, std::string_view text, size_t& left) {
  if (text.size() <= left) {
    left -= text.size();
    out.string(text);
    return;
  }
  const size_t cut = cut_at(text, left);
  std::string part(text.substr(0, cut));
  part += "[truncated " + std::to_string(text.size() - cut) + " additional bytes]";
  out.string(part);
  left = 0;
}

void field(JsonWriter& out, std::string_view key, std::string_view text, size_t limit) {
  out.key(key);
  limited(out, text, limit);
}

void properties(JsonWriter& out, const std::vector<Property>& list, size_t limit) {
  if (list.empty()) return;
  out.open_object("properties");
  std::vector<std::string_view> written;
  for (const Property& p : list) {
    const std::string_view name =
        p.kind == Property::Kind::kPair ? std::string_view(p.name) : property_name(p.id);
    // One key of a name: what a second one means is left open by JSON.
    if (std::ranges::find(written, name) != written.end()) continue;
    written.push_back(name);
    out.key_escaped(name);
    if (p.kind == Property::Kind::kNumber) {
      out.number(uint64_t{p.number});
    } else {
      size_t left = limit;
      limited(out, p.text, left);
    }
  }
  out.close_object();
}

void connect(JsonWriter& out, const Message& m, const Options& o) {
  const Connect& c = *m.connect;
  field(out, "protocol_string", c.protocol, o.log_bytes_max);
  out.field("protocol_version", c.version);
  out.open_object("flags");
  out.field("username", (c.flags & kFlagUsername) != 0);
  out.field("password", (c.flags & kFlagPassword) != 0);
  out.field("will_retain", (c.flags & kFlagWillRetain) != 0);
  out.field("will", (c.flags & kFlagWill) != 0);
  out.field("clean_session", (c.flags & kFlagCleanSession) != 0);
  out.close_object();
  field(out, "client_id", c.client_id, o.log_bytes_max);
  if ((c.flags & kFlagWill) != 0) {
    out.open_object("will");
    field(out, "topic", c.will_topic, o.log_bytes_max);
    field(out, "message", c.will_message, o.log_bytes_max);
    properties(out, c.will_properties, o.log_bytes_max);
    out.close_object();
  }
  if ((c.flags & kFlagUsername) != 0) field(out, "username", c.username, o.log_bytes_max);
  if ((c.flags & kFlagPassword) != 0 && o.passwords)
    field(out, "password", c.password, o.log_bytes_max);
  properties(out, m.properties, o.log_bytes_max);
}

void topics(JsonWriter& out, const Message& m, const Options& o) {
  if (m.topics.empty()) return;
  size_t left = o.log_bytes_max;
  out.open_array("topics");
  for (const Topic& t : m.topics) {
    if (m.type() == Type::kUnsubscribe) {
      limited(out, t.name, left);
      continue;
    }
    out.open_object();
    out.key("topic");
    limited(out, t.name, left);
    out.field("qos", t.qos);
    out.close_object();
  }
  out.close_array();
}

void codes(JsonWriter& out, std::string_view key, const Message& m) {
  if (m.codes.empty()) return;
  out.open_array(key);
  for (const uint8_t c : m.codes) out.number(uint64_t{c});
  out.close_array();
}

void body(JsonWriter& out, const Message& m, const Options& o) {
  if (m.id) out.field("message_id", *m.id);
  switch (m.type()) {
    case Type::kConnect:
      return connect(out, m, o);
    case Type::kConnack:
      out.field("session_present", m.session_present);
      out.field("return_code", m.reason.value_or(0));
      return properties(out, m.properties, o.log_bytes_max);
    case Type::kPublish:
      field(out, "topic", m.topic, o.log_bytes_max);
      field(out, "message", m.payload, o.log_bytes_max);
      return properties(out, m.properties, o.log_bytes_max);
    case Type::kSubscribe:
    case Type::kUnsubscribe:
      return topics(out, m, o);
    case Type::kSuback:
      return codes(out, "qos_granted", m);
    case Type::kUnsuback:
      return codes(out, "reason_codes", m);
    case Type::kDisconnect:
      if (m.reason) out.field("reason_code", *m.reason);
      return properties(out, m.properties, o.log_bytes_max);
    default:
      if (m.reason) out.field("reason_code", *m.reason);
  }
}

}  // namespace

bool log_mqtt(const applayer::Transaction& base, const applayer::LogContext& context,
              JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  const Options o = options_of(context);
  std::array<bool, kTypeCount> written{};
  out.open_object("mqtt");
  for (const Message& m : tx.messages) {
    // The records' schema has no place for these two.
    if (m.type() == Type::kUnassigned || m.type() == Type::kAuth) continue;
    if (std::exchange(written[static_cast<size_t>(m.type())], true)) continue;
    out.open_object(to_lower(name_of(m.type())));
    out.field("qos", m.header.qos);
    out.field("retain", m.header.retain);
    out.field("dup", m.header.dup);
    if (!m.truncated) {
      body(out, m, o);
    } else if (m.type() == Type::kPublish) {
      out.field("truncated", true);
      out.field("skipped_length", m.skipped_bytes);
    }
    out.close_object();
  }
  out.close_object();
  return true;
}

}  // namespace vong::mqtt
