// What an EtherNet/IP record says.
#include "sensor/applayer/enip/parser.h"

namespace vong::enip {
namespace {

void write_service_head(const Service& s, JsonWriter& out) {
  out.field("service", service_name(s.code));
  if (s.is_response) {
    out.field("status", cip_status_name(s.status));
    if (!s.extended_status) return;
    out.field("status_extended", std::to_string(*s.extended_status));
    const std::string meaning = extended_status_name(*s.extended_status);
    if (!meaning.empty()) out.field("status_extended_meaning", meaning);
    return;
  }
  if (s.path.empty()) return;
  out.open_array("path");
  for (const Segment& each : s.path) {
    out.open_object();
    out.field("segment_type", segment_name(each));
    out.field("value", each.value);
    out.close_object();
  }
  out.close_array();
  if (const auto c = s.segment(SegmentType::kClass)) out.field("class_name", class_name(*c));
}

// A response seen on the client's side (or the reverse) says nothing that its record could hold.
void write_cip(const Service& s, bool response, JsonWriter& out) {
  if (s.is_response != response) return;
  out.open_object("cip");
  write_service_head(s, out);
  bool open = false;
  for (const Service& each : s.multiple) {
    if (each.is_response != response) continue;
    if (!open) out.open_array("multiple");
    open = true;
    out.open_object();
    write_service_head(each, out);
    out.close_object();
  }
  if (open) out.close_array();
  out.close_object();
}

void write_identity(const Identity& id, JsonWriter& out) {
  out.open_object("identity");
  out.field("protocol_version", id.protocol_version);
  out.field("revision", std::to_string(id.major) + "." + std::to_string(id.minor));
  out.field("vendor_id", vendor_name(id.vendor));
  out.field("device_type", device_type_name(id.device_type));
  out.field("product_code", id.product_code);
  out.field("status", id.status);
  out.field("serial", id.serial);
  out.field("product_name", id.name);
  out.field("state", id.state);
  out.close_object();
}

void write_message(const Message& m, bool response, JsonWriter& out) {
  out.open_object(response ? "response" : "request");
  out.field("command", command_name(m.header.command));
  out.field("status", status_name(m.header.status));
  if (m.registration) {
    out.open_object("register_session");
    out.field("protocol_version", m.registration->protocol_version);
    out.field("options", m.registration->options);
    out.close_object();
  }
  if (response && m.services) {
    out.open_object("list_services");
    out.field("protocol_version", m.services->protocol_version);
    out.field("capabilities", m.services->capabilities);
    out.field("service_name", m.services->name);
    out.close_object();
  }
  if (response && m.identity) write_identity(*m.identity, out);
  if (m.cip) write_cip(*m.cip, response, out);
  out.close_object();
}

}  // namespace

bool log_enip(const applayer::Transaction& base, const applayer::LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  out.open_object("enip");
  if (tx.request) write_message(*tx.request, false, out);
  if (tx.response) write_message(*tx.response, true, out);
  out.close_object();
  return true;
}

}  // namespace vong::enip
