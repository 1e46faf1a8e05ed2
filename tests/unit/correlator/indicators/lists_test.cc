#include "correlator/indicators/lists.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/timestamp.h"
#include "correlator/indicators/source.h"

namespace vong::indicators {
namespace {

class ListsTest : public ::testing::Test {
 protected:
  void read(const std::string& text, uint32_t list = 0) {
    read_list(text, list, diagnostics_, lists_);
  }
  // Names of the lists that hold the value, as "list:kind".
  std::set<std::string> of(std::string_view value, std::string_view host = {},
                           const char* at = "2026-11-20T08:00:00Z") {
    std::set<std::string> out;
    lists_.look_up(value, host, to_ns(*parse_eve_time(at)), scratch_, [&](const Lists::Hit& h) {
      out.insert(lists_.names()[h.list] + ":" + std::string(name_of(h.kind)));
    });
    return out;
  }
  using Found = std::set<std::string>;
  Lists lists_{{"a", "b"}};
  rules::Diagnostics diagnostics_{"list.csv"};
  std::string scratch_;
};

TEST_F(ListsTest, EveryKindIsFoundByItsForm) {
  read(
      "203.0.113.9\n198.51.100.0/24\n2001:db8:5::/48\nEvil.Example\nhttps://Bad.example:443/A/b?c\n"
      "d41d8cd98f00b204e9800998ecf8427e\nda39a3ee5e6b4b0d3255bfef95601890afd80709\n"
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
      "t13d1516h2_8daaf6152771_b186095e22b6\n");
  EXPECT_TRUE(diagnostics_.empty()) << diagnostics_.items().at(0).format();
  EXPECT_EQ(lists_.size(), 9u);
  EXPECT_EQ(of("203.0.113.9"), Found{"a:ip"});
  EXPECT_EQ(of("203.0.113.8"), Found{});
  EXPECT_EQ(of("198.51.100.77"), Found{"a:cidr"});
  EXPECT_EQ(of("2001:0db8:0005:0000:0000:0000:0000:0001"), Found{"a:cidr"});
  EXPECT_EQ(of("EVIL.example"), Found{"a:domain"});
  EXPECT_EQ(of("evil.example."), Found{"a:domain"});
  EXPECT_EQ(of("D41D8CD98F00B204E9800998ECF8427E"), Found{"a:md5"});
  EXPECT_EQ(of("da39a3ee5e6b4b0d3255bfef95601890afd80709"), Found{"a:sha1"});
  EXPECT_EQ(of("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            Found{"a:sha256"});
  EXPECT_EQ(of("t13d1516h2_8daaf6152771_b186095e22b6"), Found{"a:ja4"});
  EXPECT_EQ(of("/A/b?c", "bad.EXAMPLE"), Found{"a:url"});
  EXPECT_EQ(of("http://bad.example/A/b?c#d"), Found{"a:url"});
  EXPECT_EQ(of("/a/b?c", "bad.example"), Found{}) << "a path tells the case of letters apart";
  EXPECT_EQ(of("/A/b?c", "good.example"), Found{});
}

TEST_F(ListsTest, ADomainCoversTheNamesBelowItAndNoOthers) {
  read("evil.example\n");
  EXPECT_EQ(of("a.b.evil.example"), Found{"a:domain"});
  EXPECT_EQ(of("notevil.example"), Found{});
  EXPECT_EQ(of("example"), Found{});
  EXPECT_EQ(of("evil.example.org"), Found{});
}

TEST_F(ListsTest, ValidityIsInEventTimeAndOpenAtItsEnd) {
  read(
      "value,type,valid_from,valid_until\n"
      "203.0.113.9,ip,2026-11-01,2026-11-20T08:00:00Z\n"
      "evil.example,domain,2026-11-20T08:00:00+0000,\n");
  EXPECT_EQ(of("203.0.113.9", {}, "2026-11-20T07:59:59.999999Z"), Found{"a:ip"});
  EXPECT_EQ(of("203.0.113.9"), Found{});
  EXPECT_EQ(of("203.0.113.9", {}, "2026-10-31T23:59:59Z"), Found{});
  EXPECT_EQ(of("evil.example"), Found{"a:domain"});
  EXPECT_EQ(of("evil.example", {}, "2026-11-20T07:59:59Z"), Found{});
}

TEST_F(ListsTest, OneValueMayBeInSeveralListsAndALaterLineReplacesAnEarlierOne) {
  read("evil.example,domain,2026-01-01\n");
  read("evil.example\n203.0.113.0/24\n203.0.113.7\n", 1);
  EXPECT_EQ(of("evil.example"), Found{"b:domain"}) << "list a's has expired";
  read("evil.example,domain,2027-01-01\n");
  EXPECT_EQ(of("evil.example"), (Found{"a:domain", "b:domain"}));
  EXPECT_EQ(of("203.0.113.7"), (Found{"b:cidr", "b:ip"}));
  EXPECT_EQ(lists_.size(), 4u);
}

TEST_F(ListsTest, JsonLinesAndQuotedCellsAreRead) {
  read(
      "# comment\n"
      R"({"value":"6734f37431670b3ab4292b8f60f29984","type":"ja3","valid_until":"2027-01-01","x":[1]})"
      "\n");
  EXPECT_EQ(of("6734f37431670b3ab4292b8f60f29984"), Found{"a:ja3"});
  Lists other{{"q"}};
  read_list("comment,indicator\r\n\"a, \"\"b\"\"\",\"evil.example\"\r\n", 0, diagnostics_, other);
  EXPECT_EQ(other.size(), 1u);
  EXPECT_TRUE(diagnostics_.empty());
}

TEST_F(ListsTest, ABadLineCostsThatLineAndSaysWhere) {
  read("value,type\nnonsense here,\n1.2.3,ip\nevil.example,domain\nx,colour\n{broken\n");
  EXPECT_EQ(lists_.size(), 1u);
  EXPECT_EQ(of("evil.example"), Found{"a:domain"});
  ASSERT_EQ(diagnostics_.items().size(), 4u);
  EXPECT_EQ(diagnostics_.items()[0].pos.line, 2u);
  EXPECT_EQ(diagnostics_.items()[3].pos.line, 6u);
  EXPECT_EQ(diagnostics_.errors(), 0u);
}

TEST_F(ListsTest, HostileValuesAreNoTrouble) {
  read("evil.example\n");
  EXPECT_EQ(of(std::string(100'000, '.')), Found{});
  EXPECT_EQ(of("."), Found{});
  EXPECT_EQ(of("a..evil.example"), Found{"a:domain"});
  std::string deep;
  for (int i = 0; i < 500; ++i) deep += "a.";
  EXPECT_EQ(of(deep + "evil.example"), Found{}) << "only the first sixteen labels are walked";
}

TEST(SourceTest, AChangedFileIsSeenAndABrokenOneLeavesTheOldTable) {
  const auto path =
      std::filesystem::temp_directory_path() / ("vong_list_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << "evil.example\n";
  Source source({{"ncsc", path}});
  std::vector<rules::Diagnostic> found;
  EXPECT_TRUE(source.load(found));
  EXPECT_FALSE(source.changed());
  const auto before = source.current();
  EXPECT_EQ(before->size(), 1u);
  std::ofstream(path) << "evil.example\nworse.example\n";
  EXPECT_TRUE(source.changed());
  EXPECT_TRUE(source.load(found));
  EXPECT_EQ(source.generation(), 2u);
  EXPECT_EQ(source.current()->size(), 2u);
  EXPECT_EQ(before->size(), 1u) << "a table once taken stays";
  std::filesystem::remove(path);
  EXPECT_TRUE(source.changed());
  EXPECT_TRUE(found.empty());
  EXPECT_FALSE(source.load(found));
  EXPECT_EQ(found.size(), 1u);
  EXPECT_EQ(source.current()->size(), 2u);
}

TEST(SourceTest, AFolderIsNoListAndLeavesTheOldTable) {
  const auto path =
      std::filesystem::temp_directory_path() / ("vong_folder_" + std::to_string(::getpid()));
  std::ofstream(path) << "evil.example\n";
  Source source({{"ncsc", path}});
  std::vector<rules::Diagnostic> found;
  EXPECT_TRUE(source.load(found));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_TRUE(source.changed());
  EXPECT_FALSE(source.load(found));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(source.current()->size(), 1u);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace vong::indicators
