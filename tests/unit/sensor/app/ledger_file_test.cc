// The ledger's file when the disk is not there for a while: nothing is lost, and the chain holds.
#include "sensor/app/ledger_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "telemetry/ledger/verify.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;

class LedgerFileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("vong_ledger_file_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  LedgerFile open(uint64_t bytes_max) {
    LedgerFile::Options options;
    options.path = (folder_ / "ledger.json").string();
    options.bytes_max = bytes_max;
    std::string note;
    ledger::Chain chain;
    auto file = LedgerFile::open(options, "s1", chain, note);
    EXPECT_TRUE(file.has_value());
    ledger_.emplace(ledger::Ledger::Identity{"s1", "1", Timestamp{}}, chain);
    return std::move(*file);
  }
  // The next record.
  static bool append(LedgerFile& file, ledger::Ledger& ledger) {
    const uint64_t number = ledger.chain().next_number;
    const auto at = Timestamp{} + std::chrono::seconds(number + 1);
    return file.append(ledger.record(ledger::Totals(), at, "r", false), number).has_value();
  }
  bool append(LedgerFile& file) { return append(file, *ledger_); }
  // Records in all files of the folder, in the order of their names; the chain is checked.
  uint64_t records_in_files() {
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());  // ledger-000....json before ledger.json
    ledger::Verifier verifier;
    for (const auto& path : paths) {
      std::ifstream in(path);
      for (std::string line; std::getline(in, line);) {
        const auto wrong = verifier.add(line);
        EXPECT_EQ(wrong, std::nullopt) << path << ": " << *wrong;
      }
    }
    return verifier.summary().records;
  }

  fs::path folder_;
  std::optional<ledger::Ledger> ledger_;
};

constexpr uint64_t kAFewRecords = 1000;

TEST_F(LedgerFileTest, IsPutAsideWhenFullAndTheChainGoesOn) {
  LedgerFile file = open(kAFewRecords);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(append(file));
  EXPECT_EQ(records_in_files(), 20u);
  EXPECT_GT(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
}

TEST_F(LedgerFileTest, AFileThatCannotBePutAsideGrowsAndLosesNothing) {
  LedgerFile file = open(kAFewRecords);
  while (fs::file_size(folder_ / "ledger.json") < kAFewRecords / 2) ASSERT_TRUE(append(file));
  const uint64_t so_far = ledger_->chain().next_number;
  std::vector<fs::path> in_the_way;  // folders where the file would go
  for (uint64_t n = 0; n < so_far + 10; ++n) {
    char name[64];
    std::snprintf(name, sizeof name, "ledger-%012lu.json", static_cast<unsigned long>(n));
    in_the_way.push_back(folder_ / name);
    fs::create_directory(in_the_way.back());
  }
  bool told = false;
  for (int i = 0; i < 8; ++i) told = !append(file) || told;
  EXPECT_TRUE(told);
  EXPECT_EQ(records_in_files(), so_far + 8);
  for (const auto& path : in_the_way) fs::remove(path);
  EXPECT_TRUE(append(file));
  EXPECT_EQ(records_in_files(), so_far + 9);
}

TEST_F(LedgerFileTest, WhenTheNewFileCannotBeOpenedTheRecordsWaitForIt) {
  LedgerFile file = open(kAFewRecords);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  // Nothing of the fixture meanwhile: the sanitizer needs a descriptor to look at its type.
  ledger::Ledger& ledger = *ledger_;
  int refused = 0;
  for (int i = 0; i < 12; ++i) refused += !append(file, ledger);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_GT(refused, 3);
  EXPECT_TRUE(append(file));
  EXPECT_EQ(records_in_files(), 13u);
}

TEST_F(LedgerFileTest, WhenItsFolderIsAwayTheRecordsWaitForIt) {
  LedgerFile file = open(1 << 20);
  ASSERT_TRUE(append(file));
  fs::remove_all(folder_);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(append(file));
  fs::create_directories(folder_);
  EXPECT_TRUE(append(file));
  EXPECT_EQ(records_in_files(), 3u + 1u);
}

TEST_F(LedgerFileTest, FilesOfOtherNamesStayWhenTheOldestGo) {
  std::ofstream(folder_ / "x") << "short name\n";
  LedgerFile::Options options;
  options.path = (folder_ / "ledger.json").string();
  options.bytes_max = kAFewRecords;
  options.files_max = 1;
  std::string note;
  ledger::Chain chain;
  auto file = LedgerFile::open(options, "s1", chain, note);
  ASSERT_TRUE(file.has_value());
  ledger_.emplace(ledger::Ledger::Identity{"s1", "1", Timestamp{}}, chain);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(append(*file));
  EXPECT_TRUE(fs::exists(folder_ / "x"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 3);
}

}  // namespace
}  // namespace vong::sensor
