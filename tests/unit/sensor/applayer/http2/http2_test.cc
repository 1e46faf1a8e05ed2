#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/http/parser.h"
#include "sensor/applayer/http2/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::http2 {
namespace {

using applayer::contract::Conversation;
using testing::HasSubstr;
using testing::Not;

std::string be(uint64_t v, int n) {
  std::string out;
  for (int i = n - 1; i >= 0; --i) out.push_back(static_cast<char>(v >> (8 * i)));
  return out;
}
std::string frame(FrameType type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return be(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         be(stream, 4) + std::string(payload);
}
// Literals that are not added to the table.
std::string fields(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
  std::string out;
  for (const auto& [name, value] : list) {
    out.append(1, '\0').append(1, static_cast<char>(name.size())).append(name);
    out.append(1, static_cast<char>(value.size())).append(value);
  }
  return out;
}
std::string preface() {
  return std::string(kClientPreface) + frame(FrameType::kSettings, 0, 0, be(3, 2) + be(100, 4));
}

Conversation exchange() {
  Conversation c{&http2_def()};
  c.client(preface());
  c.server(frame(FrameType::kSettings, 0, 0, "") + frame(FrameType::kSettings, kAck, 0, ""));
  c.client(frame(FrameType::kHeaders, kEndHeaders, 1,
                 fields({{":method", "POST"},
                         {":path", "/a?b"},
                         {":authority", "X.example:80"},
                         {"cookie", "a=1"},
                         {"cookie", "b=2"}})));
  c.client(
      frame(FrameType::kData, kPadded, 1, std::string("\x02") + "hello" + std::string(2, '\0')));
  c.client(frame(FrameType::kData, kEndStream, 1, " you"));
  c.server(frame(FrameType::kHeaders, 0, 1, fields({{":status", "200"}, {"server", "s"}})) +
           frame(FrameType::kContinuation, kEndHeaders, 1, fields({{"content-length", "4"}})));
  c.server(frame(FrameType::kData, 0, 1, "body") + frame(FrameType::kData, kEndStream, 1, ""));
  c.client(frame(FrameType::kWindowUpdate, 0, 0, be(77, 4)) +
           frame(FrameType::kGoaway, 0, 0, be(1, 4) + be(11, 4)));
  return c;
}

const Http2Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Http2Transaction&>(*o.transactions().at(i));
}

TEST(Http2, Contract) { applayer::contract::check_contract(exchange()); }

TEST(Http2, StreamIsATransaction) {
  const auto o = run(exchange());
  EXPECT_FALSE(o.failed);
  ASSERT_EQ(o.transactions().size(), 5u);
  const auto& tx = nth(o, 2);
  EXPECT_EQ(tx.stream_id, 1u);
  EXPECT_TRUE(tx.closed());
  for (const std::string_view text :
       {">http.uri=\"/a?b\"", ">http.method=\"POST\"", ">http.host=\"x.example\"",
        ">http.host.raw=\"X.example:80\"", ">http.request_line=\"POST /a?b HTTP/2\\r\\n\"",
        "<http.response_line=\"HTTP/2 200\\r\\n\"", ">http.cookie=\"a=1; b=2\"",
        ">http.request_body=\"hello you\"", "<file.data=\"body\"", "<http.content_len=\"4\"",
        "<http.stat_msg=\"\"", ">http.request_header=\"::authority: X.example::80\"",
        ">http2.window=77", ">http2.errorcode=11"}) {
    EXPECT_THAT(o.records(), HasSubstr(text));
  }
  EXPECT_THAT(o.records(), Not(HasSubstr("cookie: a=1\\r\\n\"\n >http.header_names")));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"({"http":{"version":"2","http2":{"stream_id":0,"request":{"error_code":"ENHANCEYOURCALM"}}}})"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("settings":[{"settings_id":"SETTINGSMAXCONCURRENTSTREAMS","settings_value":100}])"));
  EXPECT_THAT(o.records(), Not(HasSubstr(" event ")));
}

TEST(Http2, PartsOfAFileAreOneFileWhateverTheVersion) {
  http::shared_range_files()->clear();
  Conversation one{&http::kHttp1Protocol};
  one.client("GET /f HTTP/1.1\r\nHost: x.example\r\n\r\n");
  one.server(
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/10\r\nContent-Length: "
      "5\r\n\r\n01234");
  (void)run(one);
  Conversation two{&http2_def()};
  two.client(preface() +
             frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1,
                   fields({{":method", "GET"}, {":path", "/f"}, {":authority", "X.example:80"}})));
  two.server(frame(FrameType::kHeaders, kEndHeaders, 1,
                   fields({{":status", "206"}, {"content-range", "bytes 5-9/10"}})) +
             frame(FrameType::kData, kEndStream, 1, "56789"));
  const auto o = run(two);
  const auto& files = nth(o, 1).side(Direction::kToClient).files->files();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].window, "56789");
  EXPECT_EQ(files[1].window, "0123456789");
}

TEST(Http2, OddHeadersAreEvents) {
  Conversation c{&http2_def()};
  c.client(preface() + frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1,
                             fields({{":authority", "u@a"}, {"host", "b"}}) + "\xff\x7f"));
  c.client(frame(FrameType::kWindowUpdate, 0, 1, "x") + frame(FrameType::kData, 0, 0, "x"));
  const std::string text = run(c).records();
  for (const std::string_view e : {"authority_host_mismatch", "userinfo_in_uri", "invalid_header",
                                   "invalid_frame_length", "data_stream_zero"})
    EXPECT_THAT(text, HasSubstr(std::string("event ").append(e)));
}

TEST(Http2, ContinuationFloodIsBounded) {
  Conversation c{&http2_def()};
  std::string flood = preface() + frame(FrameType::kHeaders, 0, 1, fields({{":path", "/"}}));
  for (int i = 0; i < 20'000; ++i)
    flood += frame(FrameType::kContinuation, 0, 1, fields({{"name", "0123456789"}}));
  c.client(flood + frame(FrameType::kContinuation, kEndHeaders, 1, ""));
  const auto o = run(c);
  const auto& tx = nth(o, 1);
  EXPECT_LE(tx.side(Direction::kToServer).fields.size(), kFieldsMax);
  EXPECT_LE(tx.side(Direction::kToServer).frame_types.size(), kNotesMax);
  EXPECT_THAT(o.records(), HasSubstr("event reassembly_limit_reached"));
  EXPECT_THAT(o.records(), HasSubstr("event too_many_frames"));
}

TEST(Http2, ALongValueByIndexIsBoundedOverAllStreams) {
  Conversation c{&http2_def()};
  std::string many =
      preface() + frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1,
                        std::string("\x40\x01k\x7f\x81\x1e", 6) + std::string(4000, 'v'));
  for (uint32_t i = 3; i < 401; i += 2)
    many += frame(FrameType::kHeaders, kEndHeaders | kEndStream, i, std::string(100, '\xbe'));
  c.client(many);
  const auto o = run(c);
  size_t kept = 0;
  for (uint32_t i = 0; i < o.transactions().size(); ++i)
    kept += nth(o, i).side(Direction::kToServer).field_bytes;
  EXPECT_GT(kept, kFlowFieldBytesFree);
  EXPECT_LT(kept, kFlowFieldBytesFree + kFlowFieldBytesPerByte * many.size());
  EXPECT_THAT(o.records(), HasSubstr("event reassembly_limit_reached"));
}

TEST(Http2, TheSameCookiesWithEveryRequestAreNotALimit) {
  Conversation c{&http2_def()};
  std::string many =
      preface() + frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1,
                        std::string("\x40\x01k\x7f\x81\x1e", 6) + std::string(4000, 'v'));
  for (uint32_t i = 3; i < 4001; i += 2)
    many += frame(FrameType::kHeaders, kEndHeaders | kEndStream, i,
                  "\xbe" + fields({{":path", "/an/ordinary/path"}}));
  c.client(many);
  EXPECT_THAT(run(c).records(), ::testing::Not(HasSubstr("reassembly_limit_reached")));
}

TEST(Http2, TooManyStreamsEndTheFlow) {
  Conversation c{&http2_def()};
  c.settings.set("app-layer.protocols.http2.max-streams", "16");
  std::string many = preface();
  for (uint32_t i = 0; i < 32; ++i)
    many +=
        frame(FrameType::kHeaders, kEndHeaders | kEndStream, 2 * i + 1, fields({{":path", "/"}}));
  c.client(many);
  const auto o = run(c);
  EXPECT_TRUE(o.failed);
  EXPECT_EQ(o.transactions().size(), 16u);
  EXPECT_THAT(o.records(), HasSubstr("event too_many_streams"));
}

TEST(Http2, ResetStreamsAreClosed) {
  Conversation c{&http2_def()};
  c.client(preface() + frame(FrameType::kHeaders, kEndHeaders, 1, fields({{":path", "/"}})) +
           frame(FrameType::kRstStream, 0, 1, be(8, 4)));
  const auto o = run(c);
  EXPECT_TRUE(nth(o, 1).closed());
  EXPECT_THAT(o.records(), HasSubstr(R"("error_code":"CANCEL")"));
}

TEST(Http2, LongDataFrameComesThroughAGap) {
  const std::string body(100'000, 'x');
  Conversation c{&http2_def()};
  c.client(preface() +
           frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1, fields({{":path", "/"}})));
  c.server(frame(FrameType::kHeaders, kEndHeaders, 1, fields({{":status", "200"}})));
  c.server(frame(FrameType::kData, kEndStream, 1, body));
  const auto o =
      run_with(c, [&](applayer::contract::Feeder& f, const applayer::contract::Step& s, size_t) {
        if (s.bytes.size() < 100'000) return f.bytes(s.direction, s.bytes);
        f.bytes(s.direction, std::string_view(s.bytes).substr(0, 50'000));
        f.gap(s.direction, 10'000);
        f.bytes(s.direction, std::string_view(s.bytes).substr(60'000));
      });
  EXPECT_FALSE(o.failed);
  const auto* files =
      static_cast<const applayer::Transaction&>(nth(o, 1)).files(Direction::kToClient);
  ASSERT_NE(files, nullptr);
  EXPECT_EQ(files->files()[0].size, 100'000u);
  EXPECT_TRUE(files->files()[0].gaps);
  EXPECT_THAT(o.records(), HasSubstr("event long_frame_data"));
}

const std::string kQuery(
    "\x00\x00\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07"
    "example\x03"
    "com\x00\x00\x01\x00\x01",
    33);

TEST(Doh2, QueryInThePath) {
  Conversation c{&doh2_def()};
  c.client(preface() +
           frame(FrameType::kHeaders, kEndHeaders | kEndStream, 1,
                 fields({{":path", "/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB"},
                         {"accept", "application/dns-message"}})));
  const auto o = run(c);
  EXPECT_EQ(o.parser->speaks, applayer::AppProto::kDoh2);
  EXPECT_THAT(o.records(), HasSubstr(">dns.query=\"www.example.com\""));
  EXPECT_THAT(o.records(), HasSubstr(R"("queries":[{"rrname":"www.example.com","rrtype":"A"}])"));
}

TEST(Doh2, MessagesInBodies) {
  Conversation c{&doh2_def()};
  c.client(preface() +
           frame(FrameType::kHeaders, kEndHeaders, 1,
                 fields({{":path", "/q"}, {"content-type", "application/dns-message"}})));
  c.client(frame(FrameType::kData, 0, 1, kQuery.substr(0, 9)) +
           frame(FrameType::kData, kEndStream, 1, kQuery.substr(9)));
  const auto o = run(c);
  EXPECT_THAT(o.records(), HasSubstr(">dns.query=\"www.example.com\""));
}

TEST(Doh2, MessageThatIsTooLongIsAnEvent) {
  Conversation c{&http2_def()};
  c.client(preface() +
           frame(FrameType::kHeaders, kEndHeaders, 1,
                 fields({{":path", "/q"}, {"content-type", "application/dns-message"}})));
  for (int i = 0; i < 5; ++i) c.client(frame(FrameType::kData, 0, 1, std::string(16'000, 'x')));
  const auto o = run(c);
  EXPECT_EQ(o.parser->speaks, applayer::AppProto::kUnknown);
  EXPECT_THAT(o.records(), HasSubstr("event dns_request_too_long"));
}

TEST(Http2, UpgradedRequestIsStreamOne) {
  Conversation first{&http::kHttp1Protocol};
  first.client(
      "GET /x HTTP/1.1\r\nHost: h.example\r\nUpgrade: h2c\r\nHTTP2-Settings: "
      "AAMAAABk\r\nConnection: Upgrade\r\n\r\n");
  first.server("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  const auto before = run(first);
  ASSERT_TRUE(before.upgraded);
  EXPECT_EQ(before.next, applayer::AppProto::kHttp2);
  const auto config = http2_def().configure(Settings());
  const auto parser = http2_def().make(config.get());
  parser->upgraded_from(*before.parser, applayer::AppProto::kHttp1);
  ASSERT_EQ(parser->transactions.size(), 2u);
  const std::string text = applayer::contract::describe(http2_def(), *parser->transactions[0]);
  EXPECT_THAT(text, HasSubstr(">http.request_line=\"GET /x HTTP/2\\r\\n\""));
  EXPECT_THAT(text, HasSubstr(">http.host=\"h.example\""));
  const auto& settings =
      static_cast<Http2Transaction&>(*parser->transactions[1]).side(Direction::kToServer).settings;
  ASSERT_EQ(settings.size(), 1u);
  EXPECT_EQ(settings[0].value, 100u);
}

}  // namespace
}  // namespace vong::http2
