#include "correlator/app/keyed_partitions.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "correlator/app/replay.h"

namespace vong::correlator {

KeyedPartitions::KeyedPartitions(const Options& options, const enrich::Registry& registry,
                                 const routing::Router& router, EngineCounters& totals,
                                 OnlineCounters& online, Sinks sinks)
    : options_(options),
      registry_(registry),
      router_(router),
      totals_(totals),
      online_(online),
      sinks_(std::move(sinks)) {}

void KeyedPartitions::use(const sigma::RuleSet& rules, uint32_t shares) {
  rules_ = &rules;
  shares_ = shares;
}

// Of rules what one partition says: all have the same; of what they remembered the sum.
Engine::Swapped KeyedPartitions::swap(const sigma::RuleSet& rules) {
  rules_ = &rules;
  Engine::Swapped all;
  for (auto& [name, k] : partitions_) {
    if (&k.state->rules() == &rules) continue;
    const Engine::Swapped s = k.state->swap(rules);
    all.kept = s.kept;
    all.added = s.added;
    all.dropped = s.dropped;
    all.dropped_keys += s.dropped_keys;
    all.dropped_incidents += s.dropped_incidents;
    all.stale |= s.stale;
  }
  return all;
}

void KeyedPartitions::keep(const std::vector<kafka::TopicPartition>& assigned) {
  std::erase_if(partitions_, [&](const auto& p) {
    return std::find(assigned.begin(), assigned.end(), p.first) == assigned.end();
  });
}

void KeyedPartitions::take_over(const kafka::TopicPartition& name, int64_t next,
                                const std::string& metadata, const sigma::RuleSet& rules) {
  char* rest = nullptr;
  int64_t reached = SourceMark::kNever;
  uint32_t epoch = 0;
  if (!metadata.empty()) {
    reached = std::strtoll(metadata.c_str(), &rest, 10);
    epoch = static_cast<uint32_t>(std::strtoul(rest, nullptr, 10));
  }
  Source& k = partitions_[name];
  const auto index = static_cast<uint32_t>(name.partition);
  k = {};
  k.next = next;
  k.to_rebuild = true;
  k.state = std::make_unique<KeyedPartition>(
      KeyedPartition::Setup{&registry_,
                            &router_,
                            &rules,
                            options_.engine,
                            {index, shares_},
                            options_.wanted_rules,
                            &totals_,
                            options_.coverage_interval.count(),
                            options_.facts_retention.count()},
      KeyedPartition::Sinks{sinks_.incident,
                            [this, index](uint32_t epoch_now, const Raised& r, const Engine& of) {
                              sinks_.raised(index, epoch_now, r, of);
                            },
                            sinks_.coverage,
                            [this, index](bool begins, std::string_view json) {
                              sinks_.rules(index, begins, json);
                            }});
  k.state->begin_restore(reached, epoch);
}

const KeyedPartition* KeyedPartitions::leader() const {
  const auto it = partitions_.find({options_.facts_topic, static_cast<int32_t>(shares_)});
  return it == partitions_.end() ? nullptr : it->second.state.get();
}

int64_t KeyedPartitions::next(const kafka::TopicPartition& name) const {
  return partitions_.at(name).next;
}

std::string KeyedPartitions::metadata(const kafka::TopicPartition& name) const {
  const SourceMark m = partitions_.at(name).state->mark();
  return fmt::format("{} {}", m.reached_ns, m.epoch);
}

kafka::KafkaResult<> KeyedPartitions::rebuild(const KeepOn& keep_on) {
  std::vector<kafka::TopicOffset> to;
  for (auto& [name, k] : partitions_) {  // to their ends: see KeyedPartition::look_ahead
    if (k.to_rebuild) to.push_back({name.topic, name.partition, INT64_MAX, {}});
  }
  return replay(to, keep_on);
}

// The blocks of these partitions again, up to the offsets; their states have begun a replay.
kafka::KafkaResult<> KeyedPartitions::replay(const std::vector<kafka::TopicOffset>& to,
                                             const KeepOn& keep_on) {
  if (to.empty()) return {};
  const auto begin = std::chrono::steady_clock::now();
  uint64_t blocks = 0;
  const auto done = replay_partitions(
      options_.kafka, options_.group + "-replay", to,
      [&](const kafka::Record& r) {
        const auto it = partitions_.find({std::string(r.topic()), r.partition()});
        if (it == partitions_.end()) return;
        if (r.offset() >= it->second.next) return it->second.state->look_ahead(r.value());
        ++blocks;
        if (!it->second.state->replay(r.value())) refused(r);
      },
      keep_on);
  if (!done) return done;
  size_t keys = 0;
  for (const kafka::TopicOffset& t : to) {
    Source& k = partitions_[{t.topic, t.partition}];
    if (auto ok = k.state->end_replay(); !ok) {
      return std::unexpected(
          kafka::KafkaError{kafka::Answer::kRefused, kafka::code::kNone, ok.error().message});
    }
    k.to_rebuild = false;
    keys += k.state->engine().keys();
  }
  online_.restores.add(to.size());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  spdlog::info("{} partitions of facts rebuilt from {} blocks: {} keys, {:.3f} s", to.size(),
               blocks, keys, took.count());
  return {};
}

bool KeyedPartitions::take(const kafka::Record& r) {
  const auto it = partitions_.find({std::string(r.topic()), r.partition()});
  if (it == partitions_.end() || r.offset() < it->second.next) return false;
  it->second.next = r.offset() + 1;
  it->second.settled = false;
  if (!it->second.state->take(r.value())) refused(r);
  return true;
}

void KeyedPartitions::refused(const kafka::Record& r) const {
  spdlog::error("{}/{} offset {}: not facts of this build", r.topic(), r.partition(), r.offset());
}

bool KeyedPartitions::any_to_correct() const {
  return std::any_of(partitions_.begin(), partitions_.end(),
                     [](const auto& k) { return k.second.state->has_to_correct(); });
}

kafka::KafkaResult<> KeyedPartitions::correct(const KeepOn& keep_on) {
  std::vector<kafka::TopicOffset> to;
  for (auto& [name, k] : partitions_) {
    if (!k.state->has_to_correct()) continue;
    online_.late_facts.add(k.state->late());
    online_.corrections.add();
    k.state->begin_correction();
    to.push_back({name.topic, name.partition, k.next, {}});
  }
  return replay(to, keep_on);
}

void KeyedPartitions::release() {
  for (auto& [name, k] : partitions_) k.state->release();
}

bool KeyedPartitions::settle() {
  bool quiet = true;
  for (auto& [name, k] : partitions_) {
    if (!k.state->idle() || k.state->has_to_correct() || k.state->waiting() > 0) {
      quiet = false;
    } else if (!k.settled) {
      k.state->settle();
      k.settled = true;
    }
  }
  return quiet;
}

bool KeyedPartitions::tell_marks(const std::function<void(uint32_t share, const SourceMark&)>& f) {
  bool news = false;
  for (auto& [name, k] : partitions_) {
    if (k.state->leads()) continue;
    const SourceMark m = k.state->mark();
    if (k.spoken && m == k.told) continue;
    f(static_cast<uint32_t>(name.partition), m);
    k.told = m;
    k.spoken = news = true;
  }
  return news;
}

void KeyedPartitions::add_offsets(std::vector<kafka::TopicOffset>& out) const {
  for (const auto& [name, k] : partitions_) {
    if (k.next <= 0) continue;
    out.push_back({name.topic, name.partition, k.next, metadata(name)});
  }
}

void KeyedPartitions::show() {
  int64_t keys = 0, open = 0, low = INT64_MAX;
  for (auto& [name, k] : partitions_) {
    keys += static_cast<int64_t>(k.state->engine().keys());
    open += static_cast<int64_t>(k.state->engine().open_incidents());
    low = std::min(low, k.state->mark().reached_ns);
    if (!k.state->leads()) continue;
    const coverage::Summary s = k.state->coverage();
    online_.sensors_registered.set(static_cast<int64_t>(s.sensors_registered));
    online_.sensors_alive.set(static_cast<int64_t>(s.sensors_alive));
    online_.agencies_complete.set(static_cast<int64_t>(s.agencies_complete));
    online_.national_percent.set(s.national_percent());
  }
  online_.keys.set(keys);
  online_.open_incidents.set(open);
  if (low != INT64_MAX && low != SourceMark::kNever)
    online_.watermark_seconds.set(low / 1'000'000'000);
}

}  // namespace vong::correlator
