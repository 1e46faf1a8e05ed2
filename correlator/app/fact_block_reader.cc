#include <algorithm>
#include <cstring>

#include "correlator/app/fact.h"
#include "correlator/app/fact_block.h"
#include "correlator/app/flat_bytes.h"

namespace vong::correlator {
namespace {

constexpr uint32_t kUnknown = 0xffffffff, kNotAsked = 0xfffffffe;

// Whether the fact's parts add up to its size.
bool is_whole(std::string_view bytes) {
  uint16_t rules = 0, columns = 0;
  constexpr size_t kHead = sizeof(state::EventRef) + 4;
  if (bytes.size() < kHead) return false;
  std::memcpy(&rules, bytes.data() + sizeof(state::EventRef), 2);
  std::memcpy(&columns, bytes.data() + sizeof(state::EventRef) + 2, 2);
  size_t need = kHead + rules * sizeof(uint32_t) + columns * sizeof(uint16_t);
  if (bytes.size() < need) return false;
  const FactView view(bytes);
  for (size_t i = 0; i < columns; ++i) {
    uint16_t size;
    std::memcpy(&size, view.sizes_bytes.data() + i * 2, 2);
    need += size == kNoValue ? 0 : size;
  }
  return bytes.size() >= need;
}

// Whether a whole fact is a verdict's, with a word and an incident's id.
bool is_verdict(std::string_view bytes) {
  constexpr size_t kHead = sizeof(state::EventRef) + 4;
  return FactView(bytes).control() == Control::kVerdict && bytes.size() >= kHead + 1 + 32;
}

class BlockReader {
 public:
  BlockReader(std::string_view block, Engine& engine, const FactBlockVisitor& visitor,
              bool only_rules)
      : in_(block), engine_(engine), visitor_(visitor), only_rules_(only_rules) {}

  bool read() {
    if (in_.bytes(block::kMagic.size()) != block::kMagic) return false;
    const auto names = in_.get<uint32_t>();
    for (uint32_t i = 0; i < names && in_.ok(); ++i) names_.push_back(in_.text());
    read_columns();
    const auto items = in_.get<uint32_t>();
    for (uint32_t i = 0; i < items && in_.ok(); ++i) {
      if (!item()) return false;
    }
    const auto marks = in_.get<uint32_t>();
    for (uint32_t i = 0; i < marks && in_.ok(); ++i) {
      if (!mark()) return false;
    }
    return in_.ok();
  }

 private:
  void read_columns() {
    const std::vector<std::string>& own = engine_.rules().columns;
    const auto columns = in_.get<uint32_t>();
    bool same = columns == own.size();
    std::vector<std::string_view> theirs;
    for (uint32_t i = 0; i < columns && in_.ok(); ++i) {
      theirs.push_back(in_.text());
      same = same && theirs[i] == own[i];
    }
    if (same) return;
    mapped_ = true;
    for (const std::string& c : own) {
      const auto it = std::find(theirs.begin(), theirs.end(), c);
      columns_.push_back(it == theirs.end() ? kUnknown
                                            : static_cast<uint32_t>(it - theirs.begin()));
    }
  }

  bool mark() {
    const auto source = in_.get<uint32_t>();
    SourceMark m;
    m.reached_ns = in_.get<int64_t>();
    m.newest_ns = in_.get<int64_t>();
    m.epoch = in_.get<uint32_t>();
    m.idle = in_.get<uint8_t>() != 0;
    if (!in_.ok() || source >= names_.size()) return false;
    if (!only_rules_) visitor_.mark(names_[source], m);
    return true;
  }

  bool item() {
    const char kind = in_.get<char>();
    const auto source = in_.get<uint32_t>();
    const auto epoch = in_.get<uint32_t>();
    if (!in_.ok() || source >= names_.size()) return false;
    if (kind == block::kFact || kind == block::kControl) {
      const auto key = in_.get<ingest::OrderKey>();
      const std::string_view bytes = in_.text();
      if (!in_.ok() || !is_whole(bytes)) return false;
      if (kind == block::kControl && !is_verdict(bytes)) return false;
      if (only_rules_) return true;
      if (kind == block::kControl)
        visitor_.fact(names_[source], epoch, key, bytes);
      else if (translate(bytes))
        visitor_.fact(names_[source], epoch, key, fact_);
      return true;
    }
    const std::string_view bytes = in_.text();
    if (!in_.ok()) return false;
    if (only_rules_ && (kind == block::kStatus || kind == block::kRaised)) return true;
    if (kind == block::kStatus) {
      visitor_.status(bytes);
      return true;
    }
    if (kind == block::kRulesBegin || kind == block::kRulesStand) {
      if (visitor_.rules) visitor_.rules(kind == block::kRulesBegin, bytes);
      return true;
    }
    return kind == block::kRaised && raised(names_[source], epoch, bytes);
  }

  bool raised(std::string_view source, uint32_t epoch, std::string_view bytes) {
    Raised r;
    if (!read_raised(bytes, r) || r.incident_rule >= names_.size()) return false;
    for (state::EventRef& ref : r.match.evidence) {
      if (!take_numbers(ref)) return false;
    }
    const auto rule = engine_.incident_rule_named(names_[r.incident_rule]);
    if (!rule) return true;  // of rules that are not in force here
    r.incident_rule = *rule;
    visitor_.raised(source, epoch, r);
    return true;
  }

  // The reference in this process's numbers.
  bool take_numbers(state::EventRef& ref) {
    if (ref.sensor >= names_.size() || ref.event_type >= names_.size() ||
        ref.agency >= names_.size())
      return false;
    ref.sensor = engine_.sensor_index(names_[ref.sensor]);
    ref.event_type = engine_.event_type_index(names_[ref.event_type]);
    ref.agency = engine_.agency_named(names_[ref.agency]);
    return true;
  }

  uint32_t detection(uint32_t name) {
    if (detections_.size() < names_.size()) detections_.resize(names_.size(), kNotAsked);
    uint32_t& known = detections_[name];
    if (known == kNotAsked) known = engine_.detection_named(names_[name]).value_or(kUnknown);
    return known;
  }

  // The fact in this process's numbers, in fact_; false when none of its rules is in force here, or
  // its agency is not in the registry.
  bool translate(std::string_view bytes) {
    const FactView view(bytes);
    state::EventRef ref = view.ref;
    if (!take_numbers(ref) || ref.agency == enrich::kNoAgency) return false;
    rules_.clear();
    for (size_t i = 0; i < view.rule_count(); ++i) {
      if (view.rule(i) >= names_.size()) return false;
      if (const uint32_t d = detection(view.rule(i)); d != kUnknown) rules_.push_back(d);
    }
    if (rules_.empty()) return false;
    std::sort(rules_.begin(), rules_.end());
    fact_.clear();
    put(fact_, ref);
    const auto theirs = static_cast<uint16_t>(view.sizes_bytes.size() / 2);
    if (!mapped_ && theirs != engine_.rules().columns.size()) return false;
    put(fact_, static_cast<uint16_t>(rules_.size()));
    put(fact_, mapped_ ? static_cast<uint16_t>(columns_.size()) : theirs);
    for (const uint32_t r : rules_) put(fact_, r);
    if (!mapped_) {
      fact_.append(view.sizes_bytes.data(), view.sizes_bytes.size());
      fact_.append(view.values, static_cast<size_t>(bytes.data() + bytes.size() - view.values));
      return true;
    }
    values_.clear();
    for (const uint32_t c : columns_) {
      std::string_view value;
      const bool there = c < theirs && view.column(static_cast<Column>(c), value);
      put(fact_, there ? static_cast<uint16_t>(value.size()) : kNoValue);
      if (there) values_.append(value);
    }
    fact_ += values_;
    return true;
  }

  FlatInput in_;
  Engine& engine_;
  const FactBlockVisitor& visitor_;
  std::vector<std::string_view> names_;
  std::vector<uint32_t> detections_, rules_, columns_;
  bool mapped_ = false, only_rules_;
  std::string fact_, values_;
};

}  // namespace

bool read_fact_block(std::string_view block, Engine& engine, const FactBlockVisitor& visitor) {
  return BlockReader(block, engine, visitor, false).read();
}

bool read_rules_of_block(std::string_view block, Engine& engine, const FactBlockVisitor& visitor) {
  return BlockReader(block, engine, visitor, true).read();
}

}  // namespace vong::correlator
