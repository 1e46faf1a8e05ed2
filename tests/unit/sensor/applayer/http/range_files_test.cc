#include "sensor/applayer/http/range_files.h"

#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/http/limits.h"
#include "tests/unit/sensor/applayer/http/http_fixture.h"

namespace vong::http {
namespace {

using std::chrono::seconds;

const applayer::FileOptions kMd5 = [] {
  applayer::FileOptions o;
  o.md5 = true;
  return o;
}();

Timestamp at(int second) { return Timestamp(seconds(1000 + second)); }

std::optional<applayer::File> put(RangeFiles& files, uint64_t offset, std::string_view data,
                                  uint64_t total = 10, int second = 0, std::string key = "k") {
  return files.put(key, total, offset, as_bytes(data), kMd5, at(second));
}

TEST(RangeFiles, PartsInAnyOrderAndOverlappingAreOneFile) {
  RangeFiles files;
  EXPECT_FALSE(put(files, 6, "6789"));
  EXPECT_FALSE(put(files, 3, "34567"));
  const auto whole = put(files, 0, "0123");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->window, "0123456789");
  EXPECT_EQ(whole->size, 10u);
  EXPECT_EQ(whole->state, applayer::FileState::kClosed);
  EXPECT_EQ(whole->md5, "781e5e245d69b566979b86e28d23f2c7");
  EXPECT_EQ(files.bytes(), 0u);
}

TEST(RangeFiles, EveryOrderOfBytesGivesTheSameFile) {
  std::string order = "01234";
  do {
    RangeFiles files;
    std::optional<applayer::File> whole;
    for (const char c : order) {
      ASSERT_FALSE(whole);
      const auto i = static_cast<uint64_t>(c - '0');
      whole = put(files, 2 * i, std::string_view("0123456789").substr(2 * i, 2));
    }
    ASSERT_TRUE(whole) << order;
    EXPECT_EQ(whole->window, "0123456789") << order;
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(RangeFiles, BytesBehindTheEndAreNotTaken) {
  RangeFiles files;
  EXPECT_FALSE(put(files, 10, "abc"));
  EXPECT_FALSE(put(files, 5, "56789xyz"));
  const auto whole = put(files, 0, "01234");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->window, "0123456789");
}

TEST(RangeFiles, FilesOfOtherKeysAreApart) {
  RangeFiles files;
  EXPECT_FALSE(put(files, 0, "01234", 10, 0, "a"));
  EXPECT_FALSE(put(files, 5, "56789", 10, 0, "b"));
}

TEST(RangeFiles, WhatIsNotTouchedExpires) {
  RangeFiles files;
  EXPECT_FALSE(put(files, 0, "01234", 10, 0));
  EXPECT_FALSE(put(files, 5, "56789", 10, 61));
  EXPECT_EQ(files.counters().expired, 1u);
  EXPECT_TRUE(put(files, 0, "01234", 10, 120));
}

TEST(RangeFiles, MemoryIsBoundedTheLongestUntouchedGoes) {
  RangeFiles files;
  files.set_limits({.bytes_max = 1000, .timeout = seconds(60)});
  const std::string part(300, 'x');
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(put(files, 0, part, 600, 0, std::to_string(i)));
    EXPECT_LE(files.bytes(), 1000u);
  }
  EXPECT_EQ(files.counters().evicted, 7u);
  EXPECT_TRUE(put(files, 300, part, 600, 0, "9"));
  EXPECT_FALSE(put(files, 300, part, 600, 0, "0"));
}

TEST(RangeFiles, AFileThatAloneIsTooMuchIsGivenUp) {
  RangeFiles files;
  files.set_limits({.bytes_max = 1000, .timeout = seconds(60)});
  EXPECT_FALSE(put(files, 1, std::string(2000, 'x'), 5000));
  EXPECT_EQ(files.counters().given_up, 1u);
  EXPECT_LE(files.bytes(), 1000u);
  EXPECT_FALSE(put(files, 0, std::string(5000, 'x'), 5000));
}

TEST(RangeFiles, TooManyPiecesGiveTheFileUp) {
  RangeFiles files;
  for (uint64_t i = 0; i <= kRangePiecesMax; ++i)
    EXPECT_FALSE(put(files, 2 + 2 * i, "x", 1'000'000));
  EXPECT_EQ(files.counters().given_up, 1u);
}

TEST(RangeFiles, NumberOfFilesIsBounded) {
  RangeFiles files;
  for (size_t i = 0; i < kRangeFilesMax + 5; ++i)
    EXPECT_FALSE(put(files, 0, "x", 10, 0, std::to_string(i)));
  EXPECT_EQ(files.counters().evicted, 5u);
}

TEST(RangePart, TheSameFileHoweverItIsAskedFor) {
  const auto parts = [](std::string_view host, std::string_view target) {
    RangeFiles files;
    IpAddress client;
    auto a = RangePart::of({.start = 0, .end = 4, .size = 10}, client, "example.org", "/f?x");
    auto b = RangePart::of({.start = 5, .end = 9, .size = 10}, client, host, target);
    applayer::FileContainer container(kMd5);
    uint64_t id = 7;
    a->feed(files, as_bytes("01234"), kMd5, at(0));
    b->feed(files, as_bytes("56789"), kMd5, at(0));
    b->add_whole_to(container, "name", id);
    return container.files().size();
  };
  EXPECT_EQ(parts("example.org", "/f?x"), 1u);
  EXPECT_EQ(parts("Example.org:8080", "/f?x"), 1u);
  EXPECT_EQ(parts("example.org", "http://example.org:8080/f?x"), 1u);
  EXPECT_EQ(parts("example.net", "/f?x"), 0u);
  EXPECT_EQ(parts("example.org", "/f?y"), 0u);
}

TEST(RangePart, OnlyPartsOfAKnownWhole) {
  const auto is_part = [](ContentRange r) {
    return RangePart::of(r, IpAddress(), "h", "/").has_value();
  };
  EXPECT_TRUE(is_part({.start = 0, .end = 4, .size = 10}));
  EXPECT_FALSE(is_part({.start = 0, .end = 9, .size = 10}));
  EXPECT_FALSE(is_part({.start = 0, .end = 4, .size = -1}));
  EXPECT_FALSE(is_part({.start = 0, .end = 10, .size = 10}));
  EXPECT_FALSE(is_part({.start = 5, .end = 4, .size = 10}));
  EXPECT_FALSE(RangePart::of({.start = 0, .end = 4, .size = 10}, IpAddress(), "", "/"));
}

std::string part_of(std::string_view range, std::string_view body, std::string_view more = "") {
  return "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::string(range) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more) +
         "\r\n" + std::string(body);
}

const std::deque<applayer::File>& files_of(const Outcome& o, size_t tx) {
  return tx_of(o, tx).response.files->files();
}

constexpr std::string_view kAsk = "GET /file HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(HttpRanges, PartsOfAConnectionAreAFileBesidesThem) {
  shared_range_files()->clear();
  Conversation c(&kHttp1Protocol);
  c.client(kAsk).server(part_of("5-9/10", "56789"));
  c.client(kAsk).server(part_of("0-4/10", "01234"));
  const Outcome o = run(c);
  ASSERT_EQ(files_of(o, 0).size(), 1u);
  ASSERT_EQ(files_of(o, 1).size(), 2u);
  EXPECT_EQ(files_of(o, 1)[0].window, "01234");
  EXPECT_TRUE(files_of(o, 1)[0].range);
  EXPECT_EQ(files_of(o, 1)[1].window, "0123456789");
  EXPECT_EQ(files_of(o, 1)[1].name, "/file");
  EXPECT_FALSE(files_of(o, 1)[1].range);
}

TEST(HttpRanges, PartsOfTwoConnections) {
  shared_range_files()->clear();
  (void)run(simple(kAsk, part_of("0-4/10", "01234")));
  const Outcome o = run(simple(kAsk, part_of("5-9/10", "56789")));
  ASSERT_EQ(files_of(o, 0).size(), 2u);
  EXPECT_EQ(files_of(o, 0)[1].window, "0123456789");
}

TEST(HttpRanges, CodedPartsStayAsTheyAre) {
  shared_range_files()->clear();
  (void)run(simple(kAsk, part_of("0-4/10", "01234", "Content-Encoding: gzip\r\n")));
  EXPECT_EQ(shared_range_files()->bytes(), 0u);
}

TEST(HttpRanges, ABodyThatIsCutOffLeavesAHole) {
  shared_range_files()->clear();
  Conversation c(&kHttp1Protocol);
  c.client(kAsk).server(
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/10\r\nContent-Length: "
      "5\r\n\r\n012");
  (void)run(c);
  const Outcome o = run(simple(kAsk, part_of("5-9/10", "56789")));
  EXPECT_EQ(files_of(o, 0).size(), 1u);
}

}  // namespace
}  // namespace vong::http
