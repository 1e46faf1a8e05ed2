#include "correlator/app/partitions.h"

#include <algorithm>
#include <cstdlib>

#include "correlator/app/topics.h"
#include "correlator/app/watermark.h"

namespace vong::correlator {

Partition::Holds Partition::holds_of(const kafka::TopicPartition& name) {
  return name.topic == kVerdictsTopic ? Holds::kVerdicts
         : name.topic == kStatusTopic ? Holds::kStatus
                                      : Holds::kEvents;
}

void Partition::begin_epochs(RulesInForce::Starts starts) {
  epochs = std::move(starts);
  epoch = 0;
  epochs_begun = 0;
}

int64_t Partitions::assign(std::span<const kafka::TopicOffset> committed) {
  forget();
  int64_t released_ns = Watermark::kNever;
  for (const kafka::TopicOffset& c : committed) {
    Partition p;
    p.index = static_cast<uint32_t>(partitions_.size());
    p.holds = Partition::holds_of({c.topic, c.partition});
    p.committed = c.offset == kafka::kNoOffset ? 0 : c.offset;
    if (!c.metadata.empty())
      released_ns = std::max<int64_t>(released_ns, std::strtoll(c.metadata.c_str(), nullptr, 10));
    partitions_[{c.topic, c.partition}] = std::move(p);
  }
  return released_ns;
}

void Partitions::forget() {
  last_ = nullptr;
  partitions_.clear();
}

Partitions::Entry* Partitions::of(const kafka::Record& r, bool same) {
  if (!same) {
    const auto it = partitions_.find({std::string(r.topic()), r.partition()});
    last_ = it == partitions_.end() ? nullptr : &*it;
  }
  return last_;
}

Partition* Partitions::find(const kafka::TopicPartition& name) {
  const auto it = partitions_.find(name);
  return it == partitions_.end() ? nullptr : &it->second;
}

void Partitions::commit_to_taken() {
  for (auto& [name, p] : partitions_) {
    p.committed = p.next;
    p.next = p.given = 0;
    p.reached = p.overshot = p.ended = false;
  }
}

bool Partitions::replayed() const {
  return std::ranges::all_of(partitions_, [](const auto& entry) {
    return entry.second.reached || entry.second.next >= entry.second.committed;
  });
}

std::vector<kafka::TopicOffset> Partitions::end_replay() {
  std::vector<kafka::TopicOffset> back;
  for (auto& [name, p] : partitions_) {
    p.next = p.given = std::max(p.next, p.committed);
    if (p.overshot) back.push_back({name.topic, name.partition, p.committed, {}});
  }
  return back;
}

std::vector<kafka::TopicOffset> Partitions::offsets(int64_t released_ns) const {
  std::vector<kafka::TopicOffset> out;
  for (const auto& [name, p] : partitions_) {
    if (p.next > 0)
      out.push_back({name.topic, name.partition, p.next, std::to_string(released_ns)});
  }
  return out;
}

std::map<kafka::TopicPartition, int64_t> Partitions::next_offsets(bool replaying) const {
  std::map<kafka::TopicPartition, int64_t> out;
  for (const auto& [name, p] : partitions_)
    out[name] = replaying ? p.committed : std::max(p.next, p.committed);
  return out;
}

void Partitions::begin_epochs(const RulesInForce& in_force) {
  for (auto& [name, p] : partitions_) p.begin_epochs(in_force.starts_in(name));
}

}  // namespace vong::correlator
