// The forward loop between a real spool (on the faulty disk of tests/chaos) and a receiver that
// misbehaves in every allowed way.
#include "exporters/send/forwarder.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "exporters/spool/spool_sink.h"
#include "tests/chaos/fault_fs.h"

namespace vong::send {
namespace {

// Commits atomically; between that it answers at random what a broker may answer.
class FakeReceiver : public Transport {
 public:
  FakeReceiver(uint64_t seed, int trouble_per_thousand)
      : trouble_(trouble_per_thousand), random_(seed) {}

  Reply connect(Committed& committed) override {
    if (trouble()) return {pick(2) == 0 ? Step::kRetry : Step::kRefused, "cannot connect"};
    open_.clear();
    in_transaction_ = false;
    connected_ = true;
    committed = position;
    return {};
  }
  Reply begin() override {
    EXPECT_TRUE(connected_);
    EXPECT_FALSE(in_transaction_);
    if (trouble()) return {Step::kReconnect, "begin"};
    in_transaction_ = true;
    return {};
  }
  Reply send(const Delivery& d) override {
    EXPECT_TRUE(in_transaction_);
    if (rejects.contains(std::string(d.value))) return {Step::kReject, "too large"};
    if (trouble())
      return {pick(3) == 0 ? Step::kRetry : pick(2) == 0 ? Step::kAbort : Step::kReconnect, "send"};
    open_.emplace_back(d.seq, std::string(d.value));
    return {};
  }
  Reply commit(const Committed& upto) override {
    EXPECT_TRUE(in_transaction_ || done_);
    if (!done_ && trouble()) return {pick(2) == 0 ? Step::kAbort : Step::kReconnect, "commit"};
    if (!done_) {
      for (auto& r : open_) received.push_back(r);
      open_.clear();
      position = upto;
      in_transaction_ = false;
    }
    // The answer may get lost on its way: the outcome is open, though it is decided.
    done_ = true;
    if (trouble()) return {Step::kRetry, "commit timed out"};
    done_ = false;
    if (trouble()) {
      connected_ = false;
      return {Step::kReconnect, "commit: connection lost"};
    }
    return {};
  }
  Reply abort() override {
    open_.clear();
    in_transaction_ = false;
    if (trouble()) return {Step::kReconnect, "abort"};
    return {};
  }
  void disconnect() override {
    connected_ = false;
    in_transaction_ = false;
    done_ = false;
    open_.clear();
  }
  std::string name() const override { return "fake"; }

  std::vector<std::pair<uint64_t, std::string>> received;
  Committed position;
  std::set<std::string> rejects;
  int trouble_;

 private:
  std::size_t pick(std::size_t n) { return random_() % n; }
  bool trouble() { return pick(1000) < static_cast<std::size_t>(trouble_); }
  std::mt19937_64 random_;
  bool connected_ = false;
  bool in_transaction_ = false;
  bool done_ = false;
  std::vector<std::pair<uint64_t, std::string>> open_;

 public:
  void set_trouble(int per_thousand) { trouble_ = per_thousand; }
};

struct SpoolSetup {
  explicit SpoolSetup(uint64_t seed, int trouble) : fs(seed), receiver(seed + 1, trouble) {
    open_writer();
  }

  void open_writer() {
    auto w =
        spool::Writer::open(fs, {.directory = "d", .bytes_max = 1 << 22, .segment_bytes = 8192});
    ASSERT_TRUE(w);
    sink.emplace(std::move(*w));
  }
  void open_loop() {
    loop.reset();
    reader.reset();
    auto r =
        spool::Reader::open(fs, {.directory = "d", .durable_seq = &sink->writer().durable_seq()});
    ASSERT_TRUE(r) << r.error().message;
    reader.emplace(std::move(*r));
    loop.emplace(
        *reader, receiver,
        ForwarderOptions{.batch_records_max = 20, .batch_age_max = std::chrono::milliseconds(0)},
        counters, [this](Severity, const std::string& text) { messages.push_back(text); });
  }
  Timestamp now() { return timestamp_from_ns(clock += 10'000'000); }
  void put(const std::string& value, sink::Priority priority = sink::Priority::kRecord) {
    const sink::Item item{.key = "k", .value = value, .ruleset = "r", .priority = priority};
    ASSERT_EQ(sink->accept({&item, 1}, now()).accepted, 1u);
  }
  ForwardLoop::State step() {
    return loop->step(stop, [this] { return now(); });
  }
  void drain() {
    for (int i = 0; i < 10'000; ++i) {
      if (step() == ForwardLoop::State::kIdle && loop->drained()) return;
    }
    FAIL() << "never drained: " << loop->last_error();
  }

  spool::FaultFs fs;
  FakeReceiver receiver;
  std::optional<spool::SpoolSink> sink;
  std::optional<spool::Reader> reader;
  ForwarderCounters counters;
  std::optional<ForwardLoop> loop;
  std::vector<std::string> messages;
  std::atomic<bool> stop{false};
  int64_t clock = 1'000'000'000'000;
};

TEST(ForwardLoop, EveryRecordArrivesOnceWhateverTheReceiverDoes) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SpoolSetup s(seed, 100);
    std::mt19937_64 random(seed);
    s.open_loop();
    int made = 0;
    for (int i = 0; i < 60; ++i) {
      for (std::size_t n = random() % 12; n > 0; --n) s.put("event " + std::to_string(++made));
      ASSERT_TRUE(s.sink->flush(s.now()));
      for (std::size_t n = random() % 5; n > 0; --n) (void)s.step();
      if (random() % 10 == 0) {  // killed and started again
        s.receiver.disconnect();
        s.open_loop();
      }
    }
    s.receiver.set_trouble(0);
    s.put("event " + std::to_string(++made));
    ASSERT_TRUE(s.sink->close(s.now()));
    s.drain();
    ASSERT_EQ(s.receiver.received.size(), static_cast<std::size_t>(made)) << "seed " << seed;
    for (int i = 0; i < made; ++i) {
      ASSERT_EQ(s.receiver.received[static_cast<std::size_t>(i)].first,
                static_cast<uint64_t>(i + 1))
          << "seed " << seed;
      ASSERT_EQ(s.receiver.received[static_cast<std::size_t>(i)].second,
                "event " + std::to_string(i + 1))
          << "seed " << seed;
    }
    EXPECT_EQ(s.reader->acknowledged(), static_cast<uint64_t>(made));
    EXPECT_TRUE(s.reader->settled());
    EXPECT_EQ(s.counters.oldest_unsent_ns.value(), 0);
  }
}

TEST(ForwardLoop, ASpoolWithoutEventsIsDrainedWithoutAReceiver) {
  SpoolSetup s(1, 1000);
  s.open_loop();
  EXPECT_EQ(s.step(), ForwardLoop::State::kIdle);
  EXPECT_TRUE(s.loop->drained());
  EXPECT_TRUE(s.messages.empty());
}

TEST(ForwardLoop, ARejectedRecordIsAGapAndCounted) {
  SpoolSetup s(1, 0);
  s.open_loop();
  s.receiver.rejects.insert("bad");
  for (const char* v : {"a", "bad", "c"}) s.put(v);
  ASSERT_TRUE(s.sink->flush(s.now()));
  s.drain();
  ASSERT_EQ(s.receiver.received.size(), 2u);
  EXPECT_EQ(s.receiver.received[1].first, 3u);
  EXPECT_EQ(s.counters.rejected_records.value(), 1u);
}

TEST(ForwardLoop, ARefusalIsSaidOnce) {
  SpoolSetup s(1, 1000);
  s.put("a");
  ASSERT_TRUE(s.sink->flush(s.now()));
  s.open_loop();
  for (int i = 0; i < 50; ++i) EXPECT_NE(s.step(), ForwardLoop::State::kWorking);
  EXPECT_EQ(s.messages.size(), 1u);
  EXPECT_GT(s.counters.oldest_unsent_ns.value(), 0);
  s.receiver.set_trouble(0);
  s.drain();
  EXPECT_EQ(s.receiver.received.size(), 1u);
}

TEST(ForwardLoop, TheAgeOfTheOldestGrowsUntilItIsCommitted) {
  SpoolSetup s(1, 0);
  s.open_loop();
  s.drain();
  EXPECT_EQ(s.counters.oldest_unsent_ns.value(), 0);
  s.receiver.set_trouble(1000);
  s.put("a");
  ASSERT_TRUE(s.sink->flush(s.now()));
  int64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    (void)s.step();
    EXPECT_GT(s.counters.oldest_unsent_ns.value(), last);
    last = s.counters.oldest_unsent_ns.value();
  }
  s.receiver.set_trouble(0);
  s.drain();
  EXPECT_EQ(s.counters.oldest_unsent_ns.value(), 0);
}

TEST(ForwardLoop, ARecordThatIsNoEventIsCountedAndSkipped) {
  spool::FaultFs fs(1);
  auto writer = spool::Writer::open(fs, {.directory = "d"});
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->append(as_bytes("\xff not an event"), timestamp_from_ns(1)));
  ASSERT_TRUE(writer->sync(timestamp_from_ns(2)));
  auto reader = spool::Reader::open(fs, {.directory = "d", .durable_seq = &writer->durable_seq()});
  ASSERT_TRUE(reader);
  FakeReceiver receiver(1, 0);
  ForwarderCounters counters;
  ForwardLoop loop(*reader, receiver, {.batch_age_max = std::chrono::milliseconds(0)}, counters,
                   {});
  const std::atomic<bool> stop{false};
  for (int i = 0; i < 5; ++i) (void)loop.step(stop, [] { return timestamp_from_ns(3); });
  EXPECT_TRUE(loop.drained());
  EXPECT_EQ(counters.unreadable_records.value(), 1u);
  EXPECT_TRUE(receiver.received.empty());
}

}  // namespace
}  // namespace vong::send
