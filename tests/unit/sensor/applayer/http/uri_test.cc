#include "sensor/applayer/http/uri.h"

#include <gtest/gtest.h>

namespace vong::http {
namespace {

std::string normalized(std::string_view uri, const ServerConfig& config = {}) {
  std::string path;
  bool twice = false;
  return normalize_uri(parse_uri(uri), config, path, twice);
}

TEST(Uri, PartsOfAnAbsoluteOne) {
  const UriParts p = parse_uri("http://user:pass@host:80/path?query#fragment");
  EXPECT_EQ(p.scheme, "http");
  EXPECT_EQ(p.user, "user");
  EXPECT_EQ(p.password, "pass");
  EXPECT_EQ(p.host, "host");
  EXPECT_EQ(p.port, "80");
  EXPECT_EQ(p.path, "/path");
  EXPECT_EQ(p.query, "query");
  EXPECT_EQ(p.fragment, "fragment");
}

TEST(Uri, PathNeedsNoScheme) {
  const UriParts p = parse_uri("//a/b?c");
  EXPECT_FALSE(UriParts::has(p.host));
  EXPECT_EQ(p.path, "//a/b");
}

TEST(Uri, WhatStandsBehindABareSchemeIsTheHost) {
  EXPECT_EQ(parse_uri("sip:nm").host, "nm");
  EXPECT_EQ(parse_uri("sip:probe@edge.test").host, "probe@edge.test");
}

TEST(Uri, Ipv6LiteralKeepsItsColons) {
  const UriParts p = parse_uri("http://[::1]:8080/");
  EXPECT_EQ(p.host, "[::1]");
  EXPECT_EQ(p.port, "8080");
}

TEST(Uri, PathIsDecodedOnce) {
  EXPECT_EQ(normalized("/abc%2fdef"), "/abc/def");
  EXPECT_EQ(normalized("/abc%252fdef"), "/abc%2fdef");
  EXPECT_EQ(normalized("/a%zz%4"), "/a%zz%4");
}

TEST(Uri, QueryIsDecodedOnceAndPlusStays) {
  EXPECT_EQ(normalized("/abc/def?ghi%2fjkl"), "/abc/def?ghi/jkl");
  EXPECT_EQ(normalized("/abc/def?ghi%252fjkl+x"), "/abc/def?ghi%2fjkl+x");
}

TEST(Uri, DoubleDecodingIsConfiguredAndReported) {
  ServerConfig c;
  c.double_decode_path = c.double_decode_query = true;
  std::string path;
  bool twice = false;
  EXPECT_EQ(normalize_uri(parse_uri("/abc%252fdef?x%252fy"), c, path, twice), "/abc/def?x/y");
  EXPECT_TRUE(twice);
}

TEST(Uri, SeparatorsAndDotSegments) {
  EXPECT_EQ(normalized("/a//b///c"), "/a/b/c");
  EXPECT_EQ(normalized("/a\\b"), "/a/b");
  EXPECT_EQ(normalized("/a/./b/../c"), "/a/c");
  EXPECT_EQ(normalized("/../../x"), "/x");
  EXPECT_EQ(normalized("/a/.."), "/");
}

TEST(Uri, WideEscapesAndUtf8FitOneByte) {
  EXPECT_EQ(normalized("/%u0041%uff0e%uff0e"), "/A..");
  EXPECT_EQ(normalized("/printable_\xf0\x9f\x98\x84"), "/printable_?");
  EXPECT_EQ(normalized("/caf\xc3\xa9"), "/caf\xe9");
}

TEST(Uri, PartsBeforeThePathAreLeftOutUnlessConfigured) {
  EXPECT_EQ(normalized("http://Host:80/p?q#f"), "/p?q#f");
  ServerConfig c;
  c.uri_include_all = true;
  EXPECT_EQ(normalized("http://Host:80/p?q#f", c), "http://host:80/p?q#f");
}

TEST(HostPort, FormsOfHostFields) {
  EXPECT_EQ(parse_host_port("Example.COM:8080").host, "example.com");
  EXPECT_EQ(parse_host_port("Example.COM:8080").port, 8080);
  EXPECT_EQ(parse_host_port("a.").host, "a.");
  EXPECT_TRUE(parse_host_port("[::1]").valid);
  EXPECT_FALSE(parse_host_port("a b").valid);
  EXPECT_FALSE(parse_host_port("a..b").valid);
  EXPECT_FALSE(parse_host_port("a:99999").valid);
  EXPECT_FALSE(parse_host_port("").valid);
}

}  // namespace
}  // namespace vong::http
