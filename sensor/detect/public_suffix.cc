#include "sensor/detect/public_suffix.h"

#include <string>

#include "base/string_map.h"
#include "base/strings.h"
#include "rules/network/read_file.h"
#include "rules/network/text.h"

namespace vong::detect {
namespace {

constexpr const char* kListFile = "/usr/share/publicsuffix/public_suffix_list.dat";

enum class Kind : uint8_t { kExact, kWildcard /* each name right below is a suffix */, kException };

class List {
 public:
  List() {
    const auto text = rules::read_file(kListFile);
    if (!text) return;
    for (const std::string_view raw : split(*text, '\n')) {
      std::string_view line = rules::trim(raw);
      if (line.empty() || line.starts_with("//")) continue;
      line = line.substr(0, line.find_first_of(" \t"));
      Kind kind = Kind::kExact;
      if (line.starts_with("*.")) {
        kind = Kind::kWildcard;
        line.remove_prefix(2);
      } else if (line.starts_with("!")) {
        kind = Kind::kException;
        line.remove_prefix(1);
      }
      rules_[std::string(line)] |= static_cast<uint8_t>(1U << static_cast<unsigned>(kind));
    }
  }
  [[nodiscard]] bool has(std::string_view name, Kind kind) const {
    const auto it = rules_.find(name);
    return it != rules_.end() && (it->second >> static_cast<unsigned>(kind) & 1) != 0;
  }

 private:
  StringMap<uint8_t> rules_;   // name -> bit per Kind
};

const List& list() {
  static const auto* const l = new List();
  return *l;
}

// Where the label before position `at` (of a dot, or the end) begins.
size_t label_begin(std::string_view host, size_t at) {
  const size_t dot = at == 0 ? std::string_view::npos : host.rfind('.', at - 1);
  return dot == std::string_view::npos ? 0 : dot + 1;
}

}  // namespace

std::string_view public_suffix(std::string_view host) {
  size_t begin = label_begin(host, host.size()), suffix = begin;   // the last label, when no rule says more
  for (int labels = 0; begin > 0 && labels < 16; ++labels) {
    const std::string_view parent = host.substr(begin);
    const size_t next = label_begin(host, begin - 1);
    const std::string_view name = host.substr(next);
    if (list().has(name, Kind::kException)) return parent;
    if (list().has(name, Kind::kExact) || list().has(parent, Kind::kWildcard)) suffix = next;
    begin = next;
  }
  return host.substr(suffix);
}

std::string_view registered_domain(std::string_view host) {
  const std::string_view suffix = public_suffix(host);
  if (suffix.empty() || suffix.size() >= host.size()) return {};
  return host.substr(label_begin(host, host.size() - suffix.size() - 1));
}

}  // namespace vong::detect
