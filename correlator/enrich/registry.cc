#include "correlator/enrich/registry.h"

#include <algorithm>
#include <charconv>

#include "base/string_map.h"
#include "correlator/enrich/limits.h"
#include "correlator/state/day.h"
#include "rules/network/nearest_name.h"
#include "rules/yaml/yaml_tree.h"

namespace vong::enrich {

using rules::SourcePos;
using yaml::YamlEntry;
using yaml::YamlNode;

namespace {

constexpr std::string_view kSharings[] = {"full", "anonymised", "counters", "nothing"};
constexpr std::string_view kTlps[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT",
                                      "RED"};  // the stricter, the later
constexpr std::string_view kAgencyKeys[] = {"id",      "name",  "kind",      "parent",  "special",
                                            "sharing", "tlp",   "aliases",   "sensors", "networks",
                                            "domains", "share", "grant-key", "layers"};
constexpr std::string_view kShares[] = {"full", "pseudonymous", "counters", "nothing"};
constexpr std::string_view kFieldNames[] = {"agency", "address", "name",
                                            "sensor", "system",  "evidence"};
constexpr std::string_view kChangeKeys[] = {"at", "kind", "from", "into", "note"};
constexpr std::string_view kChangeKinds[] = {"merge", "split", "rename"};
constexpr std::string_view kSystemKeys[] = {"id", "name", "level", "owner", "networks"};
constexpr std::string_view kTopKeys[] = {"agencies", "systems", "changes"};

}  // namespace

std::string_view name_of(Sharing sharing) { return kSharings[static_cast<size_t>(sharing)]; }

std::string_view stricter_tlp(std::string_view a, std::string_view b) {
  const auto level = [](std::string_view mark) {
    return std::find(std::begin(kTlps), std::end(kTlps), mark) - std::begin(kTlps);
  };
  return level(a) >= level(b) ? a : b;
}

bool is_agency_id(std::string_view id) {
  if (id.empty() || id.size() > 35 || id.front() == '.' || id.back() == '.' ||
      id.find("..") != id.npos)
    return false;
  return std::all_of(id.begin(), id.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '.'; });
}

class RegistryParser {
 public:
  RegistryParser(rules::Diagnostics& diagnostics, Registry& out)
      : diagnostics_(diagnostics), out_(out) {}

  void parse(const YamlNode& root) {
    if (!root.is_map()) return error(root.pos, "a registry is a map with 'agencies' and 'systems'");
    check_keys(root, kTopKeys);
    for (const YamlNode& row : rows(root, "agencies", kAgenciesMax)) agency(row);
    for (const YamlNode& row : rows(root, "changes", kChangesMax)) change(row);
    check_changes();
    claim_all();
    for (const YamlNode& row : rows(root, "systems", kSystemsMax)) system(row);
    check_parents();
  }

 private:
  void error(SourcePos pos, std::string text) { diagnostics_.error(pos, std::move(text)); }

  void check_keys(const YamlNode& map, std::span<const std::string_view> known) {
    for (const YamlEntry& e : map.entries) {
      if (std::find(known.begin(), known.end(), e.key) == known.end()) {
        error(e.pos, "unknown key " + rules::shown(e.key) + rules::suggestion(e.key, known));
      }
    }
  }

  std::span<const YamlNode> rows(const YamlNode& root, std::string_view key, size_t rows_max) {
    const YamlNode* list = root.find(key);
    if (list == nullptr || list->is_null()) return {};
    if (!list->is_list())
      return error(list->pos, std::string(key) + " must be a list"), std::span<const YamlNode>();
    if (list->items.size() > rows_max)
      return error(list->pos, "too many rows"), std::span<const YamlNode>();
    return list->items;
  }

  std::string text(const YamlNode& row, std::string_view key, std::string fallback = {}) {
    const YamlNode* n = row.find(key);
    if (n == nullptr || n->is_null()) return fallback;
    if (!n->is_scalar()) error(n->pos, std::string(key) + " must be a text");
    return n->text;
  }

  std::vector<const YamlNode*> texts(const YamlNode& row, std::string_view key) {
    std::vector<const YamlNode*> out;
    const YamlNode* n = row.find(key);
    if (n == nullptr || n->is_null()) return out;
    if (n->is_scalar()) return {n};
    for (const YamlNode& item : n->items) {
      if (item.is_scalar())
        out.push_back(&item);
      else
        error(item.pos, std::string(key) + " holds texts");
    }
    return out;
  }

  template <size_t N>
  size_t choice(const YamlNode& row, std::string_view key, const std::string_view (&names)[N],
                size_t fallback) {
    const YamlNode* n = row.find(key);
    if (n == nullptr) return fallback;
    const auto* it = std::find(std::begin(names), std::end(names), n->text);
    if (it != std::end(names)) return static_cast<size_t>(it - std::begin(names));
    error(n->pos, "unknown " + std::string(key) + " " + rules::shown(n->text) +
                      rules::suggestion(n->text, names));
    return fallback;
  }

  std::vector<std::pair<IpPrefix, SourcePos>> networks(const YamlNode& row) {
    std::vector<std::pair<IpPrefix, SourcePos>> out;
    for (const YamlNode* n : texts(row, "networks")) {
      const auto prefix = IpPrefix::parse(n->text);
      if (!prefix)
        error(n->pos, "not a network: " + rules::shown(n->text) + ", expected address/length");
      else if (++network_count_ > kNetworksMax)
        error(n->pos, "too many networks in one registry (limit 200000)");
      else
        out.emplace_back(*prefix, n->pos);
    }
    return out;
  }

  void agency(const YamlNode& row) {
    if (!row.is_map()) return error(row.pos, "an agency is a map");
    check_keys(row, kAgencyKeys);
    Agency a;
    a.id = text(row, "id");
    if (!is_agency_id(a.id)) {
      const YamlNode* n = row.find("id");
      return error(n == nullptr ? row.pos : n->pos,
                   "an agency's id has at most 35 characters, groups of A-Z and 0-9 with dots "
                   "between, not " +
                       rules::shown(a.id));
    }
    a.name = text(row, "name", a.id);
    a.kind = text(row, "kind");
    a.parent = text(row, "parent");
    a.special = text(row, "special") == "true";
    a.sharing = static_cast<Sharing>(
        choice(row, "sharing", kSharings,
               static_cast<size_t>(a.special ? Sharing::kNothing : Sharing::kFull)));
    a.tlp = kTlps[choice(row, "tlp", kTlps, 2)];
    const auto index = static_cast<AgencyIndex>(out_.agencies_.size());
    claim(out_.by_id_, a.id, index, row.pos, "agency");
    for (const YamlNode* n : texts(row, "aliases")) {
      claim(out_.by_id_, n->text, index, n->pos, "agency");
      a.aliases.push_back(n->text);
    }
    if (a.special && a.sharing == Sharing::kFull)
      error(row.pos, "a special agency shares anonymised, counters or nothing, not full");
    share(row, a);
    layers(row, a);
    a.grant_key = text(row, "grant-key");
    for (const YamlNode* n : texts(row, "sensors")) {
      sensor_claims_.push_back({n->text, index, n->pos});
      a.sensors.push_back(n->text);
    }
    for (const auto& [prefix, pos] : networks(row)) {
      network_claims_.push_back({prefix, index, pos});
      a.networks.push_back(prefix);
    }
    for (const YamlNode* n : texts(row, "domains")) out_.domains_.insert(to_lower(n->text));
    if (const YamlNode* p = row.find("parent")) parents_.emplace_back(p->text, p->pos);
    out_.agencies_.push_back(std::move(a));
  }

  // What the policy as a whole means for each field, and what the row says of single ones.
  void share(const YamlNode& row, Agency& a) {
    const bool open = a.sharing == Sharing::kFull;
    for (Share& s : a.share) s = open ? Share::kFull : Share::kPseudonymous;
    if (!open) {
      a.share[static_cast<size_t>(Field::kSystem)] = Share::kNothing;
      a.share[static_cast<size_t>(Field::kEvidence)] = Share::kFull;
    }
    const YamlNode* map = row.find("share");
    if (map == nullptr || map->is_null()) return;
    if (!map->is_map()) return error(map->pos, "share is a map of fields");
    check_keys(*map, kFieldNames);
    for (size_t f = 0; f < kFields; ++f) {
      const YamlNode* n = map->find(kFieldNames[f]);
      if (n == nullptr) continue;
      a.share[f] = static_cast<Share>(
          choice(*map, kFieldNames[f], kShares, static_cast<size_t>(a.share[f])));
      const bool of_a_victim = f != static_cast<size_t>(Field::kEvidence);
      if (a.special && of_a_victim && a.share[f] == Share::kFull)
        error(n->pos, "a special agency shares no field of its own fully");
    }
  }

  // {force: true, watch: true, check: 2026-05-01, share: true}
  void layers(const YamlNode& row, Agency& a) {
    const YamlNode* map = row.find("layers");
    if (map == nullptr || map->is_null()) return;
    if (!map->is_map()) return error(map->pos, "layers is a map of force, watch, check and share");
    check_keys(*map, kLayers);
    for (size_t l = 0; l < 4; ++l) {
      const YamlNode* n = map->find(kLayers[l]);
      if (n == nullptr || n->text == "false") continue;
      a.layers[l] = true;
      if (l != 2) {
        if (n->text != "true") error(n->pos, "a layer is true or false");
        continue;
      }
      if (const auto day = state::day_or_time_ns(n->text))
        a.checked_ns = *day;
      else
        error(n->pos, "check is the day of the last one");
    }
  }

  std::vector<AgencyIndex> agencies_of(const YamlNode& row, std::string_view key) {
    std::vector<AgencyIndex> out;
    for (const YamlNode* n : texts(row, key)) {
      const AgencyIndex a = out_.find(n->text);
      if (a == kNoAgency)
        error(n->pos, "no agency is called " + rules::shown(n->text));
      else
        out.push_back(a);
    }
    return out;
  }

  void change(const YamlNode& row) {
    if (!row.is_map()) return error(row.pos, "a change is a map");
    check_keys(row, kChangeKeys);
    Change c;
    const auto time = state::day_or_time_ns(text(row, "at"));
    if (!time) return error(row.pos, "a change needs 'at': a day or a time");
    c.at_ns = *time;
    c.kind = static_cast<Change::Kind>(choice(row, "kind", kChangeKinds, 2));
    c.from = agencies_of(row, "from");
    c.into = agencies_of(row, "into");
    const bool fits = c.kind == Change::Kind::kMerge   ? c.from.size() >= 2 && c.into.size() == 1
                      : c.kind == Change::Kind::kSplit ? c.from.size() == 1 && c.into.size() >= 2
                                                       : c.from.size() == 1 && c.into.size() == 1;
    if (!fits)
      return error(row.pos,
                   "a merge has several 'from' and one 'into', a split the opposite, a rename one "
                   "of each");
    const auto stays = [&](AgencyIndex a) {
      return std::find(c.from.begin(), c.from.end(), a) != c.from.end();
    };
    for (const AgencyIndex a : c.into) {
      if (!stays(a)) out_.agencies_[a].since_ns = std::max(out_.agencies_[a].since_ns, c.at_ns);
    }
    for (const AgencyIndex a : c.from) {
      if (std::find(c.into.begin(), c.into.end(), a) != c.into.end()) continue;
      Agency& old = out_.agencies_[a];
      if (old.until_ns != INT64_MAX) return error(row.pos, old.id + " has ended already");
      old.until_ns = c.at_ns;
      old.successors = c.into;
    }
    out_.changes_.push_back(std::move(c));
    change_pos_.push_back(row.pos);
  }

  // Nobody ends before it has begun: so every chain of successors comes to its end.
  void check_changes() {
    for (size_t i = 0; i < out_.changes_.size(); ++i) {
      for (const AgencyIndex a : out_.changes_[i].from) {
        const Agency& old = out_.agencies_[a];
        if (old.until_ns <= old.since_ns)
          error(change_pos_[i], old.id + " would end before it begins");
        if (out_.changes_[i].at_ns > old.until_ns)
          error(change_pos_[i], old.id + " has ended before this change");
      }
    }
  }

  struct SensorClaim {
    std::string name;
    AgencyIndex agency;
    SourcePos pos;
  };
  struct NetworkClaim {
    IpPrefix prefix;
    AgencyIndex agency;
    SourcePos pos;
  };

  // A sensor or network may have had several owners, one after the other.
  bool add_owner(std::vector<AgencyIndex>& owners, AgencyIndex agency) {
    const Agency& fresh = out_.agencies_[agency];
    for (const AgencyIndex o : owners) {
      const Agency& other = out_.agencies_[o];
      if (fresh.since_ns < other.until_ns && other.since_ns < fresh.until_ns) return false;
    }
    owners.push_back(agency);
    return true;
  }

  void claim_all() {
    for (const SensorClaim& c : sensor_claims_) {
      if (!add_owner(out_.by_sensor_[c.name], c.agency))
        error(c.pos, "two agencies claim the sensor " + rules::shown(c.name));
    }
    for (const NetworkClaim& c : network_claims_) {
      std::vector<AgencyIndex>* owners = out_.by_network_.find_exact(c.prefix);
      if (owners == nullptr) {
        out_.by_network_.insert(c.prefix, {c.agency});
      } else if (!add_owner(*owners, c.agency)) {
        error(c.pos, "this network belongs to an agency already");
      }
    }
  }

  void claim(StringMap<AgencyIndex>& map, const std::string& name, AgencyIndex index, SourcePos pos,
             std::string_view what) {
    if (!map.emplace(name, index).second)
      error(pos, "two agencies claim the " + std::string(what) + " " + rules::shown(name));
  }

  void system(const YamlNode& row) {
    if (!row.is_map()) return error(row.pos, "a system is a map");
    check_keys(row, kSystemKeys);
    ProtectedSystem s;
    s.id = text(row, "id");
    if (s.id.empty()) return error(row.pos, "a system needs an id");
    s.name = text(row, "name", s.id);
    if (const YamlNode* n = row.find("level")) {
      const auto [end, fault] =
          std::from_chars(n->text.data(), n->text.data() + n->text.size(), s.level);
      if (fault != std::errc() || end != n->text.data() + n->text.size() || s.level < 1 ||
          s.level > 5) {
        return error(n->pos, "a system's level is 1 to 5");
      }
    }
    if (const YamlNode* n = row.find("owner")) {
      s.owner = out_.find(n->text);
      if (s.owner == kNoAgency) error(n->pos, "no agency is called " + rules::shown(n->text));
    }
    const auto index = static_cast<uint32_t>(out_.systems_.size());
    for (const auto& [prefix, pos] : networks(row)) {
      if (!out_.system_by_network_.insert(prefix, index))
        error(pos, "this network belongs to a system already");
      s.networks.push_back(prefix);
    }
    out_.systems_.push_back(std::move(s));
  }

  void check_parents() {
    for (const auto& [parent, pos] : parents_) {
      if (out_.find(parent) == kNoAgency) error(pos, "no agency is called " + rules::shown(parent));
    }
  }

  rules::Diagnostics& diagnostics_;
  Registry& out_;
  size_t network_count_ = 0;
  std::vector<SensorClaim> sensor_claims_;
  std::vector<NetworkClaim> network_claims_;
  std::vector<SourcePos> change_pos_;
  std::vector<std::pair<std::string, SourcePos>> parents_;
};

Registry Registry::parse(std::string_view text, rules::Diagnostics& diagnostics) {
  Registry out;
  const std::vector<YamlNode> documents = yaml::parse_yaml(text, diagnostics);
  if (documents.empty()) {
    if (diagnostics.errors() == 0) diagnostics.error({}, "the registry of agencies is empty");
    return out;
  }
  RegistryParser(diagnostics, out).parse(documents.front());
  return out;
}

AgencyIndex Registry::find(std::string_view id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? kNoAgency : it->second;
}

// Who was there at that time; before the first and after the last the nearest of them.
AgencyIndex Registry::owner_of(const Owners& owners, int64_t at_ns) const {
  if (owners.empty()) return kNoAgency;
  AgencyIndex nearest = owners.front();
  for (const AgencyIndex o : owners) {
    const Agency& a = agencies_[o];
    if (at_ns >= a.since_ns && at_ns < a.until_ns) return o;
    if (at_ns >= a.until_ns && a.until_ns > agencies_[nearest].until_ns) nearest = o;
  }
  return nearest;
}

AgencyIndex Registry::by_sensor(std::string_view sensor, int64_t at_ns) const {
  const auto it = by_sensor_.find(sensor);
  return it == by_sensor_.end() ? kNoAgency : owner_of(it->second, at_ns);
}

AgencyIndex Registry::owner_at(AgencyIndex agency, int64_t at_ns, std::string_view sensor,
                               const IpAddress& dest, const IpAddress& src) const {
  for (size_t steps = 0;
       agency < agencies_.size() && at_ns >= agencies_[agency].until_ns && steps < agencies_.size();
       ++steps) {
    const std::vector<AgencyIndex>& next = agencies_[agency].successors;
    if (next.empty()) return agency;
    const auto among = [&](AgencyIndex a) {
      return std::find(next.begin(), next.end(), a) != next.end();
    };
    AgencyIndex chosen = next.front();
    if (next.size() > 1) {
      const int64_t then = agencies_[agency].until_ns;  // later they may have others' names
      for (const AgencyIndex a :
           {by_address(src, then), by_address(dest, then), by_sensor(sensor, then)}) {
        if (among(a)) chosen = a;  // the last says most
      }
    }
    agency = chosen;
  }
  return agency;
}

std::vector<AgencyIndex> Registry::predecessors(AgencyIndex agency) const {
  std::vector<AgencyIndex> out;
  for (size_t i = changes_.size(); i-- > 0;) {  // a cap: each agency once
    for (const Change& c : changes_) {
      const bool ours = std::any_of(c.into.begin(), c.into.end(), [&](AgencyIndex a) {
        return a == agency || std::find(out.begin(), out.end(), a) != out.end();
      });
      if (!ours) continue;
      for (const AgencyIndex a : c.from) {
        if (a != agency && std::find(out.begin(), out.end(), a) == out.end()) out.push_back(a);
      }
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool Registry::owns_domain(std::string_view name) const {
  if (domains_.empty()) return false;
  for (size_t labels = 0; labels < 64; ++labels) {
    if (domains_.contains(name)) return true;
    const size_t dot = name.find('.');
    if (dot == name.npos) return false;
    name.remove_prefix(dot + 1);
  }
  return false;
}

AgencyIndex Registry::by_address(const IpAddress& address, int64_t at_ns) const {
  const Owners* owners = by_network_.find(address);
  return owners == nullptr ? kNoAgency : owner_of(*owners, at_ns);
}

const ProtectedSystem* Registry::system_at(const IpAddress& address) const {
  const uint32_t* index = system_by_network_.find(address);
  return index == nullptr ? nullptr : &systems_[*index];
}

}  // namespace vong::enrich
