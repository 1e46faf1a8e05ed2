// EVE's dns record, format versions 3 (one record a message) and 2 (query and answer with the first
// question beside them).
#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/strings.h"
#include "fmt/format.h"
#include "sensor/applayer/dns/parser.h"
#include "sensor/applayer/dns/record_parts.h"

namespace vong::dns {

using applayer::LogContext;

namespace {

// What the eve-log section says about dns records.
struct Options {
  int version = 3;
  bool requests = true, responses = true;
  bool detailed = true, grouped = true;
  bool all_types = true;
  std::vector<std::string> types;  // upper case names, when not all
};

// The reference takes the version from the environment as well.
int version_from_environment() {
  static const int kVersion = [] {
    const char* text = std::getenv("SURICATA_EVE_DNS_VERSION");
    return text != nullptr && std::string_view(text) == "2" ? 2 : 3;
  }();
  return kVersion;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

Options options_of(const LogContext& context) {
  Options o;
  o.version = version_from_environment();
  if (context.options == nullptr || context.options->all().empty()) return o;
  const Settings& s = *context.options;
  if (s.integer("version", o.version) == 2) o.version = 2;
  o.requests = s.flag("requests", true);
  o.responses = s.flag("responses", true);
  const auto types = s.children("types");
  o.all_types = types.empty();
  for (const std::string& i : types) o.types.push_back(to_upper(s.text("types." + i, "")));
  const auto formats = s.children("formats");
  if (!formats.empty()) {
    o.detailed = o.grouped = false;
    for (const std::string& i : formats) {
      const std::string_view f = s.text("formats." + i, "");
      o.detailed |= f == "detailed";
      o.grouped |= f == "grouped";
    }
  }
  return o;
}

bool type_wanted(const Options& o, uint16_t type) {
  return o.all_types ||
         std::find(o.types.begin(), o.types.end(), record_type_name(type)) != o.types.end();
}

bool wanted(const Options& o, const Transaction& tx) {
  if (tx.message.is_response() ? !o.responses : !o.requests) return false;
  const auto& queries = tx.message.queries;
  return std::any_of(queries.begin(), queries.end(),
                     [&](const Query& q) { return type_wanted(o, q.type); });
}

// Values by record type: {"A":["192.0.2.1"],"CNAME":[...]}; types in the order of their numbers.
void grouped(const std::vector<Record>& answers, JsonWriter& out) {
  std::map<uint16_t, std::vector<const Record*>> by_type;
  for (const Record& r : answers) {
    if (has_value(r)) by_type[r.type].push_back(&r);
  }
  out.open_object("grouped");
  for (const auto& [type, records] : by_type) {
    out.open_array(record_type_name(type));
    for (const Record* r : records) write_values(*r, out);
    out.close_array();
  }
  out.close_object();
}

void flags(const Message& m, JsonWriter& out) {
  out.field("flags", fmt::format("{:x}", m.flags));
  if (m.is_response()) out.field("qr", true);
  if ((m.flags & 0x0400) != 0) out.field("aa", true);
  if ((m.flags & 0x0200) != 0) out.field("tc", true);
  if ((m.flags & 0x0100) != 0) out.field("rd", true);
  if ((m.flags & 0x0080) != 0) out.field("ra", true);
  if (m.z()) out.field("z", true);
  out.field("opcode", m.opcode());
}

void section(std::string_view key, const std::vector<Record>& records, JsonWriter& out) {
  bool open = false;
  for (const Record& r : records) {
    if (r.type == kTypeOpt && r.options.empty()) continue;
    if (!open) out.open_array(key);
    open = true;
    write_record(r, out);
  }
  if (open) out.close_array();
}

void answers(const Message& m, const Options& o, JsonWriter& out) {
  if (m.answers.empty()) return;
  if (o.detailed) {
    out.open_array("answers");
    for (const Record& r : m.answers) write_record(r, out);
    out.close_array();
  }
  if (o.grouped) grouped(m.answers, out);
}

void sections(const Message& m, const Options& o, JsonWriter& out) {
  answers(m, o, out);
  section("authorities", m.authorities, out);
  section("additionals", m.additionals, out);
}

void write_v3(const Transaction& tx, const Options& o, JsonWriter& out) {
  const Message& m = tx.message;
  out.open_object("dns");
  out.field("version", 3);
  out.field("type", m.is_response() ? "response" : "request");
  out.field("tx_id", tx.id);
  out.field("id", m.id);
  flags(m, out);
  out.field("rcode", rcode_name(m.rcode()));
  if (!m.queries.empty()) {
    out.open_array("queries");
    for (const Query& q : m.queries) {
      if (!type_wanted(o, q.type)) continue;
      out.open_object();
      write_name("rrname", q.name, out);
      out.field("rrtype", record_type_name(q.type));
      out.close_object();
    }
    out.close_array();
  }
  sections(m, o, out);
  out.close_object();
}

void write_v2(const Transaction& tx, const Options& o, JsonWriter& out) {
  const Message& m = tx.message;
  out.open_object("dns");
  out.field("version", 2);
  out.field("type", m.is_response() ? "answer" : "query");
  out.field("id", m.id);
  if (m.is_response()) flags(m, out);
  const auto q = std::find_if(m.queries.begin(), m.queries.end(),
                              [&](const Query& x) { return type_wanted(o, x.type); });
  if (q != m.queries.end()) {
    out.field("rrname", q->name.value);
    out.field("rrtype", record_type_name(q->type));
  }
  if (m.is_response()) {
    out.field("rcode", rcode_name(m.rcode()));
    sections(m, o, out);
  } else {
    out.field("tx_id", tx.id);
    if (m.z()) out.field("z", true);
    out.field("opcode", m.opcode());
  }
  out.close_object();
}

}  // namespace

bool log_dns(const applayer::Transaction& base, const LogContext& context, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  const Options o = options_of(context);
  // Version 2 has every message from the client's side; version 3 as it went.
  const Direction side = o.version == 2 ? Direction::kToServer : tx.direction;
  if (side != context.direction || !wanted(o, tx)) return false;
  if (o.version == 2)
    write_v2(tx, o, out);
  else
    write_v3(tx, o, out);
  return true;
}

bool alert_dns(const applayer::Transaction& tx, const LogContext&, JsonWriter& out) {
  write_v3(static_cast<const Transaction&>(tx), Options(), out);
  return true;
}

}  // namespace vong::dns
