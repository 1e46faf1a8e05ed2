// Other rules where the work is divided, while it works and at a start.
//
// Each partition of facts says in its blocks which rules it has since when. A share's state is what
// each of its rules remembers, so a replay without the rules that are gone gives the others what
// they had. The leader's is more: incidents that are open, campaigns of several rules' incidents,
// one cap for all. So its rules stand as text in vong.state.<group>, and who takes its partition
// over with others begins with those and changes them as a reload does.
#include <spdlog/spdlog.h>

#include <utility>

#include "correlator/app/broker_run.h"
#include "correlator/app/divided_run.h"

namespace vong::correlator {

// Between two transactions, with nothing left to be read by the old ones; until then they wait.
bool DividedRun::swap_rules() {
  if (link_) {
    if (rebalanced_ || keyed_.any_to_correct()) return true;
    (void)take_read(0);
    if (!clean_ && !commit()) return false;
    if (!note_commit(true)) return false;
    if (rebalanced_) return true;
  }
  RuleReload::Loaded loaded = std::move(*loaded_);
  loaded_.reset();
  events_.load(loaded);
  // Partitions look at the old ones until they are given the new.
  const auto before =
      std::exchange(rules_, std::make_unique<sigma::RuleSet>(std::move(loaded.rules)));
  warn_of_long_memory();
  blocks_.begin(events_.engine(), blocks_.shares());
  return change_rules();
}

kafka::KafkaResult<const sigma::RuleSet*> DividedRun::rules_of_leader() {
  in_force_.forget();  // another may have written since
  rules_before_.reset();
  if (auto ok = in_force_.read(link_->consumer, kPatience, keep_on_); !ok)
    return std::unexpected(ok.error());
  auto before = in_force_.others_than(*rules_);
  if (!before) return rules_.get();
  rules_before_ = std::make_unique<sigma::RuleSet>(std::move(*before));
  return rules_before_.get();
}

// To rules_, of all partitions that are here and have others.
bool DividedRun::change_rules() {
  const Engine::Swapped s = keyed_.swap(*rules_);
  rules_before_.reset();
  online_.reloads.add();
  online_.reload_dropped_keys.add(s.dropped_keys);
  online_.reload_dropped_incidents.add(s.dropped_incidents);
  log_swap(s);
  note_rules_in_force();
  if (!s.stale) return true;
  spdlog::info("campaigns are worked out again without the rules that are gone");
  return correct();  // in the same transaction
}

// Who takes a partition over knows what its blocks say, and no more.
void DividedRun::warn_of_long_memory() const {
  for (const sigma::CorrelationRule& r : rules_->correlations) {
    if (r.timespan <= options_.facts_retention) continue;
    spdlog::warn(
        "{}: its timespan is longer than kafka.facts-retention, beyond which nobody knows it",
        r.head.title);
  }
}

// With the next transaction: what the leader's blocks say with it, and the text.
void DividedRun::note_rules_in_force() {
  const KeyedPartition* leader = keyed_.leader();
  if (leader == nullptr) return;
  if (in_force_.write_news(leader->in_force(), rules_->text, outbox_)) clean_ = false;
}

}  // namespace vong::correlator
