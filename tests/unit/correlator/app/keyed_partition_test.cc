// Groups divided over partitions give the incidents that one engine gives, whatever order the
// sources' blocks come in, when facts are late, and when a partition is taken over.
#include "correlator/app/keyed_partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/correlator/app/engine_fixture.h"

namespace vong::correlator {
namespace {

constexpr const char* kRules = R"(
title: x
name: x
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 1}, condition: s}
---
title: y
name: y
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 2}, condition: s}
level: medium
---
title: alone
name: alone
logsource: {product: suricata, category: alert}
detection: {s: {alert.signature_id: 3}, condition: s}
level: high
---
title: three within a minute
name: three
correlation: {type: event_count, rules: [x], group-by: [src_ip], timespan: 1m, condition: {gte: 3}}
level: high
vong: {close_after: 5m}
---
title: x without y
name: without
correlation: {type: absence, rules: [x, y], group-by: [src_ip, dest_ip], timespan: 90s}
level: high
vong: {close_after: 2m}
---
title: x then y
name: then
correlation: {type: temporal_ordered, rules: [x, y], group-by: [dest_ip], timespan: 1m}
level: high
---
title: three and absent
correlation: {type: temporal, rules: [three, without], group-by: [src_ip], timespan: 10m}
level: critical
---
title: at many
correlation: {type: value_count, rules: [x, y], group-by: [src_ip], timespan: 10m, condition: {field: agency, gte: 3}}
level: high
vong: {scope: national}
)";

constexpr const char* kAgencies = R"(
agencies:
  - {id: A, name: A, kind: ministry}
  - {id: B, name: B, kind: ministry}
  - {id: C, name: C, kind: ministry}
)";

class DividedGroups : public testing::Test {
 protected:
  static constexpr uint32_t kShares = 3;

  struct Record {
    std::string agency, json;
    int64_t time_ns;
    bool verdict = false;
  };

  void SetUp() override {
    rules_ = rules_of(kRules);
    registry_ = registry_of(kAgencies);
    settings_.update_interval_ns = 0;
    settings_.campaign.agencies = 2;
    std::mt19937 random(11);
    int64_t at = kStart;
    for (int i = 0; i < 600; ++i) {
      at += static_cast<int64_t>(random() % 9'000'000'000);
      at -= at % 1000;
      const std::string src = "198.51.100." + std::to_string(random() % 5);
      const std::string dest = "10.0.0." + std::to_string(random() % 4);
      const auto sid = static_cast<uint32_t>(1 + random() % 3);
      records_.push_back({std::string(1, "ABC"[random() % 3]),
                          alert_json(at, static_cast<uint64_t>(i), src, dest, sid), at});
    }
    add_verdicts();
  }

  // Nearly all say that there was nothing, so that severities and ranks of what comes later change.
  void add_verdicts() {
    for (const auto& [id, json] : one_engine()) {
      const auto i = events::read_incident(json);
      ASSERT_TRUE(i);
      if (i->national || id[0] < '4') continue;
      const int64_t at = to_ns(i->opened) + kSecond;
      records_.push_back({"V",
                          R"({"incident_id":")" + id + R"(","verdict":")" +
                              (id[0] == 'f' ? "true" : "false") + R"(_positive","timestamp":")" +
                              eve_time(at) + R"(","agency":")" + i->agency + R"("})",
                          at, true});
    }
    std::stable_sort(records_.begin(), records_.end(),
                     [](const Record& a, const Record& b) { return a.time_ns < b.time_ns; });
  }

  // f(record, number in its agency's stream)
  template <typename F>
  void read_all(Engine& reader, const std::vector<size_t>& order, F&& f) {
    std::map<std::string, uint64_t> positions;
    for (const size_t i : order) {
      const Record& r = records_[i];
      const std::string padded = r.json + std::string(events::kRecordPaddingBytes, ' ');
      const std::string_view json = std::string_view(padded).substr(0, r.json.size());
      const std::string sensor = "s-" + r.agency;
      const uint64_t position = ++positions[r.agency];
      ASSERT_EQ(r.verdict ? reader.read_verdict(json, position)
                          : reader.read(json, {r.agency, sensor, position}),
                ReadResult::kFact)
          << reader.reason();
      f(r);
    }
  }

  std::vector<size_t> all() const {
    std::vector<size_t> order(records_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    return order;
  }

  // All records through a cluster, with marks and work every twenty; f(records until then).
  template <typename C, typename F>
  void run_all(C& cluster, F&& f) {
    const auto mark_all = [&](int64_t reached_ns, int64_t newest_ns, bool idle) {
      for (const char* a : {"A", "B", "C", "V"})
        cluster.mark_all(std::string("events/") + a, {reached_ns, newest_ns, 0, idle});
      cluster.work();
    };
    size_t n = 0;
    read_all(*cluster.reader, all(), [&](const Record& r) {
      cluster.add(r);
      if (++n % 20 != 0) return;
      mark_all(r.time_ns - 1, r.time_ns, false);
      f(n);
    });
    mark_all(records_.back().time_ns, records_.back().time_ns, true);
  }

  Told one_engine() {
    Told told;
    Engine engine(registry_, router_, settings_, counters_,
                  [&](const events::Incident& i) { tell(told, i); });
    load(engine, rules_);
    read_all(engine, all(), [&](const Record&) { engine.process(std::string(engine.fact())); });
    engine.advance(records_.back().time_ns);
    return told;
  }

  // Some rules go, some are changed, a new one comes; campaigns stand on what goes.
  static sigma::RuleSet changed_rules() {
    std::string yaml = kRules;
    const auto change = [&](std::string_view from, std::string_view to) {
      yaml.replace(yaml.find(from), from.size(), to);
    };
    change("gte: 3}}", "gte: 2}}");
    change("title: alone\nname: alone", "title: alone\nname: alone anew");
    change("group-by: [dest_ip], timespan: 1m", "group-by: [src_ip], timespan: 1m");
    return rules_of(yaml);
  }

  // One engine that is given other rules when all records but the last of the first `when` are
  // processed; what cannot be taken out of its state is worked out again.
  Told one_engine_with(const sigma::RuleSet& changed, size_t when) {
    Told told;
    ToldIncidents last;
    bool swapping = false, silent = false;
    const auto sink = [&](const events::Incident& i) {
      if (last.tell(i) && !silent) tell(told, i);
      if (swapping) last.forget(i.id);
    };
    Engine engine(registry_, router_, settings_, counters_, sink);
    load(engine, rules_);
    RulesInForce in_force;
    in_force.change(engine.rules().prints, INT64_MIN);
    std::vector<size_t> before = all();
    before.resize(when - 1);
    read_all(engine, before, [&](const Record&) { engine.process(std::string(engine.fact())); });
    const int64_t mark = records_[when - 1].time_ns - 1;
    engine.advance(mark);
    swapping = true;
    (void)engine.swap(Engine::compile(changed, settings_), 1, Engine::Campaigns::kStale);
    swapping = false;
    in_force.change(engine.rules().prints, engine.now_ns());

    Engine again(registry_, router_, settings_, counters_, sink);
    load(again, changed);
    again.apply(in_force);
    last.begin_again();
    silent = true;
    size_t n = 0;
    read_all(again, all(), [&](const Record&) {
      if (++n == when) {
        again.advance(mark);
        silent = false;
        last.differences({timestamp_from_ns(engine.now_ns())},
                         [&](const events::Incident& i, bool) { tell(told, i); });
        last.forget_before();
      }
      again.process(std::string(again.fact()));
      again.set_epoch(n >= when ? 1 : 0);
    });
    again.advance(records_.back().time_ns);
    return told;
  }

  // All partitions and what was written to each, as Kafka would hold it.
  struct Cluster {
    explicit Cluster(DividedGroups& test, int64_t retention = INT64_MAX)
        : test_(test), retention_ns(retention), logs(kShares + 1), states(kShares + 1) {
      use(test.rules_);
      for (uint32_t i = 0; i <= kShares; ++i) {  // as who takes a partition over that is empty yet
        make(i);
        states[i]->begin_restore(SourceMark::kNever, 0);
        EXPECT_TRUE(states[i]->end_replay());
      }
    }
    void use(const sigma::RuleSet& set) {
      rules = &set;
      if (!reader)
        reader = std::make_unique<Engine>(test_.registry_, test_.router_, test_.settings_,
                                          test_.counters_, [](const events::Incident&) {});
      load(*reader, set);
    }
    // Everybody has the other rules, when all that was written is read.
    void swap(const sigma::RuleSet& set) {
      use(set);
      for (uint32_t i = 0; i <= kShares; ++i) swap(i, set);
    }
    void swap(uint32_t i, const sigma::RuleSet& set) {
      const Engine::Swapped s = states[i]->swap(set);
      dropped_keys += s.dropped_keys;
      dropped_incidents += s.dropped_incidents;
      if (!states[i]->has_to_correct()) return;
      ++corrections;
      states[i]->begin_correction();
      replay(i);
    }
    // Nobody works while the rules are changed. The leader begins with those of before.
    void restart_with(const sigma::RuleSet& set) {
      restart(kShares);
      use(set);
      for (uint32_t i = 0; i < kShares; ++i) restart(i);
      swap(kShares, set);
    }
    void make(uint32_t i) {
      states[i] = std::make_unique<KeyedPartition>(
          KeyedPartition::Setup{&test_.registry_,
                                &test_.router_,
                                rules,
                                test_.settings_,
                                {i, kShares},
                                {},
                                &test_.counters_,
                                coverage::kReportInterval,
                                retention_ns},
          KeyedPartition::Sinks{[this](const events::Incident& incident) {
                                  ++records;
                                  tell(told, incident);
                                },
                                [this, i](uint32_t epoch, const Raised& raised, const Engine& of) {
                                  FactBlockWriter w(*reader);
                                  w.add_raised(KeyedPartition::source_name(i), epoch, raised, of);
                                  write(kShares, w.take());
                                },
                                [](std::string_view, std::string_view) {},
                                [this, i](bool begins, std::string_view json) {
                                  FactBlockWriter w(*reader);
                                  w.add_rules(begins, json);
                                  write(i, w.take());
                                }});
    }
    void write(uint32_t share, std::string block) { logs[share].push_back(std::move(block)); }
    void mark_all(const std::string& source, const SourceMark& mark) {
      for (uint32_t share = 0; share <= kShares; ++share) {
        FactBlockWriter w(*reader);
        w.add_mark(source, mark);
        write(share, w.take());
      }
    }
    void add(const Record& r) {
      std::vector<uint32_t> shares;
      reader->shares_of(reader->fact(), kShares, shares);
      ASSERT_FALSE(shares.empty());
      for (const uint32_t share : shares) {
        FactBlockWriter w(*reader);
        w.add_fact("events/" + r.agency, 0, reader->key(), reader->fact());
        write(share, w.take());
      }
    }
    void replay(uint32_t i) {
      for (size_t k = stored_from[i]; k < taken[i]; ++k) ASSERT_TRUE(states[i]->replay(logs[i][k]));
      ASSERT_TRUE(states[i]->end_replay());
    }
    void restart(uint32_t i) {
      const SourceMark mark = states[i]->mark();
      make(i);
      states[i]->begin_restore(mark.reached_ns, mark.epoch);
      for (size_t k = 0; k < taken[i]; ++k) ASSERT_TRUE(states[i]->replay(logs[i][k]));
      for (size_t k = taken[i]; k < logs[i].size(); ++k) states[i]->look_ahead(logs[i][k]);
      ASSERT_TRUE(states[i]->end_replay());
    }
    // Everything that is there, by everybody; the partitions first, the leader last.
    void work() {
      for (uint32_t i = 0; i <= kShares; ++i) {
        for (; taken[i] < logs[i].size(); ++taken[i])
          ASSERT_TRUE(states[i]->take(logs[i][taken[i]]));
        if (states[i]->late() > 0) {
          ++corrections;
          states[i]->begin_correction();
          replay(i);
        }
        states[i]->release();
        if (i == kShares) continue;
        FactBlockWriter w(*reader);
        w.add_mark(KeyedPartition::source_name(i), states[i]->mark());
        write(kShares, w.take());
      }
    }
    DividedGroups& test_;
    const int64_t retention_ns;
    const sigma::RuleSet* rules = nullptr;
    std::unique_ptr<Engine> reader;
    std::vector<std::vector<std::string>> logs;
    std::vector<std::unique_ptr<KeyedPartition>> states;
    std::map<uint32_t, size_t> taken, stored_from;
    Told told;
    size_t corrections = 0, records = 0, dropped_keys = 0, dropped_incidents = 0;
  };

  sigma::RuleSet rules_;
  enrich::Registry registry_;
  routing::Router router_{registry_, "a key for the pseudonyms"};
  EngineSettings settings_;
  EngineCounters counters_;
  std::vector<Record> records_;
};

// With room for all incidents, and with room for a few: whoever replays closes the same ones early.
class DividedGroupsAtACap : public DividedGroups, public testing::WithParamInterface<size_t> {
 protected:
  void SetUp() override {
    settings_.incidents_max = GetParam();
    DividedGroups::SetUp();
  }
};

INSTANTIATE_TEST_SUITE_P(All, DividedGroupsAtACap, testing::Values(incidents::kOpenMax, 12, 3),
                         testing::PrintToStringParamName());

TEST_F(DividedGroups, ACapOfIncidentsClosesSomeEarly) {
  const Told all = one_engine();
  for (const size_t cap : {12u, 3u}) {
    settings_.incidents_max = cap;
    EXPECT_NE(differences(one_engine(), all), "") << cap;
  }
}

TEST_P(DividedGroupsAtACap, GiveTheIncidentsOfOneEngine) {
  const Told wanted = one_engine();
  ASSERT_GT(wanted.size(), 30u);
  ASSERT_GT(counters_.verdicts_false.value(), 20u);
  ASSERT_GT(counters_.campaigns_opened.value(), 0u);
  Cluster c(*this);
  size_t n = 0;
  read_all(*c.reader, all(), [&](const Record& r) {
    c.add(r);
    if (++n % 20 != 0) return;
    for (const char* a : {"A", "B", "C", "V"})
      c.mark_all(std::string("events/") + a, {r.time_ns - 1, r.time_ns, 0, false});
    c.work();
  });
  for (const char* a : {"A", "B", "C", "V"})
    c.mark_all(std::string("events/") + a,
               {records_.back().time_ns, records_.back().time_ns, 0, true});
  c.work();
  EXPECT_EQ(c.corrections, 0u);
  EXPECT_EQ(differences(c.told, wanted), "");
}

TEST_P(DividedGroupsAtACap, CorrectWhatALateSourceChanges) {
  const Told wanted = one_engine();
  Cluster c(*this);
  std::vector<size_t> order;  // C is away and comes back with everything at the end
  for (size_t i = 0; i < records_.size(); ++i) {
    if (records_[i].agency != "C") order.push_back(i);
  }
  const size_t in_time = order.size();
  for (size_t i = 0; i < records_.size(); ++i) {
    if (records_[i].agency == "C") order.push_back(i);
  }
  size_t n = 0;
  read_all(*c.reader, order, [&](const Record& r) {
    c.add(r);
    ++n;
    if (n % 40 != 0 && n != in_time) return;
    for (const char* a : {"A", "B", "V"})
      c.mark_all(std::string("events/") + a, {r.time_ns, r.time_ns, 0, n >= in_time});
    c.work();
  });
  for (const char* a : {"A", "B", "C", "V"})
    c.mark_all(std::string("events/") + a,
               {records_.back().time_ns, records_.back().time_ns, 0, true});
  c.work();
  EXPECT_GT(c.corrections, 0u);
  EXPECT_EQ(differences(c.told, wanted), "");
}

// The oldest blocks are gone when late facts come: what they made stays as it was told.
TEST_F(DividedGroups, WhatIsNotStoredAnyMoreIsNotTakenBack) {
  const int64_t end = records_.back().time_ns, retention = 900 * kSecond;
  const auto is_late = [&](const Record& r) {
    return r.agency == "C" && r.time_ns > end - 120 * kSecond;
  };
  for (const bool stated : {true, false}) {
    Cluster c(*this, stated ? retention : INT64_MAX);
    std::vector<size_t> order, late;
    for (size_t i = 0; i < records_.size(); ++i) (is_late(records_[i]) ? late : order).push_back(i);
    ASSERT_GT(late.size(), 3u);
    const size_t in_time = order.size();
    order.insert(order.end(), late.begin(), late.end());
    size_t n = 0;
    Told before;
    read_all(*c.reader, order, [&](const Record& r) {
      c.add(r);
      if (++n % 20 != 0 && n != in_time) return;
      if (n > in_time) return;
      for (const char* a : {"A", "B", "C", "V"})
        c.mark_all(std::string("events/") + a, {r.time_ns, r.time_ns, 0, n == in_time});
      c.work();
      if (r.time_ns < end - retention - 60 * kSecond) c.stored_from = c.taken;
      before = c.told;
    });
    ASSERT_GT(c.stored_from[kShares], 10u);
    EXPECT_EQ(c.corrections, 0u);
    c.work();
    EXPECT_GT(c.corrections, 0u);
    EXPECT_NE(differences(c.told, before), "");
    size_t old = 0, taken_back = 0;
    for (const auto& [id, json] : before) {
      if (to_ns(events::read_incident(json)->first_seen) >= end - retention) continue;
      ++old;
      taken_back += !c.told.contains(id) || c.told.at(id) != json;
    }
    EXPECT_GT(old, 20u);
    if (stated)
      EXPECT_EQ(taken_back, 0u);
    else
      EXPECT_GT(taken_back, 0u);
  }
}

TEST_P(DividedGroupsAtACap, StandWhereTheyStoodAfterARestart) {
  const Told wanted = one_engine();
  Cluster undisturbed(*this), c(*this);
  std::mt19937 random(5);
  size_t n = 0;
  for (Cluster* cluster : {&undisturbed, &c}) {
    n = 0;
    read_all(*cluster->reader, all(), [&](const Record& r) {
      cluster->add(r);
      if (++n % 20 != 0) return;
      for (const char* a : {"A", "B", "C", "V"})
        cluster->mark_all(std::string("events/") + a, {r.time_ns - 1, r.time_ns, 0, false});
      cluster->work();
      if (cluster == &c) c.restart(random() % (kShares + 1));
    });
    for (const char* a : {"A", "B", "C", "V"})
      cluster->mark_all(std::string("events/") + a,
                        {records_.back().time_ns, records_.back().time_ns, 0, true});
    cluster->work();
  }
  EXPECT_EQ(differences(c.told, wanted), "");
  EXPECT_EQ(c.records, undisturbed.records);  // nothing is told twice
}

// Rules are changed in the middle. Who takes a partition over afterwards stands where it stood.
TEST_P(DividedGroupsAtACap, ChangedRulesAndARestartGiveWhatChangedRulesGive) {
  const sigma::RuleSet changed = changed_rules();
  Cluster undisturbed(*this), c(*this);
  std::mt19937 random(7);
  run_all(undisturbed, [&](size_t n) {
    if (n == 300) undisturbed.swap(changed);
  });
  run_all(c, [&](size_t n) {
    if (n == 300) c.swap(changed);
    if (n > 200) c.restart(random() % (kShares + 1));
  });
  EXPECT_GT(undisturbed.dropped_keys, 0u);
  if (GetParam() > 3) {
    EXPECT_GT(undisturbed.dropped_incidents, 0u);
  }
  EXPECT_EQ(differences(c.told, undisturbed.told), "");
  EXPECT_EQ(c.records, undisturbed.records);
}

// All are down while the rules are changed: what stays, what begins and what is closed is what a
// reload at this point gives.
TEST_P(DividedGroupsAtACap, AStartWithOtherRulesGivesWhatAReloadGives) {
  const sigma::RuleSet changed = changed_rules();
  for (const size_t when : {140u, 440u}) {
    Cluster reloaded(*this), started(*this);
    std::mt19937 random(3);
    run_all(reloaded, [&](size_t n) {
      if (n == when) reloaded.swap(changed);
    });
    run_all(started, [&](size_t n) {
      if (n == when) started.restart_with(changed);
      if (n > when) started.restart(random() % (kShares + 1));
    });
    if (GetParam() > 3) {
      EXPECT_GT(started.dropped_incidents, 0u);
    }
    EXPECT_EQ(differences(started.told, reloaded.told), "") << when;
    EXPECT_EQ(started.records, reloaded.records);
  }
}

// Whoever does the work: what is said of rules that stay, of new ones and of those that are gone.
TEST_P(DividedGroupsAtACap, ChangedRulesGiveWhatTheyGiveInOneEngine) {
  const sigma::RuleSet changed = changed_rules();
  const size_t when = 300;
  Cluster c(*this);
  run_all(c, [&](size_t n) {
    if (n == when) c.swap(changed);
  });
  const Told wanted = one_engine_with(changed, when);
  EXPECT_EQ(differences(c.told, wanted), "");
}

TEST_F(DividedGroups, RefuseWhatIsNoBlockOfTheirs) {
  Cluster c(*this);
  EXPECT_FALSE(c.states[0]->take(""));
  EXPECT_FALSE(c.states[0]->take("VFB1whatever"));
  FactBlockWriter w(*c.reader);
  read_all(*c.reader, {0},
           [&](const Record&) { w.add_fact("events/A", 0, c.reader->key(), c.reader->fact()); });
  w.add_mark("events/A", {1, 2, 0, true});
  const std::string block = w.take();
  for (size_t n = 0; n < block.size(); ++n)
    EXPECT_FALSE(c.states[0]->take(std::string_view(block).substr(0, n))) << n;
  EXPECT_TRUE(c.states[0]->take(block));
}

// What a share raises is sent once, also when the share moves to another process in between.
TEST_F(DividedGroups, LeaderHearsOfEachMatchOnce) {
  Cluster undisturbed(*this), c(*this);
  for (Cluster* cluster : {&undisturbed, &c}) {
    size_t n = 0;
    read_all(*cluster->reader, all(), [&](const Record& r) {
      cluster->add(r);
      if (++n % 50 != 0) return;
      for (const char* a : {"A", "B", "C", "V"})
        cluster->mark_all(std::string("events/") + a, {r.time_ns - 1, r.time_ns, 0, false});
      cluster->work();
      for (uint32_t i = 0; cluster == &c && i < kShares; ++i) c.restart(i);
    });
  }
  EXPECT_EQ(c.logs[kShares].size(), undisturbed.logs[kShares].size());
  EXPECT_EQ(c.corrections, 0u);
}

TEST_F(DividedGroups, MatchesTravelAsBytes) {
  Raised r{7, true, {1, 2, 3}, {}, {"sni", "", "name", "certificate", "ja4"}};
  r.match.key = std::string("k\0k", 3);
  r.match.first_ns = 4;
  r.match.last_ns = 5;
  r.match.event_count = 6;
  r.match.evidence.resize(2);
  r.match.evidence[1].flow_id = 8;
  std::string bytes;
  write_raised(r, bytes);
  Raised back;
  for (size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(read_raised(std::string_view(bytes).substr(0, n), back)) << n;
  ASSERT_TRUE(read_raised(bytes, back));
  EXPECT_EQ(back.incident_rule, 7u);
  EXPECT_TRUE(back.national);
  EXPECT_EQ(back.order, r.order);
  EXPECT_EQ(back.match.key, r.match.key);
  EXPECT_EQ(back.match.event_count, 6u);
  EXPECT_EQ(back.match.evidence.at(1).flow_id, 8u);
  EXPECT_EQ(back.infrastructure, r.infrastructure);
}

}  // namespace
}  // namespace vong::correlator
