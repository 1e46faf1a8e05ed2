#include "correlator/routing/warning.h"

#include <chrono>

#include "base/ip_address.h"
#include "base/json_writer.h"
#include "correlator/routing/sensor_rules.h"

namespace vong::routing {
namespace {

constexpr auto kValidFor = std::chrono::hours(24 * 30);

// Empty: a pseudonym or a name of somebody's own, of no use to others.
std::string_view kind_of(std::string_view key, std::string_view value) {
  if (const auto address = IpAddress::parse(value))
    return address->is_v4() ? "ipv4-addr" : "ipv6-addr";
  if (key == "domain") return "domain-name";
  if (key == "tls.fingerprint") return "x509-sha1";
  if (key == "tls.ja4") return "ja4";
  if (key == "technique") return "attack-technique";
  if (key == "rule") return "rule";
  return {};
}

}  // namespace

void write_warning(const events::Incident& incident, std::string_view tlp, std::string& out) {
  JsonWriter w(out);
  w.open_object();
  w.field("warning_id", incident.id);
  w.field("version", incident.version);
  w.field("tlp", tlp);
  w.field("status", events::name_of(incident.status));
  w.field("severity", events::name_of(incident.severity));
  w.field("title", incident.rule.title);
  w.field("first_seen", incident.first_seen);
  w.field("last_seen", incident.last_seen);
  w.field("valid_until", incident.last_seen + kValidFor);
  w.field("agency_count", incident.victims.size() + incident.unnamed_agencies);
  w.open_array("indicators");
  for (const auto& [name, value] : incident.key) {
    const std::string_view kind = kind_of(name, value);
    if (kind.empty()) continue;
    w.open_object();
    w.field("type", kind);
    w.field("value", value);
    w.close_object();
  }
  w.close_array();
  w.open_array("sensor_rules");
  for (const std::string& rule : sensor_rules(incident)) w.string(rule);
  w.close_array();
  w.close_object();
}

}  // namespace vong::routing
