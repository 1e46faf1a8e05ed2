#include "sensor/detect/dataset.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vong::detect {
namespace {

class DatasetFile : public testing::Test {
 protected:
  ~DatasetFile() override { std::filesystem::remove(path_); }
  std::string file(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_;
  }
  std::string path_ = testing::TempDir() + "dataset_file";
};

TEST_F(DatasetFile, JsonThatIsNestedTooDeepIsRefused) {
  // Copying and writing such a value would use up the stack.
  const std::string deep(200'000, '['), back(200'000, ']');
  const std::string element = R"({"ioc":"a","x":)" + deep + back + "}";
  for (const bool lines : {true, false}) {
    Dataset set("s", DatasetType::kString);
    EXPECT_FALSE(set.load_json(file(lines ? element : "[" + element + "]"),
                               {.lines = lines, .value_key = "ioc", .array_key = ""}));
    EXPECT_EQ(set.size(), 0u);
  }
}

TEST_F(DatasetFile, JsonThatIsNestedALittleIsTheContext) {
  Dataset set("s", DatasetType::kString);
  ASSERT_TRUE(set.load_json(file(R"({"list":[{"ioc":"a","x":[[1]]}]})"),
                            {.value_key = "ioc", .array_key = "list"}));
  EXPECT_EQ(set.context(as_bytes("a")), R"({"ioc":"a","x":[[1]]})");
}

TEST_F(DatasetFile, AReputationThatIsReplacedCountsAgainstTheMemory) {
  // The same value again and again, each time with a longer text behind it.
  Dataset set("s", DatasetType::kString);
  set.memcap_bytes = 4096;
  ASSERT_TRUE(set.load_lines(file("YQ==,1\nYQ==," + std::string(8000, '9') + "\n")));
  EXPECT_FALSE(set.load_lines(file("Yg==,1\n")));  // nothing is left
  ASSERT_TRUE(set.remove(as_bytes("a")));
  EXPECT_TRUE(set.load_lines(file("Yg==,1\n")));
}

}  // namespace
}  // namespace vong::detect
