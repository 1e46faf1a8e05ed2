#include "correlator/app/divided.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <random>

#include "correlator/app/broker_link.h"
#include "correlator/app/broker_run.h"
#include "correlator/app/event_partitions.h"
#include "correlator/app/keyed_partitions.h"
#include "correlator/app/topics.h"
#include "telemetry/server.h"

namespace vong::correlator {
namespace {

using namespace std::chrono_literals;
using kafka::Answer;

constexpr size_t kBatchMax = 10'000;
constexpr auto kPatience = 30s;
constexpr auto kSessionTimeout = 10s;
// A killed process's transaction holds its readers back for so long.
constexpr auto kTransactionTimeout = 10s;
constexpr int64_t kCommitEveryNs = 200'000'000;
constexpr size_t kCommitBytes = 8u << 20;
constexpr int64_t kGatherLateNs = 1'000'000'000;
// Of blocks that cannot be committed before a correction: then it is made at once.
constexpr size_t kWaitingBytesMax = 64u << 20;

int64_t wall_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

class DividedRun : private kafka::Consumer::Listener {
 public:
  DividedRun(const Options& options, const enrich::Registry& registry, sigma::RuleSet rules,
             app::Signals& signals, const ReloadRules& reload)
      : options_(options),
        registry_(registry),
        rules_(std::make_unique<sigma::RuleSet>(std::move(rules))),
        signals_(signals),
        router_(registry, options.pseudonym_key),
        metrics_(metrics_table()),
        outbox_(router_, options.dead_letter_topic),
        events_(options, registry, router_, totals_, online_, blocks_, outbox_),
        keyed_(options, registry, router_, totals_, online_, sinks()),
        reload_(
            reload,
            [this](RuleReload::Loaded& loaded) {
              loaded.program = Engine::compile(loaded.rules, options_.engine);
            },
            options.rules, options.rules_reload, online_.reloads_refused) {
    router_.set_warning_tlp(options.engine.campaign.warning_tlp);
    std::random_device device;  // no two processes may have one id
    transactional_id_ =
        fmt::format("{}-{:08x}{:08x}", options.transactional_id, device(), device());
  }

  int run() {
    events_.load(*rules_);
    add_metrics(metrics_, totals_, online_);
    if (!open_metrics_page(options_, metrics_, server_)) return app::kExitFailed;
    if (!make_topics(options_, registry_, signals_)) return app::kExitFailed;
    while (!signals_.stop_requested()) {
      if (signals_.take_reload()) reload_.begin();
      if (auto loaded = reload_.poll()) loaded_ = std::move(loaded);
      if (loaded_ && (!link_ || can_swap())) swap_rules();
      const bool ok = link_ ? step() : connect();
      if (ok) continue;
      if (refused_) break;
      disconnect();
      signals_.wait(500);
    }
    if (!refused_ && link_ && !rebalanced_) commit_what_is_done();
    disconnect();
    return refused_ ? app::kExitFailed : app::kExitDone;
  }

 private:
  KeyedPartitions::Sinks sinks() {
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

  bool failed(const kafka::KafkaError& e) {
    refused_ = is_refused(e);
    return false;
  }

  bool connect() {
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

  void disconnect() {
    records_.clear();
    leaving_ = true;  // it leaves the group, and tells us what we know
    link_.reset();
    leaving_ = false;
    forget();
  }

  // All that is not committed, and the state that knows of it.
  void forget() {
    events_.forget();
    keyed_.forget();
    outbox_.clear();
    blocks_.clear(events_.engine());
    clean_ = true;
    broken_ = false;
    late_since_ns_ = 0;
  }

  void on_assigned(std::span<const kafka::TopicPartition>) override { rebalanced_ = true; }
  // What is done is committed while the partitions are still ours. When they are not, others have
  // gone on from what was committed, and nothing here is true any more.
  void on_revoked(std::span<const kafka::TopicPartition>, bool lost) override {
    rebalanced_ = true;
    broken_ |= lost;
    if (!leaving_ && link_) commit_what_is_done();
  }
  // Late facts that are not corrected yet are nothing that could be committed.
  void commit_what_is_done() {
    if (!broken_ && !clean_ && !keyed_.any_late()) (void)commit();
  }

  // --- one round: read, work, write ---

  bool step() {
    records_.clear();
    if (auto ok = link_->consumer.poll_batch(kBatchMax, 50ms, records_); !ok) {
      if (ok.error().answer != Answer::kRetry) return failed(ok.error());
    }
    if (rebalanced_) return restore();
    take_all();
    for (const kafka::TopicPartition& name : link_->consumer.ended()) events_.on_end_reached(name);
    if (keyed_.any_late()) {
      if (late_since_ns_ == 0) late_since_ns_ = wall_ns();
      if (!gathered()) return true;
      if (!correct()) return false;
      if (rebalanced_) return true;
    }
    keyed_.release();
    return commit_in_time();
  }

  void take_all() {
    const auto is_block = [this](const kafka::Record& r) {
      return r.topic() == options_.facts_topic;
    };
    size_t taken = 0;
    for (size_t i = 0; i < records_.size();) {
      if (is_block(records_[i])) {
        taken += keyed_.take(records_[i++]);
        continue;
      }
      const size_t begin = i;
      while (i < records_.size() && !is_block(records_[i])) ++i;
      taken += events_.take(std::span(records_).subspan(begin, i - begin), wall_ns());
    }
    if (taken == 0) return;
    clean_ = false;
    // Before the records are seen as counted: who sees all counted and then `settled` knows that
    // they are in the incidents.
    online_.settled.set(0);
  }

  // --- taking partitions over ---

  bool restore() {
    records_.clear();
    const std::vector<kafka::TopicPartition> assigned = link_->consumer.assignment();
    commit_what_is_done();
    if (broken_ || !clean_) forget();
    rebalanced_ = false;
    events_.keep(assigned);
    keyed_.keep(assigned);
    if (assigned.empty()) return true;
    const auto committed = link_->consumer.committed(assigned, kPatience);
    if (!committed) return again(committed.error());
    std::vector<kafka::TopicOffset> places;
    for (const kafka::TopicOffset& c : *committed) {
      const kafka::TopicPartition name{c.topic, c.partition};
      const bool facts = c.topic == options_.facts_topic;
      if (facts && static_cast<uint32_t>(c.partition) > blocks_.shares()) continue;
      if (auto ok = facts ? take_over_facts(name, c) : take_over_events(name, c); !ok)
        return again(ok.error());
      places.push_back({c.topic, c.partition, facts ? keyed_.next(name) : events_.next(name), {}});
    }
    if (auto ok = keyed_.rebuild(keep_on_); !ok) return again(ok.error());
    if (auto ok = link_->consumer.seek(places, kPatience); !ok) return again(ok.error());
    return true;
  }

  // What is here already is kept if nobody else has worked on it since: what the group has
  // committed is then what we have.
  kafka::KafkaResult<> take_over_facts(const kafka::TopicPartition& name,
                                       const kafka::TopicOffset& c) {
    const int64_t next = c.offset == kafka::kNoOffset ? 0 : c.offset;
    if (!keyed_.has(name) || keyed_.next(name) != next || keyed_.metadata(name) != c.metadata)
      keyed_.take_over(name, next, c.metadata);
    return {};
  }
  kafka::KafkaResult<> take_over_events(const kafka::TopicPartition& name,
                                        const kafka::TopicOffset& c) {
    if (events_.has(name) && events_.next(name) == c.offset) return {};
    const auto bounds = link_->consumer.bounds(std::span(&name, 1), kPatience);
    if (!bounds) return std::unexpected(bounds.error());
    events_.take_over(name, std::max(c.offset == kafka::kNoOffset ? 0 : c.offset, bounds->front().first),
                      bounds->front().end);
    return {};
  }

  // From the beginning of restore(), with nothing left of what was done.
  bool again(const kafka::KafkaError& e) {
    rebalanced_ = broken_ = true;
    if (e.answer != Answer::kRetry) return failed(e);
    return true;
  }

  // --- late facts ---

  // They come together, so they are corrected together; corrections take a third of the time at
  // most.
  [[nodiscard]] bool gathered() const {
    const int64_t now = wall_ns();
    if (blocks_.bytes() >= kWaitingBytesMax) return true;
    if (now < next_correction_ns_) return false;
    return link_->consumer.reached_end() || now - late_since_ns_ >= kGatherLateNs;
  }
  bool correct() {
    const int64_t begin = wall_ns();
    late_since_ns_ = 0;
    clean_ = false;
    if (auto ok = keyed_.correct(keep_on_); !ok) return again(ok.error());
    const int64_t now = wall_ns();
    next_correction_ns_ = now + 2 * (now - begin);
    return true;
  }

  // --- output ---

  bool commit_in_time() {
    const int64_t now = wall_ns();
    if (now - committed_ns_ < kCommitEveryNs && blocks_.bytes() < kCommitBytes) return true;
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
    online_.settled.set(quiet && link_->consumer.reached_end() ? 1 : 0);
    return true;
  }

  bool commit() {
    const auto done = transaction();
    outbox_.clear();
    blocks_.clear(events_.engine());
    if (done) {
      online_.transactions.add();
      clean_ = true;
      return true;
    }
    online_.transactions_aborted.add();
    rebalanced_ = broken_ = true;  // state is ahead of what is committed: from there again
    if (done.error().answer != Answer::kAbort) return failed(done.error());
    spdlog::warn("{}", done.error().message);
    if (auto ok = link_->producer.abort(kPatience); !ok) return failed(ok.error());
    return true;
  }

  kafka::KafkaResult<> transaction() {
    if (auto ok = link_->producer.begin(); !ok) return ok;
    if (auto ok = blocks_.write(link_->producer, options_.facts_topic, keep_on_); !ok) return ok;
    if (auto ok = outbox_.write(link_->producer); !ok) return ok;
    std::vector<kafka::TopicOffset> offsets;
    events_.add_offsets(offsets);
    keyed_.add_offsets(offsets);
    if (auto ok =
            link_->producer.send_offsets(offsets, link_->consumer.group_metadata(), kPatience);
        !ok)
      return ok;
    return commit_surely(link_->producer, kPatience, signals_);
  }

  // --- other rules ---

  // Between two transactions.
  [[nodiscard]] bool can_swap() const { return clean_ && !rebalanced_ && !keyed_.any_late(); }

  void swap_rules() {
    RuleReload::Loaded loaded = std::move(*loaded_);
    loaded_.reset();
    // Partitions look at the old ones until they are given the new.
    auto before = std::exchange(rules_, std::make_unique<sigma::RuleSet>(std::move(loaded.rules)));
    events_.load(std::move(loaded.program));
    blocks_.begin(events_.engine(), blocks_.shares());
    const Engine::Swapped s = keyed_.swap(*rules_);
    online_.reloads.add();
    online_.reload_dropped_keys.add(s.dropped_keys);
    online_.reload_dropped_incidents.add(s.dropped_incidents);
    log_swap(s);
  }

  const Options& options_;
  const enrich::Registry& registry_;
  std::unique_ptr<sigma::RuleSet> rules_;
  app::Signals& signals_;
  routing::Router router_;
  EngineCounters totals_;
  OnlineCounters online_;
  telemetry::Registry metrics_;
  std::optional<telemetry::Server> server_;
  Outbox outbox_;
  BlockOutbox blocks_;
  EventPartitions events_;
  KeyedPartitions keyed_;
  std::string transactional_id_;
  std::optional<BrokerLink> link_;
  std::vector<kafka::Record> records_;
  bool rebalanced_ = true, refused_ = false, leaving_ = false;
  bool clean_ = true;    // the states are what is committed
  bool broken_ = false;  // the states have no way to be committed any more
  int64_t committed_ns_ = 0, late_since_ns_ = 0, next_correction_ns_ = 0;
  std::optional<RuleReload::Loaded> loaded_;  // waits for the end of a transaction
  const std::function<bool()> keep_on_ = [this] { return !signals_.stop_requested(); };
  RuleReload reload_;  // its thread uses what stands before it
};

}  // namespace

int run_divided(const Options& options, const enrich::Registry& registry,
                const sigma::RuleSet& rules, app::Signals& signals, const ReloadRules& reload) {
  return DividedRun(options, registry, rules, signals, reload).run();
}

}  // namespace vong::correlator
