#include "sensor/applayer/http/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/sensor/applayer/http/http_fixture.h"

namespace vong::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string record(const Settings& options) {
  const Outcome o =
      run(simple("GET / HTTP/1.1\r\nHost: h\r\nAccept: a/b\r\nX-Own: 1\r\nTrue-Client-IP: "
                 "192.0.2.1\r\nServer: odd\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nServer: s\r\nContent-Length: 0\r\n\r\n"));
  std::string text;
  JsonWriter out(text);
  out.open_object();
  EXPECT_TRUE(log_http(tx_of(o), {.record = "http", .options = &options}, out));
  out.close_object();
  return text;
}

TEST(HttpRecord, CustomFieldsStandAmongTheHeadersAsTheyAreOnTheWire) {
  Settings s;
  s.set("custom.0", "accept");
  s.set("custom.1", "ETag");
  s.set("custom.2", "x-own");
  const std::string text = record(s);
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("request_headers":[{"name":"Accept","value":"a/b"},{"name":"X-Own","value":"1"}])"));
  EXPECT_THAT(text, HasSubstr(R"("response_headers":[{"name":"ETag","value":"\"x\""}])"));
}

TEST(HttpRecord, AFieldOfOneSideIsLookedUpThereAlone) {
  Settings s;
  s.set("custom.0", "Server");
  const std::string text = record(s);
  EXPECT_THAT(text, HasSubstr(R"("response_headers":[{"name":"Server","value":"s"}])"));
  EXPECT_THAT(text, Not(HasSubstr("odd")));
}

TEST(HttpRecord, SomeCustomFieldsHaveAKeyOfTheirOwn) {
  Settings s;
  s.set("custom.0", "True-Client-IP");
  const std::string text = record(s);
  EXPECT_THAT(text, HasSubstr(R"("true_client_ip":"192.0.2.1")"));
  EXPECT_THAT(text, Not(HasSubstr("_headers")));
}

TEST(HttpRecord, AllHeadersOfASideOnceWhateverCustomSays) {
  Settings s;
  s.set("custom.0", "etag");
  s.set("dump-all-headers", "response");
  const std::string text = record(s);
  EXPECT_THAT(text, HasSubstr(R"("name":"Content-Length")"));
  EXPECT_EQ(text.find("ETag"), text.rfind("ETag"));
  EXPECT_THAT(text, Not(HasSubstr("request_headers")));
}

}  // namespace
}  // namespace vong::http
