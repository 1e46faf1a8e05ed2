// A spool of few bytes, a receiver that is away for long, a disk that fills up: what does not fit
// is shed by priority, lowest first, and counted; what was accepted arrives, once, in order.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>

#include "exporters/sink/record.h"
#include "exporters/spool/reader.h"
#include "exporters/spool/spool_sink.h"
#include "tests/chaos/fault_fs.h"

namespace vong::spool {
namespace {

constexpr std::size_t kRounds = 400;
constexpr uint64_t kBytesMax = kMinSpoolBytes;
constexpr std::size_t kReasons = sink::kDropReasons;

class Flood {
 public:
  explicit Flood(uint64_t seed) : random_(seed), fs_(seed * 31 + 7) {}

  void run() {
    Writer::Options options{.directory = "d", .bytes_max = kBytesMax, .segment_bytes = 1 << 20};
    Result<Writer> writer = Writer::open(fs_, options);
    ASSERT_TRUE(writer);
    SpoolSink out(std::move(*writer));
    Result<Reader> reader =
        Reader::open(fs_, {.directory = "d", .durable_seq = &out.writer().durable_seq()});
    ASSERT_TRUE(reader);
    bool away = true;
    for (std::size_t round = 0; round < kRounds && !testing::Test::HasFailure(); ++round) {
      if (pick(40) == 0) away = !away;
      if (pick(30) == 0) fs_.faults.disk_full = !fs_.faults.disk_full;
      give(out);
      if (pick(3) == 0) (void)out.flush(now());
      if (!away) take(*reader, 200);
    }
    fs_.faults = {};
    clock_ns_ += 10'000'000'000;
    ASSERT_TRUE(out.close(now()));
    take(*reader, SIZE_MAX);
    check(out);
  }

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  Timestamp now() { return timestamp_from_ns(clock_ns_ += 50'000'000); }

  // One event a call, so that it is known what became of it.
  void give(SpoolSink& out) {
    for (std::size_t n = pick(30); n > 0; --n) {
      const auto priority = static_cast<sink::Priority>(pick(sink::kPriorities));
      std::string value = std::to_string(++made_) + " ";
      value.append(pick(20'000), 'x');
      const sink::Item item{.key = "k", .value = value, .ruleset = "r", .priority = priority};
      const sink::Outcome outcome = out.accept({&item, 1}, now());
      const auto shed = outcome.dropped[static_cast<std::size_t>(sink::DropReason::kShed)];
      ++given_;
      if (outcome.accepted == 1) order_.push_back(value.substr(0, value.find(' ')));
      for (std::size_t i = 0; i < kReasons; ++i) dropped_[i] += outcome.dropped[i];
      // Room is kept for what matters more: in the same moment what matters less goes, too.
      if (shed == 1) {
        EXPECT_NE(priority, sink::Priority::kCritical);
        const sink::Item less{
            .key = "", .value = "bulk", .ruleset = "r", .priority = sink::Priority::kBulk};
        const sink::Outcome of_less = out.accept({&less, 1}, timestamp_from_ns(clock_ns_));
        EXPECT_EQ(of_less.dropped[static_cast<std::size_t>(sink::DropReason::kShed)], 1u);
        ++given_;
        ++dropped_[static_cast<std::size_t>(sink::DropReason::kShed)];
        ++shed_[static_cast<std::size_t>(priority)];
      }
    }
  }

  void take(Reader& reader, std::size_t most) {
    uint64_t last = 0;
    for (std::size_t i = 0; i < most; ++i) {
      Result<std::optional<Entry>> entry = reader.next();
      ASSERT_TRUE(entry) << entry.error().message;
      if (!*entry) break;
      last = (*entry)->seq;
      const auto event = sink::decode((*entry)->payload);
      ASSERT_TRUE(event);
      received_.push_back(std::string(event->value.substr(0, event->value.find(' '))));
    }
    if (last == 0) return;
    // A cursor that a full disk does not take is tried again with the next.
    (void)reader.acknowledge(last, 0);
    (void)reader.acknowledge(last, 0);
  }

  void check(const SpoolSink& out) {
    if (testing::Test::HasFailure()) return;
    EXPECT_EQ(received_, order_);
    const sink::SinkCounters& c = out.counters();
    EXPECT_EQ(c.in_events.value(), given_);
    uint64_t dropped = 0, dropped_of = 0;
    for (std::size_t i = 0; i < kReasons; ++i) {
      EXPECT_EQ(c.dropped_events[i].value(), dropped_[i]);
      dropped += dropped_[i];
    }
    for (const Counter& counter : c.dropped_events_of) dropped_of += counter.value();
    EXPECT_EQ(order_.size() + dropped, given_);
    EXPECT_EQ(dropped_of, dropped);
    EXPECT_GT(given_, dropped);
    if (shed_[1] > 0) {
      EXPECT_GT(shed_[2], 0u);
    }
  }

  std::mt19937_64 random_;
  FaultFs fs_;
  int64_t clock_ns_ = 1'000'000'000'000;
  uint64_t made_ = 0, given_ = 0;
  std::vector<std::string> order_, received_;
  std::array<uint64_t, kReasons> dropped_{};
  std::array<uint64_t, sink::kPriorities> shed_{};
};

TEST(ShedChaos, WhatDoesNotFitGoesByPriorityAndIsCounted) {
  const char* text = std::getenv("VONG_CHAOS_SEEDS");
  const uint64_t seeds =
      std::max<uint64_t>(1, (text != nullptr ? std::strtoull(text, nullptr, 10) : 300) / 20);
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Flood(seed).run();
    if (testing::Test::HasFailure()) FAIL() << "flood of seed " << seed;
  }
}

}  // namespace
}  // namespace vong::spool
