#include "sensor/emit/eve_config.h"

#include <gtest/gtest.h>

namespace vong::emit {
namespace {

Settings with(std::initializer_list<std::pair<std::string, std::string>> all) {
  Settings s;
  for (const auto& [key, value] : all) s.set(key, value);
  return s;
}

TEST(EveConfig, WithoutOutputsItIsTheShippedOne) {
  const EveConfig c = read_eve_config({});
  EXPECT_TRUE(c.alert);
  EXPECT_FALSE(c.frame);
  EXPECT_NE(c.record("http"), nullptr);
}

TEST(EveConfig, SinglePlacesAreSetOverTheShippedList) {
  const EveConfig c = read_eve_config(with({{"outputs.1.eve-log.types.1.frame.enabled", "yes"},
                                            {"outputs.1.eve-log.types.3.http.custom.0", "Server"},
                                            {"outputs.1.eve-log.filename", "other.json"}}));
  EXPECT_TRUE(c.frame);
  EXPECT_TRUE(c.alert);
  EXPECT_EQ(c.filename, "other.json");
  ASSERT_NE(c.record("http"), nullptr);
  EXPECT_EQ(c.record("http")->text("custom.0", ""), "Server");
  EXPECT_TRUE(c.record("http")->flag("extended", false)) << "what was shipped stays";
  EXPECT_NE(c.record("dns"), nullptr);
}

TEST(EveConfig, AListOfItsOwnStandsForItself) {
  const EveConfig c = read_eve_config(with({{"outputs.0.eve-log.types.0", "http"}}));
  EXPECT_FALSE(c.alert);
  EXPECT_NE(c.record("http"), nullptr);
  EXPECT_EQ(c.record("dns"), nullptr);
}

TEST(EveConfig, EachFurtherOutputStandsForItself) {
  const EveConfig c = read_eve_config(with({{"outputs.0.fast.enabled", "yes"},
                                            {"outputs.1.eve-log.types.0", "alert"},
                                            {"outputs.2.eve-log.enabled", "no"},
                                            {"outputs.2.eve-log.types.0", "dns"},
                                            {"outputs.3.eve-log.filename", "http.json"},
                                            {"outputs.3.eve-log.types.0", "http"}}));
  EXPECT_TRUE(c.enabled);
  EXPECT_TRUE(c.alert);
  EXPECT_EQ(c.record("http"), nullptr);
  ASSERT_EQ(c.further.size(), 2u);
  EXPECT_EQ(c.further[0].form, EveConfig::Form::kFast);
  EXPECT_EQ(c.further[0].filename, "fast.log");
  EXPECT_FALSE(c.further[0].alert);
  EXPECT_EQ(c.further[1].filename, "http.json");
  EXPECT_FALSE(c.further[1].alert);
  EXPECT_NE(c.further[1].record("http"), nullptr);
}

TEST(EveConfig, LinesOfTextNeedNoRecords) {
  const EveConfig c = read_eve_config(with({{"outputs.0.fast.filename", "f"}}));
  EXPECT_FALSE(c.enabled);
  ASSERT_EQ(c.further.size(), 1u);
  EXPECT_EQ(c.further[0].filename, "f");
}

TEST(EveConfig, ForwardedForOfAlertsAndRecords) {
  const EveConfig c = read_eve_config(with({{"outputs.0.eve-log.xff.enabled", "yes"},
                                            {"outputs.0.eve-log.xff.header", "True-Client"},
                                            {"outputs.0.eve-log.types.0.alert.xff.mode", "overwrite"},
                                            {"outputs.0.eve-log.types.1.http.xff.enabled", "no"},
                                            {"outputs.0.eve-log.types.1.http.xff.deployment", "forward"}}));
  EXPECT_TRUE(c.alerts.xff.enabled);
  EXPECT_TRUE(c.alerts.xff.overwrite);
  EXPECT_FALSE(c.alerts.xff.first);
  EXPECT_EQ(c.alerts.xff.header, "true-client");
  EXPECT_FALSE(c.http_xff.enabled);
  EXPECT_TRUE(c.http_xff.first);
}

TEST(ForwardedFor, TheFirstOrTheLastAddressOfTheList) {
  ForwardedFor last, first;
  first.first = true;
  EXPECT_EQ(first.in(" 10.1.2.3, 10.9.9.9")->to_string(), "10.1.2.3");
  EXPECT_EQ(last.in(" 10.1.2.3, 10.9.9.9 ")->to_string(), "10.9.9.9");
  EXPECT_EQ(last.in("10.1.2.3:4000")->to_string(), "10.1.2.3");
  EXPECT_EQ(last.in("[2001:db8::1]:80")->to_string(), IpAddress::parse("2001:db8::1")->to_string());
  EXPECT_EQ(last.in("2001:db8::1")->to_string(), IpAddress::parse("2001:db8::1")->to_string());
  for (const char* bad : {"", "unknown", "10.1.2.3,", "1.2.3", "[", "a:b:c:d:e:f:g:h:i"})
    EXPECT_FALSE(last.in(bad).has_value()) << bad;
}

}  // namespace
}  // namespace vong::emit
