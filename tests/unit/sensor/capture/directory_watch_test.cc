// A watched folder: files are read when finished, in order of their time, once; deleted only where
// asked and whole.
#include "sensor/capture/directory_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace vong::capture {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class DirectoryWatchTest : public testing::Test {
 protected:
  DirectoryWatchTest() {
    char name[] = "/tmp/vong_watch_XXXXXX";
    folder_ = ::mkdtemp(name);
    options_.poll_interval = 10ms;
    options_.settle = 0ms;
  }
  ~DirectoryWatchTest() override { fs::remove_all(folder_); }

  // A capture of `packets` packets, each of one byte `mark`.
  void put(const std::string& name, char mark, int packets, bool torn = false) {
    std::ofstream out(folder_ + "/" + name, std::ios::binary);
    const uint32_t header[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    out.write(reinterpret_cast<const char*>(header), sizeof header);
    for (int i = 0; i < packets; ++i) {
      const uint32_t record[] = {1, 0, 1, 1};
      out.write(reinterpret_cast<const char*>(record), sizeof record).put(mark);
    }
    if (torn) out.write("\1\2\3", 3);
  }
  void age(const std::string& name, std::chrono::seconds by) {
    const auto path = folder_ + "/" + name;
    fs::last_write_time(path, fs::last_write_time(path) - by);
  }
  // Marks of all packets until nothing has come for a while.
  std::string read(PacketSource& source) {
    std::string marks;
    RawPacket packet;
    for (int quiet = 0; quiet < 20;) {
      const auto status = source.next(packet);
      if (status == ReadStatus::kEnd) break;
      quiet = status == ReadStatus::kPacket ? 0 : quiet + 1;
      if (status != ReadStatus::kPacket) continue;
      marks.push_back(static_cast<char>(packet.data[0]));
      EXPECT_EQ(packet.number, ++numbers_);
    }
    return marks;
  }

  std::string folder_;
  WatchOptions options_;
  uint64_t numbers_ = 0;
};

TEST_F(DirectoryWatchTest, FilesAreReadInOrderOfTheirTimeAndLaterOnesToo) {
  put("b", 'b', 2);
  put("a", 'a', 1);
  age("b", 10s);
  age("a", 5s);
  auto source = open_directory_watch(folder_, options_);
  ASSERT_TRUE(source);
  EXPECT_EQ(read(**source), "bba");
  put("c", 'c', 3);
  EXPECT_EQ(read(**source), "ccc");
  EXPECT_EQ((*source)->stats().files, 3u);
  EXPECT_TRUE(fs::exists(folder_ + "/a"));
}

TEST_F(DirectoryWatchTest, AFileThatIsStillWrittenWaits) {
  options_.settle = 300ms;
  put("a", 'a', 1);
  auto source = open_directory_watch(folder_, options_);
  ASSERT_TRUE(source);
  RawPacket packet;
  EXPECT_EQ((*source)->next(packet), ReadStatus::kTimeout);
  std::this_thread::sleep_for(350ms);
  EXPECT_EQ(read(**source), "a");
}

TEST_F(DirectoryWatchTest, WhatWasReadToItsEndIsDeletedADamagedOneStays) {
  options_.delete_when_done = true;
  options_.continuous = false;
  put("good", 'g', 2);
  put("torn", 't', 1, true);
  std::ofstream(folder_ + "/text")
      << "not a capture at all, but long enough to look like something";
  auto source = open_directory_watch(folder_, options_);
  ASSERT_TRUE(source);
  const std::string marks = read(**source);
  EXPECT_EQ(std::count(marks.begin(), marks.end(), 'g'), 2);
  EXPECT_EQ(std::count(marks.begin(), marks.end(), 't'), 1);
  EXPECT_FALSE(fs::exists(folder_ + "/good"));
  EXPECT_TRUE(fs::exists(folder_ + "/torn"));
  EXPECT_TRUE(fs::exists(folder_ + "/text"));
}

TEST_F(DirectoryWatchTest, OnceMeansOnce) {
  options_.continuous = false;
  put("a", 'a', 1);
  auto source = open_directory_watch(folder_, options_);
  ASSERT_TRUE(source);
  EXPECT_EQ(read(**source), "a");
  RawPacket packet;
  EXPECT_EQ((*source)->next(packet), ReadStatus::kEnd);
  EXPECT_FALSE(open_directory_watch(folder_ + "/nothing", options_));
}

}  // namespace
}  // namespace vong::capture
