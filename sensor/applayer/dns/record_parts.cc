#include "sensor/applayer/dns/record_parts.h"

#include "base/ip_address.h"
#include "fmt/format.h"

namespace vong::dns {
namespace {

void soa_fields(const Record& r, JsonWriter& out) {
  write_name("mname", r.target, out);
  write_name("rname", r.mailbox, out);
  out.field("serial", r.numbers[0]);
  out.field("refresh", r.numbers[1]);
  out.field("retry", r.numbers[2]);
  out.field("expire", r.numbers[3]);
  out.field("minimum", r.numbers[4]);
}

void sshfp_fields(const Record& r, JsonWriter& out) {
  std::string text;
  for (const char c : r.data) {
    if (!text.empty()) text.push_back(':');
    fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<uint8_t>(c));
  }
  out.field("fingerprint", text);
  out.field("algo", r.numbers[0]);
  out.field("type", r.numbers[1]);
}

void srv_fields(const Record& r, JsonWriter& out) {
  out.field("priority", r.numbers[0]);
  out.field("weight", r.numbers[1]);
  out.field("port", r.numbers[2]);
  write_name("name", r.target, out);
}

void opt_fields(const Record& r, JsonWriter& out) {
  out.open_array("opt");
  for (const Option& o : r.options) {
    out.open_object();
    out.field("code", o.code);
    out.key("data");
    out.hex(as_bytes(o.data));
    out.close_object();
  }
  out.close_array();
}

void record_head(const Record& r, JsonWriter& out) {
  out.open_object();
  write_name("rrname", r.name, out);
  out.field("rrtype", record_type_name(r.type));
  out.field("ttl", r.ttl);
}

}  // namespace

void write_name(std::string_view key, const Name& name, JsonWriter& out) {
  out.field(key, name.value);
  if ((name.flags & kNameTruncated) != 0) out.field(std::string(key) + "_truncated", true);
}

std::string address_text(std::string_view bytes) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  if (bytes.size() == 4) return IpAddress::v4(p).to_string();
  if (bytes.size() == 16) return IpAddress::v6(p).to_string();
  return {};
}

void write_record(const Record& r, JsonWriter& out) {
  if (r.type == kTypeTxt) {
    for (const std::string& text : r.texts) {
      record_head(r, out);
      out.field("rdata", text);
      out.close_object();
    }
    if (!r.texts.empty()) return;
  }
  record_head(r, out);
  switch (r.type) {
    case kTypeA:
    case kTypeAaaa:
      out.field("rdata", address_text(r.data));
      break;
    case kTypeCname:
    case kTypeNs:
    case kTypePtr:
    case kTypeMx:
      write_name("rdata", r.target, out);
      break;
    case kTypeNull:
      out.field("rdata", r.data);
      break;
    case kTypeSoa:
      out.open_object("soa");
      soa_fields(r, out);
      out.close_object();
      break;
    case kTypeSshfp:
      out.open_object("sshfp");
      sshfp_fields(r, out);
      out.close_object();
      break;
    case kTypeSrv:
      out.open_object("srv");
      srv_fields(r, out);
      out.close_object();
      break;
    case kTypeOpt:
      opt_fields(r, out);
      break;
    default:
      break;
  }
  out.close_object();
}

bool has_value(const Record& r) {
  switch (r.type) {
    case kTypeA:
    case kTypeAaaa:
    case kTypeCname:
    case kTypeNs:
    case kTypePtr:
    case kTypeMx:
    case kTypeTxt:
    case kTypeNull:
    case kTypeSoa:
    case kTypeSshfp:
    case kTypeSrv:
      return true;
    default:
      return false;
  }
}

void write_values(const Record& r, JsonWriter& out) {
  switch (r.type) {
    case kTypeA:
    case kTypeAaaa:
      out.string(address_text(r.data));
      break;
    case kTypeCname:
    case kTypeNs:
    case kTypePtr:
    case kTypeMx:
      out.string(r.target.value);
      break;
    case kTypeTxt:
      for (const std::string& text : r.texts) out.string(text);
      break;
    case kTypeNull:
      out.string(r.data);
      break;
    case kTypeSoa:
      out.open_object();
      soa_fields(r, out);
      out.close_object();
      break;
    case kTypeSshfp:
      out.open_object();
      sshfp_fields(r, out);
      out.close_object();
      break;
    case kTypeSrv:
      out.open_object();
      srv_fields(r, out);
      out.close_object();
      break;
    default:
      break;
  }
}

}  // namespace vong::dns
