#include "sensor/emit/file_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace vong::emit {
namespace {

namespace fs = std::filesystem;
using applayer::FileContainer;
using applayer::FileOptions;

class FileStoreTest : public ::testing::Test {
 protected:
  FileStoreTest() : folder_(fs::path(::testing::TempDir()) / ("store" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    settings_.set("outputs.0.file-store.enabled", "yes");
  }
  ~FileStoreTest() override { fs::remove_all(folder_); }
  std::unique_ptr<FileStore> open() {
    auto store = FileStore::open(settings_, folder_.string());
    EXPECT_TRUE(store.has_value());
    return std::move(*store);
  }
  FileContainer files() { return FileContainer(FileOptions{.sha256 = true, .window_bytes = 16}); }
  std::string content(const applayer::File& f) {
    std::ifstream in(folder_ / "filestore" / f.sha256.substr(0, 2) / f.sha256);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  fs::path folder_;
  Settings settings_;
};

TEST_F(FileStoreTest, AFileThatIsWantedGetsItsHashAsName) {
  auto store = open();
  auto container = files();
  container.open("a", 0);
  auto& f = container.files()[0];
  f.store_wanted = true;
  std::string whole;
  for (int i = 0; i < 20; ++i) {   // far more than the window holds
    const std::string part = "part " + std::to_string(i) + ";";
    whole += part;
    container.append(as_bytes(part));
    store->update(f);
  }
  container.close();
  store->update(f);
  EXPECT_TRUE(f.stored);
  EXPECT_EQ(f.store_id, 1u);
  EXPECT_EQ(content(f), whole);
  EXPECT_TRUE(fs::is_empty(folder_ / "filestore" / "tmp"));
}

TEST_F(FileStoreTest, OnlyWhatIsWantedIsStored) {
  auto store = open();
  auto container = files();
  container.open("a", 0);
  container.append(as_bytes("x"));
  container.close();
  store->update(container.files()[0]);
  EXPECT_FALSE(container.files()[0].stored);
  settings_.set("outputs.0.file-store.force-filestore", "yes");
  auto all = open();
  all->update(container.files()[0]);
  EXPECT_TRUE(container.files()[0].stored);
}

TEST_F(FileStoreTest, AFileWhoseBeginningIsGoneOrThatHasHolesIsNotStored) {
  auto store = open();
  auto late = files();
  late.open("late", 0);
  late.append(as_bytes(std::string(100, 'x')));
  late.files()[0].store_wanted = true;
  store->update(late.files()[0]);
  EXPECT_TRUE(late.files()[0].store_failed);
  auto holed = files();
  holed.open("holed", 0);
  holed.files()[0].store_wanted = true;
  store->update(holed.files()[0]);
  holed.gap(5);
  store->update(holed.files()[0]);
  EXPECT_FALSE(holed.files()[0].stored);
  EXPECT_EQ(store->failed(), 2u);
}

TEST_F(FileStoreTest, WithoutASectionThereIsNone) {
  settings_ = Settings();
  auto store = FileStore::open(settings_, folder_.string());
  ASSERT_TRUE(store.has_value());
  EXPECT_EQ(*store, nullptr);
}

}  // namespace
}  // namespace vong::emit
