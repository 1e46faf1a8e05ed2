// What is no database is refused by name; codes are two letters. Look-ups: tests/cases/geoip_test.py.
#include "sensor/geo/country_database.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace vong::geo {
namespace {

TEST(CountryCode, IsTwoLettersOfAnyCase) {
  EXPECT_EQ(country_code("vN"), (CountryCode{'V', 'N'}));
  for (const char* bad : {"", "V", "VNM", "V1", "!N", "\xc3\x81"}) EXPECT_FALSE(country_code(bad)) << bad;
}

TEST(CountryDatabase, WhatIsNoneIsRefusedByName) {
  for (const char* path : {"/nowhere/x.mmdb", "/tmp"}) {
    const auto opened = CountryDatabase::open(path);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().message.find(path), 0u) << opened.error().message;
  }
  const std::string path = testing::TempDir() + "/not_a_database";
  std::ofstream(path) << "something else\n";
  EXPECT_FALSE(CountryDatabase::open(path));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace vong::geo
