#include "rules/matcher/matcher_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "rules/matcher/cache_file.h"

namespace vong::matcher {
namespace {

namespace fs = std::filesystem;

class MatcherCacheTest : public ::testing::Test {
 protected:
  MatcherCacheTest() {
    std::string name = (fs::temp_directory_path() / "vong-matcher-cache-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    for (uint32_t i = 0; i < 3; ++i) {
      sets_.emplace_back().add_literal(i, "needle" + std::to_string(i));
    }
  }
  ~MatcherCacheTest() override { fs::remove_all(directory_); }

  // Builds with a new cache object; every result must be right whatever lies on the disk.
  CacheStats build(const CompileOptions& options = {}) {
    MatcherCache cache(directory_);
    const auto matchers = cache.build(sets_, options, 2);
    EXPECT_EQ(matchers.size(), sets_.size());
    for (uint32_t i = 0; i < matchers.size(); ++i) {
      EXPECT_TRUE(matchers[i]);
      EXPECT_EQ(hits(**matchers[i], "a needle" + std::to_string(i)), 1);
      EXPECT_EQ(hits(**matchers[i], "a needle7"), 0);
    }
    return cache.stats();
  }
  static int hits(const Matcher& matcher, const std::string& data) {
    Scratch scratch;
    EXPECT_TRUE(scratch.prepare(matcher));
    int n = 0;
    (void)matcher.scan(as_bytes(data), scratch, [&](uint32_t, uint64_t) { return ++n > 0; });
    return n;
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::directory_iterator(directory_)) result.push_back(entry.path());
    std::sort(result.begin(), result.end());
    return result;
  }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }

  std::string directory_;
  std::vector<PatternSet> sets_;
};

TEST_F(MatcherCacheTest, SecondBuildLoads) {
  const CacheStats first = build();
  EXPECT_EQ(first.compiled, 3u);
  EXPECT_EQ(first.written, 3u);
  EXPECT_EQ(first.loaded, 0u);
  const CacheStats second = build();
  EXPECT_EQ(second.compiled, 0u);
  EXPECT_EQ(second.loaded, 3u);
  EXPECT_EQ(files().size(), 3u);
}

TEST_F(MatcherCacheTest, OnlyTheChangedSetIsCompiled) {
  build();
  sets_[1].add_literal(9, "more");
  const CacheStats stats = build();
  EXPECT_EQ(stats.loaded, 2u);
  EXPECT_EQ(stats.compiled, 1u);
}

TEST_F(MatcherCacheTest, CompileOptionsArePartOfTheKey) {
  build();
  EXPECT_EQ(build({.single_match = false}).compiled, 3u);
  EXPECT_EQ(build({.single_match = false}).loaded, 3u);
}

TEST_F(MatcherCacheTest, EveryDamagedByteIsFound) {
  build();
  const fs::path victim = files()[0];
  const std::string good = read(victim);
  const size_t step = std::max<size_t>(1, good.size() / 97);
  for (size_t at = 0; at < good.size(); at += step) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    write(victim, bad);
    const CacheStats stats = build();
    EXPECT_EQ(stats.damaged + stats.foreign, 1u) << "byte " << at;
    EXPECT_EQ(stats.compiled, 1u) << "byte " << at;
    EXPECT_EQ(stats.loaded, 2u) << "byte " << at;
    EXPECT_EQ(read(victim), good) << "it is replaced by a good one";
  }
}

TEST_F(MatcherCacheTest, TruncatedAndExtendedFilesAreFound) {
  build();
  const fs::path victim = files()[0];
  const std::string good = read(victim);
  for (const std::string& bad : {std::string(), good.substr(0, 39), good.substr(0, 40),
                                 good.substr(0, good.size() - 1), good + "x"}) {
    write(victim, bad);
    EXPECT_EQ(build().damaged, 1u) << bad.size();
  }
}

TEST_F(MatcherCacheTest, FileOfAnotherSetIsNotTrusted) {
  build();
  const auto all = files();
  fs::copy_file(all[0], all[1], fs::copy_options::overwrite_existing);
  ::chmod(all[1].c_str(), 0600);
  const CacheStats stats = build();
  EXPECT_EQ(stats.damaged, 1u);
  EXPECT_EQ(stats.loaded, 2u);
}

TEST_F(MatcherCacheTest, FileThatOthersMayWriteIsNotTrusted) {
  build();
  ::chmod(files()[0].c_str(), 0666);
  const CacheStats stats = build();
  EXPECT_EQ(stats.foreign, 1u);
  EXPECT_EQ(stats.compiled, 1u);
}

TEST_F(MatcherCacheTest, SymbolicLinkIsNotFollowed) {
  build();
  const auto all = files();
  const fs::path elsewhere = fs::path(directory_) / "moved";
  fs::rename(all[0], elsewhere);
  fs::create_symlink(elsewhere, all[0]);
  EXPECT_EQ(build().foreign, 1u);
}

TEST_F(MatcherCacheTest, UnwritableDirectoryCostsOnlyTheCache) {
  MatcherCache cache("/proc/no-such-place");
  const auto matchers = cache.build(sets_);
  EXPECT_TRUE(matchers[2]);
  EXPECT_EQ(cache.stats().write_failed, 3u);
}

TEST_F(MatcherCacheTest, NoDirectoryMeansNoFiles) {
  MatcherCache cache("");
  EXPECT_TRUE(cache.build(sets_)[0]);
  EXPECT_EQ(cache.stats().compiled, 3u);
  EXPECT_EQ(cache.stats().written + cache.stats().write_failed, 0u);
}

TEST_F(MatcherCacheTest, EqualSetsShareOneMatcher) {
  sets_.push_back(sets_[0]);
  MatcherCache cache(directory_);
  const auto matchers = cache.build(sets_);
  EXPECT_EQ(*matchers[0], *matchers[3]);
  EXPECT_NE(*matchers[0], *matchers[1]);
  EXPECT_EQ(cache.stats().shared, 1u);
}

TEST_F(MatcherCacheTest, RefusedSetDoesNotTakeTheOthersDown) {
  sets_[1].add_regex(5, "a(b");
  MatcherCache cache(directory_);
  const auto matchers = cache.build(sets_);
  EXPECT_TRUE(matchers[0]);
  ASSERT_FALSE(matchers[1]);
  EXPECT_EQ(matchers[1].error().pattern_index, 1u);
  EXPECT_TRUE(matchers[2]);
  EXPECT_EQ(cache.stats().refused, 1u);
}

TEST(Checksum, DependsOnLengthPlaceAndSeed) {
  EXPECT_NE(checksum(as_bytes("")), checksum(as_bytes(std::string_view("\0", 1))));
  EXPECT_NE(checksum(as_bytes("ab")), checksum(as_bytes("ba")));
  EXPECT_NE(checksum(as_bytes("abcdefghABCDEFGH")), checksum(as_bytes("ABCDEFGHabcdefgh")));
  EXPECT_NE(checksum(as_bytes("ab"), 1), checksum(as_bytes("ab"), 2));
}

}  // namespace
}  // namespace vong::matcher
