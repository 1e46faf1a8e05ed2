#include "base/json_writer.h"

#include <gtest/gtest.h>

namespace vong {
namespace {

TEST(JsonWriter, PlacesCommasInObjectsAndArrays) {
  std::string out;
  JsonWriter w(out);
  w.open_object();
  w.field("a", 1);
  w.open_array("b");
  w.string("x");
  w.number(uint64_t{2});
  w.open_object();
  w.close_object();
  w.close_array();
  w.field("c", true);
  w.close_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",2,{}],"c":true})");
}

TEST(JsonWriter, KeepsUtf8AndSpellsOutOtherBytes) {
  std::string out;
  JsonWriter w(out);
  w.open_array();
  w.string("Vọng\n\"\x01");
  w.string("a\xff\xc3");
  w.close_array();
  EXPECT_EQ(out, "[\"Vọng\\n\\\"\\u0001\",\"a\\\\xff\\\\xc3\"]");
}

// Text is looked through eight bytes at a time: what needs an escape must be seen wherever it stands among them.
TEST(JsonWriter, EachByteComesOutTheSameAtEveryPlace) {
  for (int c = 0; c < 256; ++c) {
    const std::string byte(1, static_cast<char>(c));
    std::string alone;
    JsonWriter(alone).string(byte);
    alone = alone.substr(1, alone.size() - 2);
    for (size_t before = 0; before < 18; ++before) {
      for (size_t behind = 0; behind < 10; ++behind) {
        std::string out;
        JsonWriter(out).string(std::string(before, 'x') + byte + std::string(behind, '~'));
        EXPECT_EQ(out, '"' + std::string(before, 'x') + alone + std::string(behind, '~') + '"') << c;
      }
    }
  }
}

TEST(JsonWriter, TheLongestNumbersAddressesAndTimesFit) {
  std::string out;
  JsonWriter w(out);
  w.open_array();
  w.number(UINT64_MAX);
  w.number(INT64_MIN);
  w.real(-2.2250738585072014e-308);
  w.address(*IpAddress::parse("fe80:1111:2222:3333:4444:5555:6666:7777"));
  w.close_array();
  EXPECT_EQ(out, R"([18446744073709551615,-9223372036854775808,-2.2250738585072014e-308,"fe80:1111:2222:3333:4444:5555:6666:7777"])");
}

TEST(JsonWriter, Base64PadsAsRfc4648Says) {
  std::string out;
  JsonWriter w(out);
  for (const char* s : {"f", "fo", "foo", "foob"}) w.base64(as_bytes(s));
  EXPECT_EQ(out, R"("Zg==","Zm8=","Zm9v","Zm9vYg==")");
}

TEST(JsonWriter, PrintableReplacesWhatCannotBeShown) {
  std::string out;
  JsonWriter w(out);
  w.printable(as_bytes(std::string_view("a\r\n\t\0\x7f", 6)));
  EXPECT_EQ(out, R"("a\r\n...")");
}

}  // namespace
}  // namespace vong
