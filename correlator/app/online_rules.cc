// Other rules while it works, and which are in force since when (rules_in_force.h).
#include <spdlog/spdlog.h>

#include "correlator/app/broker_run.h"
#include "correlator/app/online_run.h"

namespace vong::correlator {

// Once for who reads records, and once for who works with facts and needs no matcher.
void OnlineRun::compile(RuleReload::Loaded& loaded) const {
  loaded.reading = Engine::compile(loaded.rules, options_.engine);
  loaded.program = Engine::compile(loaded.rules, Live::settings(options_));
}

void OnlineRun::apply_rules_in_force() {
  live_->engine.apply(in_force_.rules());
  partitions_.begin_epochs(in_force_.rules());
}

// The rules that the engine has, from where reading stands on.
void OnlineRun::change_rules_in_force(int64_t released_ns) {
  in_force_.rules().change(live_->engine.rules().prints, released_ns,
                           partitions_.next_offsets(replaying_));
  in_force_.write(rules_.text, outbox_);
}

// Who starts (or takes over) with other rules than those in force begins with these, as they stand
// in the log, and changes them once the state is there: what a reload keeps and closes, this does.
void OnlineRun::begin_with_rules_in_force() {
  if (loaded_) return;
  auto before = in_force_.others_than(rules_);
  if (!before) return;
  loaded_.emplace(RuleReload::Loaded{std::move(rules_), nullptr, nullptr});
  compile(*loaded_);
  rules_ = std::move(*before);
  reading_.load(Engine::compile(rules_, options_.engine));
}

// Nothing is at work that could go on: the next start of work has them.
void OnlineRun::take_rules_beside_work() {
  rules_ = std::move(loaded_->rules);
  reading_.load(std::move(loaded_->reading));
  loaded_.reset();
  online_.reloads.add();
  spdlog::info("rules reloaded");
}

// Between two facts and at the end of a transaction: rules that stay keep their state.
bool OnlineRun::swap_rules() {
  if (!note_commit(true)) return false;
  if (reassigned_) return true;
  take_read(0);
  if (late_facts_ > 0) return true;  // they are put in their places before
  RuleReload::Loaded loaded = std::move(*loaded_);
  loaded_.reset();
  rules_ = std::move(loaded.rules);
  reading_.load(std::move(loaded.reading));
  swapping_ = true;
  RulesInForce& in_force = in_force_.rules();
  const Engine::Swapped s =
      live_->engine.swap(std::move(loaded.program), in_force.last() + 1, Engine::Campaigns::kStale);
  swapping_ = false;
  live_->reorder.rewrite([this](std::string_view fact, std::string& out) {
    return live_->engine.translate(fact, out);
  });
  in_force.campaigns_since_ns = live_->engine.campaigns_since_ns();
  if (!in_force.is(live_->engine.rules().prints)) {
    change_rules_in_force(live_->engine.now_ns());
    for (auto& [name, p] : partitions_) p.begin_epochs({{0, in_force.last()}});
  }
  online_.reloads.add();
  online_.reload_dropped_keys.add(s.dropped_keys);
  online_.reload_dropped_incidents.add(s.dropped_incidents);
  log_swap(s);
  if (!s.stale) return commit();
  spdlog::info("campaigns are worked out again without the rules that are gone");
  rules_gone_ = true;
  return correct();  // in the same transaction
}

}  // namespace vong::correlator
