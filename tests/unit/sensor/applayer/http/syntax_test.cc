#include "sensor/applayer/http/syntax.h"

#include <gtest/gtest.h>

namespace vong::http {
namespace {

using namespace std::string_view_literals;

TEST(Protocol, AsLenientAsTheReference) {
  EXPECT_EQ(protocol_of("HTTP/1.1"), Protocol::k11);
  EXPECT_EQ(protocol_of("http/1.0"), Protocol::k10);
  EXPECT_EQ(protocol_of("HTTP  / 01.1"), Protocol::k11);
  EXPECT_EQ(protocol_of("HTTP/0.9"), Protocol::k09);
  EXPECT_EQ(protocol_of("HTTP/2.0"), Protocol::kInvalid);
  EXPECT_EQ(protocol_of("JUNK/1.0"), Protocol::kInvalid);
  EXPECT_EQ(protocol_of(""), Protocol::kInvalid);
}

TEST(ContentLength, JunkAroundIsTolerated) {
  EXPECT_EQ(parse_content_length(" 68 ").value, 68);
  EXPECT_EQ(parse_content_length("(68) 34").value, 68);
  EXPECT_TRUE(parse_content_length("(68").junk_before);
  EXPECT_TRUE(parse_content_length("68;").junk_behind);
  EXPECT_EQ(parse_content_length("none").value, -1);
  EXPECT_EQ(parse_content_length("99999999999999999999").value, -1);
}

TEST(ChunkLength, FormsInTheWild) {
  using Kind = ChunkLength::Kind;
  EXPECT_EQ(parse_chunk_length("f\r\n").size, 15u);
  EXPECT_EQ(parse_chunk_length("\v00F ; x\r\n").size, 15u);
  EXPECT_TRUE(parse_chunk_length("5; foobar\r\n").extension);
  EXPECT_EQ(parse_chunk_length("f\0\r\n"sv).size, 15u);
  EXPECT_EQ(parse_chunk_length("\r\n").kind, Kind::kEmptyLine);
  EXPECT_EQ(parse_chunk_length("xyz\r\n").kind, Kind::kInvalid);
  EXPECT_EQ(parse_chunk_length("80000000\r\n").kind, Kind::kInvalid);
  EXPECT_EQ(parse_chunk_length("fffffffffffffffff\r\n").kind, Kind::kInvalid);
  EXPECT_EQ(parse_chunk_length("0000000000000000000000000000000005\r\n").size, 5u);
}

TEST(ContentRange, StartEndSize) {
  const auto r = parse_content_range("bytes 500-1233/1234");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->start, 500);
  EXPECT_EQ(r->end, 1233);
  EXPECT_EQ(r->size, 1234);
  EXPECT_EQ(parse_content_range("bytes */10")->size, 10);
  EXPECT_EQ(parse_content_range("bytes 0-1/*")->size, -1);
  EXPECT_FALSE(parse_content_range("bytes a-b/c"));
  EXPECT_FALSE(parse_content_range("500-1233/1234"));
}

TEST(Disposition, FileName) {
  EXPECT_EQ(*disposition_parameter("attachment; filename=\"a;b.txt\"", "filename="), "a;b.txt");
  EXPECT_EQ(*disposition_parameter("attachment;FileName=x.txt", "filename="), "x.txt");
  EXPECT_FALSE(disposition_parameter("attachment; name=x", "filename="));
}

TEST(LooksLikeBody, WhatBrowsersShow) {
  EXPECT_FALSE(looks_like_body(" \tHTTP/1.1 200"));
  EXPECT_FALSE(looks_like_body("\0http"sv));
  EXPECT_TRUE(looks_like_body("<html>"));
  EXPECT_TRUE(looks_like_body(""));
}

}  // namespace
}  // namespace vong::http
