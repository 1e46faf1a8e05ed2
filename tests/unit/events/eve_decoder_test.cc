#include "events/eve_decoder.h"

#include <gtest/gtest.h>

#include "events/limits.h"

namespace vong::events {
namespace {

class EveDecoderTest : public ::testing::Test {
 protected:
  void want(std::initializer_list<const char*> paths) {
    add_time_fields(plan_);
    for (const char* p : paths) ASSERT_TRUE(plan_.add(p));
    decoder_.emplace(plan_);
  }
  // The buffer behind the record is filled with what would break a reader that goes too far.
  DecodeError decode(std::string_view record) {
    buffer_.assign(record);
    buffer_.append(kRecordPaddingBytes, '"');
    return decoder_->decode(std::string_view(buffer_).substr(0, record.size()));
  }
  std::string text(const char* path) { return std::string(decoder_->text(plan_.find(path))); }
  std::vector<std::string> all(const char* path) {
    std::vector<std::string> out;
    for (const FieldValue& v : decoder_->values()) {
      if (v.field == plan_.find(path)) out.emplace_back(v.text);
    }
    return out;
  }
  FieldPlan plan_;
  std::optional<EveDecoder> decoder_;
  std::string buffer_;
};

TEST_F(EveDecoderTest, ReadsNestedFieldsAndNumbersAsWritten) {
  want({"src_ip", "alert.signature_id", "alert.severity", "flow.start", "missing"});
  ASSERT_EQ(
      decode(
          R"({"timestamp":"2026-11-20T08:00:00.000100+0000","src_ip":"1.2.3.4","alert":{"signature_id": 2001004 ,"x":[{"severity":9}],"severity":1},"flow":{"a":{"start":"no"},"start":"x"}})"),
      DecodeError::kNone);
  EXPECT_EQ(text("src_ip"), "1.2.3.4");
  EXPECT_EQ(text("alert.signature_id"), "2001004");
  EXPECT_EQ(text("alert.severity"), "1");
  EXPECT_EQ(text("flow.start"), "x");
  EXPECT_EQ(text("missing"), "");
  EXPECT_EQ(format_eve_time(decoder_->time()), "2026-11-20T08:00:00.000100+0000");
}

TEST_F(EveDecoderTest, ArraysGiveOneValuePerElement) {
  want({"dns.answers.rdata", "alert.metadata.tag"});
  ASSERT_EQ(
      decode(
          R"({"timestamp":"2026-11-20T08:00:00Z","dns":{"answers":[{"rdata":"a"},{"x":1},{"rdata":"b"}]},"alert":{"metadata":{"tag":["p","q"]}}})"),
      DecodeError::kNone);
  EXPECT_EQ(all("dns.answers.rdata"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(all("alert.metadata.tag"), (std::vector<std::string>{"p", "q"}));
}

TEST_F(EveDecoderTest, EscapedKeysAndStringsMeanTheSame) {
  want({"src_ip", "http.url"});
  ASSERT_EQ(
      decode(
          R"({"timestamp":"2026-11-20T08:00:00Z","src\u005fip":"1.2.3.4","http":{"url":"\/a\"\u00e9"}})"),
      DecodeError::kNone);
  EXPECT_EQ(text("src_ip"), "1.2.3.4");
  EXPECT_EQ(text("http.url"), "/a\"\xc3\xa9");
}

TEST_F(EveDecoderTest, DottedKeysOfZeekAreFound) {
  want({"id.orig_h"});
  ASSERT_EQ(decode(R"({"ts":1795161600.25,"id.orig_h":"10.0.0.1"})"), DecodeError::kNone);
  EXPECT_EQ(text("id.orig_h"), "10.0.0.1");
  EXPECT_EQ(format_eve_time(decoder_->time()), "2026-11-20T08:00:00.250000+0000");
}

TEST_F(EveDecoderTest, LongAndShortKeysWithOnePrefixAreToldApart) {
  want({"signature", "signature_id", "signatur"});
  ASSERT_EQ(
      decode(
          R"({"timestamp":"2026-11-20T08:00:00Z","signature":"a","signature_id":"b","signatur":"c","signature_ids":"d"})"),
      DecodeError::kNone);
  EXPECT_EQ(text("signature"), "a");
  EXPECT_EQ(text("signature_id"), "b");
  EXPECT_EQ(text("signatur"), "c");
}

TEST_F(EveDecoderTest, BadRecordsHaveAReason) {
  want({"a", "b.c"});
  EXPECT_EQ(decode(""), DecodeError::kEmpty);
  EXPECT_EQ(decode("hello"), DecodeError::kNotJson);
  EXPECT_EQ(decode("[1,2]"), DecodeError::kNotObject);
  EXPECT_EQ(decode("17"), DecodeError::kNotObject);
  EXPECT_EQ(decode(R"({"a":1)"), DecodeError::kNotJson);
  EXPECT_EQ(decode(R"({"a":"x)"), DecodeError::kNotJson);
  EXPECT_EQ(decode(R"({"a":tru})"), DecodeError::kNotJson);
  EXPECT_EQ(decode(R"({"a":1}{"a":2})"), DecodeError::kNotJson);
  EXPECT_EQ(decode("{\"a\":\"\xff\"}"), DecodeError::kNotJson);
  EXPECT_EQ(decode(R"({"a":1})"), DecodeError::kNoTimestamp);
  EXPECT_EQ(decode(R"({"timestamp":"yesterday"})"), DecodeError::kNoTimestamp);
  EXPECT_EQ(decode(R"({"timestamp":"2026-11-20T08:00:00Z","a":[[[[[[1]]]]]]})"),
            DecodeError::kTooManyValues);
}

TEST_F(EveDecoderTest, ARecordAfterABadOneIsReadAsIfAlone) {
  want({"a"});
  EXPECT_EQ(decode(R"({"a":"old","a":tru})"), DecodeError::kNotJson);
  ASSERT_EQ(decode(R"({"timestamp":"2026-11-20T08:00:00Z"})"), DecodeError::kNone);
  EXPECT_EQ(text("a"), "");
}

TEST_F(EveDecoderTest, DeepNestingInSkippedPartsIsHarmless) {
  want({"a"});
  std::string deep = R"({"timestamp":"2026-11-20T08:00:00Z","x":)" + std::string(100'000, '[') +
                     std::string(100'000, ']') + R"(,"a":1})";
  EXPECT_EQ(decode(deep), DecodeError::kNone);
  EXPECT_EQ(text("a"), "1");
}

TEST_F(EveDecoderTest, TimeShortcutAgreesWithTheLongWay) {
  want({"a"});
  for (const char* t : {"2026-11-20T08:00:00.000000+0000", "2026-11-20T08:00:59.999999+0000",
                        "2026-11-20T08:00:07.123456+0000", "2026-11-20T08:01:07.123456+0000",
                        "2026-11-20T08:00:07.123456+0700", "2026-11-20T08:00:60.000000+0000"}) {
    ASSERT_EQ(decode(std::string(R"({"timestamp":")") + t + "\"}"), DecodeError::kNone) << t;
    EXPECT_EQ(decoder_->time(), parse_eve_time(t)) << t;
  }
  EXPECT_EQ(decode(R"({"timestamp":"2026-11-20T08:00:0x.000000+0000"})"),
            DecodeError::kNoTimestamp);
}

TEST_F(EveDecoderTest, NamesOfZeekAndEcsMeanTheSameFields) {
  want({"src_ip", "dest_ip", "event_type", "dns.rrname", "query"});
  ASSERT_EQ(decode(R"({"ts":1795161600.25,"_path":"dns","id.orig_h":"10.0.0.1","query":"a.b"})"),
            DecodeError::kNone);
  EXPECT_EQ(text("src_ip"), "10.0.0.1");
  EXPECT_EQ(text("event_type"), "dns");
  EXPECT_EQ(text("dns.rrname"), "a.b");
  EXPECT_EQ(text("query"), "a.b");
  ASSERT_EQ(
      decode(
          R"({"@timestamp":"2026-11-20T08:00:00Z","event":{"dataset":"dns"},"source":{"ip":"10.0.0.2"},"destination.ip":"10.0.0.3","dns":{"question":{"name":"c.d"}}})"),
      DecodeError::kNone);
  EXPECT_EQ(text("src_ip"), "10.0.0.2");
  EXPECT_EQ(text("dest_ip"), "10.0.0.3");
  EXPECT_EQ(text("event_type"), "dns");
  EXPECT_EQ(text("dns.rrname"), "c.d");
}

// Records of a block, read through its index and each by itself: the same, whatever stands beside
// them.
TEST_F(EveDecoderTest, ABlockGivesWhatItsRecordsGiveAlone) {
  want({"a", "b.c"});
  const std::vector<std::string> good = {
      R"({"timestamp":"2026-11-20T08:00:00Z","a":"x","b":{"c":[1,2]}})",
      R"({"timestamp":"2026-11-20T08:00:00Z","a":"es\"caped\\","b":{"\u0063":"y"}})",
      R"( {"timestamp":"2026-11-20T08:00:00Z","b":{"d":{"c":0},"c":null}} )",
      R"({"timestamp":"2026-11-20T08:00:00Z","a":1}{"a":2})",
      R"({"timestamp":"2026-11-20T08:00:00Z","a":[[1],[2)",
      R"(]}, "a": 3})",
      R"({"timestamp":"2026-11-20T08:00:00Z","a":tru})",
      "17",
      R"([1,{"a":2}])",
  };
  const std::vector<std::string> broken = {R"({"a":"no end)", "{\"a\":\"\xff\"}", "\"", "\\"};
  for (size_t bad = 0; bad <= broken.size(); ++bad) {
    std::vector<std::string> lines = good;
    if (bad < broken.size()) lines.insert(lines.begin() + 3, broken[bad]);
    std::string block;
    std::vector<std::pair<size_t, size_t>> places;
    for (const std::string& line : lines) {
      places.emplace_back(block.size(), line.size());
      block += line + "\n";
    }
    const size_t size = block.size();
    block.append(kRecordPaddingBytes, '"');
    const auto result = [&](size_t i, bool indexed) {
      const std::string_view record =
          std::string_view(block).substr(places[i].first, places[i].second);
      std::string out = std::to_string(
          static_cast<int>(indexed ? decoder_->decode(record) : decode(std::string(record))));
      for (const FieldValue& v : decoder_->values())
        out += " " + std::to_string(v.field) + "=" + std::string(v.text);
      return out;
    };
    std::vector<std::string> alone;
    for (size_t i = 0; i < lines.size(); ++i) alone.push_back(result(i, false));
    decoder_->index_block(std::string_view(block).substr(0, size));
    for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(result(i, true), alone[i]) << lines[i];
    decoder_->index_block(std::string_view(block).substr(0, size));
    for (size_t i = lines.size(); i-- > 0;) EXPECT_EQ(result(i, true), alone[i]) << lines[i];
    decoder_->index_block({});
  }
}

TEST(FieldPlan, RefusesHostileNames) {
  FieldPlan plan;
  EXPECT_FALSE(plan.add(""));
  EXPECT_FALSE(plan.add("a\"b"));
  EXPECT_FALSE(plan.add(std::string(300, 'a')));
  EXPECT_FALSE(plan.add("a.a.a.a.a.a.a.a.a.a.a.a.a.a"));
  EXPECT_EQ(*plan.add("a.b"), *plan.add("a.b"));
}

}  // namespace
}  // namespace vong::events
