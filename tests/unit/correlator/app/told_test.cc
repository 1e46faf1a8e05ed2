// What readers are told after a correction.
#include "correlator/app/told.h"

#include <gtest/gtest.h>

#include <map>

namespace vong::correlator {
namespace {

events::Incident incident(std::string id, int64_t first_seen_ns, uint32_t matches = 1) {
  events::Incident i;
  i.id = std::move(id);
  i.version = 1;
  i.match_count = matches;
  i.rule.id = i.rule.title = "r";
  i.first_seen = i.last_seen = i.opened = i.updated = timestamp_from_ns(first_seen_ns);
  return i;
}

std::map<std::string, std::string> told_of(const ToldIncidents& told,
                                           const ToldIncidents::Correction& correction) {
  std::map<std::string, std::string> out;
  told.differences(correction, [&](const events::Incident& i, bool is_new) {
    out[i.id] = i.status == events::IncidentStatus::kRetracted ? "retracted"
                : i.status == events::IncidentStatus::kClosed  ? "closed"
                : is_new                                       ? "new"
                                                               : "other";
  });
  return out;
}

using Differences = std::map<std::string, std::string>;
constexpr int64_t kMicro = 1'000;

TEST(ToldIncidents, ACorrectionTellsWhatIsOther) {
  ToldIncidents told;
  for (const char* id : {"same", "grows", "falls"}) EXPECT_TRUE(told.tell(incident(id, kMicro)));
  EXPECT_FALSE(told.tell(incident("same", kMicro)));
  told.begin_again();
  EXPECT_TRUE(told.tell(incident("same", kMicro)));
  EXPECT_TRUE(told.tell(incident("grows", kMicro, 2)));
  EXPECT_TRUE(told.tell(incident("comes", kMicro)));
  EXPECT_EQ(told_of(told, {}),
            (Differences{{"grows", "other"}, {"falls", "retracted"}, {"comes", "new"}}));
  told.forget_before();
  told.begin_again();
  told.forget_before();
  EXPECT_EQ(told_of(told, {}), Differences{});
}

TEST(ToldIncidents, WhatBeganBeforeTheHorizonIsAsItWasTold) {
  ToldIncidents told;
  for (const int64_t at : {1, 5}) {
    for (const char* id : {"grows", "falls"})
      EXPECT_TRUE(told.tell(incident(id + std::to_string(at), at * kMicro)));
  }
  told.begin_again();
  for (const int64_t at : {1, 5}) {
    EXPECT_TRUE(told.tell(incident("grows" + std::to_string(at), at * kMicro, 2)));
    EXPECT_TRUE(told.tell(incident("comes" + std::to_string(at), at * kMicro)));
  }
  EXPECT_EQ(told_of(told, {{}, timestamp_from_ns(5 * kMicro)}),
            (Differences{{"grows5", "other"}, {"falls5", "retracted"}, {"comes5", "new"}}));
}

TEST(ToldIncidents, CampaignsThatFallWithARuleAreClosedHoweverOld) {
  ToldIncidents told;
  for (const char* id : {"open", "closed"}) {
    events::Incident i = incident(id, kMicro);
    i.kind = events::IncidentKind::kCampaign;
    if (i.id == "closed") i.status = events::IncidentStatus::kClosed;
    EXPECT_TRUE(told.tell(i));
  }
  told.begin_again();
  EXPECT_EQ(told_of(told, {timestamp_from_ns(9 * kMicro), timestamp_from_ns(5 * kMicro)}),
            (Differences{{"open", "closed"}}));
}

}  // namespace
}  // namespace vong::correlator
