#include "sensor/packet/exception_policy.h"

#include <gtest/gtest.h>

namespace vong {
namespace {

using T = ExceptionTarget;
using P = ExceptionPolicy;

TEST(ExceptionPolicies, NothingSaidIsIgnore) {
  const auto p = ExceptionPolicies::from_settings({});
  for (size_t i = 0; i < kExceptionTargets; ++i) EXPECT_EQ(p.of(static_cast<T>(i)), P::kIgnore);
}

TEST(ExceptionPolicies, TheMasterSwitchHoldsWhereNoKeyOfItsOwnDoes) {
  Settings s;
  s.set("exception-policy", "bypass");
  s.set("app-layer.error-policy", "pass-flow");
  const auto p = ExceptionPolicies::from_settings(s);
  EXPECT_EQ(p.of(T::kStreamMidstream), P::kBypass);
  EXPECT_EQ(p.of(T::kAppLayerError), P::kPassFlow);
}

TEST(ExceptionPolicies, WithoutAFlowOnlyPacketsCanPass) {
  Settings s;
  s.set("exception-policy", "bypass");
  s.set("flow.memcap-policy", "pass-flow");
  const auto p = ExceptionPolicies::from_settings(s);
  EXPECT_EQ(p.of(T::kDefragMemcap), P::kIgnore);
  EXPECT_EQ(p.of(T::kFlowMemcap), P::kPassPacket);
}

TEST(ExceptionPolicies, APassiveSensorDropsNothing) {
  Settings s;
  s.set("exception-policy", "drop-flow");
  s.set("stream.memcap-policy", "reject");
  const auto p = ExceptionPolicies::from_settings(s);
  EXPECT_EQ(p.of(T::kStreamMidstream), P::kIgnore);
  EXPECT_EQ(p.of(T::kStreamMemcap), P::kIgnore);
}

}  // namespace
}  // namespace vong
