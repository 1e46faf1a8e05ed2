#include "correlator/app/divided.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <random>

#include "correlator/app/broker_run.h"
#include "correlator/app/divided_run.h"
#include "correlator/app/topics.h"

namespace vong::correlator {
namespace {

using namespace std::chrono_literals;
using kafka::Answer;

constexpr size_t kBatchMax = 2'000;  // fits the caches on its way from the client to the buffer
constexpr size_t kAheadMax = 4;      // batches that are being read while others are worked on
constexpr auto kSessionTimeout = 10s;
// A killed process's transaction holds its readers back for so long.
constexpr auto kTransactionTimeout = 10s;
constexpr int64_t kCommitEveryNs = 200'000'000;
constexpr size_t kCommitBytes = 8u << 20;

}  // namespace

DividedRun::DividedRun(const Options& options, const enrich::Registry& registry,
                       sigma::RuleSet rules, app::Signals& signals, const ReloadRules& reload)
    : options_(options),
      registry_(registry),
      rules_(std::make_unique<sigma::RuleSet>(std::move(rules))),
      signals_(signals),
      router_(registry, options.pseudonym_key),
      metrics_(metrics_table()),
      outbox_(router_, options.dead_letter_topic),
      events_(options, registry, router_, totals_, online_, blocks_, outbox_),
      keyed_(options, registry, router_, totals_, online_, sinks()),
      in_force_(options, options.transactional_id + "/leader"),
      reload_(
          reload,
          [this](RuleReload::Loaded& loaded) { EventPartitions::compile(loaded, options_); },
          options.rules, options.rules_reload, online_.reloads_refused) {
  router_.set_warning_tlp(options.engine.campaign.warning_tlp);
  std::random_device device;  // no two processes may have one id
  transactional_id_ = fmt::format("{}-{:08x}{:08x}", options.transactional_id, device(), device());
}

int DividedRun::run() {
  RuleReload::Loaded first{*rules_, nullptr, nullptr};
  EventPartitions::compile(first, options_);
  events_.load(first);
  warn_of_long_memory();
  add_metrics(metrics_, totals_, online_);
  if (!open_metrics_page(options_, metrics_, server_)) return app::kExitFailed;
  if (!make_topics(options_, registry_, signals_)) return app::kExitFailed;
  while (!signals_.stop_requested()) {
    if (signals_.take_reload()) reload_.begin();
    if (auto loaded = reload_.poll()) loaded_ = std::move(loaded);
    const bool ok = (!loaded_ || swap_rules()) && (link_ ? step() : connect());
    if (ok) continue;
    if (refused_) break;
    disconnect();
    signals_.wait(500);
  }
  if (!refused_ && link_ && !rebalanced_) commit_what_is_done();
  disconnect();
  return refused_ ? app::kExitFailed : app::kExitDone;
}

KeyedPartitions::Sinks DividedRun::sinks() {
  return {[this](const events::Incident& i) {
            clean_ = false;
            outbox_.send(i);
          },
          [this](uint32_t share, uint32_t epoch, const Raised& r, const Engine& of) {
            clean_ = false;
            blocks_.add_raised(KeyedPartition::source_name(share), epoch, r, of);
          },
          [this](std::string_view key, std::string_view json) {
            clean_ = false;
            outbox_.add(std::string(kCoverageTopic), key, json);
          },
          [this](uint32_t share, bool begins, std::string_view json) {
            clean_ = false;
            blocks_.add_rules(share, begins, json);
          }};
}

// --- connections ---

bool DividedRun::failed(const kafka::KafkaError& e) {
  refused_ = is_refused(e);
  return false;
}

bool DividedRun::connect() {
  BrokerLink::Settings settings;
  settings.transactional_id = transactional_id_;
  settings.transaction_timeout = kTransactionTimeout;
  settings.session_timeout = kSessionTimeout;
  settings.topics = {options_.facts_topic};
  auto link = BrokerLink::open(options_, settings, this, kPatience);
  if (!link) return failed(link.error());
  const auto count = link->consumer.partition_count(options_.facts_topic, kPatience);
  if (!count) return failed(count.error());
  if (*count < 2) {
    spdlog::error("{} needs two partitions or more", options_.facts_topic);
    refused_ = true;
    return false;
  }
  blocks_.begin(events_.engine(), static_cast<uint32_t>(*count) - 1);
  keyed_.use(*rules_, blocks_.shares());
  link_.emplace(std::move(*link));
  rebalanced_ = true;
  return true;
}

void DividedRun::disconnect() {
  (void)committer_.outcome(true);
  records_.clear();
  leaving_ = true;  // it leaves the group, and tells us what we know
  link_.reset();
  leaving_ = false;
  forget();
}

void DividedRun::forget() {
  events_.forget();
  keyed_.forget();
  rules_before_.reset();
  in_force_.forget();
  outbox_.clear();
  blocks_.clear(events_.engine());
  clean_ = true;
  broken_ = false;
  late_since_ns_ = 0;
}

// What is done is committed while the partitions are still ours. When they are not, others have
// gone on from what was committed, and nothing here is true any more.
void DividedRun::on_revoked(std::span<const kafka::TopicPartition>, bool lost) {
  rebalanced_ = true;
  broken_ |= lost;
  if (!leaving_ && link_) commit_what_is_done();
}

// --- one round: read, work, write ---

bool DividedRun::step() {
  records_.clear();
  const auto timeout = events_.ahead() > 0 ? 0ms : 50ms;
  if (auto ok = link_->consumer.poll_batch(kBatchMax, timeout, records_); !ok) {
    if (ok.error().answer != Answer::kRetry) return failed(ok.error());
  }
  if (!note_commit(false)) return false;
  if (rebalanced_) return restore();
  take_all();
  for (const kafka::TopicPartition& name : link_->consumer.ended())
    events_.on_end_reached(name, wall_ns());
  if (keyed_.any_to_correct()) {
    if (late_since_ns_ == 0) late_since_ns_ = wall_ns();
    if (!gathered()) return true;
    if (!correct()) return false;
    if (rebalanced_) return true;
  }
  keyed_.release();
  return commit_in_time();
}

void DividedRun::take_all() {
  const auto is_block = [this](const kafka::Record& r) {
    return r.topic() == options_.facts_topic;
  };
  // Before the records are seen as counted: who sees all counted and then `settled` knows that they
  // are in the incidents.
  if (!records_.empty()) online_.settled.set(0);
  for (size_t i = 0; i < records_.size();) {
    if (is_block(records_[i])) {
      if (keyed_.take(records_[i++])) clean_ = false;
      continue;
    }
    const size_t begin = i;
    while (i < records_.size() && !is_block(records_[i])) ++i;
    if (events_.give(std::span(records_).subspan(begin, i - begin))) clean_ = false;
  }
  (void)take_read(records_.empty() ? 0 : kAheadMax);
}

bool DividedRun::take_read(size_t ahead_max) {
  const bool any = events_.take_read(ahead_max, wall_ns());
  if (any) clean_ = false;
  return any;
}

// --- transactions ---

bool DividedRun::commit_in_time() {
  const int64_t now = wall_ns();
  const bool full = blocks_.bytes() >= kCommitBytes;
  if (!full && (committer_.busy() || now - committed_ns_ < kCommitEveryNs)) return true;
  committed_ns_ = now;
  bool quiet = events_.quiet(now);
  quiet &= keyed_.settle();
  bool news = events_.tell_marks(now);
  news |= keyed_.tell_marks([this](uint32_t share, const SourceMark& m) {
    blocks_.add_mark(blocks_.shares(), KeyedPartition::source_name(share), m);
  });
  events_.show();
  keyed_.show();
  online_.lag_records.set(link_->consumer.lag());
  if (news || !clean_) return commit();
  online_.settled.set(quiet && link_->consumer.reached_end() && !committer_.busy() ? 1 : 0);
  return true;
}

bool DividedRun::commit() {
  if (!note_commit(true)) return false;
  if (broken_) return true;
  std::vector<kafka::TopicOffset> offsets;
  events_.add_offsets(offsets);
  keyed_.add_offsets(offsets);
  clean_ = true;
  committer_.begin([this, blocks = blocks_.take(), out = outbox_.take(),
                    offsets = std::move(offsets),
                    group = link_->consumer.group_metadata()]() -> kafka::KafkaResult<> {
    kafka::Producer& producer = link_->producer;
    return transact(producer, offsets, group, kPatience, signals_, [&]() -> kafka::KafkaResult<> {
      if (auto ok = BlockOutbox::write(blocks, producer, options_.facts_topic, keep_on_); !ok)
        return ok;
      return Outbox::write(out, producer);
    });
  });
  return true;
}

bool DividedRun::note_commit(bool wait) {
  const auto done = committer_.outcome(wait);
  if (!done) return true;
  if (*done) {
    online_.transactions.add();
    return true;
  }
  online_.transactions_aborted.add();
  rebalanced_ = broken_ = true;  // state is ahead of what is committed: from there again
  if (auto ok = undo(link_->producer, done->error(), kPatience); !ok) return failed(ok.error());
  return true;
}

// Nothing is under way when this returns. Late facts that are not corrected yet are nothing that
// could be committed.
void DividedRun::commit_what_is_done() {
  if (!note_commit(true)) return;
  if (!broken_ && !clean_ && !keyed_.any_to_correct() && commit()) (void)note_commit(true);
}

int run_divided(const Options& options, const enrich::Registry& registry,
                const sigma::RuleSet& rules, app::Signals& signals, const ReloadRules& reload) {
  return DividedRun(options, registry, rules, signals, reload).run();
}

}  // namespace vong::correlator
