// Commands on tenants, as changes of settings.
#include "sensor/app/tenant_changes.h"

#include <gtest/gtest.h>

namespace vong::sensor {
namespace {

Settings two() {
  Settings s;
  s.set("multi-detect.tenants.0.id", "1");
  s.set("multi-detect.tenants.0.yaml", "one.yaml");
  s.set("multi-detect.tenants.1.id", "2");
  s.set("multi-detect.tenants.1.yaml", "two.yaml");
  s.set("multi-detect.mappings.0.vlan-id", "100");
  s.set("multi-detect.mappings.0.tenant-id", "1");
  return s;
}

Result<Settings> run(const Settings& before, std::string_view command, std::initializer_list<std::pair<const char*, const char*>> list) {
  control::Arguments arguments;
  for (const auto& [name, value] : list) arguments.set(name, value);
  return change_tenants(before, command, arguments);
}

TEST(TenantChanges, ComeAndGo) {
  const auto more = run(two(), "register-tenant", {{"id", "7"}, {"filename", "seven.yaml"}});
  ASSERT_TRUE(more);
  EXPECT_EQ(more->text("multi-detect.tenants.2.yaml", ""), "seven.yaml");
  const auto less = run(*more, "unregister-tenant", {{"id", "2"}});
  ASSERT_TRUE(less);
  EXPECT_FALSE(less->has("multi-detect.tenants.1"));
  EXPECT_TRUE(less->has("multi-detect.tenants.2"));
  const auto other = run(two(), "reload-tenant", {{"id", "2"}, {"filename", "new.yaml"}});
  ASSERT_TRUE(other);
  EXPECT_EQ(other->text("multi-detect.tenants.1.yaml", ""), "new.yaml");
}

TEST(TenantChanges, MapAndUnmapVlans) {
  const auto mapped = run(two(), "register-tenant-handler", {{"id", "2"}, {"htype", "vlan"}, {"hargs", "200"}});
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->text("multi-detect.mappings.1.tenant-id", ""), "2");
  const auto unmapped = run(*mapped, "unregister-tenant-handler", {{"id", "1"}, {"htype", "vlan"}, {"hargs", "100"}});
  ASSERT_TRUE(unmapped);
  EXPECT_FALSE(unmapped->has("multi-detect.mappings.0"));
}

TEST(TenantChanges, WhatCannotBeIsRefused) {
  EXPECT_FALSE(run(two(), "register-tenant", {{"id", "2"}, {"filename", "x"}}));
  EXPECT_FALSE(run(two(), "register-tenant", {{"id", "3"}}));
  EXPECT_FALSE(run(two(), "register-tenant", {{"id", "x"}, {"filename", "x"}}));
  EXPECT_FALSE(run(two(), "unregister-tenant", {{"id", "1"}})) << "it has a mapping";
  EXPECT_FALSE(run(two(), "unregister-tenant", {{"id", "9"}}));
  EXPECT_FALSE(run(two(), "register-tenant-handler", {{"id", "2"}, {"htype", "vlan"}, {"hargs", "100"}})) << "another's";
  EXPECT_FALSE(run(two(), "register-tenant-handler", {{"id", "9"}, {"htype", "vlan"}, {"hargs", "5"}}));
  EXPECT_FALSE(run(two(), "unregister-tenant-handler", {{"id", "2"}, {"htype", "vlan"}, {"hargs", "100"}}));
  EXPECT_FALSE(run(two(), "register-tenant-handler", {{"id", "2"}, {"htype", "device"}, {"hargs", "eth0"}}));
}

}  // namespace
}  // namespace vong::sensor
