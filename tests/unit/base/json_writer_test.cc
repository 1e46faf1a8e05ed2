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
