// What readers were told about each incident last: who knows it can leave out what is no news, and
// after a correction tell just what has changed. Single thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/string_map.h"
#include "events/incident.h"

namespace vong::correlator {

class ToldIncidents {
 public:
  // Incidents that late events can still correct; the oldest goes.
  static constexpr size_t kToldMax = 50'000;

  // Whether this is news; if so it counts as told.
  [[nodiscard]] bool tell(const events::Incident& incident);
  // From here on everything is told anew; what was told until now is kept for differences().
  void begin_again();
  // What was told before the last begin_again() is forgotten.
  void forget_before() { before_.clear(); }
  void clear();
  // Nobody corrects this one any more.
  void forget(const std::string& id) { told_.erase(id); }
  // Why there are any.
  struct Correction {
    // Rules are gone since then: campaigns that do not stand without them are closed, not
    // retracted.
    std::optional<Timestamp> rules_gone_at;
    // Of what began earlier some events are not stored any more: nobody can say that it is other.
    Timestamp horizon = Timestamp::min();
  };
  // What readers have to be told for the old to become the new: what is other, with `is_new` when
  // it was not told before, and what is not any more, as retracted.
  void differences(const Correction& correction,
                   const std::function<void(const events::Incident&, bool is_new)>& f) const;

 private:
  std::map<std::string, std::string> told_, before_;  // id -> the incident as it was told last
  std::deque<std::string> order_;
};

// The same of records of which only the latest of each key counts.
class ToldFigures {
 public:
  [[nodiscard]] bool is_news(std::string_view key, std::string_view json);

 private:
  StringMap<uint64_t> told_;  // key -> the print of the record
};

}  // namespace vong::correlator
