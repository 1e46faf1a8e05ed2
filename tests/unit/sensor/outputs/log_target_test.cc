// Files, sockets and syslog: what is written, what is lost, what happens when others move a file away.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "sensor/outputs/target_config.h"

namespace vong::outputs {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSecond = 1'000'000'000;
Timestamp at(int64_t seconds) { return timestamp_from_ns(seconds * kSecond); }

class LogTargetTest : public testing::Test {
 protected:
  LogTargetTest() {
    char name[] = "/tmp/vong_outputs_XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~LogTargetTest() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(path(name));
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
  }
  std::string folder_;
};

TEST_F(LogTargetTest, AFileIsAppendedToOrEmptied) {
  for (const bool append : {true, true, false}) {
    auto file = LogFile::open({.path = path("a"), .append = append}, at(0));
    ASSERT_TRUE(file);
    EXPECT_EQ((*file)->write("x\n", 1), 0u);
    file->reset();
  }
  EXPECT_EQ(text("a"), "x\n");
}

TEST_F(LogTargetTest, AMovedFileIsOpenedAnew) {
  auto file = LogFile::open({.path = path("a")}, at(0));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->write("1\n", 1), 0u);
  fs::rename(path("a"), path("b"));
  EXPECT_EQ((*file)->write("2\n", 1), 0u);
  (*file)->reopen();
  EXPECT_EQ((*file)->write("3\n", 1), 0u);
  EXPECT_EQ(text("b"), "1\n2\n");
  EXPECT_EQ(text("a"), "3\n");
}

TEST_F(LogTargetTest, EachIntervalHasItsFile) {
  auto file = LogFile::open({.path = path("a-%H%M"), .rotate = *RotateInterval::parse("minute")}, at(30));
  ASSERT_TRUE(file);
  for (const int64_t now : {30, 59, 60, 119, 120}) {
    (*file)->tick(at(now));
    EXPECT_EQ((*file)->write(std::to_string(now) + "\n", 1), 0u);
  }
  EXPECT_EQ(text("a-0000"), "30\n59\n");
  EXPECT_EQ(text("a-0001"), "60\n119\n");
  EXPECT_EQ(text("a-0002"), "120\n");
}

TEST_F(LogTargetTest, AFullDiskCostsLinesAndIsSaid) {
  ASSERT_EQ(::symlink("/dev/full", path("full").c_str()), 0);
  auto file = LogFile::open({.path = path("full")}, at(0));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->write("a\nb\nc\n", 3), 3u);
  EXPECT_EQ((*file)->error(), "No space left on device");
}

TEST_F(LogTargetTest, ModeIsAsAsked) {
  auto file = LogFile::open({.path = path("a"), .mode = 0600}, at(0));
  ASSERT_TRUE(file);
  struct stat about {};
  ASSERT_EQ(::stat(path("a").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
}

TEST(RotateInterval, ReadsNamesAndTimes) {
  const auto seconds = [](std::string_view text) { return RotateInterval::parse(text).value_or(RotateInterval{-1}).seconds; };
  EXPECT_EQ(seconds("minute"), 60);
  EXPECT_EQ(seconds("day"), 86'400);
  EXPECT_EQ(seconds("30s"), 30);
  EXPECT_EQ(seconds("15m"), 900);
  EXPECT_EQ(seconds("12h"), 43'200);
  for (const char* bad : {"", "0", "-1s", "often", "5x", "999999999999d"}) EXPECT_EQ(seconds(bad), -1) << bad;
  EXPECT_EQ(RotateInterval{3600}.next(at(3600)), at(7200));
  EXPECT_EQ(RotateInterval{3600}.next(at(3599)), at(3600));
}

// The receiver of a test.
class Receiver {
 public:
  Receiver(int type, const std::string& path) : fd_(::socket(AF_UNIX, type | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    if (type == SOCK_STREAM) EXPECT_EQ(::listen(fd_, 1), 0);
    stream_ = type == SOCK_STREAM;
  }
  ~Receiver() {
    if (peer_ >= 0) ::close(peer_);
    ::close(fd_);
  }
  std::string take() {
    if (stream_ && peer_ < 0) peer_ = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK);
    std::string all;
    char buffer[65536];
    for (ssize_t n = 0; (n = ::read(stream_ ? peer_ : fd_, buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<size_t>(n)).append(stream_ ? "" : "|");
    return all;
  }

 private:
  int fd_, peer_ = -1;
  bool stream_ = false;
};

TEST_F(LogTargetTest, ADatagramALine) {
  Receiver receiver(SOCK_DGRAM, path("s"));
  auto socket = LogSocket::open(LogSocket::Kind::kDatagram, path("s"), false);
  ASSERT_TRUE(socket);
  EXPECT_EQ((*socket)->write("one\ntwo\n", 2), 0u);
  EXPECT_EQ(receiver.take(), "one|two|");
}

TEST_F(LogTargetTest, AReceiverThatDoesNotReadCostsWholeLines) {
  Receiver receiver(SOCK_STREAM, path("s"));
  auto socket = LogSocket::open(LogSocket::Kind::kStream, path("s"), false);
  ASSERT_TRUE(socket);
  const std::string line = std::string(9'999, 'x') + "\n";
  uint64_t lost = 0, sent = 0;
  std::string got = receiver.take();
  for (int i = 0; i < 200; ++i, ++sent) lost += (*socket)->write(line, 1);
  EXPECT_GT(lost, 0u);
  got += receiver.take();
  for (int i = 0; i < 3; ++i, ++sent) {
    lost += (*socket)->write(line, 1);
    got += receiver.take();
  }
  ASSERT_EQ(got.size() % line.size(), 0u);
  EXPECT_EQ(got.size() / line.size(), sent - lost);
  for (size_t i = 0; i < got.size(); i += line.size()) ASSERT_EQ(got.compare(i, line.size(), line), 0);
}

TEST_F(LogTargetTest, AReceiverThatComesLaterIsFound) {
  auto socket = LogSocket::open(LogSocket::Kind::kDatagram, path("s"), false);
  ASSERT_TRUE(socket);
  EXPECT_EQ((*socket)->write("lost\n", 1), 1u);
  Receiver receiver(SOCK_DGRAM, path("s"));
  (*socket)->tick(at(10));
  EXPECT_EQ((*socket)->write("found\n", 1), 0u);
  EXPECT_EQ(receiver.take(), "found|");
}

TEST_F(LogTargetTest, SyslogHasItsHead) {
  Receiver receiver(SOCK_DGRAM, path("s"));
  auto syslog = LogSyslog::open({.identity = "me", .facility = 21, .level = 5, .socket = path("s")}, false, at(0));
  ASSERT_TRUE(syslog);
  EXPECT_EQ((*syslog)->write("{}\n", 1), 0u);
  EXPECT_EQ(receiver.take(), "<173>Jan  1 00:00:00 me[" + std::to_string(::getpid()) + "]: {}|");
}

TEST(TargetConfig, NamesWhatItDoesNotTake) {
  for (const auto& [key, value] : {std::pair("filetype", "redis"), {"filemode", "9"}, {"filemode", "7777"}, {"rotate-interval", "x"}}) {
    Settings settings;
    settings.set(std::string("o.") + key, value);
    const auto config = TargetConfig::from(settings, "o");
    ASSERT_FALSE(config) << key;
    EXPECT_NE(config.error().message.find(value), std::string::npos);
  }
  Settings settings;
  settings.set("o.filetype", "syslog");
  settings.set("o.facility", "Local3");
  settings.set("o.level", "Warning");
  const auto config = TargetConfig::from(settings, "o");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->syslog.facility, 19);
  EXPECT_EQ(config->syslog.level, 4);
}

}  // namespace
}  // namespace vong::outputs
