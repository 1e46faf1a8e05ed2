// EVE's mdns record, and llmnr's in the same style: types in lower case, values under the name of
// their type.
#include "base/strings.h"
#include "sensor/applayer/dns/parser.h"
#include "sensor/applayer/dns/record_parts.h"

namespace vong::dns {
namespace {

struct FlagName {
  uint16_t bit;
  std::string_view name;
};
constexpr FlagName kFlagNames[] = {{0x0400, "aa"}, {0x0200, "tc"}, {0x0100, "rd"}, {0x0080, "ra"},
                                   {0x0040, "z"},  {0x0020, "ad"}, {0x0010, "cd"}};

// mdns keeps to the values that its schema names.
void record(const Record& r, bool values, bool addresses, JsonWriter& out) {
  out.open_object();
  write_name("rrname", r.name, out);
  if (values && r.type == kTypePtr) out.field("ptr", r.target.value);
  if (values && r.type == kTypeTxt && !r.texts.empty()) {
    out.open_array("txt");
    for (const std::string& text : r.texts) out.string(text);
    out.close_array();
  }
  if (addresses && (r.type == kTypeA || r.type == kTypeAaaa))
    out.field(r.type == kTypeA ? "a" : "aaaa", address_text(r.data));
  out.close_object();
}

void section(std::string_view key, const std::vector<Record>& records, bool values, bool addresses,
             JsonWriter& out) {
  if (records.empty()) return;
  out.open_array(key);
  for (const Record& r : records) record(r, values, addresses, out);
  out.close_array();
}

void write(std::string_view name, const Message& m, bool addresses, JsonWriter& out) {
  out.open_object(name);
  out.field("type", m.is_response() ? "response" : "request");
  out.field("id", m.id);
  bool open = false;
  for (const FlagName& f : kFlagNames) {
    if ((m.flags & f.bit) == 0) continue;
    if (!open) out.open_array("flags");
    open = true;
    out.string(f.name);
  }
  if (open) out.close_array();
  out.field("opcode", m.opcode());
  out.field("rcode", m.rcode());
  if (!m.queries.empty()) {
    out.open_array("queries");
    for (const Query& q : m.queries) {
      out.open_object();
      write_name("rrname", q.name, out);
      out.field("rrtype", to_lower(record_type_name(q.type)));
      out.close_object();
    }
    out.close_array();
  }
  section("answers", m.answers, true, addresses, out);
  section("authorities", m.authorities, false, false, out);
  section("additionals", m.additionals, true, addresses, out);
  out.close_object();
}

}  // namespace

bool log_mdns(const applayer::Transaction& tx, const applayer::LogContext&, JsonWriter& out) {
  write("mdns", static_cast<const Transaction&>(tx).message, false, out);
  return true;
}

bool log_llmnr(const applayer::Transaction& tx, const applayer::LogContext&, JsonWriter& out) {
  write("llmnr", static_cast<const Transaction&>(tx).message, true, out);
  return true;
}

}  // namespace vong::dns
