// A test per way to be broken, on the faulty disk of tests/chaos; the random histories are there.
#include <gtest/gtest.h>

#include <algorithm>

#include "exporters/spool/reader.h"
#include "exporters/spool/spool_sink.h"
#include "exporters/spool/writer.h"
#include "tests/chaos/fault_fs.h"

namespace vong::spool {
namespace {

constexpr const char* kDirectory = "spool";

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() : fs_(1) {}

  Writer writer(uint64_t bytes_max = 1 << 20, uint64_t segment_bytes = 1 << 16) {
    Result<Writer> w = Writer::open(
        fs_, {.directory = kDirectory, .bytes_max = bytes_max, .segment_bytes = segment_bytes});
    EXPECT_TRUE(w) << w.error().message;
    return std::move(*w);
  }
  Reader reader() {
    Result<Reader> r = Reader::open(fs_, {.directory = kDirectory});
    EXPECT_TRUE(r) << r.error().message;
    return std::move(*r);
  }
  Timestamp now() { return timestamp_from_ns(ns_ += 1'000'000'000); }
  void put(Writer& w, const std::string& payload) {
    ASSERT_TRUE(w.append(as_bytes(payload), now()));
  }
  void settle(Writer& w) {
    ASSERT_TRUE(w.sync(now()));
    ASSERT_TRUE(w.sync(now()));
  }
  // "1:a 2:b": all that the reader has at present.
  static std::string take(Reader& r) {
    std::string all;
    for (;;) {
      Result<std::optional<Entry>> e = r.next();
      if (!e) return all + "error: " + e.error().message;
      if (!*e) return all;
      all += (all.empty() ? "" : " ") + std::to_string((*e)->seq) + ":" +
             std::string(as_text((*e)->payload));
    }
  }
  std::string& segment(std::size_t i) {
    std::vector<std::string> names = fs_.names();
    std::erase_if(names, [](const std::string& n) { return !n.starts_with("seg-"); });
    return fs_.bytes(names.at(i));
  }
  std::size_t segments() {
    const std::vector<std::string> names = fs_.names();
    return static_cast<std::size_t>(
        std::ranges::count_if(names, [](const std::string& n) { return n.starts_with("seg-"); }));
  }

  FaultFs fs_;
  int64_t ns_ = 1'700'000'000'000'000'000;
};

TEST_F(SpoolTest, WhatIsNotSyncedIsNotHandedOut) {
  Writer w = writer();
  Reader r = reader();
  put(w, "a");
  EXPECT_EQ(take(r), "");
  settle(w);
  EXPECT_EQ(take(r), "1:a");
}

TEST_F(SpoolTest, NumbersGoOnAfterARestart) {
  {
    Writer w = writer();
    put(w, "a");
    settle(w);
  }
  Writer w = writer();
  EXPECT_EQ(w.last_seq(), 1u);
  put(w, "b");
  settle(w);
  Reader r = reader();
  EXPECT_EQ(take(r), "1:a 2:b");
}

TEST_F(SpoolTest, NumbersGoOnWhenEverythingIsAcknowledgedAndTheNewestSegmentIsGone) {
  {
    Writer w = writer();
    put(w, "a");
    settle(w);
    Reader r = reader();
    EXPECT_EQ(take(r), "1:a");
    ASSERT_TRUE(r.acknowledge(1, 0));
  }
  for (const std::string& name : fs_.names()) {
    if (!name.starts_with("seg-")) continue;
    ASSERT_TRUE(fs_.unlink("x/" + name));
  }
  Writer w = writer();
  EXPECT_EQ(w.last_seq(), 1u);
}

TEST_F(SpoolTest, AcknowledgedSegmentsGoWhenBothSlotsCoverThem) {
  Writer w = writer(1 << 20, 4096);
  for (int i = 0; i < 3; ++i) {
    put(w, std::string(5000, 'x'));
    settle(w);
  }
  put(w, "last");
  settle(w);
  Reader r = reader();
  (void)take(r);
  const std::size_t before = segments();
  ASSERT_GE(before, 4u);
  ASSERT_TRUE(r.acknowledge(3, 0));
  EXPECT_EQ(segments(), before) << "one slot alone must not delete";
  ASSERT_TRUE(r.acknowledge(3, 0));
  EXPECT_EQ(segments(), 1u);
  EXPECT_EQ(r.counters().deleted_segments.value(), before - 1);
}

TEST_F(SpoolTest, RewindGivesTheUnacknowledgedAgain) {
  Writer w = writer();
  for (const char* p : {"a", "b", "c"}) put(w, p);
  settle(w);
  Reader r = reader();
  EXPECT_EQ(take(r), "1:a 2:b 3:c");
  ASSERT_TRUE(r.acknowledge(1, 0));
  ASSERT_TRUE(r.rewind());
  EXPECT_EQ(take(r), "2:b 3:c");
}

TEST_F(SpoolTest, ADamagedPayloadIsSkippedAndCounted) {
  Writer w = writer();
  for (const char* p : {"first", "second", "third"}) put(w, p);
  settle(w);
  segment(0)[segment(0).find("second")] ^= 1;
  Reader r = reader();
  EXPECT_EQ(take(r), "1:first 3:third");
  EXPECT_EQ(r.counters().corrupt_records.value(), 1u);
  EXPECT_EQ(r.counters().lost_records.value(), 1u);
  ASSERT_TRUE(r.rewind());
  EXPECT_EQ(take(r), "1:first 3:third");
  EXPECT_EQ(r.counters().corrupt_records.value(), 1u) << "damage is counted once";
}

TEST_F(SpoolTest, ADamagedHeaderIsSkippedToTheNextRecord) {
  Writer w = writer();
  for (const char* p : {"first", "second", "third"}) put(w, p);
  settle(w);
  segment(0)[segment(0).find("second") - 25] ^= 1;
  Reader r = reader();
  EXPECT_EQ(take(r), "1:first 3:third");
  EXPECT_EQ(r.counters().lost_records.value(), 1u);
  EXPECT_EQ(r.counters().corrupt_bytes.value(), kRecordHeaderBytes + 6);
}

TEST_F(SpoolTest, ARecordInsideAPayloadIsNotARecord) {
  std::string forged;
  append_record(forged, checksum_seed(12345), {.seq = 1000, .time_ns = 1}, as_bytes("forged"));
  Writer w = writer();
  put(w, "a");
  put(w, "before" + forged);
  put(w, "c");
  settle(w);
  segment(0)[segment(0).find("before") - 25] ^= 1;  // the header is gone: the payload is searched
  Reader r = reader();
  EXPECT_EQ(take(r), "1:a 3:c");
}

TEST_F(SpoolTest, ATornTailIsPassedOverAndItsNumberUsedAgain) {
  {
    Writer w = writer();
    put(w, "a");
    put(w, "never confirmed");
    ASSERT_TRUE(w.sync(now()));
  }
  segment(0).resize(segment(0).size() - 5);
  Writer w = writer();
  EXPECT_EQ(w.recovery().last_seq, 1u);
  EXPECT_GT(w.recovery().torn_bytes, 0u);
  EXPECT_EQ(w.recovery().damaged_bytes, 0u);
  put(w, "b");
  settle(w);
  Reader r = reader();
  EXPECT_EQ(take(r), "1:a 2:b");
  EXPECT_EQ(r.counters().lost_records.value(), 0u);
}

TEST_F(SpoolTest, ADamagedTailLeavesAGap) {
  {
    Writer w = writer();
    put(w, "a");
    put(w, "confirmed");
    ASSERT_TRUE(w.sync(now()));
  }
  segment(0)[segment(0).find("confirmed") - 25] ^= 1;
  Writer w = writer();
  EXPECT_GT(w.recovery().damaged_bytes, 0u);
  put(w, "b");
  settle(w);
  Reader r = reader();
  const std::string got = take(r);
  EXPECT_TRUE(got.starts_with("1:a ") && got.ends_with(":b") && got != "1:a 2:b") << got;
  EXPECT_GE(r.counters().lost_records.value(), 1u);
}

TEST_F(SpoolTest, AFailedFsyncIsWrittenAgainElsewhere) {
  Writer w = writer();
  put(w, "a");
  settle(w);
  put(w, "b");
  fs_.faults.sync = 1000;
  EXPECT_FALSE(w.sync(now()));
  EXPECT_EQ(w.durable_seq(), 1u);
  fs_.faults.sync = 0;
  settle(w);
  EXPECT_EQ(w.durable_seq(), 2u);
  Reader r = reader();
  EXPECT_EQ(take(r), "1:a 2:b");
  EXPECT_EQ(r.counters().rewritten_records.value(), 1u);
  EXPECT_EQ(w.counters().failures.value(), 1u);
}

TEST_F(SpoolTest, AFullDiskKeepsWhatWasTakenUntilThereIsRoom) {
  Writer w = writer();
  put(w, "a");
  fs_.faults.disk_full = true;
  const Result<> full = w.sync(now());
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message.find("No space left"), std::string::npos) << full.error().message;
  put(w, "b");
  EXPECT_FALSE(w.sync(now()));
  EXPECT_EQ(w.durable_seq(), 0u);
  fs_.faults.disk_full = false;
  settle(w);
  Reader r = reader();
  EXPECT_EQ(take(r), "1:a 2:b");
  EXPECT_EQ(segments(), 1u) << "attempts on a full disk leave no files";
}

TEST_F(SpoolTest, WhenMemoryIsFullTooEventsAreDroppedWithTheirReason) {
  Writer w = writer(uint64_t{1} << 30);
  fs_.faults.disk_full = true;
  const std::string large(500'000, 'x');
  std::size_t taken = 0;
  for (; taken < 100; ++taken) {
    const auto seq = w.append(as_bytes(large), now());
    if (!seq) {
      EXPECT_EQ(seq.error(), sink::DropReason::kDiskError);
      break;
    }
  }
  EXPECT_LE(taken * large.size(), kMaxPendingBytes);
  fs_.faults.disk_full = false;
  settle(w);
  EXPECT_EQ(w.durable_seq(), taken) << "dropped events take no number";
}

TEST_F(SpoolTest, BytesAreBoundedAndFreedByTheReader) {
  Writer w = writer(200'000, 20'000);
  const std::string payload(9'000, 'x');
  std::expected<uint64_t, sink::DropReason> seq;
  int taken = 0;
  while ((seq = w.append(as_bytes(payload), now()))) {
    ++taken;
    ASSERT_TRUE(w.sync(now()));
    ASSERT_LT(taken, 1000);
  }
  EXPECT_EQ(seq.error(), sink::DropReason::kFull);
  settle(w);
  Reader r = reader();
  (void)take(r);
  ASSERT_TRUE(r.acknowledge(w.last_seq(), 0));
  ASSERT_TRUE(r.acknowledge(w.last_seq(), 0));
  EXPECT_TRUE(w.append(as_bytes(payload), now()));
}

TEST_F(SpoolTest, ARecordThatIsTooLargeIsRefused) {
  Writer w = writer();
  const auto seq = w.append(as_bytes(std::string(kMaxPayloadBytes + 1, 'x')), now());
  ASSERT_FALSE(seq);
  EXPECT_EQ(seq.error(), sink::DropReason::kTooLarge);
}

TEST_F(SpoolTest, OneWriterAndOneReader) {
  Writer w = writer();
  const Result<Writer> second = Writer::open(fs_, {.directory = kDirectory});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another process"), std::string::npos);
  Reader r = reader();
  EXPECT_FALSE(Reader::open(fs_, {.directory = kDirectory}));
}

TEST_F(SpoolTest, SegmentsOfTwoSpoolsAreRefused) {
  {
    Writer w = writer();
    put(w, "a");
    settle(w);
  }
  ASSERT_TRUE(fs_.create("x/" + to_string(SegmentName{7, 0xabcdef})));
  EXPECT_FALSE(Writer::open(fs_, {.directory = kDirectory}));
}

TEST_F(SpoolTest, ALostCursorSendsAgainAndLosesNothing) {
  Writer w = writer();
  for (const char* p : {"a", "b"}) put(w, p);
  settle(w);
  {
    Reader r = reader();
    (void)take(r);
    ASSERT_TRUE(r.acknowledge(1, 0));
    ASSERT_TRUE(r.acknowledge(2, 0));
  }
  std::string& cursor = fs_.bytes("cursor");
  cursor[kCursorSlotOffsets[0] + 20] ^= 1;
  {
    Reader r = reader();
    EXPECT_EQ(take(r).size() > 0, r.acknowledged() == 1) << "the slot that is left counts";
    EXPECT_EQ(r.counters().damaged_cursors.value(), 1u);
  }
  cursor[kCursorSlotOffsets[1] + 20] ^= 1;
  Reader r = reader();
  EXPECT_EQ(r.acknowledged(), 0u);
  EXPECT_EQ(take(r), "1:a 2:b");
}

TEST_F(SpoolTest, TheBaseIsKeptWithTheCursor) {
  Writer w = writer();
  put(w, "a");
  settle(w);
  {
    Reader r = reader();
    (void)take(r);
    ASSERT_TRUE(r.acknowledge(1, 41));
  }
  EXPECT_EQ(reader().base(), 41);
}

TEST_F(SpoolTest, SheddingKeepsRoomForWhatMattersMore) {
  SpoolSink sink(writer(400'000, 40'000));
  const std::string value(2'000, 'x');
  std::array<std::size_t, sink::kPriorities> accepted{};
  std::array<std::size_t, sink::kPriorities> given{};
  for (int i = 0; i < 400; ++i) {
    const auto priority = static_cast<sink::Priority>(i % 4);
    const sink::Item item{.key = "k", .value = value, .ruleset = "r", .priority = priority};
    accepted[static_cast<std::size_t>(priority)] += sink.accept({&item, 1}, now()).accepted;
    ++given[static_cast<std::size_t>(priority)];
    ASSERT_TRUE(sink.flush(now()));
  }
  EXPECT_GT(accepted[0], accepted[1]);
  EXPECT_GT(accepted[1], accepted[2]);
  EXPECT_GT(accepted[2], accepted[3]);
  std::size_t dropped = 0;
  for (const Counter& counter : sink.counters().dropped_events) dropped += counter.value();
  EXPECT_EQ(sink.counters().in_events.value(), 400u);
  EXPECT_EQ(sink.counters().accepted_events.value() + dropped, 400u);
  ASSERT_TRUE(sink.close(now()));
  const sink::Item late{.value = "v"};
  EXPECT_EQ(
      sink.accept({&late, 1}, now()).dropped[static_cast<std::size_t>(sink::DropReason::kClosed)],
      1u);
}

TEST(Format, HeadersRefuseEveryFlippedBit) {
  const auto header =
      encode(SegmentHeader{.spool_id = 7, .number = 3, .first_seq = 9, .created_ns = 5});
  const auto slot =
      encode(CursorSlot{.spool_id = 7, .generation = 2, .acknowledged = 9, .base = -4});
  std::string record;
  append_record(record, checksum_seed(7), {.seq = 9, .time_ns = 5, .behind = 2},
                as_bytes("payload"));
  ASSERT_EQ(decode_segment_header(header)->first_seq, 9u);
  ASSERT_EQ(decode_cursor_slot(slot)->base, -4);
  ASSERT_EQ(decode_record_header(as_bytes(record), checksum_seed(7))->proves(), 6u);
  auto flipped = [](auto bytes, std::size_t bit) {
    bytes[bit / 8] =
        static_cast<typename decltype(bytes)::value_type>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return bytes;
  };
  for (std::size_t bit = 0; bit < header.size() * 8; ++bit)
    EXPECT_FALSE(decode_segment_header(flipped(header, bit))) << bit;
  for (std::size_t bit = 0; bit < slot.size() * 8; ++bit)
    EXPECT_FALSE(decode_cursor_slot(flipped(slot, bit))) << bit;
  for (std::size_t bit = 0; bit < kRecordHeaderBytes * 8; ++bit) {
    EXPECT_FALSE(decode_record_header(as_bytes(flipped(record, bit)), checksum_seed(7))) << bit;
  }
}

TEST(Format, SegmentNamesComeBack) {
  const auto name = parse_segment_name(to_string(SegmentName{42, 0xdeadbeef}));
  ASSERT_TRUE(name);
  EXPECT_EQ(name->number, 42u);
  EXPECT_EQ(name->spool_id, 0xdeadbeefu);
  for (const char* bad : {"seg-.spool", "seg-1.spool", "seg-0-1.spool", "seg-1-0.spool",
                          "seg-1-zz.spool", "cursor", "seg-1-1"}) {
    EXPECT_FALSE(parse_segment_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace vong::spool
