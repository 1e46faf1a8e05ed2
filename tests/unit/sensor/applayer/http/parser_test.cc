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

}  // namespace
}  // namespace vong::http
