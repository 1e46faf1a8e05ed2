// An attack that only a host with another overlap policy sees: the alert comes with its mark, the receiver's own reading is told as ever.
#include "sensor/app/other_readings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sensor/app/plan.h"
#include "tests/unit/sensor/app/traffic.h"

namespace vong::sensor {
namespace {

constexpr uint8_t kSyn = 2, kAck = 16, kPsh = 8, kFin = 1;

struct Lines : emit::LineSink {
  void line(std::string_view json, const emit::LineInfo& info) override {
    if (info.event_type == "alert") alerts.emplace_back(json);
  }
  std::vector<std::string> alerts;
};

struct Outcome {
  std::vector<std::string> plain, marked;   // "sid" and "sid policy,policy"
  OtherReadingsCounters counters;
  size_t memory = 0;
};

std::string between(const std::string& text, std::string_view before, std::string_view after) {
  const size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const size_t from = at + before.size();
  return text.substr(from, text.find(after, from) - from);
}

Outcome run(const std::string& rules_text, const std::vector<Traffic::Frame>& frames, std::vector<std::pair<std::string, std::string>> set = {}) {
  Settings settings;
  settings.set("detect.other-readings.enabled", "yes");
  for (const auto& [key, value] : set) settings.set(key, value);
  detect::LoadReport report;
  auto rules = detect::RuleSet::from_text("test", rules_text, {}, settings, report);
  EXPECT_EQ(report.counts.failed, 0u);
  Plan plan;
  Options options;
  options.checksums = "none";
  fill_plan(plan, options, std::move(settings), *rules);
  detect::SharedState shared(plan.settings);
  Lines lines;
  Worker worker(plan, shared, lines);
  uint64_t n = 0;
  for (const auto& f : frames) {
    ++n;
    worker.process(Traffic::raw(f, n, static_cast<int64_t>(n) * 1000));
  }
  worker.finish();
  Outcome out;
  for (const std::string& a : lines.alerts) {
    const std::string sid = between(a, "\"signature_id\":", ",");
    const std::string policies = between(a, "\"ambiguous\":[", "]");
    if (policies.empty()) out.plain.push_back(sid);
    else out.marked.push_back(sid + " " + policies);
  }
  out.counters = worker.other_readings();
  out.memory = worker.tcp().reassembly_memuse_bytes();
  return out;
}

// A connection whose client's bytes come as these (offset, text) pairs, acknowledged all at once, then closed.
std::vector<Traffic::Frame> segments(const std::vector<std::pair<uint32_t, std::string>>& parts, uint16_t sport = 40000) {
  std::vector<Traffic::Frame> out;
  const auto c = [&](uint32_t seq, uint32_t ack, uint8_t flags, std::string_view data = "") {
    out.push_back(Traffic::tcp(Traffic::kClient, sport, Traffic::kServer, 80, seq, ack, flags, data));
  };
  const auto s = [&](uint32_t seq, uint32_t ack, uint8_t flags, std::string_view data = "") {
    out.push_back(Traffic::tcp(Traffic::kServer, 80, Traffic::kClient, sport, seq, ack, flags, data));
  };
  c(1000, 0, kSyn);
  s(5000, 1001, kSyn | kAck);
  c(1001, 5001, kAck);
  uint32_t end = 0;
  for (const auto& [at, text] : parts) {
    c(1001 + at, 5001, kAck | kPsh, text);
    end = std::max(end, at + static_cast<uint32_t>(text.size()));
  }
  s(5001, 1001 + end, kAck);
  c(1001 + end, 5001, kAck | kFin);
  s(5001, 1002 + end, kAck | kFin);
  c(1002 + end, 5002, kAck);
  return out;
}

const std::string kRules =
    "alert http any any -> any any (msg:\"evil\"; http.uri; content:\"/evil\"; sid:1;)\n"
    "alert http any any -> any any (msg:\"good\"; http.uri; content:\"/good\"; sid:2;)\n"
    "alert tcp any any -> any any (msg:\"raw\"; flow:established,to_server; content:\"/evil H\"; sid:3;)\n"
    "alert http any any -> any any (msg:\"both\"; http.method; content:\"GET\"; sid:4;)\n";
const std::vector<std::pair<uint32_t, std::string>> kRequest = {{0, "GET /"}, {5, "good"}, {5, "evil"}, {9, " HTTP/1.1\r\nHost: h\r\n\r\n"}};
using List = std::vector<std::string>;

List sorted(List l) {
  std::sort(l.begin(), l.end());
  return l;
}

TEST(OtherReadings, ARequestThatAnotherHostReadsIsToldWithItsMark) {
  const Outcome o = run(kRules, segments(kRequest));
  EXPECT_EQ(sorted(o.plain), (List{"2", "4"}));
  const std::string who = "\"last\",\"bsd-right\",\"old-linux\",\"solaris\"";
  EXPECT_EQ(sorted(o.marked), (List{"1 " + who, "3 " + who}));
  EXPECT_GT(o.counters.streams, 0u);
  EXPECT_EQ(o.memory, 0u);
}

TEST(OtherReadings, TheMarkIsForReadingsThatTheReceiverDoesNotHave) {
  const Outcome o = run(kRules, segments(kRequest), {{"host-os-policy.last.0", "10.0.0.0/8"}});
  EXPECT_EQ(sorted(o.plain), (List{"1", "3", "4"}));
  ASSERT_EQ(o.marked.size(), 1u);
  EXPECT_TRUE(o.marked[0].starts_with("2 ")) << o.marked[0];
}

TEST(OtherReadings, CanBeTurnedOff) {
  const Outcome o = run(kRules, segments(kRequest), {{"detect.other-readings.enabled", "no"}});
  EXPECT_EQ(sorted(o.plain), (List{"2", "4"}));
  EXPECT_TRUE(o.marked.empty());
  EXPECT_EQ(o.counters.bytes, 0u);
}

TEST(OtherReadings, ARequestBehindOthersIsReadFromItsBeginning) {
  std::vector<std::pair<uint32_t, std::string>> parts;
  auto frames = segments(kRequest);
  // Another request first, acknowledged by itself: its frames go before, the conflict's sequence numbers move on.
  const std::string first = "GET /first HTTP/1.1\r\nHost: h\r\n\r\n";
  auto before = Traffic::connection(40000, {first}, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  before.resize(before.size() - 3);   // without its end
  std::vector<Traffic::Frame> all = before;
  const uint32_t base = 1001 + static_cast<uint32_t>(first.size());
  for (const auto& [at, text] : kRequest)
    all.push_back(Traffic::tcp(Traffic::kClient, 40000, Traffic::kServer, 80, base + at, 5039, kAck | kPsh, text));
  all.push_back(Traffic::tcp(Traffic::kServer, 80, Traffic::kClient, 40000, 5039, base + 31, kAck));
  const Outcome o = run(kRules, all);
  ASSERT_EQ(o.marked.size(), 2u);
  EXPECT_TRUE(sorted(o.marked)[0].starts_with("1 "));
  EXPECT_TRUE(sorted(o.marked)[1].starts_with("3 "));
}

TEST(OtherReadings, SharedStateStaysAsItIs) {
  const std::string rules =
      "alert http any any -> any any (msg:\"sets\"; http.uri; content:\"/evil\"; xbits:set,seen,track ip_src; noalert; sid:1;)\n"
      "alert http any any -> any any (msg:\"asks\"; http.uri; content:\"/good\"; xbits:isset,seen,track ip_src; sid:2;)\n"
      "alert http any any -> any any (msg:\"new\"; http.uri; dataset:set,uris,type string; sid:3;)\n"
      "alert http any any -> any any (msg:\"known\"; http.uri; content:\"/evil\"; dataset:isset,uris,type string; sid:4;)\n";
  auto frames = segments(kRequest);
  const auto more = segments({{0, "GET /good HTTP/1.1\r\nHost: h\r\n\r\n"}}, 40001);
  frames.insert(frames.end(), more.begin(), more.end());
  const Outcome o = run(rules, frames);
  EXPECT_EQ(o.plain, (List{"3"}));   // "/good", once
  for (const auto& m : o.marked) EXPECT_FALSE(m.starts_with("2 ") || m.starts_with("4 ")) << m;
}

TEST(OtherReadings, AnAttackersShareIsCapped) {
  // Conflict after conflict in one connection.
  std::vector<Traffic::Frame> all;
  all.push_back(Traffic::tcp(Traffic::kClient, 40000, Traffic::kServer, 80, 1000, 0, kSyn));
  all.push_back(Traffic::tcp(Traffic::kServer, 80, Traffic::kClient, 40000, 5000, 1001, kSyn | kAck));
  all.push_back(Traffic::tcp(Traffic::kClient, 40000, Traffic::kServer, 80, 1001, 5001, kAck));
  uint32_t at = 1001;
  for (int i = 0; i < 500; ++i) {
    for (const std::string& text : {std::string(1000, 'a'), std::string(1000, 'b')})
      all.push_back(Traffic::tcp(Traffic::kClient, 40000, Traffic::kServer, 80, at, 5001, kAck | kPsh, text));
    at += 1000;
    all.push_back(Traffic::tcp(Traffic::kServer, 80, Traffic::kClient, 40000, 5001, at, kAck));
  }
  const std::string rule = "alert tcp any any -> any any (msg:\"b\"; content:\"bbbb\"; sid:1;)\n";
  const Outcome o = run(rule, all, {{"detect.other-readings.bytes", "20kb"}});
  EXPECT_LE(o.counters.bytes, 20u << 10);
  EXPECT_GT(o.counters.given_up, 0u);
  EXPECT_FALSE(o.marked.empty());
  const Outcome unlimited = run(rule, all, {{"detect.other-readings.alerts", "2"}});
  EXPECT_EQ(unlimited.marked.size(), 2u);
}

Traffic::Frame fragment(uint16_t offset_bytes, bool more, const std::string& data) {
  test::Ipv4Options o;
  o.id = 77;
  o.fragment = static_cast<uint16_t>((more ? 0x2000 : 0) | offset_bytes / 8);
  const auto b = test::ethernet(test::kEtherIpv4, test::ipv4(test::kProtoUdp, test::text(data), o));
  return {b.begin(), b.end()};
}

TEST(OtherReadings, ADatagramThatAnotherHostPutsTogetherIsToldWithItsMark) {
  std::string head("\x9c\x40\x10\x00\x00\x28\x00\x00", 8);   // 40000 to 4096, 40 bytes
  head += "BeginAAA";
  const std::vector<Traffic::Frame> frames = {fragment(0, true, head), fragment(16, true, "good-one"), fragment(16, true, "evil-one"),
                                              fragment(24, false, "the rest of it!!")};
  const std::string rules =
      "alert udp any any -> any 4096 (msg:\"evil\"; content:\"AAAevil-onethe\"; sid:1;)\n"
      "alert udp any any -> any 4096 (msg:\"good\"; content:\"AAAgood-onethe\"; sid:2;)\n"
      "alert udp any any -> any 4096 (msg:\"begin\"; content:\"BeginAAA\"; sid:3;)\n";
  const Outcome o = run(rules, frames);
  EXPECT_EQ(sorted(o.plain), (List{"2", "3"}));
  EXPECT_EQ(o.marked, (List{"1 \"last\",\"bsd-right\",\"linux\""}));
  EXPECT_EQ(o.counters.datagrams, 1u);
  const Outcome off = run(rules, frames, {{"detect.other-readings.enabled", "no"}});
  EXPECT_EQ(sorted(off.plain), (List{"2", "3"}));
  EXPECT_TRUE(off.marked.empty());
}

}  // namespace
}  // namespace vong::sensor
