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

// What of one kind of field leaves the agency, beside what `sharing` says as a whole.
enum class Share : uint8_t {
  kFull,
  kPseudonymous,  // a keyed pseudonym: the same value gives the same one
  kCounters,      // only how many there were
  kNothing,
};
// The layers of protection, in the order of Agency::layers.
inline constexpr std::string_view kLayers[] = {"force", "watch", "check", "share"};

// Of two marks of the traffic light protocol.
[[nodiscard]] std::string_view stricter_tlp(std::string_view a, std::string_view b);

enum class Field : uint8_t {
  kAgency,    // its name and identifier
  kAddress,   // addresses of its networks, and private ones
  kName,      // host names, users and whatever else incidents are grouped by
  kSensor,    // names of its sensors
  kSystem,    // its protected systems
  kEvidence,  // the single events, with their flow and event ids
};
inline constexpr size_t kFields = 6;

using AgencyIndex = uint16_t;
inline constexpr AgencyIndex kNoAgency = 0xffff;

struct Agency {
  std::string id;    // identifier under Quyet dinh 20/2020/QD-TTg
  std::string name;  // for people, UTF-8
  std::string kind;  // ministry, province, ...: data, nothing depends on it
  std::string parent;
  bool special = false;  // its events stay in its own zone unless the policy says otherwise
  Sharing sharing = Sharing::kFull;
  Share share[kFields] = {};
  std::string tlp = "AMBER";
  // It was there for events of [since_ns, until_ns); after that the successors are.
  int64_t since_ns = INT64_MIN, until_ns = INT64_MAX;
  std::vector<AgencyIndex> successors;
  bool layers[4] = {};             // of protection, as declared: force, watch, check, share
  int64_t checked_ns = INT64_MIN;  // when somebody independent looked last
  std::string grant_key;           // Ed25519, 32 bytes in base64: who may lift its pseudonyms
  std::vector<std::string>
      aliases;  // former names and identifiers: events that carry them are this agency's
  std::vector<std::string> sensors;
  std::vector<IpPrefix> networks;
};

struct ProtectedSystem {
  std::string id, name;
  int level = 3;  // 1 to 5, Nghi dinh 85/2016
  AgencyIndex owner = kNoAgency;
  std::vector<IpPrefix> networks;
};

// A merger, a split or a new name, as the registry's history has it.
struct Change {
  enum class Kind : uint8_t { kMerge, kSplit, kRename };
  Kind kind = Kind::kRename;
  int64_t at_ns = 0;                    // event time: from then on
  std::vector<AgencyIndex> from, into;  // who stands in both goes on
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
  // Where one has had several owners, whose it was at `at_ns`, by default the last one's.
  [[nodiscard]] AgencyIndex by_sensor(std::string_view sensor, int64_t at_ns = kLatest) const;
  [[nodiscard]] AgencyIndex by_address(const IpAddress& address, int64_t at_ns = kLatest) const;
  static constexpr int64_t kLatest = INT64_MAX - 1;

  // Whose an event of `agency` is at `at_ns`: its own, or a successor's; of several that one whose
  // sensor or network it is, else the first.
  [[nodiscard]] AgencyIndex owner_at(AgencyIndex agency, int64_t at_ns, std::string_view sensor,
                                     const IpAddress& dest, const IpAddress& src) const;
  // Agencies whose past is `agency`'s: those that it followed, through all changes; not itself.
  [[nodiscard]] std::vector<AgencyIndex> predecessors(AgencyIndex agency) const;
  // Whether the name, or one that it stands below, is an agency's own.
  [[nodiscard]] bool owns_domain(std::string_view name) const;
  // Null when the address belongs to no protected system.
  [[nodiscard]] const ProtectedSystem* system_at(const IpAddress& address) const;

 private:
  friend class RegistryParser;
  std::vector<Agency> agencies_;
  std::vector<ProtectedSystem> systems_;
  using Owners = std::vector<AgencyIndex>;  // one after the other
  [[nodiscard]] AgencyIndex owner_of(const Owners& owners, int64_t at_ns) const;
  std::vector<Change> changes_;
  StringMap<AgencyIndex> by_id_;
  StringMap<Owners> by_sensor_;
  StringSet domains_;  // agencies' own names, in lower case
  IpPrefixMap<Owners> by_network_;
  IpPrefixMap<uint32_t> system_by_network_;
};

// Groups of A-Z and 0-9 with dots between, at most 35 characters.
[[nodiscard]] bool is_agency_id(std::string_view id);

}  // namespace vong::enrich
