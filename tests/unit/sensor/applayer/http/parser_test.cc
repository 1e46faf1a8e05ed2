#include "sensor/applayer/http/parser.h"

#include <gtest/gtest.h>

#include "tests/unit/sensor/applayer/http/http_fixture.h"

namespace vong::http {
namespace {

TEST(HttpParser, BuffersOfASimpleExchange) {
  const Outcome o = run(simple(kGet, kOk));
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_EQ(buffer(o, "http.uri"), "/a/c d?x=A");
  EXPECT_EQ(buffer(o, "http.uri.raw"), "/a//b/../c%20d?x=%41");
  EXPECT_EQ(buffer(o, "http.method"), "GET");
  EXPECT_EQ(buffer(o, "http.protocol"), "HTTP/1.1");
  EXPECT_EQ(buffer(o, "http.request_line"), "GET /a//b/../c%20d?x=%41 HTTP/1.1");
  EXPECT_EQ(buffer(o, "http.host"), "example.com");
  EXPECT_EQ(buffer(o, "http.host.raw"), "Example.COM:8080");
  EXPECT_EQ(buffer(o, "http.header"), "Host: Example.COM:8080\r\nUser-Agent: ua\r\n");
  EXPECT_EQ(buffer(o, "http.cookie"), "a=b");
  EXPECT_EQ(buffer(o, "http.cookie", kServerSide), "k");
  EXPECT_EQ(buffer(o, "http.header_names"), "\r\nHost\r\nCookie\r\nUser-Agent\r\n\r\n");
  EXPECT_EQ(buffer(o, "http.header.raw"),
            "Host: Example.COM:8080\r\nCookie: a=b\r\nUser-Agent: ua\r\n\r\n");
  EXPECT_EQ(buffer(o, "http.request_header", kClientSide, 0, 2), "User-Agent: ua");
  EXPECT_EQ(buffer(o, "http.stat_code", kServerSide), "200");
  EXPECT_EQ(buffer(o, "http.stat_msg", kServerSide), "OK");
  EXPECT_EQ(buffer(o, "http.response_line", kServerSide), "HTTP/1.1 200 OK");
  EXPECT_EQ(buffer(o, "http.server", kServerSide), "s");
  EXPECT_EQ(buffer(o, "http.response_body", kServerSide), "hello");
  EXPECT_EQ(buffer(o, "file.data", kServerSide), "hello");
  EXPECT_EQ(buffer(o, "file.name", kServerSide), "/a/c d");
}

TEST(HttpParser, RecordHasTheReferencesFields) {
  const Outcome o = run(simple(kGet, kOk));
  std::string json;
  JsonWriter w(json);
  w.open_object();
  ASSERT_TRUE(kHttp1Protocol.loggers[0].log(tx_of(o), {}, w));
  w.close_object();
  EXPECT_EQ(
      json,
      R"({"http":{"hostname":"example.com","http_port":8080,"url":"/a//b/../c%20d?x=%41","http_user_agent":"ua",)"
      R"("http_content_type":"text/html","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":5}})");
}

TEST(HttpParser, PipelinedRequestsMeetTheirResponsesInOrder) {
  const Outcome o =
      run(simple("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1HTTP/1.1 404 No\r\nContent-Length: "
                 "1\r\n\r\n2"));
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(tx_of(o, 0).status_code, 200);
  EXPECT_EQ(tx_of(o, 1).status_code, 404);
  EXPECT_EQ(buffer(o, "http.response_body", kServerSide, 1), "2");
}

TEST(HttpParser, ChunkedBodyIsJoined) {
  const Outcome o = run(simple(kGet,
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: t\r\n\r\n"));
  EXPECT_EQ(buffer(o, "http.response_body", kServerSide), "abcde");
  EXPECT_EQ(buffer(o, "http.header_names", kServerSide), "\r\nTransfer-Encoding\r\nT\r\n\r\n");
}

TEST(HttpParser, ResponseWithoutRequestIsAnEvent) {
  Conversation c(&kHttp1Protocol);
  c.server(kOk);
  EXPECT_TRUE(raised(run(c), "unable_to_match_response_to_request"));
}

TEST(HttpParser, Contract) {
  Conversation c(&kHttp1Protocol);
  c.client(kGet).server(kOk);
  c.client(
      "POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; "
      "boundary=BB\r\nContent-Length: 111\r\n\r\n"
      "--BB\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.bin\"\r\n\r\n"
      "file body\r\nwith lines\r\n--BB--\r\n0123456789");
  c.server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: 1\r\n "
      "folded\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  applayer::contract::check_contract(c);
}

// --- odd requests

TEST(HttpParser, RequestLineWithoutProtocolAndNothingBehindIsHttp09) {
  const Outcome o = run(simple("GET /old\r\n", "<html>old</html>"));
  EXPECT_TRUE(tx_of(o).is_09);
  EXPECT_EQ(buffer(o, "http.response_body", kServerSide), "<html>old</html>");
}

TEST(HttpParser, RequestLineWithoutProtocolBeforeHeadersIsAnEvent) {
  const Outcome o =
      run(simple("GET /\nFakeHeader\nHost: localhost\nUser-Agent: myscript\n\n", "<html>"));
  EXPECT_TRUE(raised(o, "request_line_missing_protocol"));
  EXPECT_EQ(buffer(o, "http.user_agent"), "myscript");
}

TEST(HttpParser, TargetMayHoldSpaces) {
  const Outcome o = run(simple("GET /a b.mpg HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(buffer(o, "http.uri.raw"), "/a b.mpg");
  EXPECT_EQ(buffer(o, "http.protocol"), "HTTP/1.0");
}

TEST(HttpParser, EmptyLinesBeforeARequestAreSkipped) {
  const Outcome o = run(simple("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_EQ(buffer(o, "http.method"), "GET");
}

TEST(HttpParser, FoldedAndRepeatedFieldsAreJoined) {
  const Outcome o = run(simple("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\t2\r\nY: 3\r\ny: 4\r\n\r\n"));
  EXPECT_EQ(buffer(o, "http.header"), "Host: a\r\nX: 1\t2\r\nY: 3, 4\r\n");
  EXPECT_TRUE(raised(o, "request_header_repetition"));
}

TEST(HttpParser, FieldsWithoutColonOrWithSpaceBeforeItAreEvents) {
  const Outcome o = run(simple("GET / HTTP/1.1\r\nHost : a\r\njunk\r\n\r\n"));
  EXPECT_EQ(buffer(o, "http.host"), "a");
  EXPECT_TRUE(raised(o, "request_header_invalid"));
  EXPECT_TRUE(raised(o, "request_field_missing_colon"));
}

TEST(HttpParser, HostProblemsAreEvents) {
  EXPECT_TRUE(raised(run(simple("GET / HTTP/1.1\r\n\r\n")), "missing_host_header"));
  EXPECT_TRUE(
      raised(run(simple("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n")), "host_header_ambiguous"));
  EXPECT_TRUE(
      raised(run(simple("GET / HTTP/1.1\r\nHost: a..b\r\n\r\n")), "request_header_host_invalid"));
}

TEST(HttpParser, ConnectWithoutHostHasNone) {
  const Outcome o = run(simple("CONNECT / HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(buffer(o, "http.host"), "(none)");
  EXPECT_EQ(buffer(o, "http.uri.raw"), "/");
}

TEST(HttpParser, AuthorizationSchemeUnknownIsAnEvent) {
  EXPECT_TRUE(raised(run(simple("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Turbo x\r\n\r\n")),
                     "request_auth_unrecognized"));
  EXPECT_FALSE(raised(run(simple("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n")),
                      "request_auth_unrecognized"));
}

TEST(HttpParser, JunkBehindARequestIsItsBody) {
  const Outcome o = run(simple("POST / HTTP/1.1\r\nHost: a\r\n\r\nlogin=foo\r\n"));
  EXPECT_TRUE(raised(o, "request_body_unexpected"));
  EXPECT_EQ(buffer(o, "http.request_body"), "login=foo\r\n");
}

// --- odd responses

TEST(HttpParser, InterimResponsesAreSkipped) {
  const Outcome o = run(simple(kGet,
                               "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 100 "
                               "Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"));
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_EQ(tx_of(o).status_code, 200);
  EXPECT_EQ(buffer(o, "http.header_names", kServerSide), "\r\nContent-Length\r\n\r\n");
  EXPECT_TRUE(raised(o, "100_continue_already_seen"));
}

TEST(HttpParser, HeadHasNoBody) {
  const Outcome o = run(simple(
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nHTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n"));
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(tx_of(o, 1).status_code, 201);
}

TEST(HttpParser, BodyWithoutLengthEndsWithTheStream) {
  const Outcome o = run(simple(kGet, "HTTP/1.1 200 OK\r\n\r\nuntil the end"));
  EXPECT_EQ(buffer(o, "http.response_body", kServerSide), "until the end");
  EXPECT_EQ(tx_of(o).response.files->files().front().state, applayer::FileState::kClosed);
}

TEST(HttpParser, WhatIsNoChunkSizeMakesTheRestABody) {
  const Outcome o =
      run(simple(kGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot chunked at all"));
  EXPECT_EQ(buffer(o, "http.response_body", kServerSide), "not chunked at all");
  EXPECT_TRUE(raised(o, "invalid_response_chunk_len"));
}

TEST(HttpParser, JunkWhereAStatusLineIsDueIsABodyButNoFile) {
  const Outcome o = run(simple(kGet, "<html>\nno status line"));
  EXPECT_EQ(buffer(o, "http.response_body", kServerSide), "<html>\nno status line");
  EXPECT_EQ(tx_of(o).response.files, nullptr);
}

TEST(HttpParser, ConnectGoesOnAsSomethingElse) {
  Conversation c(&kHttp1Protocol);
  c.client("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n").server("HTTP/1.1 200 OK\r\n\r\n");
  const Outcome o = run(c);
  EXPECT_TRUE(o.upgraded);
  EXPECT_EQ(o.next, applayer::AppProto::kUnknown);
  EXPECT_EQ(buffer(o, "http.host"), "h");
}

TEST(HttpParser, RefusedConnectIsFollowedByAnotherRequest) {
  Conversation c(&kHttp1Protocol);
  c.client("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n")
      .server("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
  c.client("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
      .server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const Outcome o = run(c);
  ASSERT_EQ(o.transactions().size(), 2u);
  EXPECT_EQ(tx_of(o, 1).status_code, 200);
}

TEST(HttpParser, UpgradesNameWhatComesNext) {
  for (const auto& [name, next] : {std::pair{"h2c", applayer::AppProto::kHttp2},
                                   std::pair{"WebSocket", applayer::AppProto::kWebsocket}}) {
    const Outcome o =
        run(simple("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n",
                   std::string("HTTP/1.1 101 Switching\r\nUpgrade: ") + name + "\r\n\r\n"));
    EXPECT_TRUE(o.upgraded);
    EXPECT_EQ(o.next, next);
  }
}

// --- gaps and limits

TEST(HttpParser, GapInABodyIsCountedAndTheNextMessageFound) {
  const Outcome o = applayer::contract::run_with(
      simple("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
             "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\nAAAA"),
      [](applayer::contract::Feeder& f, const applayer::contract::Step& s, size_t i) {
        f.bytes(s.direction, s.bytes);
        if (i == 0) return;
        f.gap(kServerSide, 60);
        f.bytes(kServerSide, "BBBBBBHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
      });
  ASSERT_EQ(o.transactions().size(), 2u);
  const applayer::File& f = tx_of(o).response.files->files().front();
  EXPECT_EQ(f.size, 70u);
  EXPECT_TRUE(f.gaps);
  EXPECT_EQ(f.state, applayer::FileState::kTruncated);
  EXPECT_EQ(tx_of(o, 1).status_code, 404);
}

TEST(HttpParser, GapInHeadersGivesUp) {
  const Outcome o = applayer::contract::run_with(
      simple("GET / HT"),
      [](applayer::contract::Feeder& f, const applayer::contract::Step& s, size_t) {
        f.bytes(s.direction, s.bytes);
        f.gap(kClientSide, 10);
      });
  EXPECT_TRUE(o.failed);
}

TEST(HttpParser, FileEndsAtTheBodysLimit) {
  const std::string body(200'000, 'x');
  const Outcome o = run(simple(kGet, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + body));
  const applayer::File& f = tx_of(o).response.files->files().front();
  EXPECT_EQ(f.size, 102'400u);
  EXPECT_EQ(f.state, applayer::FileState::kTruncated);
}

TEST(HttpParser, BodyIsShownFromItsMinimalSizeOn) {
  Conversation c(&kHttp1Protocol);
  c.client(kGet).server("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" +
                        std::string(30'000, 'x'));
  const auto config = kHttp1Protocol.configure({});
  const auto p = kHttp1Protocol.make(config.get());
  applayer::Input in;
  in.data = as_bytes(c.steps[0].bytes);
  static_cast<void>(p->parse(kClientSide, in));
  in.data = as_bytes(c.steps[1].bytes);
  static_cast<void>(p->parse(kServerSide, in));
  const auto& tx = static_cast<const HttpTransaction&>(*p->transactions.front());
  EXPECT_FALSE(body_is_presentable(tx, kServerSide));
  const std::string more(20'000, 'x');
  in.data = as_bytes(more);
  static_cast<void>(p->parse(kServerSide, in));
  EXPECT_TRUE(body_is_presentable(tx, kServerSide));
}

TEST(HttpConfig, ServersHaveTheirOwn) {
  Settings s;
  s.set("app-layer.protocols.http.libhtp.server-config.0.apache.personality", "Apache_2");
  s.set("app-layer.protocols.http.libhtp.server-config.0.apache.address.0", "192.168.1.0/24");
  const auto config = kHttp1Protocol.configure(s);
  const auto p = kHttp1Protocol.make(config.get());
  applayer::Input in;
  in.data = as_bytes("GET /a\\b%2fc HTTP/1.1\r\nHost: a\r\n\r\n");
  in.server = *IpAddress::parse("192.168.1.7");
  static_cast<void>(p->parse(kClientSide, in));
  EXPECT_EQ(static_cast<const HttpTransaction&>(*p->transactions.front()).uri_normalized,
            "/a\\b%2fc");
}

}  // namespace
}  // namespace vong::http
