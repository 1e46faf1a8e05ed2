// The promise of the spool, under thousands of random histories: what was accepted is delivered,
// once, in order of seq; with damaged disks every loss shows as a gap and in a counter.
//
// A history is: open writer and reader, append, sync, forward to a receiver that commits atomically
// (records and how far it has come), acknowledge; all of it on a file system with faults, that dies
// between any two calls, by a kill or a power cut. At the end everything works, and the receiver is
// compared with what was accepted.
//
// VONG_CHAOS_SEEDS: how many histories of each kind (default 300; tests/chaos/spool runs many);
// VONG_CHAOS_SEED: just this one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>
#include <random>

#include "exporters/spool/reader.h"
#include "exporters/spool/writer.h"
#include "tests/chaos/fault_fs.h"

namespace vong::spool {
namespace {

struct Plan {
  FaultFs::Faults faults;
  bool kills = false;
  bool power_cuts = false;
  bool rot = false;           // a bit of any file
  bool rot_segments = false;  // a bit of a segment, the cursor stays whole: then counters are exact
  bool fills_up = false;      // the disk has no byte left for a while
  bool one_process = true;    // the reader knows the writer's durable_seq
};

class History {
 public:
  History(uint64_t seed, const Plan& plan) : plan_(plan), random_(seed), fs_(seed * 7919 + 1) {}

  void run() {
    for (int session = 0; session < 4 && !testing::Test::HasFailure(); ++session) {
      fs_.faults = plan_.faults;
      if (plan_.kills || plan_.power_cuts) fs_.dies_at = fs_.calls + 1 + pick(150);
      work();
      stop();
      const bool cut = plan_.power_cuts && (!plan_.kills || pick(2) == 0);
      fs_.restart(cut);
      if (plan_.rot) {
        for (std::size_t i = pick(3); i > 0; --i)
          damaged_ |= fs_.rot(pick(8) == 0 ? "cursor" : "seg-");
      }
      if (plan_.rot_segments) {
        for (std::size_t i = pick(3); i > 0; --i) damaged_ |= fs_.rot("seg-");
      }
    }
    finish();
    check();
  }

 private:
  std::size_t pick(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  Timestamp now() { return timestamp_from_ns(clock_ns_ += 50'000'000); }

  bool start() {
    if (!writer_) {
      Writer::Options options{.directory = "d", .bytes_max = 1 << 20, .segment_bytes = 4096};
      options.group_bytes = 2000 + pick(4000);
      Result<Writer> writer = Writer::open(fs_, options);
      if (!writer) return false;
      writer_.emplace(std::move(*writer));
      // What is found again and was not accepted before is not promised: it may arrive, as what it
      // was.
      durable_before_ = writer_->recovery().last_seq;
    }
    if (!reader_) {
      Result<Reader> reader = Reader::open(
          fs_,
          {.directory = "d", .durable_seq = plan_.one_process ? &writer_->durable_seq() : nullptr});
      if (!reader) return false;
      reader_.emplace(std::move(*reader));
      resume_ = received_next_;
    }
    return true;
  }

  void work() {
    const std::size_t steps = 20 + pick(60);
    for (std::size_t i = 0; i < steps && !fs_.dead(); ++i) {
      if (plan_.fills_up && pick(6) == 0) fs_.faults.disk_full = !fs_.faults.disk_full;
      if (!start()) continue;
      switch (pick(8)) {
        case 0:
        case 1:
        case 2:
          append();
          break;
        case 3:
        case 4:
          sync();
          break;
        case 5:
        case 6:
          forward();
          break;
        case 7:
          if (pick(4) == 0) drop_reader();
          break;
      }
    }
  }

  void append() {
    for (std::size_t n = 1 + pick(8); n > 0; --n) {
      std::string payload = "payload " + std::to_string(++made_) + " ";
      payload.append(pick(pick(4) == 0 ? 1500 : 80), static_cast<char>('a' + pick(26)));
      if (pick(10) == 0) payload += "\xf5VR\xc1 not a record";
      const auto seq = writer_->append(as_bytes(payload), now());
      if (seq) taken_[*seq] = payload;
      note_accepted();
    }
  }
  void sync() {
    (void)writer_->sync(now());
    note_accepted();
  }
  // What the writer says is durable: the promise begins here.
  void note_accepted() {
    const uint64_t durable = writer_->durable_seq();
    for (uint64_t seq = durable_before_ + 1; seq <= durable; ++seq) {
      const auto [at, fresh] = accepted_.emplace(seq, taken_.at(seq));
      ASSERT_TRUE(fresh) << "seq " << seq << " was given to two records";
    }
    durable_before_ = std::max(durable_before_, durable);
  }

  // One transaction of the receiver: records and how far they reach, or nothing.
  void forward() {
    std::vector<std::pair<uint64_t, std::string>> batch;
    const std::size_t size = 1 + pick(20);
    while (batch.size() < size) {
      Result<std::optional<Entry>> entry = reader_->next();
      if (!entry) return again();
      if (!*entry) break;
      if ((*entry)->seq < resume_)
        continue;  // the receiver has it: a crash came between its commit and our acknowledgement
      batch.emplace_back((*entry)->seq, std::string(as_text((*entry)->payload)));
    }
    if (fs_.dead()) return;
    if (!batch.empty() && pick(6) == 0) return again();  // the transaction was aborted
    for (const auto& [seq, payload] : batch) {
      ASSERT_TRUE(received_.empty() || seq > received_.rbegin()->first)
          << "seq " << seq << " is out of order or a second time";
      received_[seq] = payload;
      received_next_ = seq + 1;
    }
    if (pick(8) == 0) return drop_reader();  // killed between commit and acknowledgement
    if (received_next_ > 1 && received_next_ - 1 >= reader_->acknowledged())
      (void)reader_->acknowledge(received_next_ - 1, 0);
  }
  void again() {
    resume_ = received_next_;
    if (!reader_->rewind()) drop_reader();
  }
  void drop_reader() {
    if (reader_) {
      told_lost_ += reader_->counters().lost_records.value();
      told_corrupt_ += reader_->counters().corrupt_records.value() +
                       reader_->counters().corrupt_bytes.value() +
                       reader_->counters().torn_bytes.value();
    }
    reader_.reset();
  }
  void stop() {
    drop_reader();
    writer_.reset();
  }

  void finish() {
    fs_.faults = {};
    ASSERT_TRUE(start());
    // A last record: what was damaged before it has to show as a gap.
    append();
    ASSERT_TRUE(writer_->sync(now()));
    note_accepted();
    ASSERT_TRUE(writer_->sync(now()));  // the mark
    for (int i = 0; i < 100'000; ++i) {
      Result<std::optional<Entry>> entry = reader_->next();
      ASSERT_TRUE(entry) << entry.error().message;
      if (!*entry) break;
      if ((*entry)->seq < resume_) continue;
      ASSERT_TRUE(received_.empty() || (*entry)->seq > received_.rbegin()->first);
      received_[(*entry)->seq] = std::string(as_text((*entry)->payload));
      received_next_ = (*entry)->seq + 1;
    }
    ASSERT_TRUE(reader_->acknowledge(received_next_ - 1, 0));
    ASSERT_TRUE(reader_->acknowledge(received_next_ - 1, 0));
    EXPECT_TRUE(reader_->settled());
  }

  void check() {
    if (testing::Test::HasFailure()) return;
    ASSERT_FALSE(accepted_.empty());
    drop_reader();
    EXPECT_EQ(received_.rbegin()->first, accepted_.rbegin()->first)
        << "the newest record did not arrive";
    uint64_t missing = 0;
    for (const auto& [seq, payload] : accepted_) {
      const auto it = received_.find(seq);
      if (it == received_.end()) {
        ++missing;
        EXPECT_TRUE(damaged_) << "accepted seq " << seq << " was not delivered";
      } else {
        EXPECT_EQ(it->second, payload) << "seq " << seq << " stands for two records";
      }
    }
    // What rotted is told: every record that was accepted and did not come is in the readers'
    // counters (some twice, when two readers met the same damage).
    if (!plan_.rot) {
      EXPECT_LE(missing, told_lost_);
      if (missing > 0) {
        EXPECT_GT(told_corrupt_, 0u);
      }
    }
    // A missing seq is below the newest that arrived, so every receiver sees the gap; nothing else
    // has to be proved about it.
    EXPECT_LE(received_.size() + missing, received_.rbegin()->first);
    // What is delivered and was not accepted was at least given to the spool as that seq.
    for (const auto& [seq, payload] : received_) {
      ASSERT_TRUE(taken_.contains(seq));
      EXPECT_TRUE(accepted_.contains(seq) || taken_.at(seq) == payload) << seq;
    }
    // Acknowledged segments are gone: one that is still written, and at most those that the last
    // acknowledgement left.
    std::size_t segments = 0;
    for (const std::string& name : fs_.names()) segments += name.starts_with("seg-") ? 1 : 0;
    EXPECT_LE(segments, 1u);
  }

  Plan plan_;
  std::mt19937_64 random_;
  FaultFs fs_;
  int64_t clock_ns_ = 1'000'000'000'000;
  uint64_t made_ = 0;
  std::optional<Writer> writer_;
  std::optional<Reader> reader_;
  uint64_t durable_before_ = 0;
  uint64_t resume_ = 1;
  bool damaged_ = false;
  uint64_t told_lost_ = 0;     // by readers that are gone
  uint64_t told_corrupt_ = 0;  // records and bytes, those at the end of a segment too

  std::map<uint64_t, std::string> taken_;     // what append() gave a seq to, the last one
  std::map<uint64_t, std::string> accepted_;  // what the writer said was durable
  std::map<uint64_t, std::string>
      received_;  // the receiver's records, committed with received_next_
  uint64_t received_next_ = 1;
};

uint64_t seeds() {
  const char* text = std::getenv("VONG_CHAOS_SEEDS");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 300;
}

void run_all(const Plan& plan) {
  if (const char* one = std::getenv("VONG_CHAOS_SEED")) {
    History(std::strtoull(one, nullptr, 10), plan).run();
    return;
  }
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    for (const bool one_process : {true, false}) {
      Plan p = plan;
      p.one_process = one_process;
      History(seed, p).run();
      if (testing::Test::HasFailure())
        FAIL() << "history of seed " << seed << (one_process ? ", one process" : ", two processes");
    }
  }
}

TEST(SpoolChaos, AHealthyDiskDeliversEverythingOnce) { run_all({}); }
TEST(SpoolChaos, KilledBetweenAnyTwoCalls) { run_all({.kills = true}); }
TEST(SpoolChaos, PowerCutBetweenAnyTwoCalls) { run_all({.power_cuts = true}); }
TEST(SpoolChaos, WritesAndSyncsFail) {
  run_all({.faults = {.write = 60, .sync = 60, .directory = 60, .read = 20}});
}
TEST(SpoolChaos, WritesAndSyncsFailAndThePowerIsCut) {
  run_all({.faults = {.write = 60, .sync = 60, .directory = 60, .read = 20},
           .kills = true,
           .power_cuts = true});
}
TEST(SpoolChaos, BitsRot) { run_all({.rot = true}); }
TEST(SpoolChaos, BitsOfSegmentsRotAndEveryLossIsCounted) { run_all({.rot_segments = true}); }
TEST(SpoolChaos, BitsRotUnderPowerCuts) {
  run_all({.kills = true, .power_cuts = true, .rot_segments = true});
}
TEST(SpoolChaos, TheDiskFillsUp) { run_all({.fills_up = true}); }
TEST(SpoolChaos, TheDiskFillsUpAndThePowerIsCut) {
  run_all({.kills = true, .power_cuts = true, .fills_up = true});
}
TEST(SpoolChaos, EverythingAtOnce) {
  run_all({.faults = {.write = 40, .sync = 40, .directory = 40, .read = 10},
           .kills = true,
           .power_cuts = true,
           .rot = true});
}

}  // namespace
}  // namespace vong::spool
