#include "correlator/incidents/incident_store.h"

#include <openssl/sha.h>

#include <algorithm>
#include <span>

#include "base/encode.h"
#include "correlator/state/incident_number.h"

namespace vong::incidents {
namespace {

// The key of the table: rule, agency, group key; the fixed-size parts first, so no two keys can
// look alike.
void make_key(const Hit& hit, uint32_t slot, std::string& out) {
  out.assign(reinterpret_cast<const char*>(&slot), sizeof slot);
  out.append(reinterpret_cast<const char*>(&hit.agency), sizeof hit.agency);
  out.append(hit.key);
}

void append_number(std::string& out, uint64_t n) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(n >> shift & 0xff));
}

// Salted, or who sees an incident without its addresses could find them by trying all. Stable over
// runs and machines: of the rule's own id, the key, the agency's position in time; not of table
// indices.
std::string make_id(std::string_view salt, const RuleFacts& facts, const Hit& hit) {
  std::string text(salt);
  for (const std::string* part : {&facts.rule.id, &facts.rule.title, &facts.rule.type}) {
    append_number(text, part->size());
    text += *part;
  }
  append_number(text, hit.agency == kNoAgency ? 1 : 0);
  append_number(text, hit.key.size());
  text += hit.key;
  append_number(text, static_cast<uint64_t>(hit.first_ns));
  if (!hit.evidence.empty()) append_number(text, hit.evidence.front().flow_id);
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest);
  return hex_of(std::span(digest, 16));
}

template <typename T>
void add_once(std::vector<T>& list, T value, size_t size_max) {
  if (list.size() < size_max && std::find(list.begin(), list.end(), value) == list.end())
    list.push_back(std::move(value));
}

// A protected system of level 4 or 5 makes everything that touches it one step more serious.
events::Severity raised(events::Severity base, int system_level) {
  if (system_level < 4 || base == events::Severity::kCritical) return base;
  return static_cast<events::Severity>(static_cast<int>(base) + 1);
}

events::Severity lowered(events::Severity s) {
  return s == events::Severity::kInformational
             ? s
             : static_cast<events::Severity>(static_cast<int>(s) - 1);
}

}  // namespace

void read_attack_tags(const std::vector<std::string>& tags, RuleFacts& out) {
  for (const std::string& tag : tags) {
    if (!tag.starts_with("attack.")) continue;
    std::string name = tag.substr(7);
    const bool technique = name.size() >= 5 && name[0] == 't' &&
                           std::all_of(name.begin() + 1, name.begin() + 5, is_digit) &&
                           (name.size() == 5 || (name.size() == 9 && name[5] == '.'));
    if (technique) {
      name[0] = 'T';
      add_once(out.techniques, std::move(name), 64);
    } else if (!name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
               !(name.size() > 1 && is_digit(name[1]))) {
      std::replace(name.begin(), name.end(), '_', '-');
      add_once(out.tactics, std::move(name), 64);
    }
  }
}

namespace {

// The first steps and the latest, as with evidence.
void add_step(Open& o, int64_t time_ns, Step step, uint32_t value = 0) {
  if (o.timeline.size() < kTimelineMax)
    o.timeline.push_back({time_ns, step, value});
  else
    o.timeline.back() = {time_ns, step, value};
}

uint64_t version_of(const Open& o) { return o.match_count + o.closings + o.verdicts; }

}  // namespace

Open IncidentStore::make(const Hit& hit) const {
  const RuleFacts& facts = rules_[hit.rule];
  Open o;
  o.id = make_id(id_salt_, facts, hit);
  o.rule = hit.rule;
  o.agency = hit.agency;
  o.key_values = hit.key_values;
  o.severity = hit.less_severe ? lowered(facts.severity) : facts.severity;
  o.first_ns = hit.first_ns;
  o.last_ns = hit.last_ns;
  o.opened_ns = hit.last_ns;
  add_step(o, hit.last_ns, Step::kOpened);
  return o;
}

void IncidentStore::grow(Open& o, const Hit& hit) const {
  o.first_ns = std::min(o.first_ns, hit.first_ns);
  o.last_ns = std::max(o.last_ns, hit.last_ns);
  o.updated_ns = std::max(o.updated_ns, hit.last_ns);
  ++o.match_count;
  o.event_count += hit.event_count;
  const events::Severity base = rules_[hit.rule].severity;
  const events::Severity severity =
      std::max(o.severity, raised(hit.less_severe ? lowered(base) : base, hit.system_level));
  if (severity != o.severity)
    add_step(o, hit.last_ns, Step::kSeverity, static_cast<uint32_t>(severity));
  o.severity = severity;
  o.standing = hit.standing;
  uint64_t listed = 0;
  for (const EventRef& ref : hit.evidence) {
    if (o.evidence.size() < kEvidenceMax) {
      o.evidence.push_back(ref);
      ++listed;
    } else {
      o.evidence.back() = ref;  // what stood there is one of those not listed, this one is now
    }
    const auto it = std::find_if(o.agencies.begin(), o.agencies.end(),
                                 [&](const auto& a) { return a.first == ref.agency; });
    if (it != o.agencies.end()) {
      ++it->second;
    } else if (o.agencies.size() < kAgenciesMax) {
      o.agencies.emplace_back(ref.agency, 1);
      if (o.agency == kNoAgency) add_step(o, ref.time_ns, Step::kAgency, ref.agency);
    }
    add_once(o.sensors, ref.sensor, kSensorsMax);
  }
  o.evidence_dropped += hit.event_count > listed ? hit.event_count - listed : 0;
  for (const uint16_t system : hit.systems) {
    const size_t before = o.systems.size();
    add_once(o.systems, system, kSystemsMax);
    if (o.systems.size() != before) add_step(o, hit.last_ns, Step::kSystem, system);
  }
  for (const std::string& id : hit.related) add_once(o.related, id, kRelatedMax);
}

std::string_view IncidentStore::add(const Hit& hit) {
  make_key(hit, slots_[hit.rule], scratch_);
  auto it = open_.find(scratch_);
  const RuleFacts& facts = rules_[hit.rule];
  if (it != open_.end() && !it->second->closed &&
      hit.last_ns - it->second->updated_ns >= facts.close_after_ns) {
    close(*it->second);
    if (facts.reopen_within_ns <= 0) {
      drop(it);
      it = open_.end();
    }
  }
  if (it != open_.end() && it->second->closed) {
    if (hit.last_ns - it->second->closed_ns < facts.reopen_within_ns) {
      reopen(*it->second, hit.last_ns);
      grow(*it->second, hit);
      if (tells_changes()) tell(*it->second);
      return it->second->id;
    }
    drop(it);
    it = open_.end();
  }
  if (it == open_.end()) {
    if (open_.size() >= open_max_) close_first();
    it = open_.emplace(scratch_, std::make_unique<Open>(make(hit))).first;
    by_id_[state::incident_number(it->second->id)] = it->second.get();
    set_deadline(*it->second, hit.last_ns + facts.close_after_ns, scratch_);
    ++opened_total_;
    grow(*it->second, hit);
    if (tells_changes()) tell(*it->second);
    return it->second->id;
  }
  Open& o = *it->second;
  const events::Severity before = o.severity;
  grow(o, hit);
  o.status = events::IncidentStatus::kUpdated;
  if (!tells_changes()) return o.id;
  if (update_interval_ns_ == 0 || o.severity > before ||
      hit.last_ns - o.told_ns >= update_interval_ns_) {
    tell(o);
  } else if (!o.untold) {
    o.untold = true;
    waiting_.push({o.told_ns + update_interval_ns_, ++serial_, scratch_});
  }
  return o.id;
}

// Its time was over when nothing had come for close_after, whenever that is noticed.
void IncidentStore::close(Open& o) {
  const RuleFacts& facts = rules_[o.rule];
  o.closed = true;
  o.closed_ns = o.updated_ns + facts.close_after_ns;
  o.status = events::IncidentStatus::kClosed;
  ++o.closings;
  ++closed_;
  add_step(o, o.closed_ns, Step::kClosed);
  // Who is told of final states only hears of it when it cannot come back any more.
  if (tells_changes() || facts.reopen_within_ns <= 0) tell(o);
}

void IncidentStore::reopen(Open& o, int64_t now_ns) {
  o.closed = false;
  --closed_;
  ++o.reopened;
  o.status = events::IncidentStatus::kReopened;
  o.updated_ns = now_ns;
  add_step(o, now_ns, Step::kReopened);
  set_deadline(o, now_ns + rules_[o.rule].close_after_ns, scratch_);
}

void IncidentStore::set_deadline(Open& o, int64_t at_ns, const std::string& key) {
  o.deadline = ++serial_;
  deadlines_.push({at_ns, o.deadline, key});
}

// Out of the table; says its last word to who has not heard it.
void IncidentStore::drop(StringMap<std::unique_ptr<Open>>::iterator it) {
  Open& o = *it->second;
  if (o.closed) {
    --closed_;
    if (!tells_changes() && rules_[o.rule].reopen_within_ns > 0) tell(o);
  }
  by_id_.erase(state::incident_number(o.id));
  open_.erase(it);
}

Open* IncidentStore::find_id(std::string_view id) {
  const auto it = by_id_.find(state::incident_number(id));
  return it == by_id_.end() || it->second->id != id ? nullptr : it->second;
}

bool IncidentStore::judge(std::string_view id, bool true_positive, const Standing& standing,
                          int64_t now_ns) {
  Open* o = find_id(id);
  if (o == nullptr) return false;
  o->verdict = true_positive ? 1 : 0;
  ++o->verdicts;
  add_step(*o, now_ns, Step::kVerdict, true_positive ? 1 : 0);
  if (!o->closed) o->status = events::IncidentStatus::kUpdated;
  o->standing = standing;
  if (tells_changes()) tell(*o);
  return true;
}

// The version is a function of what happened, not of how often somebody was told: files and topics
// agree on it.
void IncidentStore::tell(Open& o) {
  o.version = version_of(o);
  o.told_ns = o.updated_ns;
  o.untold = false;
  listener_(o, o.status);
}

namespace {

template <typename Queue>
auto taken_from(Queue& queue) {
  auto first = queue.top();
  queue.pop();
  return first;
}

}  // namespace

void IncidentStore::advance(int64_t now_ns) {
  for (;;) {
    const int64_t tell_ns = waiting_.empty() ? INT64_MAX : waiting_.top().at_ns;
    const int64_t close_ns = deadlines_.empty() ? INT64_MAX : deadlines_.top().at_ns;
    const int64_t forget_ns = kept_.empty() ? INT64_MAX : kept_.top().at_ns;
    const int64_t first_ns = std::min({tell_ns, close_ns, forget_ns});
    if (first_ns > now_ns || first_ns == INT64_MAX) return;
    if (first_ns == tell_ns)
      tell_first_waiting();
    else if (first_ns == forget_ns)
      (void)forget_first();
    else
      close_or_wait(taken_from(deadlines_), now_ns);
  }
}

void IncidentStore::tell_first_waiting() {
  const Deadline d = taken_from(waiting_);
  const auto it = open_.find(d.key);
  if (it == open_.end() || !it->second->untold) return;              // told or closed since
  if (it->second->told_ns + update_interval_ns_ != d.at_ns) return;  // that is another's turn
  tell(*it->second);
}

void IncidentStore::close_or_wait(const Deadline& d, int64_t now_ns) {
  const auto it = open_.find(d.key);
  if (it == open_.end()) return;
  Open& o = *it->second;
  if (o.deadline != d.serial) return;  // that is another's, or one that was put off
  const RuleFacts& facts = rules_[o.rule];
  const int64_t due = o.updated_ns + facts.close_after_ns;
  if (due > now_ns) {  // it had news since
    deadlines_.push({due, d.serial, d.key});
    return;
  }
  close(o);
  if (facts.reopen_within_ns > 0)
    kept_.push({o.closed_ns + facts.reopen_within_ns, d.serial, d.key});
  else
    drop(it);
}

// False: it has come back, or was dropped then.
bool IncidentStore::forget_first() {
  const Deadline d = taken_from(kept_);
  const auto it = open_.find(d.key);
  if (it == open_.end() || it->second->deadline != d.serial) return false;
  drop(it);
  return true;
}

void IncidentStore::tell_untold() {
  if (waiting_.empty()) return;
  std::vector<Open*> left;
  for (auto& [key, o] : open_) {
    if (o->untold) left.push_back(o.get());
  }
  std::sort(left.begin(), left.end(), [](const Open* a, const Open* b) {
    return std::tie(a->first_ns, a->id) < std::tie(b->first_ns, b->id);
  });
  for (Open* o : left) {
    o->version = version_of(*o);
    listener_(*o, o->status);
  }
}

// Room for one more: of those that are closed and only kept the first, else the live one that would
// be closed first.
void IncidentStore::close_first() {
  while (!kept_.empty()) {
    if (forget_first()) return;
  }
  while (!deadlines_.empty()) {
    const Deadline d = taken_from(deadlines_);
    const auto it = open_.find(d.key);
    if (it == open_.end() || it->second->deadline != d.serial) continue;
    Open& o = *it->second;
    const int64_t due = o.updated_ns + rules_[o.rule].close_after_ns;
    if (due > d.at_ns) {  // it had news since
      deadlines_.push({due, d.serial, d.key});
      continue;
    }
    close(o);
    ++closed_early_total_;
    drop(it);
    return;
  }
}

size_t IncidentStore::replace_rules(std::vector<RuleFacts> rules, std::span<const uint32_t> place,
                                    int64_t now_ns) {
  std::vector<Open*> gone;
  size_t were_open = 0;
  for (auto& [key, o] : open_) {
    if (place[o->rule] == kGone)
      gone.push_back(o.get());
    else
      o->rule = place[o->rule];
  }
  std::sort(gone.begin(), gone.end(), [](const Open* a, const Open* b) {
    return std::tie(a->first_ns, a->id) < std::tie(b->first_ns, b->id);
  });
  for (Open* o : gone) {
    by_id_.erase(state::incident_number(o->id));
    if (o->closed) {
      --closed_;
    } else {
      ++were_open;
      ++o->closings;
      o->status = events::IncidentStatus::kClosed;
      add_step(*o, now_ns, Step::kClosed, kRuleGone);
      tell(*o);
    }
    o->rule = kGone;
  }
  absl::erase_if(open_, [](const auto& e) { return e.second->rule == kGone; });
  std::vector<uint32_t> slots(rules.size(), kGone);
  for (size_t i = 0; i < place.size(); ++i) {
    if (place[i] != kGone) slots[place[i]] = slots_[i];
  }
  for (uint32_t& slot : slots) {
    if (slot == kGone) slot = next_slot_++;
  }
  slots_ = std::move(slots);
  rules_ = std::move(rules);
  return were_open;
}

int64_t IncidentStore::earliest_ns(uint32_t rule) const {
  int64_t earliest = INT64_MAX;
  for (const auto& [key, o] : open_) {
    if (o->rule == rule) earliest = std::min(earliest, o->first_ns);
  }
  return earliest;
}

void IncidentStore::finish() {
  std::vector<Open*> left;
  for (auto& [key, o] : open_) {
    if (!o->closed || !tells_changes()) left.push_back(o.get());
  }
  std::sort(left.begin(), left.end(), [](const Open* a, const Open* b) {
    return std::tie(a->first_ns, a->id) < std::tie(b->first_ns, b->id);
  });
  for (Open* o : left) tell(*o);
}

}  // namespace vong::incidents
