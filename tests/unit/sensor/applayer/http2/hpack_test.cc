#include "sensor/applayer/http2/hpack.h"

#include <gtest/gtest.h>

#include "sensor/applayer/http2/huffman.h"
#include "sensor/applayer/http2/limits.h"

namespace vong::http2 {
namespace {

std::string from_hex(std::string_view hex) {
  std::string out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return out;
}

std::string decode(HpackDecoder& d, std::string_view hex) {
  std::vector<Field> fields;
  const std::string block = from_hex(hex);
  const auto r = d.decode(as_bytes(block), kFieldsMax, kFieldBytesMax, fields);
  std::string out;
  for (const Field& f : fields) {
    if (f.status == FieldStatus::kOk)
      out.append(f.name()).append(": ").append(f.value()).append("\n");
    else if (f.status == FieldStatus::kSizeUpdate)
      out.append("size ").append(std::to_string(f.size_update)).append("\n");
    else
      out.append("error ").append(std::to_string(static_cast<int>(f.status))).append("\n");
  }
  if (r.consumed < block.size()) out.append("cut\n");
  return out;
}

// RFC 7541 appendix C.4: requests with Huffman coding, one table over all three.
TEST(Hpack, RequestsOfTheStandard) {
  HpackDecoder d(kTableBytesMax);
  EXPECT_EQ(decode(d, "828684418cf1e3c2e5f23a6ba0ab90f4ff"),
            ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n");
  EXPECT_EQ(d.table_bytes(), 57u);
  EXPECT_EQ(decode(d, "828684be5886a8eb10649cbf"),
            ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: "
            "no-cache\n");
  EXPECT_EQ(decode(d, "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"),
            ":method: GET\n:scheme: https\n:path: /index.html\n:authority: "
            "www.example.com\ncustom-key: custom-value\n");
  EXPECT_EQ(d.table_bytes(), 164u);
}

// C.6: responses, with a table of 256 bytes that evicts.
TEST(Hpack, EntriesAreEvicted) {
  HpackDecoder d(kTableBytesMax);
  EXPECT_EQ(decode(d, "3fe101"), "size 256\n");
  EXPECT_EQ(decode(d,
                   "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29a"
                   "d171863c78f0b97c8e9ae82ae43d3"),
            ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: "
            "https://www.example.com\n");
  EXPECT_EQ(d.table_bytes(), 222u);
  EXPECT_EQ(decode(d, "4883640effc1c0bf"),
            ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: "
            "https://www.example.com\n");
  EXPECT_EQ(d.table_bytes(), 222u);
}

TEST(Hpack, EverySymbolHasItsCode) {
  // "custom-key" of C.4.3, and symbols with long codes: 0x80 (20 bits), LF (30 bits) with padding
  // of ones.
  std::string out;
  EXPECT_TRUE(huffman_decode(as_bytes(from_hex("25a849e95ba97d7f")), out));
  EXPECT_EQ(out, "custom-key");
  out.clear();
  EXPECT_TRUE(huffman_decode(as_bytes(from_hex("fffffff3")), out));
  EXPECT_EQ(out, "\n");
  out.clear();
  EXPECT_TRUE(huffman_decode(as_bytes(from_hex("fffe6f")), out));
  EXPECT_EQ(out, "\x80");
}

TEST(Hpack, PaddingMustBeOnesAndShort) {
  std::string out;
  EXPECT_TRUE(huffman_decode(as_bytes(from_hex("1f")), out));  // 'a' and three ones
  EXPECT_FALSE(huffman_decode(as_bytes(from_hex("18")), out));
  EXPECT_FALSE(huffman_decode(as_bytes(from_hex("1fff")), out));
  EXPECT_FALSE(huffman_decode(as_bytes(from_hex("ffffffff")), out));  // the end symbol
}

TEST(Hpack, WhatCannotBeDecodedStandsInItsPlace) {
  HpackDecoder d(kTableBytesMax);
  EXPECT_EQ(decode(d, "82ff00c084"),
            ":method: GET\nerror 3\nerror 3\n:path: /\n");  // indexes that do not exist
  EXPECT_EQ(decode(d, "80"), "error 3\n");
  EXPECT_EQ(decode(d, "0003616263"), "cut\n");
  EXPECT_EQ(decode(d, "ffffffffff7f82"), "error 4\n:method: GET\n");
  EXPECT_EQ(decode(d, "82418cf1e3"), ":method: GET\ncut\n");
}

TEST(Hpack, TableNeverGrowsBeyondItsCap) {
  HpackDecoder d(1000);
  EXPECT_EQ(decode(d, "3fe1ffff03"), "size 8388608\n");
  std::vector<Field> fields;
  std::string block;
  for (int i = 0; i < 100; ++i)
    block += from_hex("40") + "\x01" + static_cast<char>('a' + i % 26) + "\x02vv";
  (void)d.decode(as_bytes(block), kFieldsMax, kFieldBytesMax, fields);
  EXPECT_LE(d.table_bytes(), 1000u);
  EXPECT_EQ(fields.size(), 100u);
}

TEST(Hpack, BombIsCutAtItsCap) {
  HpackDecoder d(kTableBytesMax);
  std::string block =
      "\x40\x01"
      "a"
      "\x7f"
      "\xa1\x1e" +
      std::string(4000, 'x');    // one entry of 4000 bytes
  block.append(50'000, '\xbe');  // and 50,000 references to it
  std::vector<Field> fields;
  const auto r = d.decode(as_bytes(block), kFieldsMax, kFieldBytesMax, fields);
  EXPECT_TRUE(r.limited);
  EXPECT_EQ(r.consumed, block.size());
  EXPECT_LE(fields.size(), kFieldBytesMax / 4000);
  EXPECT_EQ(fields.back().value().size(), 4000u);
}

}  // namespace
}  // namespace vong::http2
