#include <gtest/gtest.h>

#include <set>

#include "sensor/applayer/core/protocol.h"

namespace vong::applayer {
namespace {

TEST(Registry, EveryProtocolIsListedOnceAndFoundByItsNames) {
  std::set<const ProtocolDef*> seen;
  std::set<std::string_view> names;
  for (const ProtocolDef* p : protocols()) {
    EXPECT_TRUE(seen.insert(p).second) << p->name;
    EXPECT_TRUE(names.insert(p->name).second) << p->name;
    EXPECT_EQ(protocol_by_name(p->name), p);
    EXPECT_EQ(protocol(p->id), p) << p->name;
    if (!p->rule_alias.empty()) {
      EXPECT_NE(protocol_by_name(p->rule_alias), nullptr) << p->rule_alias;
    }
  }
  EXPECT_GE(seen.size(), 38u);
  EXPECT_EQ(protocol_by_name("nosuch"), nullptr);
}

TEST(Registry, FtpAndAnswersOfSmbAreLookedAtChunkByChunk) {
  EXPECT_EQ(protocol(AppProto::kFtp)->end_hands_out_stream, (std::array{false, false}));
  EXPECT_EQ(protocol(AppProto::kSmb)->end_hands_out_stream, (std::array{true, false}));
  EXPECT_EQ(protocol(AppProto::kHttp1)->end_hands_out_stream, (std::array{true, true}));
}

}  // namespace
}  // namespace vong::applayer
