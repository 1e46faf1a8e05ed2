// Who is who: agencies with their networks, sensors and sharing policy, and the protected systems.
// Read from deploy/agencies.yaml; rows only, no class is named after an agency, so a merger or a
// rename costs rows. Immutable after loading, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_prefix_map.h"
#include "base/string_map.h"
#include "base/strings.h"
#include "rules/network/diagnostic.h"

namespace vong::enrich {

// What of an agency's incidents leaves the agency for the national centre.
enum class Sharing : uint8_t {
  kFull,        // as they are
  kAnonymised,  // the agency and its addresses are pseudonyms
  kCounters,    // how many, nothing else
  kNothing,     // not even that; its events take no part in national correlation
};
[[nodiscard]] std::string_view name_of(Sharing sharing);

using AgencyIndex = uint16_t;
inline constexpr AgencyIndex kNoAgency = 0xffff;

struct Agency {
  std::string id;    // identifier under Quyet dinh 20/2020/QD-TTg
  std::string name;  // for people, UTF-8
  std::string kind;  // ministry, province, ...: data, nothing depends on it
  std::string parent;
  bool special = false;  // its events stay in its own zone unless the policy says otherwise
  Sharing sharing = Sharing::kFull;
  std::string tlp = "AMBER";
  std::vector<std::string>
      aliases;  // former names and identifiers: events that carry them are this agency's
  std::vector<std::string> sensors;
  std::vector<IpPrefix> networks;
  std::vector<std::string> domains;  // its own names, and everything below them; lower case
};

struct ProtectedSystem {
  std::string id, name;
  int level = 3;  // 1 to 5, Nghi dinh 85/2016
  AgencyIndex owner = kNoAgency;
  std::vector<IpPrefix> networks;
};

class Registry {
 public:
  // Problems go to `diagnostics`; rows with an error are left out.
  [[nodiscard]] static Registry parse(std::string_view text, rules::Diagnostics& diagnostics);

  [[nodiscard]] const std::vector<Agency>& agencies() const { return agencies_; }
  [[nodiscard]] const std::vector<ProtectedSystem>& systems() const { return systems_; }

  // kNoAgency when nothing fits. By id or alias; by sensor name; by the longest network that covers
  // the address.
  [[nodiscard]] AgencyIndex find(std::string_view id) const;
  [[nodiscard]] AgencyIndex by_sensor(std::string_view sensor) const;
  [[nodiscard]] AgencyIndex by_address(const IpAddress& address) const;
  // Whether the name, or one that it stands below, is an agency's own.
  [[nodiscard]] bool owns_domain(std::string_view name) const;
  // Null when the address belongs to no protected system.
  [[nodiscard]] const ProtectedSystem* system_at(const IpAddress& address) const;

 private:
  friend class RegistryParser;
  std::vector<Agency> agencies_;
  std::vector<ProtectedSystem> systems_;
  StringMap<AgencyIndex> by_id_, by_sensor_;
  StringSet domains_;
  IpPrefixMap<AgencyIndex> by_network_;
  IpPrefixMap<uint32_t> system_by_network_;
};

// Groups of A-Z and 0-9 with dots between, at most 35 characters.
[[nodiscard]] bool is_agency_id(std::string_view id);

}  // namespace vong::enrich
