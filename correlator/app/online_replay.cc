// State anew, from the beginning of everything that is assigned: after a start, a rebalance or an
// aborted transaction, and for late events.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "correlator/app/broker_run.h"
#include "correlator/app/online_run.h"
#include "correlator/app/topics.h"

namespace vong::correlator {
namespace {

// How long late events are gathered when more and more come, before they are put in their places.
constexpr int64_t kGatherLateNs = 2'000'000'000;

}  // namespace

void OnlineRun::fresh() {
  live_ = std::make_unique<Live>(options_, registry_, router_, rules_, replayed_,
                                 [this](const events::Incident& i) { incident(i); });
  reading_.begin_names();
  reading_.count_into(replayed_);
}

bool OnlineRun::restore() {
  if (!note_commit(true)) return false;
  records_.clear();
  reading_.discard();
  const std::vector<kafka::TopicPartition> assigned = link_->consumer.assignment();
  if (assigned.empty()) return true;
  reassigned_ = correcting_ = rules_gone_ = false;
  outbox_.clear();
  told_.clear();
  if (options_.standby) {
    const auto all = all_partitions();
    if (!all) return failed(all.error());
    if (assigned.size() < *all) {  // a leader before us is still in the group
      partitions_.forget();
      reassigned_ = true;
      return true;
    }
  }
  auto committed = link_->consumer.committed(assigned, kPatience);
  if (!committed) return failed(committed.error());
  in_force_.forget();  // what was to be written of it went with the outbox
  const auto keep_on = [this] { return !signals_.stop_requested(); };
  if (auto ok = in_force_.read(link_->consumer, kPatience, keep_on); !ok) return failed(ok.error());
  begin_with_rules_in_force();
  committed_watermark_ns_ = partitions_.assign(*committed);
  spdlog::info("rebuilding the state from {} partitions", partitions_.size());
  if (!replay()) return false;
  if (in_force_.rules().is(live_->engine.rules().prints)) {
    in_force_.keep(rules_.text, outbox_);
  } else {  // the first, or those before cannot be loaded again
    change_rules_in_force(committed_watermark_ns_);
    apply_rules_in_force();
  }
  return true;
}

// Of the agencies' topics that are there.
kafka::KafkaResult<size_t> OnlineRun::all_partitions() {
  size_t n = 0;
  std::vector<std::string> topics{std::string(kVerdictsTopic), std::string(kStatusTopic)};
  for (const enrich::Agency& a : registry_.agencies())
    topics.push_back(std::string(kEventsPrefix) + a.id);
  for (const std::string& topic : topics) {
    const auto count = link_->consumer.partition_count(topic, kPatience);
    if (count)
      n += static_cast<size_t>(*count);
    else if (count.error().code != kafka::code::kUnknownTopic &&
             count.error().code != kafka::code::kUnknownTopicLocal)
      return std::unexpected(count.error());
  }
  return n;
}

// Whether it is time to put late events in their places. One correction reads everything again, so
// they take a third of the time at most, and events that come together are corrected together.
bool OnlineRun::gathered() const {
  const int64_t now = wall_ns();
  if (now < next_correction_ns_) return false;
  return link_->consumer.reached_end() || now - late_since_ns_ >= kGatherLateNs;
}

// Facts came that are older than what was processed (a sensor is back with its spool). Everything
// is put in order again as if they had come in time, and what that changes in the incidents is
// told, in the transaction that takes the facts.
bool OnlineRun::correct() {
  if (!note_commit(true)) return false;
  if (reassigned_) return true;
  totals_.facts_processed.add(late_facts_);
  correcting_ = true;
  correction_began_ns_ = wall_ns();
  committed_watermark_ns_ = live_->released_ns;
  partitions_.commit_to_taken();
  online_.corrections.add();
  return replay();
}

// Back to the beginning of every partition; the output is off until finish_replay().
bool OnlineRun::replay() {
  reading_.discard();
  fresh();
  apply_rules_in_force();
  records_.clear();
  late_facts_ = 0;
  unsettle();
  told_.begin_again();
  std::vector<kafka::TopicPartition> names;
  for (const auto& [name, p] : partitions_) names.push_back(name);
  const auto bounds = link_->consumer.bounds(names, kPatience);
  if (!bounds) return failed(bounds.error());
  stored_since_ns_ = INT64_MIN;
  std::vector<kafka::TopicOffset> beginnings;
  auto bound = bounds->begin();
  for (auto& [name, p] : partitions_) {
    const auto [first, end] = *bound++;
    p.reached = p.committed <= first;
    p.cut = first > 0 && p.holds == Partition::Holds::kEvents;
    live_->watermark.add_partition(p.index, first, end);
    beginnings.push_back({name.topic, name.partition, first, {}});
  }
  if (auto ok = link_->consumer.seek(beginnings, kPatience); !ok) return failed(ok.error());
  replaying_ = true;
  online_.restores.add();
  return true;
}

// When every partition is where the last transaction left it: everything up to its watermark was
// said already.
bool OnlineRun::finish_replay() {
  if (partitions_.empty() || !partitions_.replayed())
    return true;  // empty: nothing is assigned yet
  take_read(0);
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
  reading_.count_into(totals_);
  tell_figures(!correcting_);
  if (correcting_) {
    tell_differences();
    const int64_t now = wall_ns();
    next_correction_ns_ = now + 2 * (now - correction_began_ns_);
  }
  told_.forget_before();
  correcting_ = false;
  if (auto ok = link_->consumer.seek(partitions_.end_replay(), kPatience); !ok)
    return failed(ok.error());
  spdlog::info("state rebuilt: {} keys, {} open incidents", live_->engine.keys(),
               live_->engine.open_incidents());
  return true;
}

void OnlineRun::tell_differences() {
  const auto tell = [this](const events::Incident& incident, bool is_new) {
    if (is_new) {
      const bool campaign = incident.kind == events::IncidentKind::kCampaign;
      (campaign ? totals_.campaigns_opened : totals_.incidents_opened).add();
    }
    outbox_.send(incident);
  };
  ToldIncidents::Correction correction;
  if (std::exchange(rules_gone_, false))
    correction.rules_gone_at = timestamp_from_ns(live_->engine.now_ns());
  if (stored_since_ns_ != INT64_MIN) correction.horizon = timestamp_from_ns(stored_since_ns_);
  told_.differences(correction, tell);
}

}  // namespace vong::correlator
