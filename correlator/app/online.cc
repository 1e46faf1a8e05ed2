#include "correlator/app/online.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "correlator/app/broker_run.h"
#include "correlator/app/divided.h"
#include "correlator/app/online_run.h"
#include "correlator/app/topics.h"

namespace vong::correlator {
namespace {

using namespace std::chrono_literals;
using kafka::Answer;

constexpr size_t kBatchMax = 2'000;  // fits the caches on its way from the client to the buffer
constexpr size_t kAheadMax = 4;      // batches that are being read while others are worked on
// A transaction costs several ways to the broker and back: while there is much to read it takes
// what was read in this time, or so much to say.
constexpr int64_t kCommitEveryNs = 200'000'000;
constexpr size_t kOutboxMax = 10'000;

}  // namespace

OnlineRun::OnlineRun(const Options& options, const enrich::Registry& registry, sigma::RuleSet rules,
                     app::Signals& signals, const ReloadRules& reload)
    : options_(options),
      registry_(registry),
      rules_(std::move(rules)),
      signals_(signals),
      router_(registry, options.pseudonym_key),
      metrics_(metrics_table()),
      reading_(registry, router_, options.engine),
      outbox_(router_, options.dead_letter_topic),
      board_(
          registry, options.wanted_rules,
          [this](std::string_view key, std::string_view json) {
            if (!replaying_) outbox_.add(std::string(kCoverageTopic), key, json);
          },
          options.coverage_interval.count()),
      in_force_(options, options.transactional_id),
      reload_(
          reload, [this](RuleReload::Loaded& loaded) { compile(loaded); }, options.rules,
          options.rules_reload, online_.reloads_refused) {
  router_.set_warning_tlp(options.engine.campaign.warning_tlp);
  if (options.standby) leadership_.emplace(options);
}

int OnlineRun::run() {
  fresh();
  reading_.load(Engine::compile(rules_, options_.engine));
  add_metrics(metrics_, totals_, online_);
  if (!open_metrics_page(options_, metrics_, server_) ||
      !make_topics(options_, registry_, signals_))
    return app::kExitFailed;
  while (!signals_.stop_requested()) {
    if (!round()) return app::kExitFailed;
  }
  if (link_ && note_commit(true) && !reassigned_ && late_facts_ == 0 && commit())
    (void)note_commit(true);
  return app::kExitDone;
}

// False: the broker refuses.
bool OnlineRun::round() {
  if (signals_.take_reload()) reload_.begin();
  if (auto loaded = reload_.poll()) loaded_ = std::move(loaded);
  if (loaded_ && !link_) take_rules_beside_work();
  if (leadership_ && !leads()) return !refused_;
  if (!link_ && !connect()) {
    if (refused_) return false;
    signals_.wait(1000);
    return true;
  }
  if (step()) return true;
  if (refused_) return false;
  disconnect();
  return true;
}

// --- connections ---

bool OnlineRun::leads() {
  const auto polled = leadership_->poll();
  if (!polled) {
    failed(polled.error());
    signals_.wait(500);
  }
  const bool now = polled && *polled;
  if (now != leading_) spdlog::info(now ? "this process leads" : "another process leads");
  leading_ = now;
  if (!now && link_) disconnect();
  return now;
}

bool OnlineRun::failed(const kafka::KafkaError& e) {
  refused_ = is_refused(e);
  return false;
}

bool OnlineRun::connect() {
  BrokerLink::Settings settings;
  settings.transactional_id = options_.transactional_id;
  if (options_.standby) settings.session_timeout = Leadership::kSessionTimeout;
  auto link = BrokerLink::open(options_, settings, this, kPatience);
  if (!link) return failed(link.error());
  link_.emplace(std::move(*link));
  reassigned_ = true;
  return true;
}

void OnlineRun::disconnect() {
  (void)committer_.outcome(true);
  in_force_.forget();
  reading_.discard();
  records_.clear();
  link_.reset();
  outbox_.clear();
  signals_.wait(500);
}

// At the beginning: restore() will want all of it, whatever is committed.
void OnlineRun::place(std::span<kafka::TopicOffset> assigned) {
  std::vector<kafka::TopicPartition> names;
  for (const kafka::TopicOffset& o : assigned) names.push_back({o.topic, o.partition});
  const auto bounds = link_->consumer.bounds(names, kPatience);
  if (!bounds) return;  // restore() will ask again
  for (size_t i = 0; i < assigned.size(); ++i) assigned[i].offset = (*bounds)[i].first;
}
void OnlineRun::on_assigned(std::span<const kafka::TopicPartition>) { reassigned_ = true; }
// Who has them next goes on from what is committed: nothing is under way when this returns.
void OnlineRun::on_revoked(std::span<const kafka::TopicPartition>, bool) {
  reassigned_ = true;
  committer_.wait();
}

// --- one step: read, work, write ---

bool OnlineRun::step() {
  records_.clear();
  const auto timeout = reading_.ahead() > 0 ? 0ms : 200ms;
  if (auto ok = link_->consumer.poll_batch(kBatchMax, timeout, records_); !ok) {
    if (ok.error().answer != Answer::kRetry) return failed(ok.error());
    return note_commit(false);
  }
  if (!note_commit(false)) return false;
  if (reassigned_ && !restore()) return false;
  if (reassigned_) return true;  // nothing to work on yet
  give_all();
  take_read(records_.empty() ? 0 : kAheadMax);
  note_ends();
  if (replaying_ && !finish_replay()) return false;
  if (!replaying_ && late_facts_ > 0) return gathered() ? correct() : true;
  if (!replaying_) {
    release();
    tell_figures(false);
  }
  if (loaded_ && !replaying_) return swap_rules();
  if (time_to_commit() && !commit()) return false;
  show_settled();
  return true;
}

// --- transactions ---

bool OnlineRun::time_to_commit() const {
  if (outbox_.size() >= kOutboxMax) return true;
  if (committer_.busy()) return false;
  return records_.empty() || wall_ns() - last_commit_ns_ >= kCommitEveryNs;
}

bool OnlineRun::commit() {
  if (replaying_ || (!consumed_ && outbox_.empty())) return true;
  if (!note_commit(true)) return false;
  if (reassigned_) return true;
  consumed_ = false;
  last_commit_ns_ = wall_ns();
  committer_.begin([this, out = outbox_.take(), offsets = partitions_.offsets(live_->released_ns),
                    group = link_->consumer.group_metadata()]() -> kafka::KafkaResult<> {
    kafka::Producer& producer = link_->producer;
    return transact(producer, offsets, group, kPatience, signals_,
                    [&] { return Outbox::write(out, producer); });
  });
  return true;
}

bool OnlineRun::note_commit(bool wait) {
  const auto done = committer_.outcome(wait);
  if (!done) return true;
  if (*done) {
    online_.transactions.add();
    return true;
  }
  online_.transactions_aborted.add();
  in_force_.forget();
  if (auto ok = undo(link_->producer, done->error(), kPatience); !ok) return failed(ok.error());
  reassigned_ = true;
  return true;
}

// Once all that it speaks of is committed.
void OnlineRun::show_settled() {
  if (!committer_.busy() && !consumed_ && outbox_.empty()) online_.settled.set(settled_ ? 1 : 0);
}

void OnlineRun::incident(const events::Incident& incident) {
  if (told_.tell(incident) && !replaying_) outbox_.send(incident);
  if (swapping_) told_.forget(incident.id);  // its rule is gone: no correction knows of it
}

void OnlineRun::dead_letter(const kafka::TopicPartition& from, int64_t offset,
                            std::string_view value, std::string_view reason) {
  if (replaying_) return;
  online_.dead_letters.add();
  outbox_.dead_letter(from, offset, value, reason);
}

int run_online(const Options& options, const enrich::Registry& registry,
               const sigma::RuleSet& rules, app::Signals& signals, const ReloadRules& reload) {
  if (options.facts_partitions > 0) return run_divided(options, registry, rules, signals, reload);
  return OnlineRun(options, registry, rules, signals, reload).run();
}

}  // namespace vong::correlator
