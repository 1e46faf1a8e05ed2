// Traffic through ten reloads: the same packets counted, the same alerts as without, though every reload brings other rules besides.
#include "sensor/app/reload.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "sensor/app/outputs.h"
#include "sensor/app/plan.h"
#include "sensor/capture/pcap_file.h"
#include "tests/unit/sensor/app/traffic.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;
constexpr uint32_t kOtherSid = 3'000'000'000;   // of rules that only some reloads have

struct Outcome {
  std::vector<std::string> alerts;   // without those of the other rules
  uint64_t packets = 0, flows = 0, matched = 0;
};

class Lines : public emit::LineSink {
 public:
  void line(std::string_view json, const emit::LineInfo& info) override {
    if (info.event_type == "alert" && json.find("\"signature_id\":3000000") == std::string_view::npos) alerts.emplace_back(json);
  }
  std::vector<std::string> alerts;
};

std::shared_ptr<const detect::RuleSet> load(const std::string& text, std::shared_ptr<const detect::RuleSet> previous) {
  detect::LoadReport report;
  detect::LoadOptions options;
  options.previous = std::move(previous);
  auto rules = detect::RuleSet::from_text("test", text, options, Settings(), report);
  EXPECT_EQ(report.counts.failed, 0u);
  return *rules;
}

// The rules with others before, between and behind them, so that all numbers are new ones. `turn` 0: as they are.
std::string varied(const std::string& rules, int turn) {
  if (turn == 0) return rules;
  std::string out;
  for (int i = 0; i < turn % 5 + 1; ++i) {
    out += "alert http any any -> any any (http.uri; content:\"/never" + std::to_string(turn) + "\"; sid:" + std::to_string(kOtherSid + static_cast<uint32_t>(i)) + ";)\n";
  }
  out += rules;
  out += "alert tcp any any -> any any (content:\"nobody says this " + std::to_string(turn) + "\"; sid:" + std::to_string(kOtherSid + 9) + ";)\n";
  return out;
}

template <typename Feed>
Outcome run(const std::string& rules_text, uint64_t every, Feed feed) {
  Plan plan;
  Options options;
  options.checksums = "none";
  auto rules = load(rules_text, nullptr);
  fill_plan(plan, options, Settings(), rules);
  detect::SharedState shared(plan.settings);
  Lines lines;
  Worker worker(plan, shared, lines);
  uint64_t n = 0;
  int turn = 0;
  feed([&](const RawPacket& raw) {
    if (every != 0 && n != 0 && n % every == 0 && turn < 10) {
      rules = load(varied(rules_text, ++turn), rules);
      worker.set_rules(rules);
    }
    ++n;
    worker.process(raw);
  });
  worker.finish();
  return {std::move(lines.alerts), worker.counters().packets, worker.flows().counters().total, worker.detector().counters().alerts};
}

void same_through_reloads(const std::string& rules, uint64_t every, const std::vector<Traffic::Frame>& frames, size_t alerts) {
  const auto feed = [&](const auto& take) {
    uint64_t n = 0;
    for (const auto& f : frames) {
      ++n;
      take(Traffic::raw(f, n, static_cast<int64_t>(n) * 1000));
    }
  };
  const Outcome without = run(rules, 0, feed), with = run(rules, every, feed);
  EXPECT_EQ(without.alerts.size(), alerts);
  EXPECT_EQ(with.alerts, without.alerts);
  EXPECT_EQ(with.packets, without.packets);
  EXPECT_EQ(with.flows, without.flows);
}

TEST(Reload, FlowbitsAndOpenFlowsLiveOn) {
  const std::string rules =
      "alert tcp any any -> any any (msg:\"sets\"; content:\"first\"; flowbits:set,seen; noalert; sid:1;)\n"
      "alert tcp any any -> any any (msg:\"tests\"; content:\"second\"; flowbits:isset,seen; sid:2;)\n";
  same_through_reloads(rules, 1, Traffic::connection(40000, {"first", "x", "y", "second", "z"}), 1);
}

TEST(Reload, ATransactionUnderWayIsAlertedOnce) {
  const std::string rules =
      "alert http any any -> any any (msg:\"uri\"; http.uri; content:\"/evil\"; sid:1;)\n"
      "alert http any any -> any any (msg:\"both\"; http.uri; content:\"/evil\"; http.host; content:\"h.example\"; sid:2;)\n"
      "alert http any any -> any any (msg:\"answer\"; flow:to_client; http.stat_code; content:\"200\"; sid:3;)\n";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  const auto talk = Traffic::connection(40000, {"GET /evil HTTP/1.1\r\n", "Host: h.example\r\n", "Accept: */*\r\n", "\r\n"}, "");
  auto frames = talk;
  const auto second = Traffic::connection(40001, {"GET /evil HTTP/1.1\r\nHost: h.example\r\n\r\n", "GET /good HTTP/1.1\r\nHost: x\r\n\r\n"}, answer);
  frames.insert(frames.end(), second.begin(), second.end());
  for (const uint64_t every : {1, 2, 3}) same_through_reloads(rules, every, frames, 6);
}

TEST(Reload, WhatRulesPutIntoDataSetsStays) {
  const std::string rules =
      "alert http any any -> any any (msg:\"new\"; http.user_agent; dataset:set,agents,type string; sid:1;)\n"
      "alert http any any -> any any (msg:\"known\"; http.user_agent; dataset:isset,agents,type string; http.uri; content:\"/b\"; sid:2;)\n";
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  auto frames = Traffic::connection(40000, {"GET /a HTTP/1.1\r\nHost: h\r\nUser-Agent: one\r\n\r\n"}, answer);
  const auto more = Traffic::connection(40001, {"GET /b HTTP/1.1\r\nHost: h\r\nUser-Agent: one\r\n\r\n"}, answer);
  frames.insert(frames.end(), more.begin(), more.end());
  const auto feed = [&](const auto& take) {
    uint64_t n = 0;
    for (const auto& f : frames) {
      ++n;
      take(Traffic::raw(f, n, static_cast<int64_t>(n) * 1000));
    }
  };
  const Outcome without = run(rules, 0, feed), with = run(rules, 4, feed);
  EXPECT_EQ(with.alerts, without.alerts);
}

TEST(Reload, EveryCaptureOfTheTreeSaysTheSameThroughTenReloads) {
  std::ifstream in(fs::path(VONG_SOURCE_DIR) / "rules/packs/network/vong-core.rules");
  std::ostringstream text;
  text << in.rdbuf();
  ASSERT_FALSE(text.str().empty());
  size_t captures = 0, alerts = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(VONG_SOURCE_DIR) / "pcaps")) {
    if (entry.path().extension() != ".pcap") continue;
    const auto feed = [&](const auto& take) {
      auto source = capture::open_pcap_path(entry.path().string());
      ASSERT_TRUE(source.has_value());
      RawPacket raw;
      while ((*source)->next(raw) == capture::ReadStatus::kPacket) take(raw);
    };
    uint64_t frames = 0;
    feed([&](const RawPacket&) { ++frames; });
    const Outcome without = run(text.str(), 0, feed);
    const Outcome with = run(text.str(), std::max<uint64_t>(1, frames / 11), feed);
    EXPECT_EQ(with.alerts, without.alerts) << entry.path();
    EXPECT_EQ(with.packets, without.packets);
    EXPECT_EQ(with.flows, without.flows);
    ++captures;
    alerts += without.alerts.size();
  }
  EXPECT_GT(captures, 5u);
  EXPECT_GT(alerts, 5u);
}

// Threads of this process by their nice value (proc(5): the 19th field).
int threads_with_nice(int wanted) {
  int found = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/task")) {
    std::ifstream in(entry.path() / "stat");
    std::string text;
    std::getline(in, text);
    std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
    std::string field;
    for (int i = 3; i <= 19 && fields >> field; ++i) {}
    found += field == std::to_string(wanted);
  }
  return found;
}

// The rule file is a pipe: a reload lasts until somebody has written into it.
TEST(Reload, ASecondOneIsAskedForWithoutWaitingAndBeginsWhenTheFirstHasEnded) {
  const auto folder = fs::temp_directory_path() / ("vong_reload_twice_" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string path = (folder / "a.rules").string();
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  Options options;
  options.only_rules = {path};
  Plan plan;
  const std::string rule = "alert ip any any -> any any (sid:1;)\n";
  fill_plan(plan, options, Settings(), load(rule, nullptr));
  RulesInForce force(plan.rules, {}, Timestamp{});
  Reloader reloader(options, plan, force, nullptr);
  const auto feed = [&](const std::string& text) { std::ofstream(path) << text; };
  reloader.start();
  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
    feed(rule);
  });
  constexpr int kLow = 10;
  for (int i = 0; i < 30 && threads_with_nice(kLow) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (::getpriority(PRIO_PROCESS, 0) < kLow) {
    EXPECT_EQ(threads_with_nice(kLow), 1) << "it compiles at low priority, and it alone";
  }
  const auto begun = std::chrono::steady_clock::now();
  reloader.start();
  reloader.start();
  reloader.tick(Timestamp{});
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(300));
  late.join();
  for (int i = 0; i < 500 && reloader.counters().done.value() < 1; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ASSERT_EQ(reloader.counters().done.value(), 1u);
  reloader.wait();
  reloader.tick(Timestamp{});  // both wishes are one
  feed(rule + "alert ip any any -> any any (sid:2;)\n");
  reloader.wait();
  reloader.tick(Timestamp{});
  EXPECT_EQ(reloader.counters().done.value(), 2u);
  EXPECT_NE(force.get().rules->find(1, 2), nullptr);
  fs::remove_all(folder);
}

TEST(Reload, ANewPackInThePlaceOfTheOldOneIsLoadedOnceItStaysAsItIs) {
  const auto folder = fs::temp_directory_path() / ("vong_reload_pack_" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto write = [&](const char* name, int rules) {
    std::ofstream out(folder / name);
    for (int i = 1; i <= rules; ++i) out << "alert ip any any -> any any (sid:" << i << ";)\n";
  };
  write("a.rules", 1);
  Options options;
  options.only_rules = {(folder / "*.rules").string()};
  Plan plan;
  Settings settings;
  settings.set("rules.watch-interval", "5");
  detect::LoadReport report;
  app::Problems problems;
  auto rules = load_rules(rule_options(options, settings, problems), settings, report);
  ASSERT_NE(rules, nullptr);
  fill_plan(plan, options, std::move(settings), rules);
  RulesInForce force(rules, report.counts, Timestamp{});
  Reloader reloader(options, plan, force, nullptr);
  Timestamp now = timestamp_from_ns(1'700'000'000'000'000'000);
  const auto look = [&](int seconds) {
    reloader.tick(now += std::chrono::seconds(seconds));
    reloader.wait();
    return reloader.counters().done.value();
  };
  EXPECT_EQ(look(5), 0u);
  write("new", 2);
  fs::rename(folder / "new", folder / "a.rules");
  EXPECT_EQ(look(1), 0u);   // not yet time to look
  EXPECT_EQ(look(5), 0u);   // seen for the first time
  write("a.rules", 3);      // and changed again: somebody is at work there
  EXPECT_EQ(look(5), 0u);
  EXPECT_EQ(look(5), 1u);
  EXPECT_NE(force.get().rules->find(1, 3), nullptr);
  EXPECT_EQ(look(5), 1u);
  write("b.rules", 0);      // another file
  EXPECT_EQ(look(5), 1u);
  EXPECT_EQ(look(5), 2u);
  std::ofstream(folder / "a.rules") << "alert nonsense\n";
  EXPECT_EQ(look(5), 2u);
  EXPECT_EQ(look(5), 2u);
  EXPECT_EQ(reloader.counters().refused.value(), 1u);
  EXPECT_EQ(look(5), 2u);   // told once, not at every look
  EXPECT_EQ(reloader.counters().refused.value(), 1u);
  fs::remove_all(folder);
}

TEST(Reload, ARuleSetThatCannotBeUsedIsRefusedWithTheReason) {
  const detect::RuleCounts now{.loaded = 100};
  EXPECT_EQ(reload_refusal(now, {.loaded = 99, .failed = 1}, false), "");
  EXPECT_EQ(reload_refusal(now, {.loaded = 99, .failed = 1}, true), "1 rules cannot load");
  EXPECT_EQ(reload_refusal(now, {.loaded = 0}, false), "no rule is left");
  EXPECT_EQ(reload_refusal(now, {.loaded = 10, .failed = 90}, false), "90 of 100 rules cannot load");
  EXPECT_EQ(reload_refusal({}, {}, false), "");
}

TEST(Reload, TheOldRulesStayInForceWhenAFileIsGoneOrBroken) {
  const auto folder = fs::temp_directory_path() / ("vong_reload_" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const std::string path = (folder / "a.rules").string();
  std::ofstream(path) << "alert ip any any -> any any (sid:1;)\n";
  Options options;
  options.only_rules = {path};
  Plan plan;
  Output output;
  Settings settings;
  detect::LoadReport report;
  app::Problems problems;
  auto rules = load_rules(rule_options(options, settings, problems), settings, report);
  ASSERT_NE(rules, nullptr);
  fill_plan(plan, options, std::move(settings), rules);
  RulesInForce force(rules, report.counts, Timestamp{});
  {
    OwnRecords own(plan.settings, folder.string(), output);
    Reloader reloader(options, plan, force, &own);
    std::ofstream(path, std::ios::trunc) << "alert ip any any -> any any (sid:;)\n";
    EXPECT_FALSE(reloader.run());
    fs::remove(path);
    EXPECT_FALSE(reloader.run());
    EXPECT_EQ(force.version(), 0u);
    EXPECT_EQ(force.get().rules, rules);
    std::ofstream(path) << "alert ip any any -> any any (sid:2;)\n";
    EXPECT_TRUE(reloader.run());
    EXPECT_EQ(force.version(), 1u);
    EXPECT_NE(force.get().rules->find(1, 2), nullptr);
    EXPECT_EQ(reloader.counters().refused.value(), 2u);
    EXPECT_EQ(reloader.counters().done.value(), 1u);
  }
  std::ifstream in(folder / "sensor.json");
  std::ostringstream records;
  records << in.rdbuf();
  EXPECT_NE(records.str().find("\"outcome\":\"refused\""), std::string::npos);
  EXPECT_NE(records.str().find("\"outcome\":\"done\""), std::string::npos);
  EXPECT_NE(records.str().find("peak_memory_bytes"), std::string::npos);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vong::sensor
