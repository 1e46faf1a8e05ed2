// pcap-log: sizes, numbers of files, names, and what a folder that is not there costs.
#include "sensor/evidence/pcap_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

namespace vong::evidence {
namespace {

namespace fs = std::filesystem;

class PcapLogTest : public testing::Test {
 protected:
  PcapLogTest() {
    char name[] = "/tmp/vong_pcap_log_XXXXXX";
    folder_ = ::mkdtemp(name);
    options_.filename = folder_ + "/log.pcap";
    options_.may_wait = true;
  }
  ~PcapLogTest() override { fs::remove_all(folder_); }

  void record(int frames, size_t taps = 1) {
    PcapLog log(options_);
    std::vector<PcapLog::Tap*> all;
    for (size_t i = 0; i < taps; ++i) all.push_back(log.add_tap());
    log.start();
    const std::vector<uint8_t> bytes(1000);
    for (int i = 0; i < frames; ++i) {
      RawPacket raw;
      raw.ts = timestamp_from_ns(int64_t{1'000'000'000} * (1000 + i / 10));
      raw.data = bytes;
      raw.wire_len = 1000;
      all[static_cast<size_t>(i) % taps]->keep(raw);
    }
    log.stop();
    written_ = log.counters().frames.value();
    lost_ = log.counters().lost_on_disk.value() + log.lost_in_queues();
    deleted_ = log.counters().deleted_files.value();
  }
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder_)) out.insert(entry.path().filename().string());
    return out;
  }

  std::string folder_;
  PcapLogOptions options_;
  uint64_t written_ = 0, lost_ = 0, deleted_ = 0;
};

TEST_F(PcapLogTest, FilesHaveTheirSizeAndTheOldestGo) {
  options_.limit_bytes = 5200;   // five frames
  options_.files_max = 4;
  record(100);
  EXPECT_EQ(written_, 100u);
  EXPECT_EQ(deleted_, 16u);
  EXPECT_EQ(names(), (std::set<std::string>{"log.pcap.1008", "log.pcap.1008-1", "log.pcap.1009", "log.pcap.1009-1"}));
  for (const auto& name : names()) EXPECT_EQ(fs::file_size(folder_ + "/" + name), 24u + 5 * 1016);
}

TEST_F(PcapLogTest, InModeMultiAFileAWorker) {
  options_.multi = true;
  options_.filename = folder_ + "/p.%n.%t";
  record(10, 2);
  EXPECT_EQ(names(), (std::set<std::string>{"p.1.1000", "p.2.1000"}));
}

TEST_F(PcapLogTest, WhatCannotBeWrittenIsCounted) {
  options_.filename = folder_ + "/none/log.pcap";
  record(50);
  EXPECT_EQ(written_, 0u);
  EXPECT_EQ(lost_, 50u);
}

TEST_F(PcapLogTest, AnEarlierRunsFileStays) {
  record(1);
  record(1);
  EXPECT_EQ(names(), (std::set<std::string>{"log.pcap.1000", "log.pcap.1000-1"}));
}

}  // namespace
}  // namespace vong::evidence
