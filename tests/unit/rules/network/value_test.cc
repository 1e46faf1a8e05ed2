#include "rules/network/value.h"

#include <gtest/gtest.h>

#include "rules/network/limits.h"
#include "rules/network/nearest_name.h"

namespace vong::rules {
namespace {

using Parts = std::vector<std::string_view>;

// The message and the offset of the place it points at.
template <typename T>
std::string problem(std::string_view input, const Parsed<T>& parsed) {
  if (parsed) return "no problem";
  return std::to_string(parsed.error().at.data() - input.data()) + ": " + parsed.error().message;
}

std::string content_problem(std::string_view input) { return problem(input, parse_content(input)); }

TEST(Content, DecodesHexAndEscapes) {
  const auto content = parse_content(R"("ab|41 42|c\;\:\"\\|0D0a|")");
  ASSERT_TRUE(content);
  EXPECT_EQ(content->bytes, "abABc;:\"\\\r\n");
  EXPECT_FALSE(content->negated);
}

TEST(Content, NegationStandsBeforeTheQuotes) {
  EXPECT_TRUE(parse_content("!\"a\"")->negated);
  EXPECT_TRUE(parse_content("! \"a\"")->negated);
  EXPECT_EQ(parse_content("\"!a\"")->bytes, "!a");
}

TEST(Content, NulBytesAreBytes) {
  EXPECT_EQ(parse_content("\"|00 00|\"")->bytes, std::string(2, '\0'));
}

TEST(Content, EveryMistakeIsToldAtItsPlace) {
  EXPECT_EQ(content_problem("abc"), "0: value in double quotes expected, not 'abc'");
  EXPECT_EQ(content_problem(""), "0: value in double quotes expected");
  EXPECT_EQ(content_problem("\"abc"), "0: closing '\"' expected at the end of '\"abc'");
  EXPECT_EQ(content_problem("\"\""), "0: content is empty");
  EXPECT_EQ(content_problem("\"||\""), "0: content is empty");
  EXPECT_EQ(content_problem("\"a|4g|\""), "4: hexadecimal digit or '|' expected, not 'g'");
  EXPECT_EQ(content_problem("\"a|4|\""), "3: hexadecimal byte of two digits expected");
  EXPECT_EQ(content_problem("\"a|41\""), "2: '|' is not closed");
  EXPECT_EQ(content_problem("\"a\"b\""), "2: '\"' inside a content must be written \\\" or |22|");
  EXPECT_EQ(content_problem("\"a\\n\""),
            "2: '\\n' is no escape: only \\\" \\; \\: \\\\ are, other bytes are written in hex "
            "between bars");
  EXPECT_EQ(content_problem("\"a\\\""),
            "2: backslash at the end of a content must be written \\\\");
  const std::string longest = "\"" + std::string(kMaxContentBytes, 'x') + "\"";
  EXPECT_TRUE(parse_content(longest));
  const std::string longer = "\"" + std::string(kMaxContentBytes + 1, 'x') + "\"";
  EXPECT_EQ(content_problem(longer), "1: content of more than 8192 bytes");
}

TEST(Content, EncodingIsTheInverseOfDecoding) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(decode_content(encode_content(all)), all);
  EXPECT_EQ(encode_content("a\r\nb"), "a|0d 0a|b");
}

TEST(Unquote, OptionalQuotesMayBeAbsent) {
  EXPECT_EQ(unquote("abc", Quotes::kOptional, false)->text, "abc");
  EXPECT_EQ(unquote("\"abc\"", Quotes::kOptional, false)->text, "abc");
  EXPECT_EQ(unquote("!abc", Quotes::kOptional, false)->text, "!abc");
  EXPECT_TRUE(unquote("!abc", Quotes::kOptional, true)->negated);
}

TEST(Text, UnescapesOnlyWhatTheLanguageEscapes) {
  EXPECT_EQ(unescape_text(R"(a\;b\"c\:d\\e\nf\)"), "a;b\"c:d\\e\\nf\\");
}

TEST(Number, ReadsDecimalAndHexadecimal) {
  EXPECT_EQ(parse_unsigned("0"), 0u);
  EXPECT_EQ(parse_unsigned("0x1F"), 31u);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), ~uint64_t{0});
  EXPECT_EQ(problem("256", parse_unsigned("256", 255)), problem("256", parse_unsigned("256", 255)));
  EXPECT_FALSE(parse_unsigned("256", 255));
  EXPECT_FALSE(parse_unsigned("18446744073709551616"));
  for (const char* bad : {"", "x", "1x", " 1", "-1", "+1", "0x", "0xg"})
    EXPECT_FALSE(parse_unsigned(bad)) << bad;
}

TEST(Number, SignedReachesBothEnds) {
  EXPECT_EQ(parse_signed("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(parse_signed("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parse_signed("+5"), 5);
  EXPECT_EQ(parse_signed("-0x10"), -16);
  EXPECT_FALSE(parse_signed("-9223372036854775809"));
  EXPECT_FALSE(parse_signed("9223372036854775808"));
  EXPECT_FALSE(parse_signed("--1"));
  EXPECT_FALSE(parse_signed("70000", -65535, 65535));
}

TEST(Number, UnitsOfSizeAndTime) {
  EXPECT_EQ(parse_size_bytes("10kb"), 10240u);
  EXPECT_EQ(parse_size_bytes("1 MiB"), 1048576u);
  EXPECT_EQ(parse_size_bytes("7"), 7u);
  EXPECT_EQ(parse_duration_s("5m"), 300u);
  EXPECT_EQ(parse_duration_s("1w"), 604800u);
  constexpr std::string_view kBad = "10xb";
  EXPECT_EQ(problem(kBad, parse_size_bytes(kBad)),
            "2: unknown unit 'xb': b, kb, mb or gb expected");
  EXPECT_FALSE(parse_size_bytes("18014398509481984kb"));
}

TEST(NumberTest, EveryForm) {
  const std::tuple<const char*, Compare, uint64_t, uint64_t> forms[] = {
      {"10", Compare::kEqual, 10, 0},
      {"=10", Compare::kEqual, 10, 0},
      {"!10", Compare::kNotEqual, 10, 0},
      {"!=0x10", Compare::kNotEqual, 16, 0},
      {"<10", Compare::kLess, 10, 0},
      {"< 10", Compare::kLess, 10, 0},
      {"<=10", Compare::kLessEqual, 10, 0},
      {">10", Compare::kGreater, 10, 0},
      {">=1kb", Compare::kGreaterEqual, 1024, 0},
      {"1<>10", Compare::kRange, 1, 10},
      {"1 <> 10", Compare::kRange, 1, 10},
      {"1-10", Compare::kRange, 1, 10},
      {"!1-10", Compare::kNotRange, 1, 10},
      {"&0xf0=0x80", Compare::kMaskEqual, 0xf0, 0x80},
      {"&0xf0!=0x80", Compare::kMaskNotEqual, 0xf0, 0x80}};
  for (const auto& [text, compare, a, b] : forms) {
    const auto parsed = parse_number_test(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, (NumberTest{compare, a, b})) << text;
  }
}

TEST(NumberTest, RefusesWhatMeansNothing) {
  for (const char* bad : {"", "<", "10<>", "<>10", "10<>5", "5<>6", "5<>5", "&1", "&=1", "&", "a",
                          "1-", "!", "=<5"}) {
    EXPECT_FALSE(parse_number_test(bad)) << bad;
  }
  constexpr std::string_view kRange = "10<>5";
  EXPECT_EQ(problem(kRange, parse_number_test(kRange)), "0: no number lies between 10 and 5");
  EXPECT_FALSE(parse_number_test(">65536", 65535));
}

TEST(NumberTest, RangeLeavesOutItsEnds) {
  const auto test = *parse_number_test("1<>10");
  EXPECT_FALSE(test.matches(1));
  EXPECT_TRUE(test.matches(2));
  EXPECT_TRUE(test.matches(9));
  EXPECT_FALSE(test.matches(10));
  EXPECT_TRUE(parse_number_test("&0xf0=0x80")->matches(0x8f));
  EXPECT_FALSE(parse_number_test("&0xf0!=0x80")->matches(0x8f));
}

TEST(Parts, QuotesBracketsAndBackslashesHideTheSeparator) {
  EXPECT_EQ(*split_parts(R"(a, "b,c" ,[d,e],f\,g,,h)"),
            (Parts{"a", "\"b,c\"", "[d,e]", "f\\,g", "", "h"}));
  EXPECT_EQ(*split_parts(""), Parts());
  EXPECT_EQ(*split_parts("  "), Parts());
  EXPECT_EQ(*split_parts(","), (Parts{"", ""}));
  EXPECT_EQ(*split_parts("a;b", ';'), (Parts{"a", "b"}));
  EXPECT_EQ(*split_words("  a  \"b c\"\td "), (Parts{"a", "\"b c\"", "d"}));
}

TEST(Parts, AreCapped) {
  EXPECT_EQ(split_parts(std::string(kMaxSubOptions - 1, ','))->size(), kMaxSubOptions);
  EXPECT_FALSE(split_parts(std::string(kMaxSubOptions, ',')));
  EXPECT_FALSE(split_parts(std::string(100 * kMaxSubOptions, ',')));
  std::string words;
  for (size_t i = 0; i <= kMaxSubOptions; ++i) words += "a ";
  EXPECT_FALSE(split_words(words));
}

TEST(Parts, KeyAndValue) {
  const auto check = [](KeyValue got, std::string_view key, std::string_view value) {
    EXPECT_EQ(got.key, key);
    EXPECT_EQ(got.value, value);
  };
  check(split_key("track  by_src"), "track", "by_src");
  check(split_key(" alone "), "alone", "");
  check(split_key("a=b", "="), "a", "b");
  check(split_key("a = b c", "="), "a", "b c");
  check(split_key("a=b"), "a=b", "");
}

TEST(NumberTest, NothingBeyondItsBoundsMatches) {
  for (const char* text : {"0", "7", "!7", "<0", "<1", "<9", "<=9", ">9", ">=9", "2<>9", "2<>3", "2-9", "!2-9", "&6=2",
                           "&6!=2", ">255", ">=255"}) {
    const auto test = parse_number_test(text, 255);
    if (!test) continue;  // some of them cannot match at all, and are refused
    const auto [least, most] = test->bounds();
    uint64_t first = 256, last = 0;
    for (uint64_t x = 0; x <= 255; ++x) {
      if (!test->matches(x)) continue;
      EXPECT_TRUE(x >= least && x <= most) << text << ' ' << x;
      first = std::min(first, x);
      last = x;
    }
    if (first > last) {
      EXPECT_GT(least, std::min<uint64_t>(most, 255)) << text;
    } else if (text[0] != '!' && text[0] != '&') {
      EXPECT_EQ(first, least) << text;
      EXPECT_EQ(last, std::min<uint64_t>(most, 255)) << text;
    }
  }
}

TEST(NearestName, FindsWhatWasMeant) {
  constexpr std::string_view kNames[] = {"content", "flowbits", "http.uri", "http_uri", "tls.sni"};
  EXPECT_EQ(nearest_name("contnet", kNames), "content");
  EXPECT_EQ(nearest_name("CONTENT ", kNames), "content");
  EXPECT_EQ(nearest_name("flowbit", kNames), "flowbits");
  EXPECT_EQ(nearest_name("http-uri", kNames), "http.uri");
  EXPECT_EQ(nearest_name("zzz", kNames), "");
  EXPECT_EQ(nearest_name("", kNames), "");
  EXPECT_EQ(nearest_name(std::string(1000, 'a'), kNames), "");
  EXPECT_EQ(suggestion("tls.sin", kNames), ", did you mean 'tls.sni'?");
}

TEST(Shown, ControlCharactersAndLengthAreTamed) {
  EXPECT_EQ(shown("a\x1b[0m"), "'a\\x1b[0m'");
  EXPECT_EQ(shown(std::string(100, 'a')), "'" + std::string(64, 'a') + "...'");
}

}  // namespace
}  // namespace vong::rules
