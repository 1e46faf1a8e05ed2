// EVE's ldap record: the request and its responses.
#include "sensor/applayer/ldap/parser.h"

namespace vong::ldap {
namespace {

void text(JsonWriter& out, std::string_view key, const std::optional<std::string>& value) {
  if (value) out.field(key, *value);
}

void strings(JsonWriter& out, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out.open_array(key);
  for (const std::string& v : values) out.string(v);
  out.close_array();
}

void attributes(JsonWriter& out, const Message& m, std::string_view name_key) {
  if (m.attributes.empty()) return;
  out.open_array("attributes");
  for (const Attribute& a : m.attributes) {
    out.open_object();
    out.field(name_key, a.name);
    strings(out, "values", a.values);
    out.close_object();
  }
  out.close_array();
}

void bind(JsonWriter& out, const Message& m) {
  out.field("version", m.version);
  out.field("name", m.dn);
  if (!m.sasl) return;
  out.open_object("sasl");
  out.field("mechanism", m.mechanism);
  if (m.credentials) {
    out.key("credentials");
    out.hex(as_bytes(*m.credentials));
  }
  out.close_object();
}

void search(JsonWriter& out, const Message& m) {
  out.field("base_object", m.dn);
  out.field("scope", m.scope);
  out.field("deref_alias", m.deref_alias);
  out.field("size_limit", m.size_limit);
  out.field("time_limit", m.time_limit);
  out.field("types_only", m.types_only);
  if (m.attributes.empty()) return;
  out.open_array("attributes");
  for (const Attribute& a : m.attributes) out.string(a.name);
  out.close_array();
}

std::string_view change_name(uint8_t operation) {
  static constexpr std::string_view kNames[] = {"add", "delete", "replace", "increment"};
  return operation < std::size(kNames) ? kNames[operation] : "unknown";
}

void modify(JsonWriter& out, const Message& m) {
  out.field("object", m.dn);
  if (m.attributes.empty()) return;
  out.open_array("changes");
  for (const Attribute& a : m.attributes) {
    out.open_object();
    out.field("operation", change_name(a.operation));
    out.open_object("modification");
    out.field("attribute_type", a.name);
    strings(out, "attribute_values", a.values);
    out.close_object();
    out.close_object();
  }
  out.close_array();
}

void mod_dn(JsonWriter& out, const Message& m) {
  out.field("entry", m.dn);
  out.field("new_rdn", m.new_rdn);
  out.field("delete_old_rdn", m.delete_old_rdn);
  text(out, "new_superior", m.new_superior);
}

void compare(JsonWriter& out, const Message& m) {
  out.field("entry", m.dn);
  out.open_object("attribute_value_assertion");
  out.field("description", m.attributes.front().name);
  out.field("value", m.attributes.front().values.front());
  out.close_object();
}

void request_body(JsonWriter& out, const Message& m) {
  switch (m.op) {
    case Op::kBindRequest:
      return bind(out, m);
    case Op::kSearchRequest:
      return search(out, m);
    case Op::kModifyRequest:
      return modify(out, m);
    case Op::kAddRequest:
      out.field("entry", m.dn);
      return attributes(out, m, "name");
    case Op::kDelRequest:
      return out.field("dn", m.dn);
    case Op::kModDnRequest:
      return mod_dn(out, m);
    case Op::kCompareRequest:
      return compare(out, m);
    case Op::kAbandonRequest:
      return out.field("message_id", m.abandoned_id);
    case Op::kExtendedRequest:
      text(out, "name", m.name);
      return text(out, "value", m.value);
    default:
      return;
  }
}

void response_body(JsonWriter& out, const Message& m) {
  if (m.has_result) {
    out.field("result_code", result_name(m.result_code));
    out.field("matched_dn", m.matched_dn);
    out.field("message", m.diagnostic);
  }
  switch (m.op) {
    case Op::kSearchResultEntry:
      out.field("base_object", m.dn);
      return attributes(out, m, "type");
    case Op::kBindResponse:
      return text(out, "server_sasl_creds", m.credentials);
    case Op::kExtendedResponse:
    case Op::kIntermediateResponse:
      text(out, "name", m.name);
      return text(out, "value", m.value);
    default:
      return;
  }
}

// Operations that are nothing but their name.
bool has_body(Op op) { return op != Op::kUnbindRequest && op != Op::kSearchResultReference; }

void message(JsonWriter& out, const Message& m) {
  out.field("operation", name_of(m.op));
  out.field("message_id", m.id);
  if (!has_body(m.op)) return;
  out.open_object(name_of(m.op));
  if (is_request(m.op))
    request_body(out, m);
  else
    response_body(out, m);
  out.close_object();
}

}  // namespace

bool log_ldap(const applayer::Transaction& base, const applayer::LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  out.open_object("ldap");
  if (tx.request) {
    out.open_object("request");
    message(out, *tx.request);
    out.close_object();
  }
  if (!tx.responses.empty()) {
    out.open_array("responses");
    for (const Message& m : tx.responses) {
      out.open_object();
      message(out, m);
      out.close_object();
    }
    out.close_array();
  }
  out.close_object();
  return true;
}

}  // namespace vong::ldap
