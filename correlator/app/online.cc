#include "correlator/app/online.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <map>

#include "correlator/app/divided.h"
#include "correlator/app/leadership.h"
#include "correlator/app/live.h"
#include "correlator/app/metrics.h"
#include "correlator/app/outbox.h"
#include "correlator/app/replay.h"
#include "correlator/app/rule_reload.h"
#include "correlator/app/told.h"
#include "correlator/app/topics.h"
#include "correlator/app/broker_run.h"
#include "correlator/coverage/board.h"
#include "events/limits.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "telemetry/server.h"

namespace vong::correlator {
namespace {

using namespace std::chrono_literals;
using kafka::Answer;

constexpr size_t kBatchMax = 2'000;  // fits the caches on its way from the client to the buffer
constexpr size_t kBlockBytes = 128u << 10;
constexpr auto kTransactionPatience = 30s;
// How long late events are gathered when more and more come, before they are put in their places.
constexpr int64_t kGatherLateNs = 2'000'000'000;
// A transaction costs several ways to the broker and back: while there is much to read it takes
// what was read in this time, or so much to say.
constexpr int64_t kCommitEveryNs = 200'000'000;
constexpr size_t kOutboxMax = 10'000;

constexpr int64_t kStatusAheadNs = 86'400'000'000'000;

int64_t wall_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }
int64_t now_ns() { return to_ns(std::chrono::system_clock::now()); }  // of the calendar

class OnlineRun : private kafka::Consumer::Listener {
 public:
  OnlineRun(const Options& options, const enrich::Registry& registry, sigma::RuleSet rules,
            app::Signals& signals, const ReloadRules& reload)
      : options_(options),
        registry_(registry),
        rules_(std::move(rules)),
        signals_(signals),
        router_(registry, options.pseudonym_key),
        metrics_(metrics_table()),
        outbox_(router_, options.dead_letter_topic),
        board_(registry, options.wanted_rules, [this](std::string_view key, std::string_view json) {
          if (!replaying_) outbox_.add(std::string(kCoverageTopic), key, json);
        }, options.coverage_interval.count()),
        reload_(
            reload, [this](const sigma::RuleSet& r) { return compiled(r); }, options.rules,
            options.rules_reload, online_.reloads_refused) {
    router_.set_warning_tlp(options.engine.campaign.warning_tlp);
    if (options.standby) leadership_.emplace(options);
  }

  int run() {
    fresh();
    add_metrics(metrics_, totals_, online_);
    if (!open_metrics_page(options_, metrics_, server_) || !make_topics(options_, registry_, signals_)) return app::kExitFailed;
    while (!signals_.stop_requested()) {
      if (signals_.take_reload()) reload_.begin();
      if (auto loaded = reload_.poll()) loaded_ = std::move(loaded);
      if (loaded_ && !consumer_) take_rules_beside_work();
      if (leadership_ && !leads()) {
        if (refused_) return app::kExitFailed;
        continue;
      }
      if (!consumer_ && !connect()) {
        if (refused_) return app::kExitFailed;
        signals_.wait(1000);
        continue;
      }
      if (!step()) {
        if (refused_) return app::kExitFailed;
        disconnect();
      }
    }
    if (consumer_ && !reassigned_ && late_facts_ == 0) (void)commit();
    return app::kExitDone;
  }

 private:
  // --- connections ---

  bool leads() {
    const auto polled = leadership_->poll();
    if (!polled) {
      failed(polled.error());
      signals_.wait(500);
    }
    const bool now = polled && *polled;
    if (now != leading_) spdlog::info(now ? "this process leads" : "another process leads");
    leading_ = now;
    if (!now && consumer_) disconnect();
    return now;
  }

  bool failed(const kafka::KafkaError& e) {
    refused_ = is_refused(e);
    return false;
  }

  bool connect() {
    kafka::Producer::Options p;
    p.client = options_.kafka;
    p.transactional_id = options_.transactional_id;
    auto producer = kafka::Producer::open(p);
    if (!producer) return failed(producer.error());
    if (auto ok = producer->init(kTransactionPatience); !ok) return failed(ok.error());
    kafka::Consumer::Options c;
    c.client = options_.kafka;
    c.group = options_.group;
    c.report_end = true;
    if (options_.standby) c.session_timeout = Leadership::kSessionTimeout;
    auto consumer = kafka::Consumer::open(c, this);
    if (!consumer) return failed(consumer.error());
    const std::string topics[] = {"^vong\\.events\\..*", std::string(kVerdictsTopic),
                                  std::string(kStatusTopic)};
    if (auto ok = consumer->subscribe(topics); !ok) return failed(ok.error());
    producer_.emplace(std::move(*producer));
    consumer_.emplace(std::move(*consumer));
    reassigned_ = true;
    return true;
  }

  void disconnect() {
    in_force_known_ = false;
    records_.clear();
    consumer_.reset();
    producer_.reset();
    outbox_.clear();
    signals_.wait(500);
  }

  void on_assigned(std::span<const kafka::TopicPartition>) override { reassigned_ = true; }
  void on_revoked(std::span<const kafka::TopicPartition>, bool) override { reassigned_ = true; }

  // --- one round: read, work, write ---

  bool step() {
    records_.clear();
    if (auto ok = consumer_->poll_batch(kBatchMax, 200ms, records_); !ok) {
      if (ok.error().answer != Answer::kRetry) return failed(ok.error());
      return true;
    }
    if (reassigned_ && !restore()) return false;
    if (reassigned_) return true;  // nothing to work on yet
    take_all();
    note_ends();
    if (replaying_ && !finish_replay()) return false;
    if (!replaying_ && late_facts_ > 0) return gathered() ? correct() : true;
    if (!replaying_) {
      release();
      tell_figures(false);
    }
    if (loaded_ && !replaying_) return swap_rules();
    if (!time_to_commit()) return true;
    if (!commit()) return false;
    online_.settled.set(settled_ ? 1 : 0);
    return true;
  }

  bool time_to_commit() const {
    return records_.empty() || outbox_.size() >= kOutboxMax ||
           wall_ns() - last_commit_ns_ >= kCommitEveryNs;
  }

  void note_ends() {
    for (const kafka::TopicPartition& name : consumer_->ended()) {
      const auto it = partitions_.find(name);
      if (it == partitions_.end()) continue;
      live_->watermark.on_end_reached(it->second.index);
      it->second.reached = true;
    }
  }

  // Whether it is time to put late events in their places. One correction reads everything again,
  // so they take a third of the time at most, and events that come together are corrected together.
  bool gathered() {
    const int64_t now = wall_ns();
    if (now < next_correction_ns_) return false;
    return consumer_->reached_end() || now - late_since_ns_ >= kGatherLateNs;
  }

  // State anew: back to the beginning of everything that is assigned.
  bool restore() {
    const std::vector<kafka::TopicPartition> assigned = consumer_->assignment();
    if (assigned.empty()) {
      records_.clear();
      return true;
    }
    reassigned_ = correcting_ = false;
    records_.clear();
    outbox_.clear();
    told_.clear();
    if (options_.standby) {
      const auto all = all_partitions();
      if (!all) return failed(all.error());
      if (assigned.size() < *all) {  // a leader before us is still in the group
        forget_partitions();
        reassigned_ = true;
        return true;
      }
    }
    auto committed = consumer_->committed(assigned, kTransactionPatience);
    if (!committed) return failed(committed.error());
    if (auto ok = read_rules_in_force(); !ok) return failed(ok.error());
    forget_partitions();
    committed_watermark_ns_ = Watermark::kNever;
    for (const kafka::TopicOffset& c : *committed) {
      Partition p;
      p.index = static_cast<uint32_t>(partitions_.size());
      p.holds = c.topic == kVerdictsTopic ? Partition::Holds::kVerdicts
                : c.topic == kStatusTopic ? Partition::Holds::kStatus
                                          : Partition::Holds::kEvents;
      p.committed = c.offset == kafka::kNoOffset ? 0 : c.offset;
      if (!c.metadata.empty()) {
        committed_watermark_ns_ = std::max<int64_t>(committed_watermark_ns_,
                                                    std::strtoll(c.metadata.c_str(), nullptr, 10));
      }
      partitions_[{c.topic, c.partition}] = p;
    }
    spdlog::info("rebuilding the state from {} partitions", partitions_.size());
    if (!replay()) return false;
    if (!in_force_.is(live_->engine.rules().prints)) {  // those of a start with other rules
      change_rules_in_force(committed_watermark_ns_);
      apply_rules_in_force();
    }
    return true;
  }

  // Of the agencies' topics that are there.
  kafka::KafkaResult<size_t> all_partitions() {
    size_t n = 0;
    std::vector<std::string> topics{std::string(kVerdictsTopic), std::string(kStatusTopic)};
    for (const enrich::Agency& a : registry_.agencies())
      topics.push_back(std::string(kEventsPrefix) + a.id);
    for (const std::string& topic : topics) {
      const auto count = consumer_->partition_count(topic, kTransactionPatience);
      if (count)
        n += static_cast<size_t>(*count);
      else if (count.error().code != kafka::code::kUnknownTopic &&
               count.error().code != kafka::code::kUnknownTopicLocal)
        return std::unexpected(count.error());
    }
    return n;
  }

  // Facts came that are older than what was processed (a sensor is back with its spool). Everything
  // is put in order again as if they had come in time, and what that changes in the incidents is
  // told, in the transaction that takes the facts.
  bool correct() {
    totals_.facts_processed.add(late_facts_);
    correcting_ = true;
    correction_began_ns_ = wall_ns();
    committed_watermark_ns_ = live_->released_ns;
    for (auto& [name, p] : partitions_) {
      p.committed = p.next;
      p.next = 0;
      p.reached = p.overshot = false;
    }
    online_.corrections.add();
    return replay();
  }

  // Back to the beginning of every partition; the output is off until finish_replay().
  bool replay() {
    fresh();
    apply_rules_in_force();
    records_.clear();
    late_facts_ = 0;
    unsettle();
    told_.begin_again();
    std::vector<kafka::TopicOffset> beginnings;
    for (auto& [name, p] : partitions_) {
      auto bounds = consumer_->watermarks(name, kTransactionPatience);
      if (!bounds) return failed(bounds.error());
      p.reached = p.committed <= bounds->first;
      live_->watermark.add_partition(p.index, bounds->first, bounds->second);
      beginnings.push_back({name.topic, name.partition, bounds->first, {}});
    }
    if (auto ok = consumer_->seek(beginnings, kTransactionPatience); !ok) return failed(ok.error());
    replaying_ = true;
    online_.restores.add();
    return true;
  }

  void fresh() {
    live_ = std::make_unique<Live>(options_, registry_, router_, rules_, replayed_,
                                   [this](const events::Incident& i) { incident(i); });
  }

  // --- which rules are in force, and since when (rules_in_force.h) ---

  std::unique_ptr<RuleProgram> compiled(const sigma::RuleSet& rules) const {
    std::vector<rules::Diagnostic> reported_before;
    return Engine::compile(rules, options_.engine, reported_before);
  }

  kafka::KafkaResult<> read_rules_in_force() {
    if (in_force_known_) return {};
    in_force_ = {};
    const kafka::TopicPartition name{state_topic(options_), 0};
    const auto count = consumer_->partition_count(name.topic, kTransactionPatience);
    keeps_rules_ = count.has_value();
    if (!count) {
      if (count.error().code != kafka::code::kUnknownTopic &&
          count.error().code != kafka::code::kUnknownTopicLocal)
        return std::unexpected(count.error());
      spdlog::warn(
          "there is no topic {}: after a reload of the rules and a restart, incidents are worked out "
          "as if the new rules had always been in force",
          name.topic);
      in_force_known_ = true;
      return {};
    }
    const auto bounds = consumer_->watermarks(name, kTransactionPatience);
    if (!bounds) return std::unexpected(bounds.error());
    const kafka::TopicOffset to{name.topic, 0, bounds->second, {}};
    const auto take_record = [this](const kafka::Record& r) {
      if (r.key() != options_.transactional_id) return;
      if (auto read = RulesInForce::parse(r.value())) in_force_ = std::move(*read);
    };
    auto done = replay_partitions(options_.kafka, options_.group + "-replay", std::span(&to, 1),
                                  take_record, [this] { return !signals_.stop_requested(); });
    in_force_known_ = done.has_value();
    return done;
  }

  void apply_rules_in_force() {
    live_->engine.apply(in_force_);
    for (auto& [name, p] : partitions_) p.begin_epochs(in_force_.starts_in(name));
  }

  // The rules that the engine has, from where reading stands on.
  void change_rules_in_force(int64_t released_ns) {
    std::map<kafka::TopicPartition, int64_t> offsets;
    for (const auto& [name, p] : partitions_)
      offsets[name] = replaying_ ? p.committed : std::max(p.next, p.committed);
    in_force_.change(live_->engine.rules().prints, released_ns, std::move(offsets));
    if (keeps_rules_) outbox_.add(state_topic(options_), options_.transactional_id, in_force_.json());
  }

  // Nothing is at work that could go on: the next start of work has them.
  void take_rules_beside_work() {
    rules_ = std::move(loaded_->rules);
    loaded_.reset();
    online_.reloads.add();
    spdlog::info("rules reloaded");
  }

  // Between two facts and at the end of a transaction: rules that stay keep their state.
  bool swap_rules() {
    RuleReload::Loaded loaded = std::move(*loaded_);
    loaded_.reset();
    rules_ = std::move(loaded.rules);
    swapping_ = true;
    const Engine::Swapped s =
        live_->engine.swap(std::move(loaded.program), in_force_.last() + 1);
    swapping_ = false;
    live_->reorder.rewrite([this](std::string_view fact, std::string& out) {
      return live_->engine.translate(fact, out);
    });
    in_force_.campaigns_since_ns = live_->engine.campaigns_since_ns();
    if (!in_force_.is(live_->engine.rules().prints)) {
      change_rules_in_force(live_->engine.now_ns());
      for (auto& [name, p] : partitions_) p.begin_epochs({{0, in_force_.last()}});
    }
    online_.reloads.add();
    online_.reload_dropped_keys.add(s.dropped_keys);
    online_.reload_dropped_incidents.add(s.dropped_incidents);
    log_swap(s);
    return commit();
  }

  void forget_partitions() {
    last_ = nullptr;
    partitions_.clear();
  }

  // Before the record is counted: who sees all records counted and then `settled` knows that they
  // are in the incidents.
  void unsettle() {
    settled_ = false;
    online_.settled.set(0);
  }

  // Blocks of records, copied next to each other: the copy is needed for the padding anyhow, and
  // the decoder reads a block faster than its records one by one.
  void take_all() {
    round_wall_ns_ = wall_ns();
    bool same_partition = false;
    for (size_t i = 0; i < records_.size();) {
      buffer_.clear();
      size_t end = i;
      do {
        buffer_.append(records_[end].value());
        buffer_.push_back('\n');
      } while (++end < records_.size() && buffer_.size() < kBlockBytes);
      const size_t bytes = buffer_.size();
      buffer_.append(events::kRecordPaddingBytes, '\0');
      const std::string_view block = std::string_view(buffer_).substr(0, bytes);
      live_->engine.expect(block);
      for (size_t at = 0; i < end; ++i) {
        const size_t size = records_[i].value().size();
        take(records_[i], block.substr(at, size), same_partition);
        at += size + 1;
        same_partition =
            i + 1 < records_.size() && records_[i + 1].is_of_same_partition(records_[i]);
        // Here and not with all others: the next one's headers then use the same memory.
        const kafka::Record done = std::move(records_[i]);
      }
      live_->engine.expect({});
    }
  }

  // `same_partition`: as the record before.
  void take(const kafka::Record& r, std::string_view value, bool same_partition) {
    if (!same_partition) {
      const auto it = partitions_.find({std::string(r.topic()), r.partition()});
      last_ = it == partitions_.end() ? nullptr : &*it;
    }
    if (last_ == nullptr) return;
    Partition& p = last_->second;
    if (replaying_ && r.offset() >= p.committed) {  // it comes again once the replay is over
      p.reached = p.overshot = true;
      return;
    }
    if (r.offset() < p.next) return;
    p.next = r.offset() + 1;
    consumed_ = true;
    if (p.holds == Partition::Holds::kStatus) return take_status(r, value);
    unsettle();
    RecordSource source;
    source.agency = std::string_view(last_->first.topic).substr(kEventsPrefix.size());
    source.sensor = r.header("sensor").value_or("");
    source.position = events::unsigned_of(r.header("seq").value_or(""))
                          .value_or(static_cast<uint64_t>(r.offset()));
    live_->engine.set_epoch(p.epoch_of(r.offset()));
    const bool is_verdict = p.holds == Partition::Holds::kVerdicts;
    const ReadResult result =
        is_verdict ? live_->engine.read_verdict(value, static_cast<uint64_t>(r.partition()) << 48 |
                                                           static_cast<uint64_t>(r.offset()))
                   : live_->engine.read(value, source);
    if (result == ReadResult::kRefused) {
      dead_letter(r, live_->engine.reason());
      return;
    }
    if (is_verdict) board_.on_verdict(live_->engine.verdict_agency(), live_->engine.time_ns());
    live_->watermark.on_record(p.index, r.offset(), live_->engine.sensor_print(),
                               live_->engine.time_ns(), round_wall_ns_);
    if (result != ReadResult::kFact) return;
    if (replaying_) {
      if (auto ok = live_->sorter.add(live_->engine.key(), live_->engine.fact()); !ok)
        spdlog::error("{}", ok.error().message);
    } else if (!live_->reorder.push(live_->engine.key(), live_->engine.fact())) {
      online_.late_facts.add();
      if (late_facts_++ == 0) late_since_ns_ = wall_ns();
    }
  }

  // Never among the events: a status has today's time, whatever its sensor reads.
  void take_status(const kafka::Record& r, std::string_view value) {
    const auto status = coverage::read_status(value);
    if (!status) return dead_letter(r, status.error().message);
    // The newest status is the board's clock: one that is far ahead would silence all others.
    if (status->time_ns > now_ns() + kStatusAheadNs)
      return dead_letter(r, "status: more than a day ahead of the clock");
    if (!board_.on_status(*status)) return dead_letter(r, "status: unknown sensor");
    coverage_changed_ = true;
  }

  void show_coverage() {
    coverage_changed_ = false;
    const coverage::Summary s = board_.summary();
    online_.sensors_registered.set(static_cast<int64_t>(s.sensors_registered));
    online_.sensors_alive.set(static_cast<int64_t>(s.sensors_alive));
    online_.agencies_complete.set(static_cast<int64_t>(s.agencies_complete));
    online_.national_percent.set(s.national_percent());
  }

  void release() {
    if (coverage_changed_) show_coverage();
    const int64_t mark = live_->watermark.value(wall_ns());
    if (mark == Watermark::kNever) return;
    release_to(mark);
    if (live_->watermark.idle() && !settled_) {
      live_->engine.tell_untold();
      settled_ = true;
    }
    online_.watermark_seconds.set(mark / 1'000'000'000);
    online_.sensors_active.set(static_cast<int64_t>(live_->watermark.active()));
    online_.open_incidents.set(static_cast<int64_t>(live_->engine.open_incidents()));
    online_.keys.set(static_cast<int64_t>(live_->engine.keys()));
    online_.lag_records.set(consumer_->lag());
  }

  // What was told once is told again only when it is other: a replay says all of it again.
  void tell_figures(bool told_before) {
    live_->engine.tell_figures([&](std::string_view key, std::string_view json) {
      if (told_figures_.is_news(key, json) && !told_before)
        outbox_.add(std::string(kCoverageTopic), key, json);
    });
  }

  void release_to(int64_t mark) {
    live_->reorder.release(
        mark, [this](std::span<const std::string_view> facts) { live_->engine.process(facts); });
    if (mark > live_->released_ns) live_->engine.advance(mark);
    live_->released_ns = std::max(live_->released_ns, mark);
    live_->reorder.skip_to(live_->released_ns);
  }

  // When every partition is where the last transaction left it: everything up to its watermark was
  // said already.
  bool finish_replay() {
    if (partitions_.empty()) return true;  // nothing is assigned yet
    for (auto& [name, p] : partitions_) {
      if (!p.reached && p.next < p.committed) return true;
    }
    const int64_t mark = committed_watermark_ns_;
    auto sorted = live_->sorter.finish([&](const ingest::OrderKey& key, std::string_view fact) {
      if (key.time_ns <= mark)
        live_->engine.process(fact);
      else
        (void)live_->reorder.push(key, fact);
    });
    if (!sorted) {
      spdlog::error("{}", sorted.error().message);
      refused_ = true;
      return false;
    }
    release_to(mark);
    replaying_ = false;
    live_->engine.count_into(totals_);
    tell_figures(!correcting_);
    if (correcting_) {
      tell_differences();
      const int64_t now = wall_ns();
      next_correction_ns_ = now + 2 * (now - correction_began_ns_);
    }
    told_.forget_before();
    correcting_ = false;
    std::vector<kafka::TopicOffset> back;
    for (auto& [name, p] : partitions_) {
      p.next = std::max(p.next, p.committed);
      if (p.overshot) back.push_back({name.topic, name.partition, p.committed, {}});
    }
    if (auto ok = consumer_->seek(back, kTransactionPatience); !ok) return failed(ok.error());
    spdlog::info("state rebuilt: {} keys, {} open incidents", live_->engine.keys(),
                 live_->engine.open_incidents());
    return true;
  }

  void tell_differences() {
    told_.differences([this](const events::Incident& incident, bool is_new) {
      if (is_new) {
        const bool campaign = incident.kind == events::IncidentKind::kCampaign;
        (campaign ? totals_.campaigns_opened : totals_.incidents_opened).add();
      }
      outbox_.send(incident);
    });
  }

  // --- output ---

  void incident(const events::Incident& incident) {
    if (told_.tell(incident) && !replaying_) outbox_.send(incident);
    if (swapping_) told_.forget(incident.id);  // its rule is gone: no correction knows of it
  }

  void dead_letter(const kafka::Record& r, std::string_view reason) {
    if (replaying_) return;
    online_.dead_letters.add();
    outbox_.dead_letter(r, reason);
  }

  bool commit() {
    if (replaying_ || (!consumed_ && outbox_.empty())) return true;
    consumed_ = false;
    last_commit_ns_ = wall_ns();
    const auto done = transaction();
    outbox_.clear();
    if (done) {
      online_.transactions.add();
      return true;
    }
    online_.transactions_aborted.add();
    in_force_known_ = false;
    if (done.error().answer != Answer::kAbort) return failed(done.error());
    spdlog::warn("{}", done.error().message);
    if (auto ok = producer_->abort(kTransactionPatience); !ok) return failed(ok.error());
    reassigned_ = true;  // state is ahead of what is committed: rebuild it
    return restore();
  }

  kafka::KafkaResult<> transaction() {
    if (auto ok = producer_->begin(); !ok) return ok;
    if (auto ok = outbox_.write(*producer_); !ok) return ok;
    std::vector<kafka::TopicOffset> offsets;
    for (const auto& [name, p] : partitions_) {
      if (p.next <= 0) continue;
      offsets.push_back({name.topic, name.partition, p.next, std::to_string(live_->released_ns)});
    }
    if (auto ok =
            producer_->send_offsets(offsets, consumer_->group_metadata(), kTransactionPatience);
        !ok)
      return ok;
    return commit_surely(*producer_, kTransactionPatience, signals_);
  }

  const Options& options_;
  const enrich::Registry& registry_;
  sigma::RuleSet rules_;
  app::Signals& signals_;
  routing::Router router_;
  std::unique_ptr<Live> live_;
  EngineCounters totals_, replayed_;  // replayed_: what was counted before
  OnlineCounters online_;
  telemetry::Registry metrics_;
  std::optional<telemetry::Server> server_;
  std::optional<Leadership> leadership_;  // none: alone
  bool leading_ = false;
  std::optional<kafka::Producer> producer_;
  std::optional<kafka::Consumer> consumer_;
  std::vector<kafka::Record> records_;
  std::map<kafka::TopicPartition, Partition> partitions_;
  std::pair<const kafka::TopicPartition, Partition>* last_ = nullptr;  // of the record before
  Outbox outbox_;
  coverage::Board board_;
  std::string buffer_;
  int64_t committed_watermark_ns_ = Watermark::kNever;
  ToldIncidents told_;
  ToldFigures told_figures_;
  bool reassigned_ = true, replaying_ = true, refused_ = false;
  bool correcting_ = false, consumed_ = false;
  bool coverage_changed_ = false;  // since its gauges were set
  bool settled_ = false;           // all that was read is in the incidents, and no sensor sends
  uint64_t late_facts_ = 0;        // since the last correction
  int64_t late_since_ns_ = 0, correction_began_ns_ = 0, next_correction_ns_ = 0;
  int64_t round_wall_ns_ = 0, last_commit_ns_ = 0;
  RulesInForce in_force_;
  bool in_force_known_ = false, keeps_rules_ = false, swapping_ = false;
  std::optional<RuleReload::Loaded> loaded_;  // waits for its transaction
  RuleReload reload_;  // its thread uses what stands before it
};

}  // namespace

int run_online(const Options& options, const enrich::Registry& registry,
               const sigma::RuleSet& rules, app::Signals& signals, const ReloadRules& reload) {
  if (options.facts_partitions > 0) return run_divided(options, registry, rules, signals, reload);
  return OnlineRun(options, registry, rules, signals, reload).run();
}

}  // namespace vong::correlator
