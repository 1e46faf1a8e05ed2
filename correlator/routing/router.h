// Who gets an incident, and what of it. An agency always gets its own, whole. The national centre
// gets what the agency's policy lets out, field by field: as it is, as a pseudonym, as a number of
// values, or not at all. National
// incidents go to the centre, with the agencies in them each under its own policy. Pure: a function
// of the incident, the registry and the key of the pseudonyms.
//
// A pseudonym is keyed (HMAC-SHA-256): the same address gives the same pseudonym in every record,
// so the centre can still link them, and nobody without the key can go back by trying all
// addresses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "correlator/enrich/registry.h"
#include "events/incident.h"

namespace vong::routing {

inline constexpr std::string_view kNational = "national";

// Addresses that mean nothing outside their owner's network (RFC 1918, RFC 4193).
[[nodiscard]] bool is_private(const IpAddress& address);

struct Copy {
  std::string recipient;  // an agency's id or kNational
  events::Incident incident;
};

class Router {
 public:
  // `registry` must outlive the router. `local_agency`: the only agency of a run without a
  // registry, empty otherwise.
  Router(const enrich::Registry& registry, std::string pseudonym_key)
      : registry_(registry), key_(std::move(pseudonym_key)) {}

  // The mark under which early warnings go out.
  void set_warning_tlp(std::string tlp) { warning_tlp_ = std::move(tlp); }
  [[nodiscard]] const std::string& warning_tlp() const { return warning_tlp_; }

  [[nodiscard]] std::vector<Copy> route(const events::Incident& incident) const;

  // Whether events of this agency may take part in national correlation at all.
  [[nodiscard]] bool takes_part(enrich::AgencyIndex agency) const;

  // As what the centre may know an agency: by its identifier, by its pseudonym, as one of several
  // without a name (empty), or not at all.
  [[nodiscard]] std::optional<std::string> name_for_centre(enrich::AgencyIndex agency) const;

  [[nodiscard]] std::string pseudonym(std::string_view kind,
                                      std::string_view value) const;  // "host-0123456789ab"

 private:
  [[nodiscard]] enrich::Sharing sharing_of(std::string_view agency) const;
  [[nodiscard]] enrich::Share share_of(std::string_view agency, enrich::Field field) const;
  [[nodiscard]] enrich::Share address_share(std::string_view address,
                                            enrich::Share private_share) const;
  class Hider;

  const enrich::Registry& registry_;
  std::string key_;
  std::string warning_tlp_ = "GREEN";
};

}  // namespace vong::routing
