// All lists of indicators as one table, asked with a value of an event: which lists hold it at that
// time. Whole values cost one probe of a hash table however many indicators there are, addresses
// one per prefix length in use, names one per label (a domain covers what is below it).
//
// Built once, then read by any thread. Values are kept as keyed fingerprints of 128 bits, not as
// texts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ip_prefix_map.h"
#include "correlator/indicators/indicator.h"
#include "correlator/indicators/limits.h"
#include "correlator/state/fingerprint.h"

namespace vong::indicators {

class Lists {
 public:
  explicit Lists(std::vector<std::string> names) : names_(std::move(names)) {}

  // --- building ---
  // `list`: index into names(). The same value in the same list again: the later one counts. False
  // at kIndicatorsMax.
  bool add(uint32_t list, const Indicator& indicator);

  // --- asking ---
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] size_t size() const { return entries_.size(); }

  struct Hit {
    uint32_t list;
    Kind kind;
  };
  // Calls f(Hit) for every list that holds `value` at `now_ns`, a list perhaps more than once (an
  // address and its network). `host` is the event's host name, for a value that is only the path of
  // a URL. `scratch` is the caller's, so that nothing but a URL's text is allocated.
  template <typename F>
  void look_up(std::string_view value, std::string_view host, int64_t now_ns, std::string& scratch,
               F&& f) const {
    if (entries_.empty() || value.empty() || value.size() > kValueBytesMax) return;
    if (!addresses_.empty() && may_be_address(value)) {
      if (const auto address = IpAddress::parse(value)) {
        addresses_.for_each_covering(*address, [&](uint32_t first) { tell(first, now_ns, f); });
        return;
      }
    }
    lower_into(value, scratch);
    if (has_[static_cast<size_t>(Kind::kDomain)] && value.find('.') != value.npos)
      ask_domain(scratch, now_ns, f);
    else
      ask_text(scratch, now_ns, f);
    if (has_[static_cast<size_t>(Kind::kUrl)]) ask_url(value, host, now_ns, f);
  }

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  struct Entry {
    int64_t from_ns, until_ns;
    uint32_t next;  // the next list's entry of the same value
    uint16_t list;
    Kind kind;
  };

  static bool may_be_address(std::string_view value) {
    return value.size() <= 45 &&
           (value.find(':') != value.npos || (value[0] >= '0' && value[0] <= '9'));
  }
  static void lower_into(std::string_view value, std::string& out);

  template <typename F>
  void tell(uint32_t first, int64_t now_ns, F&& f) const {
    for (uint32_t i = first; i != kNone; i = entries_[i].next) {
      const Entry& e = entries_[i];
      if (now_ns >= e.from_ns && now_ns < e.until_ns) f(Hit{e.list, e.kind});
    }
  }
  template <typename F>
  void ask_text(std::string_view text, int64_t now_ns, F&& f) const {
    const auto it = texts_.find(state::fingerprint_of(text));
    if (it != texts_.end()) tell(it->second, now_ns, f);
  }
  // The name, and each of its parents where that is a domain of a list.
  template <typename F>
  void ask_domain(std::string_view name, int64_t now_ns, F&& f) const {
    if (name.ends_with('.')) name.remove_suffix(1);
    ask_text(name, now_ns, f);
    for (size_t labels = 1, dot = name.find('.'); dot != name.npos && labels < kDomainLabelsMax;
         dot = name.find('.', dot + 1), ++labels) {
      ask_text(name.substr(dot + 1), now_ns, [&](const Hit& h) {
        if (h.kind == Kind::kDomain) f(h);
      });
    }
  }
  template <typename F>
  void ask_url(std::string_view value, std::string_view host, int64_t now_ns, F&& f) const {
    std::string url;
    if (value[0] == '/' && !host.empty())
      url = canonical_url(host, value);
    else if (value.find("://") != value.npos)
      url = canonical_url(value).value_or("");
    if (!url.empty()) ask_text(url, now_ns, f);
  }
  void chain(uint32_t& first, uint32_t list, const Indicator& indicator);

  std::vector<std::string> names_;
  std::vector<Entry> entries_;
  absl::flat_hash_map<state::Fingerprint, uint32_t> texts_;
  IpPrefixMap<uint32_t> addresses_;
  bool has_[kKinds] = {};
};

}  // namespace vong::indicators
