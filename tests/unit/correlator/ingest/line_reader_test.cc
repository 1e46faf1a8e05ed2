#include "correlator/ingest/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "events/limits.h"

namespace vong::ingest {
namespace {

class LineReader : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("vong_lines_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::vector<std::string> read(const std::string& content) {
    const std::string path = folder_ / "x.json";
    std::ofstream(path, std::ios::binary) << content;
    std::vector<std::string> out;
    const auto done = read_lines(path, [&](const Line& l) {
      out.push_back(l.too_long
                        ? "too long " + std::to_string(l.number)
                        : std::to_string(l.number) + ":" + std::string(l.text.substr(0, 20)));
      return true;
    });
    EXPECT_TRUE(done);
    return out;
  }
  std::filesystem::path folder_;
};

TEST_F(LineReader, GivesLinesWithNumbersAndTheLastWithoutNewline) {
  EXPECT_EQ(read("a\n\r\n\nb\r\nc"), (std::vector<std::string>{"1:a", "4:b", "5:c"}));
  EXPECT_TRUE(read("").empty());
}

TEST_F(LineReader, LinesAcrossReadsAreWhole) {
  std::string text;
  std::vector<std::string> expected;
  for (int i = 1; i <= 50'000; ++i) {
    const std::string line = std::to_string(i) + std::string(static_cast<size_t>(i % 200), 'x');
    text += line + "\n";
    expected.push_back(std::to_string(i) + ":" + line.substr(0, 20));
  }
  EXPECT_EQ(read(text), expected);
}

TEST_F(LineReader, ATooLongLineIsReportedOnceAndSkipped) {
  const std::string text = "a\n" + std::string(events::kRecordBytesMax * 3, 'x') + "\nb\n";
  EXPECT_EQ(read(text), (std::vector<std::string>{"1:a", "too long 2", "3:b"}));
}

TEST_F(LineReader, AMissingFileIsAnErrorThatNamesIt) {
  const auto done = read_lines("/nonexistent/eve.json", [](const Line&) { return true; });
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("/nonexistent/eve.json"), std::string::npos);
  EXPECT_FALSE(input_files("/nonexistent"));
}

}  // namespace
}  // namespace vong::ingest
