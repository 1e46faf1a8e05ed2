// All keywords that are not a protocol's own. One line a family.
#include <algorithm>
#include <string>
#include <vector>

#include "base/string_map.h"
#include "base/strings.h"
#include "sensor/detect/keyword.h"

namespace vong::detect {
namespace {

constexpr std::span<const Keyword> (*kFamilies[])() = {
    meta_keywords,   content_keywords, pcre_keywords,         byte_keywords,   base64_keywords, size_keywords,   flow_keywords,   flowbits_keywords,
    flowint_keywords, flowvar_keywords, hostbits_keywords, flow_counter_keywords, stream_keywords, tcp_keywords,    ip_keywords,     icmp_keywords,   link_keywords,
    event_keywords,  app_keywords,     threshold_keywords,    effect_keywords, file_keywords,   dataset_keywords, misc_keywords,
};

struct Registry {
  std::vector<const Keyword*> all;
  StringMap<const Keyword*> by_name;
  Registry() {
    for (const auto family : kFamilies) {
      for (const Keyword& k : family()) {
        all.push_back(&k);
        by_name.emplace(std::string(k.name), &k);
        if (!k.alias.empty()) by_name.emplace(std::string(k.alias), &k);
      }
    }
    std::sort(all.begin(), all.end(), [](const Keyword* a, const Keyword* b) { return a->name < b->name; });
  }
};
const Registry& registry() {
  static const auto* const r = new Registry();
  return *r;
}

}  // namespace

std::span<const Keyword* const> keywords() { return registry().all; }

const Keyword* keyword_by_name(std::string_view name) {
  const auto it = registry().by_name.find(name);
  return it == registry().by_name.end() ? nullptr : it->second;
}

}  // namespace vong::detect
