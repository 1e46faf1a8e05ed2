// Partitions that are taken over, late facts.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "correlator/app/broker_run.h"
#include "correlator/app/divided_run.h"

namespace vong::correlator {
namespace {

using kafka::Answer;

constexpr int64_t kGatherLateNs = 1'000'000'000;
// Of blocks that cannot be committed before a correction: then it is made at once.
constexpr size_t kWaitingBytesMax = 64u << 20;

}  // namespace

// --- taking partitions over ---

bool DividedRun::restore() {
  records_.clear();
  const std::vector<kafka::TopicPartition> assigned = link_->consumer.assignment();
  commit_what_is_done();
  if (refused_) return false;
  if (broken_ || !clean_) forget();
  rebalanced_ = false;
  events_.keep(assigned);
  keyed_.keep(assigned);
  if (assigned.empty()) return true;
  const auto committed = link_->consumer.committed(assigned, kPatience);
  if (!committed) return again(committed.error());
  std::vector<kafka::TopicOffset> events, places;
  for (const kafka::TopicOffset& c : *committed) {
    if (c.topic != options_.facts_topic) {
      events.push_back(c);
      continue;
    }
    if (static_cast<uint32_t>(c.partition) > blocks_.shares()) continue;
    if (auto ok = take_over_facts({c.topic, c.partition}, c); !ok) return again(ok.error());
  }
  if (auto ok = take_over_events(events); !ok) return again(ok.error());
  for (const kafka::TopicOffset& c : *committed) {
    const kafka::TopicPartition name{c.topic, c.partition};
    if (keyed_.has(name))
      places.push_back({c.topic, c.partition, keyed_.next(name), {}});
    else if (events_.has(name))
      places.push_back({c.topic, c.partition, events_.next(name), {}});
  }
  if (auto ok = keyed_.rebuild(keep_on_); !ok) return again(ok.error());
  if (auto ok = link_->consumer.seek(places, kPatience); !ok) return again(ok.error());
  if (rules_before_) return change_rules();
  note_rules_in_force();
  return true;
}

// What is here already is kept if nobody else has worked on it since: what the group has
// committed is then what we have.
kafka::KafkaResult<> DividedRun::take_over_facts(const kafka::TopicPartition& name,
                                                 const kafka::TopicOffset& c) {
  const int64_t next = c.offset == kafka::kNoOffset ? 0 : c.offset;
  if (keyed_.has(name) && keyed_.next(name) == next && keyed_.metadata(name) == c.metadata)
    return {};
  const sigma::RuleSet* rules = rules_.get();
  if (static_cast<uint32_t>(name.partition) == blocks_.shares()) {
    const auto of_leader = rules_of_leader();
    if (!of_leader) return std::unexpected(of_leader.error());
    rules = *of_leader;
  }
  keyed_.take_over(name, next, c.metadata, *rules);
  return {};
}

kafka::KafkaResult<> DividedRun::take_over_events(
    const std::vector<kafka::TopicOffset>& committed) {
  std::vector<kafka::TopicPartition> names;
  std::vector<int64_t> from;
  for (const kafka::TopicOffset& c : committed) {
    const kafka::TopicPartition name{c.topic, c.partition};
    if (events_.has(name) && events_.next(name) == c.offset) continue;
    names.push_back(name);
    from.push_back(c.offset == kafka::kNoOffset ? 0 : c.offset);
  }
  const auto bounds = link_->consumer.bounds(names, kPatience);
  if (!bounds) return std::unexpected(bounds.error());
  for (size_t i = 0; i < names.size(); ++i)
    events_.take_over(names[i], std::max(from[i], (*bounds)[i].first), (*bounds)[i].end);
  return {};
}

// From the beginning of restore(), with nothing left of what was done.
bool DividedRun::again(const kafka::KafkaError& e) {
  rebalanced_ = broken_ = true;
  if (e.answer != Answer::kRetry) return failed(e);
  return true;
}

// --- late facts ---

// They come together, so they are corrected together; corrections take a third of the time at
// most.
bool DividedRun::gathered() const {
  const int64_t now = wall_ns();
  if (blocks_.bytes() >= kWaitingBytesMax) return true;
  if (now < next_correction_ns_) return false;
  return link_->consumer.reached_end() || now - late_since_ns_ >= kGatherLateNs;
}

bool DividedRun::correct() {
  const int64_t begin = wall_ns();
  late_since_ns_ = 0;
  clean_ = false;
  if (auto ok = keyed_.correct(keep_on_); !ok) return again(ok.error());
  const int64_t now = wall_ns();
  next_correction_ns_ = now + 2 * (now - begin);
  return true;
}

}  // namespace vong::correlator
