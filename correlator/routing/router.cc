#include "correlator/routing/router.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/encode.h"

namespace vong::routing {

using enrich::Field;
using enrich::Share;

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

std::optional<std::string> Router::name_for_centre(enrich::AgencyIndex agency) const {
  if (agency >= registry_.agencies().size()) return std::nullopt;
  const enrich::Agency& a = registry_.agencies()[agency];
  switch (a.share[static_cast<size_t>(Field::kAgency)]) {
    case Share::kFull:
      return a.id;
    case Share::kPseudonymous:
      return pseudonym("agency", a.id);
    case Share::kCounters:
      return std::string();
    default:
      return std::nullopt;
  }
}

enrich::Share Router::share_of(std::string_view agency, enrich::Field field) const {
  const enrich::AgencyIndex index = registry_.find(agency);
  return index == enrich::kNoAgency ? Share::kFull
                                    : registry_.agencies()[index].share[static_cast<size_t>(field)];
}

// Of whose network an address is, his policy holds; a private one belongs to whose event it is in.
Share Router::address_share(std::string_view address, Share private_share) const {
  const auto parsed = IpAddress::parse(address);
  if (!parsed) return Share::kFull;
  const enrich::AgencyIndex owner = registry_.by_address(*parsed);
  if (owner != enrich::kNoAgency)
    return registry_.agencies()[owner].share[static_cast<size_t>(Field::kAddress)];
  return is_private(*parsed) ? private_share : Share::kFull;
}

// Takes out of one copy what must not leave.
class Router::Hider {
 public:
  Hider(const Router& router, events::Incident& incident) : router_(router), i_(incident) {}

  void run() {
    const std::string own = i_.agency;
    evidence();
    std::erase_if(i_.key, [&](auto& entry) { return !key_value(own, entry.first, entry.second); });
    for (events::Victim& v : i_.victims) victim(v);
    std::erase_if(i_.victims, [](const auto& v) { return v.agency.empty(); });
    std::erase_if(i_.timeline, [&](auto& t) { return !timeline(own, t); });
    std::erase_if(i_.sensors, [&](auto& sensor) { return !sensor_name(own, sensor); });
    std::erase_if(i_.systems, [&](const auto& s) {
      if (!hides_system(own, s.id)) return false;
      return any_ = true;
    });
    if (!own.empty()) hide(share(own, Field::kAgency), "agency", i_.agency);
    i_.anonymised = any_;
  }

 private:
  Share share(std::string_view agency, Field field) const {
    return router_.share_of(agency, field);
  }

  // False: nothing of it may be left.
  bool hide(Share share, std::string_view kind, std::string& text) {
    if (share == Share::kFull || text.empty()) return true;
    any_ = true;
    if (share == Share::kPseudonymous) {
      text = router_.pseudonym(kind, text);
      return true;
    }
    text.clear();
    return false;
  }

  void evidence() {
    for (events::Evidence& e : i_.evidence) {
      const std::string agency = e.agency;
      const Share addresses = share(agency, Field::kAddress);
      const bool hidden = share(agency, Field::kAgency) != Share::kFull;
      for (std::string* address : {&e.src_ip, &e.dest_ip})
        (void)hide(router_.address_share(*address, addresses), "host", *address);
      (void)hide(share(agency, Field::kSensor), "sensor", e.sensor);
      (void)hide(share(agency, Field::kAgency), "agency", e.agency);
      if (hidden || addresses != Share::kFull) {
        // The id's form stays, its hash of inner addresses goes.
        e.event_id = router_.pseudonym("event", e.event_id).substr(6) + "0000";
        e.flow_id = 0;
      }
      const Share events = share(agency, Field::kEvidence);
      if (events == Share::kFull || events == Share::kPseudonymous) continue;
      any_ = true;
      if (events == Share::kCounters) ++i_.evidence_dropped;
      e.event_id.clear();
    }
    std::erase_if(i_.evidence, [](const auto& e) { return e.event_id.empty(); });
  }

  // False: the entry goes.
  bool key_value(const std::string& own, const std::string& name, std::string& value) {
    if (IpAddress::parse(value)) {
      Share share = own.empty() ? Share::kFull : this->share(own, Field::kAddress);
      if (own.empty()) {  // of a national incident: the strictest of its agencies
        for (const auto& v : i_.victims)
          share = std::max(share, this->share(v.agency, Field::kAddress));
      }
      return hide(router_.address_share(value, share), "host", value);
    }
    if (name == "agency") return hide(share(value, Field::kAgency), "agency", value);
    if (own.empty() || name == "alert.signature_id") return true;
    return hide(share(own, Field::kName), "value", value);
  }

  void victim(events::Victim& v) {
    const Share addresses = share(v.agency, Field::kAddress);
    std::vector<std::string> kept;
    for (std::string& address : v.addresses) {
      if (hide(router_.address_share(address, addresses), "host", address))
        kept.push_back(std::move(address));
      else if (addresses == Share::kCounters)
        ++v.address_count;
    }
    v.addresses = std::move(kept);
    const Share name = share(v.agency, Field::kAgency);
    if (!hide(name, "agency", v.agency)) {
      if (name == Share::kCounters) ++i_.unnamed_agencies;
    }
  }

  bool timeline(const std::string& own, events::TimelineEntry& t) {
    if (t.what == "agency") return hide(share(t.value, Field::kAgency), "agency", t.value);
    return t.what != "system" || !hides_system(own, t.value);
  }

  bool sensor_name(const std::string& own, std::string& sensor) {
    const enrich::AgencyIndex owner = router_.registry_.by_sensor(sensor);
    Share share = Share::kFull;
    if (owner != enrich::kNoAgency)
      share = router_.registry_.agencies()[owner].share[static_cast<size_t>(Field::kSensor)];
    else if (!own.empty())
      share = this->share(own, Field::kSensor);
    else if (any_)
      share = Share::kPseudonymous;  // nobody knows whose it is
    return hide(share, "sensor", sensor);
  }

  bool hides_system(const std::string& own, std::string_view id) const {
    if (!own.empty() && share(own, Field::kSystem) != Share::kFull) return true;
    for (const enrich::ProtectedSystem& s : router_.registry_.systems()) {
      if (s.id != id || s.owner == enrich::kNoAgency) continue;
      return router_.registry_.agencies()[s.owner].share[static_cast<size_t>(Field::kSystem)] !=
             Share::kFull;
    }
    return false;
  }

  const Router& router_;
  events::Incident& i_;
  bool any_ = false;
};

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
    Hider(*this, out.back().incident).run();
    // The list of recipients would name the agency again.
    out.back().incident.recipients = out.back().incident.anonymised
                                         ? std::vector<std::string>{std::string(kNational)}
                                         : recipients;
  }
  return out;
}

}  // namespace vong::routing
