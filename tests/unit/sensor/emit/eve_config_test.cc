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

}  // namespace
}  // namespace vong::emit
