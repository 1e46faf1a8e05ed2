#include "sensor/applayer/core/file.h"

#include <gtest/gtest.h>

namespace vong::applayer {
namespace {

FileOptions all() {
  FileOptions o;
  o.md5 = o.sha1 = o.sha256 = o.magic = true;
  return o;
}

TEST(FileContainer, HashesAndMagicOfAClosedFile) {
  FileContainer c(all());
  ASSERT_NE(c.open("a.txt", 1), nullptr);
  c.append(as_bytes("hello "));
  c.append(as_bytes("world\n"));
  c.close();
  const File& f = c.files().front();
  EXPECT_EQ(f.state, FileState::kClosed);
  EXPECT_EQ(f.size, 12u);
  EXPECT_EQ(f.md5, "6f5902ac237024bdd0c176cb93063dc4");
  EXPECT_EQ(f.sha1, "22596363b3de40b06f981fb85d82312e8c0ed511");
  EXPECT_EQ(f.sha256, "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447");
  EXPECT_EQ(f.magic, "ASCII text");
  EXPECT_EQ(f.window, "hello world\n");
}

TEST(FileContainer, NothingIsComputedUnasked) {
  FileContainer c{FileOptions{}};
  c.open("a", 1);
  c.append(as_bytes("x"));
  c.close();
  EXPECT_EQ(c.files().front().md5, "");
  EXPECT_EQ(c.files().front().magic, "");
}

TEST(FileContainer, GapTruncatesAndDropsHashes) {
  FileContainer c(all());
  c.open("a", 1);
  c.append(as_bytes("x"));
  c.gap(10);
  c.append(as_bytes("y"));
  c.close();
  const File& f = c.files().front();
  EXPECT_EQ(f.size, 12u);
  EXPECT_EQ(f.state, FileState::kTruncated);
  EXPECT_TRUE(f.gaps);
  EXPECT_EQ(f.md5, "");
}

TEST(FileContainer, OpeningTheNextTruncatesTheLast) {
  FileContainer c(all());
  c.open("a", 1);
  c.open("b", 2);
  EXPECT_EQ(c.files()[0].state, FileState::kTruncated);
  EXPECT_TRUE(c.has_open());
}

TEST(FileContainer, WindowIsBoundedAndSlides) {
  FileOptions o;
  o.window_bytes = 1000;
  FileContainer c(o);
  c.open("a", 1);
  const std::string block(300, 'x');
  for (int i = 0; i < 100; ++i) {
    c.append(as_bytes(block));
    EXPECT_LE(c.files().front().window.size(), 2 * o.window_bytes + block.size());
  }
  const File& f = c.files().front();
  EXPECT_EQ(f.size, 30'000u);
  EXPECT_EQ(f.window_offset + f.window.size(), f.size);
}

TEST(FileContainer, NumberOfFilesIsCapped) {
  FileContainer c{FileOptions{}};
  for (size_t i = 0; i < kMaxFilesPerTransaction; ++i) ASSERT_NE(c.open("f", i), nullptr);
  EXPECT_EQ(c.open("f", 0), nullptr);
}

TEST(FileOptions, ComeFromTheEveAndStoreSections) {
  Settings s;
  s.set("outputs.0.eve-log.types.3.files.force-magic", "yes");
  s.set("outputs.0.eve-log.types.3.files.force-hash.0", "md5");
  s.set("outputs.1.file-store.enabled", "yes");
  const FileOptions o = file_options(s);
  EXPECT_TRUE(o.md5 && o.magic && o.sha256);
  EXPECT_FALSE(o.sha1);
}

}  // namespace
}  // namespace vong::applayer
