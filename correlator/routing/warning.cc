#include "correlator/routing/warning.h"

#include "base/ip_address.h"
#include "base/json_writer.h"

namespace vong::routing {

void write_warning(const events::Incident& incident, std::string& out) {
  JsonWriter w(out);
  w.open_object();
  w.field("warning_id", incident.id);
  w.field("version", incident.version);
  w.field("tlp", "GREEN");
  w.field("severity", events::name_of(incident.severity));
  w.field("title", incident.rule.title);
  w.field("first_seen", incident.first_seen);
  w.field("last_seen", incident.last_seen);
  w.field("agency_count", static_cast<uint64_t>(incident.victims.size()));
  w.open_array("indicators");
  for (const auto& [name, value] : incident.key) {
    const auto address = IpAddress::parse(value);
    if (!address && name != "rule") continue;  // a pseudonym is of no use to others
    w.open_object();
    w.field("type", !address ? "rule" : address->is_v4() ? "ipv4-addr" : "ipv6-addr");
    w.field("value", value);
    w.close_object();
  }
  w.close_array();
  w.close_object();
}

}  // namespace vong::routing
