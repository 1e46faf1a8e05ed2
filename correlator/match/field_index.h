// Everything that the rules ask about one field, compiled: whole values in hash tables, networks by
// prefix, numbers by interval, all patterns in one Hyperscan set. Asked with a value it gives the
// atoms that hold, however many rules there are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/ip_prefix_map.h"
#include "base/strings.h"
#include "correlator/indicators/lists.h"
#include "events/eve_decoder.h"
#include "rules/matcher/matcher.h"
#include "rules/sigma/rule.h"

namespace vong::match {

// A number for a set of tests of which one must hold ("any of these values"). Rules share equal
// atoms.
using Atom = uint32_t;

// What one thread needs to ask: buffers and Hyperscan's scratch.
struct Scratch {
  matcher::Scratch hyperscan;
  std::string lower;
  // What tests against lists of indicators need of the event at hand.
  const indicators::Lists* lists = nullptr;
  int64_t now_ns = 0;
  std::string_view host;  // its http.hostname
};

// Asked for nearly every event, so with the quicker of two hashes.
struct ExactHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const {
    return absl::Hash<absl::string_view>{}(absl::string_view(text.data(), text.size()));
  }
};
using ExactTable = absl::flat_hash_map<std::string, std::vector<Atom>, ExactHash, std::equal_to<>>;

class FieldIndex {
 public:
  // --- building ---
  // False: this test cannot be indexed (a field reference, null).
  bool add(const sigma::Test& test, Atom atom);
  // After the last add. Gives the tests that Hyperscan refuses, with its reason; their atoms never
  // hold.
  struct Refused {
    Atom atom;
    sigma::SourcePos pos;
    std::string message;
  };
  [[nodiscard]] std::vector<Refused> compile();
  [[nodiscard]] bool prepare(Scratch& scratch) const;

  // --- asking: any thread, each with its scratch; calls f(atom), an atom perhaps more than once
  // ---
  template <typename F>
  void ask(const events::FieldValue& value, Scratch& scratch, F&& f) const {
    if (value.type == events::ValueType::kNull) return;
    for (const Atom atom : present_) f(atom);
    if (value.type == events::ValueType::kContainer) return;
    ask_exact(value, scratch, f);
    if (!segments_.empty() || !loose_ranges_.empty()) ask_ranges(value, f);
    if (!networks_.empty()) {
      if (const auto address = IpAddress::parse(value.text)) {
        networks_.for_each_covering(*address, [&](const std::vector<Atom>& atoms) {
          for (const Atom atom : atoms) f(atom);
        });
      }
    }
    if (!lists_.empty() && scratch.lists != nullptr) {
      scratch.lists->look_up(value.text, scratch.host, scratch.now_ns, scratch.lower,
                             [&](const indicators::Lists::Hit& hit) {
                               if (hit.list >= lists_.size()) return;
                               for (const Atom atom : lists_[hit.list]) f(atom);
                             });
    }
    if (patterns_) ask_text(value.text, scratch, f);
  }
  [[nodiscard]] bool asks_lists() const { return !lists_.empty(); }
  // Patterns alone, for the whole record's text.
  template <typename F>
  void ask_text(std::string_view text, Scratch& scratch, F&& f) const;

 private:
  struct Range {
    double low, high;
    Atom atom;
  };
  using Lists = std::vector<std::vector<Atom>>;

  template <typename F>
  void ask_exact(const events::FieldValue& value, Scratch& scratch, F&& f) const;
  template <typename F>
  void ask_ranges(const events::FieldValue& value, F&& f) const;
  void build_segments();

  std::vector<Atom> present_;       // hold when the field has a value
  ExactTable exact_, exact_cased_;  // exact_ by the value in lower case
  size_t exact_bytes_max_ = 0, exact_cased_bytes_max_ = 0;
  std::vector<Range> ranges_;   // while building
  std::vector<double> bounds_;  // sorted; segments_[i] holds for bounds_[i] <= x < bounds_[i + 1]
  std::vector<std::pair<uint32_t, uint32_t>> segments_;  // begin and end in segment_atoms_
  std::vector<Atom> segment_atoms_;
  std::vector<Range> loose_ranges_;  // asked one by one
  IpPrefixMap<std::vector<Atom>> networks_;
  std::vector<std::pair<IpPrefix, Atom>> network_list_;  // while building
  Lists lists_;                                          // by number of the list of indicators
  struct TextTest {
    sigma::Test test;
    Atom atom;
  };
  std::vector<TextTest> text_tests_;  // while building
  std::shared_ptr<const matcher::Matcher> patterns_;
};

template <typename F>
void FieldIndex::ask_exact(const events::FieldValue& value, Scratch& scratch, F&& f) const {
  if (value.text.size() <= exact_bytes_max_ && !exact_.empty()) {
    std::string_view key = value.text;
    if (value.type == events::ValueType::kString) {
      scratch.lower.resize(key.size());
      bool changed = false;
      for (size_t i = 0; i < key.size(); ++i) {
        scratch.lower[i] = ascii_lower(key[i]);
        changed |= scratch.lower[i] != key[i];
      }
      if (changed) key = scratch.lower;
    }
    if (const auto it = exact_.find(key); it != exact_.end()) {
      for (const Atom atom : it->second) f(atom);
    }
  }
  if (value.text.size() <= exact_cased_bytes_max_ && !exact_cased_.empty()) {
    if (const auto it = exact_cased_.find(value.text); it != exact_cased_.end()) {
      for (const Atom atom : it->second) f(atom);
    }
  }
}

template <typename F>
void FieldIndex::ask_ranges(const events::FieldValue& value, F&& f) const {
  const auto number = events::number_of(value);
  if (!number) return;
  for (const Range& r : loose_ranges_) {
    if (*number >= r.low && *number <= r.high) f(r.atom);
  }
  const auto it = std::upper_bound(bounds_.begin(), bounds_.end(), *number);
  if (it == bounds_.begin()) return;
  const auto [begin, end] = segments_[static_cast<size_t>(it - bounds_.begin()) - 1];
  for (uint32_t i = begin; i < end; ++i) f(segment_atoms_[i]);
}

template <typename F>
void FieldIndex::ask_text(std::string_view text, Scratch& scratch, F&& f) const {
  if (!patterns_) return;
  (void)patterns_->scan(as_bytes(text.substr(0, 256 * 1024)), scratch.hyperscan,
                        [&](uint32_t atom, uint64_t) {
                          f(atom);
                          return true;
                        });
}

}  // namespace vong::match
