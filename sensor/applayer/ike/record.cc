// What an IKE record says.
#include <algorithm>
#include <set>

#include "sensor/applayer/ike/parser.h"

namespace vong::ike {
namespace {

// Records have these attributes only.
bool is_logged(uint16_t type) {
  return (type >= 1 && type <= 4) || type == 11 || type == 12 || type == 14;
}

void write_attributes(const Transform& transform, JsonWriter& out) {
  std::set<uint16_t> written;
  for (const Attribute& a : transform) {
    if (!is_logged(a.type) || !written.insert(a.type).second) continue;
    const std::string key(attribute_name(a.type));
    out.field(key, attribute_value_name(a));
    if (a.number) out.field(key + "_raw", *a.number);
  }
}

void write_bytes(std::string_view key, const std::string& bytes, JsonWriter& out) {
  if (bytes.empty()) return;
  out.key(key);
  out.hex(as_bytes(bytes));
  out.field(std::string(key) + "_length", bytes.size());
}

void write_side(const Side& side, JsonWriter& out) {
  write_bytes("key_exchange_payload", side.key_exchange, out);
  write_bytes("nonce_payload", side.nonce, out);
}

void write_version1(const Transaction& tx, JsonWriter& out) {
  out.open_object("ikev1");
  if (tx.exchange.domain_of_interpretation) out.field("doi", *tx.exchange.domain_of_interpretation);
  out.field("encrypted_payloads", tx.header.encrypted());
  if (!tx.header.encrypted()) {
    out.open_object("client");
    write_side(tx.exchange.sides[0], out);
    if (tx.direction == Direction::kToServer && !tx.transforms.empty()) {
      out.open_array("proposals");
      for (const Transform& t : tx.transforms) {
        out.open_object();
        write_attributes(t, out);
        out.close_object();
      }
      out.close_array();
    }
    out.close_object();
    out.open_object("server");
    write_side(tx.exchange.sides[1], out);
    out.close_object();
    if (!tx.vendors.empty()) {
      out.open_array("vendor_ids");
      for (const std::string& v : tx.vendors) out.string(v);
      out.close_array();
    }
  }
  out.close_object();
}

void write_version2(const Transaction& tx, JsonWriter& out) {
  out.open_object("ikev2");
  out.field("errors", tx.errors);
  if (!tx.notifications.empty()) {
    out.open_array("notify");
    for (const uint16_t n : tx.notifications) out.string(notify_name(n));
    out.close_array();
  }
  out.close_object();
}

void write_payloads(const Transaction& tx, JsonWriter& out) {
  if (tx.payload_types.empty()) return;
  out.open_array("payload");
  if (tx.header.major() == 1) {
    const std::set<uint8_t> types(tx.payload_types.begin(), tx.payload_types.end());
    for (const uint8_t t : types) out.string(payload_name_v1(t));
  } else {
    for (const uint8_t t : tx.payload_types) out.string(payload_name_v2(t));
  }
  out.close_array();
}

}  // namespace

bool write_ike(const applayer::Transaction& base, const applayer::LogContext& context,
               JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  const bool extended = context.options != nullptr && context.options->flag("extended", false);
  out.open_object("ike");
  out.field("version_major", tx.header.major());
  out.field("version_minor", tx.header.minor());
  out.field("init_spi", tx.init_spi);
  out.field("resp_spi", tx.resp_spi);
  out.field("message_id", tx.header.message_id);
  out.field("exchange_type", tx.header.exchange);
  if (extended) out.field("exchange_type_verbose", exchange_name(tx.header.exchange));
  if (tx.header.major() == 1) {
    if (!tx.header.encrypted() && !tx.exchange.chosen.empty())
      write_attributes(tx.exchange.chosen.front(), out);
    if (extended) write_payloads(tx, out);
    write_version1(tx, out);
  } else {
    out.field("role", tx.header.by_initiator() ? "initiator" : "responder");
    write_payloads(tx, out);
    write_version2(tx, out);
  }
  out.close_object();
  return true;
}

}  // namespace vong::ike
