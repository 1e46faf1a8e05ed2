#include "exporters/send/file_transport.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vong::send {
namespace {

class FileTransportTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(testing::TempDir()) /
           ("file_transport_" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
    path_ = (dir_ / "events.json").string();
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string content() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static Delivery line(uint64_t seq, std::string_view value) {
    return {.seq = seq, .value = value};
  }
  std::filesystem::path dir_;
  std::string path_;
};

TEST_F(FileTransportTest, CommittedLinesStayAndOthersGo) {
  Committed committed;
  {
    FileTransport file(path_);
    ASSERT_TRUE(file.connect(committed).ok());
    EXPECT_EQ(committed.spool_id, 0u);
    ASSERT_TRUE(file.begin().ok());
    ASSERT_TRUE(file.send(line(1, "one")).ok());
    ASSERT_TRUE(file.commit({2, 7, 0}).ok());
    ASSERT_TRUE(file.begin().ok());
    ASSERT_TRUE(file.send(line(2, std::string(2 << 20, 'x')))
                    .ok());  // large enough to be in the file already
  }
  EXPECT_GT(content().size(), std::size_t{1} << 20);
  FileTransport file(path_);
  ASSERT_TRUE(file.connect(committed).ok());
  EXPECT_EQ(committed, (Committed{2, 7, 0}));
  EXPECT_EQ(content(), "one\n");
  ASSERT_TRUE(file.begin().ok());
  ASSERT_TRUE(file.send(line(2, "two")).ok());
  ASSERT_TRUE(file.abort().ok());
  ASSERT_TRUE(file.begin().ok());
  ASSERT_TRUE(file.send(line(2, "two again")).ok());
  ASSERT_TRUE(file.commit({3, 7, 0}).ok());
  EXPECT_EQ(content(), "one\ntwo again\n");
}

TEST_F(FileTransportTest, AFolderThatIsNotThereIsARefusal) {
  FileTransport file((dir_ / "none" / "x").string());
  Committed committed;
  EXPECT_EQ(file.connect(committed).step, Step::kRefused);
}

TEST_F(FileTransportTest, AFileShorterThanItsPositionIsARefusal) {
  Committed committed;
  FileTransport file(path_);
  ASSERT_TRUE(file.connect(committed).ok());
  ASSERT_TRUE(file.begin().ok());
  ASSERT_TRUE(file.send(line(1, "one")).ok());
  ASSERT_TRUE(file.commit({2, 7, 0}).ok());
  std::filesystem::resize_file(path_, 1);
  EXPECT_EQ(file.connect(committed).step, Step::kRefused);
}

}  // namespace
}  // namespace vong::send
