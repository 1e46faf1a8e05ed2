#include <gtest/gtest.h>

#include <algorithm>

#include "rules/tools/explain.h"
#include "rules/tools/format.h"
#include "rules/tools/lint.h"
#include "rules/tools/sentences.h"

namespace vong::rules_tools {
namespace {

using Files = std::vector<std::unique_ptr<rules::RuleFile>>;

LintReport lint_texts(const std::vector<std::string>& texts, const LintContext& context = {}) {
  Files files;
  for (const std::string& text : texts) {
    files.push_back(rules::RuleFile::parse("f" + std::to_string(files.size()), text));
  }
  return lint(files, context);
}

// The one problem of a rule, without the file name; its options follow msg and sid.
std::string problem(const std::string& options, const LintContext& context = {}) {
  const LintReport report =
      lint_texts({"alert tcp any any -> any any (msg:\"m\"; " + options + " sid:7;)"}, context);
  if (report.problems.size() != 1) return std::to_string(report.problems.size()) + " problems";
  return report.problems[0].format().substr(3);
}

TEST(Vocabulary, IsSortedAndComplete) {
  const auto words = vocabulary();
  EXPECT_TRUE(std::is_sorted(words.begin(), words.end(),
                             [](const Word& a, const Word& b) { return a.name < b.name; }));
  for (const Word& word : words) {
    EXPECT_FALSE(word.phrase.english.empty()) << word.name;
    EXPECT_FALSE(word.phrase.vietnamese.empty()) << word.name;
    EXPECT_EQ(find_word(word.name), &word);
  }
  EXPECT_EQ(find_word("Content"), find_word("content"));
  EXPECT_EQ(find_word("nothing"), nullptr);
}

TEST(Lint, GoodRuleHasNoProblem) {
  const LintReport report =
      lint_texts({"alert http $HOME_NET any -> $EXTERNAL_NET any (msg:\"m\"; http.uri; "
                  "content:\"/a\"; nocase; sid:1;)"});
  EXPECT_EQ(problems_as_text(report), "");
  EXPECT_EQ(report.rules, 1u);
}

TEST(Lint, EveryProblemIsToldAtItsPlace) {
  EXPECT_EQ(problem("contnet:\"a\";"),
            "1:40: error: unknown keyword 'contnet', did you mean 'content'? (sid 7)");
  EXPECT_EQ(problem("zzzzzz;"), "1:40: error: unknown keyword 'zzzzzz' (sid 7)");
  EXPECT_EQ(problem("content:\"a|4|\";"),
            "1:51: error: hexadecimal byte of two digits expected (sid 7)");
  EXPECT_EQ(problem("nocase;"), "1:40: error: 'nocase' has no content before it (sid 7)");
  EXPECT_EQ(problem("http_uri;"), "1:40: error: 'http_uri' has no content before it (sid 7)");
  EXPECT_EQ(problem("content:\"abc\"; depth:2;"),
            "1:61: error: the content is 3 bytes long and can never lie within 2 (sid 7)");
  EXPECT_EQ(problem("content:\"abcd\"; fast_pattern; content:\"bcde\"; fast_pattern;"),
            "1:86: error: only one content can be the fast_pattern (sid 7)");
  EXPECT_EQ(problem("threshold:type limit, track by_src, count 1;"),
            "1:50: error: 'seconds' expected (sid 7)");
  EXPECT_EQ(problem("detection_filter:track by_src, count 0, seconds 1;"),
            "1:77: error: 'count' must be at least 1 (sid 7)");
  EXPECT_EQ(problem("reference:www.example.com;"),
            "1:50: error: system,identifier expected (sid 7)");
}

TEST(Lint, HeaderIsChecked) {
  const auto report =
      lint_texts({"alert htpt $HOME_NTE any -> 1.2.3.4/33 99999 (msg:\"m\"; sid:7;)"});
  EXPECT_EQ(problems_as_text(report),
            "f0:1:7: error: unknown protocol 'htpt', did you mean 'http'? (sid 7)\n"
            "f0:1:12: error: unknown variable '$HOME_NTE', did you mean 'HOME_NET'? (sid 7)\n"
            "f0:1:37: error: prefix length of 0 to 32 expected, not '33' (sid 7)\n"
            "f0:1:40: error: '99999' is too large, the largest is 65535 (sid 7)\n");
}

TEST(Lint, NamesAreCheckedWhenTheirFilesAreGiven) {
  const auto classes =
      rules::ClassificationConfig::parse("c", "config classification: trojan-activity,T,1");
  const auto references = rules::ReferenceConfig::parse("r", "config reference: cve http://c/");
  const LintContext context{.classes = &classes, .references = &references};
  EXPECT_EQ(problem("classtype:trojan_activity;", context),
            "1:50: warning: unknown classtype 'trojan_activity', did you mean 'trojan-activity'? "
            "(sid 7)");
  EXPECT_EQ(problem("reference:cev,2020-1;", context),
            "1:50: warning: unknown reference system 'cev', did you mean 'cve'? (sid 7)");
  EXPECT_EQ(problem("classtype:trojan_activity;"), "0 problems");
}

TEST(Lint, MissingMessageIsAWarning) {
  const auto report = lint_texts({"alert tcp any any -> any any (sid:7;)"});
  EXPECT_EQ(report.errors, 0u);
  EXPECT_EQ(problems_as_text(report), "f0:1:1: warning: rule has no msg (sid 7)\n");
}

TEST(Lint, RuleWithRequirementsMayUseUnknownWords) {
  EXPECT_EQ(problem("requires:keyword brand_new; brand_new:1;"), "0 problems");
}

TEST(Lint, SidsAreHeldAgainstAllFiles) {
  const auto rule = [](int rev) {
    return "alert tcp any any -> any any (msg:\"m\"; sid:7; rev:" + std::to_string(rev) + ";)\n";
  };
  const auto report = lint_texts({"\n" + rule(2), rule(2) + rule(3), rule(1)});
  EXPECT_EQ(problems_as_text(report),
            "f1:1:44: error: sid 7 is taken already at f0:2 (sid 7)\n"
            "f1:2:44: warning: sid 7 replaces its revision 2 at f0:2 (sid 7)\n"
            "f2:1:44: error: sid 7 is taken already at f1:2 (sid 7)\n");
}

TEST(Lint, CostIsToldOnRequest) {
  const LintContext context{.cost = true};
  EXPECT_EQ(problem("content:\"ab\";", context),
            "1:40: warning: slow: the longest content has 2 bytes, 4 or more make a good fast "
            "pattern (sid 7)");
  EXPECT_EQ(problem("pcre:\"/a/\";", context),
            "1:40: warning: slow: a regular expression without a content is run on all data of the "
            "buffer (sid 7)");
  EXPECT_EQ(problem("content:\"ab\";"), "0 problems");
  EXPECT_EQ(problem("content:\"abcd\";", context), "0 problems");
}

TEST(Lint, JsonIsOneObjectALine) {
  const auto report = lint_texts({"alert tcp any any -> any any (sid:7;)\nb\"d\n"});
  EXPECT_EQ(
      problems_as_json(report),
      R"({"file":"f0","line":1,"column":1,"severity":"warning","sid":7,"message":"rule has no msg"})"
      "\n"
      R"({"file":"f0","line":2,"column":1,"severity":"error","message":"unknown action 'b\"d'"})"
      "\n");
}

std::string explained(const std::string& rule, Language language = Language::kEnglish) {
  const auto file = rules::RuleFile::parse("f", rule, {.keep_disabled = true});
  EXPECT_EQ(file->rules().size(), 1u) << rule;
  return file->rules().empty() ? ""
                               : explain(file->rules()[0], {.language = language, .file = "f"});
}

TEST(Explain, SaysEveryPartInBothLanguages) {
  const std::string rule =
      "alert http $HOME_NET any -> any 80 (msg:\"a\\;b\"; flow:established,to_server; "
      "flowbits:isset,seen; "
      "http.uri; content:\"/x|0d 0a|\"; nocase; startswith; content:!\"y\"; offset:2; depth:9; "
      "pcre:\"/z/Ri\"; bsize:>5; http.host; dotprefix; content:\".evil.vn\"; endswith; "
      "fast_pattern; "
      "flowbits:set,hit; threshold:type limit, track by_src, count 1, seconds 60; classtype:x; "
      "reference:cve,2020-1; metadata:k v; sid:7; rev:3;)";
  EXPECT_EQ(explained(rule),
            "Rule 7, revision 3: a;b\n"
            "f:1\n"
            "\n"
            "Alerts on HTTP\n"
            "  from $HOME_NET, any port\n"
            "  to   any address, port 80\n"
            "when all of this is true:\n"
            "  - the connection is established, sent by the client to the server\n"
            "  - this flow carries the mark seen (another rule sets it)\n"
            "  - the request URI (normalised):\n"
            "      contains \"/x\\r\\n\", in any letter case, at the very beginning\n"
            "      does not contain \"y\", not before byte 2, within the first 9 bytes from there\n"
            "      matches the regular expression /z/Ri, behind the previous match\n"
            "      its size in bytes is more than 5\n"
            "  - the host name of the HTTP request, with a dot put before it:\n"
            "      contains \".evil.vn\", at the very end\n"
            "Then:\n"
            "  - puts the mark hit on this flow\n"
            "  - at most 1 alerts in 60 seconds for each source address\n"
            "Kind: x\n"
            "Read more: cve 2020-1\n"
            "Notes: k v\n");
  EXPECT_EQ(explained(rule, Language::kVietnamese),
            "Luật 7, bản sửa 3: a;b\n"
            "f:1\n"
            "\n"
            "Cảnh báo khi thấy HTTP\n"
            "  từ $HOME_NET, cổng bất kỳ\n"
            "  đến địa chỉ bất kỳ, cổng 80\n"
            "khi tất cả điều sau đều đúng:\n"
            "  - kết nối đã được thiết lập, chiều từ máy khách đến máy chủ\n"
            "  - luồng này mang dấu seen (do luật khác đặt)\n"
            "  - URI của yêu cầu HTTP (đã chuẩn hoá):\n"
            "      có chứa \"/x\\r\\n\", không phân biệt hoa thường, ở ngay đầu\n"
            "      không chứa \"y\", không trước byte 2, trong 9 byte đầu kể từ đó\n"
            "      khớp biểu thức chính quy /z/Ri, sau lần khớp trước\n"
            "      kích thước (byte) lớn hơn 5\n"
            "  - tên máy chủ trong yêu cầu HTTP, thêm dấu chấm phía trước:\n"
            "      có chứa \".evil.vn\", ở ngay cuối\n"
            "Khi đó:\n"
            "  - đặt dấu hit lên luồng này\n"
            "  - nhiều nhất 1 cảnh báo trong 60 giây cho mỗi địa chỉ nguồn\n"
            "Loại: x\n"
            "Xem thêm: cve 2020-1\n"
            "Ghi chú: k v\n");
}

TEST(Explain, OlderSpellingNamesTheBufferBehindTheContent) {
  const std::string text = explained(
      "alert tcp any any <> any any (content:\"a\"; http_uri; nocase; content:\"b\"; "
      "content:\"c\"; http_uri; sid:1;)");
  EXPECT_NE(text.find("  - the request URI (normalised):\n"
                      "      contains \"a\", in any letter case\n"
                      "      contains \"c\"\n"
                      "  - the data:\n"
                      "      contains \"b\"\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("or the other way round"), std::string::npos);
}

TEST(Explain, UnknownWordsAreShownAsWritten) {
  const std::string text =
      explained("# alert foo any any => any any (brand_new:1,2; other; sid:1;)");
  EXPECT_NE(text.find("Alerts on foo\n"), std::string::npos);
  EXPECT_NE(text.find("  - brand_new: 1,2\n  - other\n"), std::string::npos) << text;
  EXPECT_NE(text.find("(commented out: not in force)"), std::string::npos);
}

TEST(Explain, RuleWithoutConditions) {
  EXPECT_NE(explained("alert ip any any -> 1.1.1.1 any (sid:1;)").find("whatever it carries.\n"),
            std::string::npos);
}

TEST(Explain, NumbersAndFlags) {
  const std::string text = explained(
      "alert tcp any any -> any any (dsize:1<>9; ttl:!5; flags:SA,12; "
      "byte_test:2,>,0x10,4,relative,little; "
      "isdataat:!10,relative; itype:8; sid:1;)");
  for (const char* line :
       {"the size of the packet's payload lies between 1 and 9 (without them)\n",
        "the time to live (TTL) is not 5\n", "TCP flags SYN+ACK (SA,12)\n",
        "the number in 2 bytes at byte 4 behind the previous match is > 0x10 (little)\n",
        "there is no data 10 bytes on behind the previous match\n", "the ICMP type is 8\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Explain, ShownBytesArePlain) {
  EXPECT_EQ(shown_bytes("a\"\\\r\n\x01\xff"), "\"a\\\"\\\\\\r\\n\\x01\\xff\"");
}

std::string formatted(const std::string& text) {
  return format_file(*rules::RuleFile::parse("f", text, {.keep_disabled = true}));
}

TEST(Format, SpacesAreMadeOne) {
  EXPECT_EQ(formatted("  ALERT  http1:request_line  [ 1.1.1.1, !2.2.2.2 ] any->x any\n"),
            "  ALERT  http1:request_line  [ 1.1.1.1, !2.2.2.2 ] any->x any\n");
  EXPECT_EQ(
      formatted("  ALERT:flow  http1:request_line  [ 1.1.1.1, !2.2.2.2 ] any   -> any [80 , 90:] "
                "( msg : \"a  b\" ;content:!\"x\\;\";nocase;sid:1 ; )  \n"),
      "alert:flow http1:request_line [1.1.1.1,!2.2.2.2] any -> any [80,90:] "
      "(msg:\"a  b\"; content:!\"x\\;\"; nocase; sid:1;)\n");
}

TEST(Format, CommentsAndBrokenRulesStay) {
  const std::string text =
      "# a comment\n\nalert broken (\n#alert tcp any any -> any any (sid:1;)\n";
  EXPECT_EQ(formatted("\xEF\xBB\xBF" + text),
            "# a comment\n\nalert broken (\n# alert tcp any any -> any any (sid:1;)\n");
}

TEST(Format, ContinuedRuleBecomesOneLine) {
  EXPECT_EQ(
      formatted("alert tcp any any -> any any ( \\\r\n  msg:\"x\"; \\\r\n  sid:1;)\r\n# end\r\n"),
      "alert tcp any any -> any any (msg:\"x\"; sid:1;)\n# end\n");
}

TEST(Format, WhatIsFormattedStays) {
  const std::string once =
      formatted("drop tcp any any <> any any (flow:; content : \"a\"; sid:1;)");
  EXPECT_EQ(formatted(once), once);
  EXPECT_EQ(once, "drop tcp any any <> any any (flow:; content:\"a\"; sid:1;)\n");
}

}  // namespace
}  // namespace vong::rules_tools
