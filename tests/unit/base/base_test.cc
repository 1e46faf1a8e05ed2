#include <gtest/gtest.h>

#include "base/byte_reader.h"
#include "base/ip_address.h"
#include "base/timestamp.h"

namespace vong {
namespace {

TEST(ByteReader, StaysNullAfterAFailedRead) {
  const uint8_t data[] = {1, 2, 3};
  ByteReader r(data);
  EXPECT_EQ(r.u16(), 0x0102);
  EXPECT_EQ(r.u32(), 0u);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.u8(), 0);
  EXPECT_TRUE(r.rest().empty());
}

TEST(ByteReader, SubReaderOfTooManyBytesIsNull) {
  const uint8_t data[] = {1, 2, 3};
  ByteReader r(data);
  ByteReader s = r.sub(4);
  EXPECT_FALSE(s.ok());
  EXPECT_FALSE(r.ok());
}

TEST(Timestamp, RoundTripsThroughEvesForm) {
  const auto t = timestamp_from_ns(1795161600'123456000);
  EXPECT_EQ(format_eve_time(t), "2026-11-20T08:00:00.123456+0000");
  EXPECT_EQ(parse_eve_time("2026-11-20T15:00:00.123456+0700"), t);
  EXPECT_EQ(parse_eve_time("2026-11-20T15:00:00.123456+07:00"), t);
  EXPECT_EQ(parse_eve_time("2026-11-20T08:00:00.123456Z"), t);
}

TEST(Timestamp, RefusesWhatIsNotATime) {
  for (const char* s : {"", "2026", "2026-13-01T00:00:00", "2026-11-20T25:00:00", "2026-11-20T08:00:00.", "2026-11-20T08:00:00+7",
                        "9999-11-20T08:00:00", "2026-11-20x08:00:00"}) {
    EXPECT_FALSE(parse_eve_time(s)) << s;
  }
}

TEST(IpAddress, ParsesAndFormatsBothFamilies) {
  EXPECT_EQ(IpAddress::parse("10.0.0.255")->to_string(), "10.0.0.255");
  EXPECT_EQ(IpAddress::parse("2001:db8::1")->to_string(), "2001:0db8:0000:0000:0000:0000:0000:0001");
  EXPECT_FALSE(IpAddress::parse("10.0.0"));
  EXPECT_FALSE(IpAddress::parse("10.0.0.1/8"));
}

TEST(IpAddress, FamilyIsPartOfTheValue) {
  EXPECT_NE(*IpAddress::parse("1.2.3.4"), *IpAddress::parse("102:304::"));
}

}  // namespace
}  // namespace vong
