#include "correlator/enrich/registry.h"

#include <algorithm>
#include <charconv>

#include "base/string_map.h"
#include "correlator/enrich/limits.h"
#include "rules/network/nearest_name.h"
#include "rules/yaml/yaml_tree.h"

namespace vong::enrich {

using rules::SourcePos;
using yaml::YamlEntry;
using yaml::YamlNode;

namespace {

constexpr std::string_view kSharings[] = {"full", "anonymised", "counters", "nothing"};
constexpr std::string_view kTlps[] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};
constexpr std::string_view kAgencyKeys[] = {"id",      "name", "kind",    "parent",  "special",
                                            "sharing", "tlp",  "aliases", "sensors", "networks",
                                            "domains"};
constexpr std::string_view kSystemKeys[] = {"id", "name", "level", "owner", "networks"};
constexpr std::string_view kTopKeys[] = {"agencies", "systems"};

}  // namespace

std::string_view name_of(Sharing sharing) { return kSharings[static_cast<size_t>(sharing)]; }

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
    for (const YamlNode* n : texts(row, "sensors")) {
      claim(out_.by_sensor_, n->text, index, n->pos, "sensor");
      a.sensors.push_back(n->text);
    }
    for (const auto& [prefix, pos] : networks(row)) {
      if (!out_.by_network_.insert(prefix, index))
        error(pos, "this network belongs to an agency already");
      a.networks.push_back(prefix);
    }
    for (const YamlNode* n : texts(row, "domains")) {
      a.domains.push_back(to_lower(n->text));
      out_.domains_.insert(a.domains.back());
    }
    if (const YamlNode* p = row.find("parent")) parents_.emplace_back(p->text, p->pos);
    out_.agencies_.push_back(std::move(a));
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

AgencyIndex Registry::by_sensor(std::string_view sensor) const {
  const auto it = by_sensor_.find(sensor);
  return it == by_sensor_.end() ? kNoAgency : it->second;
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

AgencyIndex Registry::by_address(const IpAddress& address) const {
  const AgencyIndex* index = by_network_.find(address);
  return index == nullptr ? kNoAgency : *index;
}

const ProtectedSystem* Registry::system_at(const IpAddress& address) const {
  const uint32_t* index = system_by_network_.find(address);
  return index == nullptr ? nullptr : &systems_[*index];
}

}  // namespace vong::enrich
