#include "correlator/routing/router.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/encode.h"

namespace vong::routing {

bool is_private(const IpAddress& a) {
  if (a.is_v4()) {
    const uint32_t n = a.v4_host_order();
    return n >> 24 == 10 || n >> 20 == 0xac1 || n >> 16 == 0xc0a8;
  }
  return a.family() == 6 && (a.bytes()[0] & 0xfe) == 0xfc;
}

std::string Router::pseudonym(std::string_view kind, std::string_view value) const {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const std::string text = std::string(kind) + '\n' + std::string(value);
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest, &size);
  std::string out(kind);
  out.push_back('-');
  append_hex(out, Bytes(digest, 6));
  return out;
}

enrich::Sharing Router::sharing_of(std::string_view agency) const {
  const enrich::AgencyIndex index = registry_.find(agency);
  return index == enrich::kNoAgency ? enrich::Sharing::kFull : registry_.agencies()[index].sharing;
}

bool Router::takes_part(enrich::AgencyIndex agency) const {
  if (agency >= registry_.agencies().size()) return true;
  const enrich::Sharing s = registry_.agencies()[agency].sharing;
  return s == enrich::Sharing::kFull || s == enrich::Sharing::kAnonymised;
}

// An address is hidden when it is in the networks of an agency that asks for it, or private and
// part of such an agency's event.
bool Router::is_hidden(std::string_view address, bool hide_private) const {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return false;
  const enrich::AgencyIndex owner = registry_.by_address(*parsed);
  if (owner != enrich::kNoAgency)
    return registry_.agencies()[owner].sharing != enrich::Sharing::kFull;
  return hide_private && is_private(*parsed);
}

void Router::anonymise(events::Incident& incident) const {
  const auto wants = [&](std::string_view agency) {
    return sharing_of(agency) != enrich::Sharing::kFull;
  };
  const bool own = !incident.agency.empty() && wants(incident.agency);
  bool any = own || std::any_of(incident.victims.begin(), incident.victims.end(),
                                [&](const auto& v) { return wants(v.agency); });
  const auto hide_address = [&](std::string& text, bool hide_private) {
    if (!is_hidden(text, hide_private)) return;
    text = pseudonym("host", text);
    any = true;
  };
  for (events::Evidence& e : incident.evidence) {
    const bool hide = wants(e.agency);
    hide_address(e.src_ip, hide);
    hide_address(e.dest_ip, hide);
    if (!hide) continue;
    if (!e.sensor.empty()) e.sensor = pseudonym("sensor", e.sensor);
    e.agency = pseudonym("agency", e.agency);
    e.event_id = pseudonym("event", e.event_id).substr(6) +
                 "0000";  // its form stays, its hash of inner addresses goes
    e.flow_id = 0;
  }
  for (auto& [name, value] : incident.key) {
    if (IpAddress::parse(value))
      hide_address(value, any);
    else if (name == "agency" && wants(value))
      value = pseudonym("agency", value);
    else if (own && name != "alert.signature_id")
      value = pseudonym("value", value);  // host names, users: the victim's
  }
  for (events::Victim& v : incident.victims) {
    const bool hide = wants(v.agency);
    for (std::string& address : v.addresses) hide_address(address, hide);
    if (hide) v.agency = pseudonym("agency", v.agency);
  }
  for (events::TimelineEntry& t : incident.timeline) {
    if (t.what == "agency" && wants(t.value)) t.value = pseudonym("agency", t.value);
  }
  if (!any) return;
  for (std::string& sensor : incident.sensors) {
    const enrich::AgencyIndex owner = registry_.by_sensor(sensor);
    const bool known_full =
        owner != enrich::kNoAgency && registry_.agencies()[owner].sharing == enrich::Sharing::kFull;
    if (!known_full) sensor = pseudonym("sensor", sensor);
  }
  const auto hides_system = [&](const std::string& id) {
    const auto it = std::find_if(registry_.systems().begin(), registry_.systems().end(),
                                 [&](const auto& r) { return r.id == id; });
    return own || (it != registry_.systems().end() && it->owner != enrich::kNoAgency &&
                   registry_.agencies()[it->owner].sharing != enrich::Sharing::kFull);
  };
  std::erase_if(incident.systems, [&](const auto& s) { return hides_system(s.id); });
  std::erase_if(incident.timeline,
                [&](const auto& t) { return t.what == "system" && hides_system(t.value); });
  if (own) incident.agency = pseudonym("agency", incident.agency);
  incident.anonymised = true;
}

std::vector<Copy> Router::route(const events::Incident& incident) const {
  std::vector<Copy> out;
  const enrich::Sharing sharing =
      incident.national ? enrich::Sharing::kFull : sharing_of(incident.agency);
  std::vector<std::string> recipients;
  if (!incident.national) recipients.push_back(incident.agency);
  const bool to_centre =
      sharing == enrich::Sharing::kFull || sharing == enrich::Sharing::kAnonymised;
  if (to_centre) recipients.emplace_back(kNational);
  if (!incident.national) {
    out.push_back({incident.agency, incident});
    out.back().incident.recipients = recipients;
  }
  if (to_centre) {
    out.push_back({std::string(kNational), incident});
    anonymise(out.back().incident);
    // The list of recipients would name the agency again.
    out.back().incident.recipients = out.back().incident.anonymised
                                         ? std::vector<std::string>{std::string(kNational)}
                                         : recipients;
  }
  return out;
}

}  // namespace vong::routing
