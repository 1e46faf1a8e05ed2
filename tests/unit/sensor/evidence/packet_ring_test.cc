// The packet ring: what goes in comes out by flow, in order of time; bytes are bounded, losses
// counted, damage survived.
#include "sensor/evidence/packet_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "sensor/evidence/extract.h"

namespace vong::evidence {
namespace {

namespace fs = std::filesystem;

class PacketRingTest : public testing::Test {
 protected:
  PacketRingTest() {
    char name[] = "/tmp/vong_ring_XXXXXX";
    folder_ = ::mkdtemp(name);
    options_.folder = folder_ + "/ring";
    options_.may_wait = true;
  }
  ~PacketRingTest() override { fs::remove_all(folder_); }

  // Frames of `size` bytes, flow by turns 1 ... flows; what is asked for stands in the first bytes.
  void record(int frames, int flows, size_t size = 100) {
    auto ring = PacketRing::open(options_);
    ASSERT_TRUE(ring) << ring.error().message;
    Recorder* recorder = (*ring)->add_recorder();
    (*ring)->start();
    std::vector<uint8_t> bytes(size);
    for (int i = 0; i < frames; ++i) {
      RawPacket raw;
      raw.ts = timestamp_from_ns(int64_t{1'000'000'000} * (1000 + next_));
      std::memcpy(bytes.data(), &next_, sizeof next_);
      raw.data = bytes;
      raw.wire_len = static_cast<uint32_t>(size);
      recorder->begin();
      recorder->flow(static_cast<uint64_t>(1 + next_ % flows));
      recorder->keep(raw);
      ++next_;
    }
    (*ring)->stop();
    written_ = (*ring)->counters().frames.value();
    lost_on_disk_ = (*ring)->counters().lost_on_disk.value();
  }
  Extracted take(const Query& query, std::vector<int>* numbers = nullptr) {
    const std::string path = folder_ + "/out.pcap";
    auto got = extract(
        options_.folder, query, [](const RawPacket&) { return FrameReading{}; }, path);
    EXPECT_TRUE(got) << got.error().message;
    std::ifstream file(path, std::ios::binary);
    PcapHeader header;
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    EXPECT_EQ(header.magic, kPcapMagic);
    PcapRecord record;
    while (file.read(reinterpret_cast<char*>(&record), sizeof record)) {
      std::vector<char> data(record.captured);
      file.read(data.data(), record.captured);
      int number = 0;
      std::memcpy(&number, data.data(), sizeof number);
      if (numbers != nullptr) numbers->push_back(number);
    }
    return got ? *got : Extracted{};
  }
  uint64_t bytes_on_disk() const {
    uint64_t sum = 0;
    for (const auto& entry : fs::directory_iterator(options_.folder)) sum += entry.file_size();
    return sum;
  }

  std::string folder_;
  RingOptions options_;
  int next_ = 0;
  uint64_t written_ = 0, lost_on_disk_ = 0;
};

TEST_F(PacketRingTest, AFlowComesOutWholeAndInOrder) {
  record(10'000, 7);
  EXPECT_EQ(written_, 10'000u);
  std::vector<int> numbers;
  const auto got = take({.flow_id = 3}, &numbers);
  ASSERT_EQ(got.frames, numbers.size());
  ASSERT_EQ(numbers.size(), 10'000u / 7 + 1);
  for (size_t i = 0; i < numbers.size(); ++i) EXPECT_EQ(numbers[i], static_cast<int>(2 + 7 * i));
}

TEST_F(PacketRingTest, TimeNarrowsIt) {
  record(100, 1);
  std::vector<int> numbers;
  (void)take({.flow_id = 1, .from_ns = 1'010'000'000'000, .to_ns = 1'012'000'000'000}, &numbers);
  EXPECT_EQ(numbers, (std::vector<int>{10, 11, 12}));
}

TEST_F(PacketRingTest, BytesAreBoundedAndTheOldestGo) {
  options_.bytes_max = 8 << 20;
  record(20'000, 1, 2000);
  EXPECT_EQ(written_, 20'000u);
  EXPECT_LE(bytes_on_disk(), options_.bytes_max + (1 << 20) / 4);
  std::vector<int> numbers;
  const auto got = take({.flow_id = 1}, &numbers);
  EXPECT_GT(got.frames, 2'000u);
  ASSERT_FALSE(numbers.empty());
  EXPECT_EQ(numbers.back(), 19'999);
  for (size_t i = 1; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], numbers[i - 1] + 1);
}

TEST_F(PacketRingTest, AnEarlierRunIsStillThere) {
  record(50, 1);
  record(50, 1);
  std::vector<int> numbers;
  (void)take({.flow_id = 1}, &numbers);
  ASSERT_EQ(numbers.size(), 100u);
  EXPECT_EQ(numbers.front(), 0);
  EXPECT_EQ(numbers.back(), 99);
}

TEST_F(PacketRingTest, ATornEndCostsOnlyItself) {
  record(100, 1);
  const std::string newest = segment_path(options_.folder, list_segments(options_.folder).back());
  fs::resize_file(newest, fs::file_size(newest) - 50);
  EXPECT_EQ(take({.flow_id = 1}).frames, 99u);
  std::ofstream(index_path(options_.folder, 1), std::ios::binary | std::ios::trunc) << "nonsense";
  EXPECT_EQ(take({.flow_id = 1}).damaged_segments, 1u);
}

TEST_F(PacketRingTest, AVlanTagBesideTheFrameIsPutBack) {
  auto ring = PacketRing::open(options_);
  ASSERT_TRUE(ring);
  Recorder* recorder = (*ring)->add_recorder();
  (*ring)->start();
  const std::vector<uint8_t> bytes{1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0, 0x45};
  RawPacket raw;
  raw.data = bytes;
  raw.wire_len = 15;
  raw.has_vlan_tci = true;
  raw.vlan_tci = 0x2064;
  recorder->begin();
  recorder->flow(9);
  recorder->keep(raw);
  (*ring)->stop();
  const std::string path = folder_ + "/v.pcap";
  ASSERT_TRUE(extract(
      options_.folder, {.flow_id = 9}, [](const RawPacket&) { return FrameReading{}; }, path));
  std::ifstream file(path, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(all.substr(24 + 16),
            std::string("\1\1\1\1\1\1\2\2\2\2\2\2\x81\x00\x20\x64\x08\x00\x45", 19));
}

TEST_F(PacketRingTest, LiveAFullQueueCostsThePacketNotTheSensor) {
  options_.may_wait = false;
  options_.queue_bytes = 1;  // the least that there is
  auto ring = PacketRing::open(options_);
  ASSERT_TRUE(ring);
  Recorder* recorder = (*ring)->add_recorder();  // nobody takes: the writer is not started
  std::vector<uint8_t> bytes(60'000);
  RawPacket raw;
  raw.data = bytes;
  raw.wire_len = 60'000;
  for (int i = 0; i < 20; ++i) {
    recorder->begin();
    recorder->keep(raw);
  }
  EXPECT_GT(recorder->lost(), 5u);
  (*ring)->start();
  (*ring)->stop();
  EXPECT_EQ((*ring)->counters().frames.value() + recorder->lost(), 20u);
}

TEST_F(PacketRingTest, AFolderThatVanishesIsCountedAndSurvived) {
  auto ring = PacketRing::open(options_);
  ASSERT_TRUE(ring);
  Recorder* recorder = (*ring)->add_recorder();
  fs::remove_all(options_.folder);
  (*ring)->start();
  std::vector<uint8_t> bytes(60'000);
  RawPacket raw;
  raw.data = bytes;
  raw.wire_len = 60'000;
  constexpr int kFrames = 1500;  // more than a segment
  for (int i = 0; i < kFrames; ++i) {
    recorder->begin();
    recorder->keep(raw);
  }
  (*ring)->stop();
  EXPECT_GT((*ring)->counters().lost_on_disk.value(), 0u);
  EXPECT_EQ((*ring)->counters().frames.value() + (*ring)->counters().lost_on_disk.value(),
            static_cast<uint64_t>(kFrames));
}

}  // namespace
}  // namespace vong::evidence
