#include "exporters/send/resume.h"

#include <gtest/gtest.h>

namespace vong::send {
namespace {

constexpr uint64_t kThis = 7;
constexpr uint64_t kOther = 9;

TEST(Resume, AFreshSpoolAndAFreshReceiverBeginAtOne) {
  const Resume r = plan_resume({kThis, 0, 0}, {});
  EXPECT_EQ(r.kind, Resume::Kind::kContinue);
  EXPECT_EQ(r.next_seq, 1u);
  EXPECT_EQ(r.base, 0);
}

TEST(Resume, AgreementGoesOn) {
  const Resume r = plan_resume({kThis, 10, 0}, {11, kThis, 0});
  EXPECT_EQ(r.kind, Resume::Kind::kContinue);
  EXPECT_EQ(r.next_seq, 11u);
}

TEST(Resume, WhatWasCommittedBeforeACrashIsNotSentAgain) {
  const Resume r = plan_resume({kThis, 10, 5}, {31, kThis, 5});
  EXPECT_EQ(r.kind, Resume::Kind::kCaughtUp);
  EXPECT_EQ(r.next_seq, 26u);
  EXPECT_EQ(r.base, 5);
}

TEST(Resume, ANewSpoolsNumbersGoOnBehindTheOldOnes) {
  const Resume r = plan_resume({kThis, 0, 0}, {501, kOther, 0});
  EXPECT_EQ(r.kind, Resume::Kind::kNewSpool);
  EXPECT_EQ(r.next_seq, 1u);
  EXPECT_EQ(static_cast<int64_t>(r.next_seq) + r.base, 501);
}

TEST(Resume, ALostCursorOfTheSameSpoolFollowsTheReceiver) {
  const Resume r = plan_resume({kThis, 0, 0}, {101, kThis, 40});
  EXPECT_EQ(r.next_seq, 61u);
  EXPECT_EQ(r.base, 40);
}

TEST(Resume, AReceiverThatForgotIsServedFromTheCursor) {
  const Resume r = plan_resume({kThis, 60, 40}, {});
  EXPECT_EQ(r.kind, Resume::Kind::kForgotten);
  EXPECT_EQ(r.next_seq, 61u);
  EXPECT_EQ(r.base, 40);
}

TEST(Resume, AReceiverThatWasSetBackGetsNoNumberTwice) {
  const Resume r = plan_resume({kThis, 60, 0}, {31, kThis, 0});
  EXPECT_EQ(r.kind, Resume::Kind::kBehind);
  EXPECT_EQ(r.next_seq, 61u);
  EXPECT_EQ(static_cast<int64_t>(r.next_seq) + r.base, 31);
}

TEST(Metadata, ComesBack) {
  const Committed c{12, 0xfedcba9876543210, -3};
  EXPECT_EQ(from_metadata(12, to_metadata(c)), c);
  for (const char* bad : {"", "spool=", "spool=xyz base=1", "base=1", "something else"})
    EXPECT_EQ(from_metadata(5, bad).spool_id, 0u) << bad;
}

}  // namespace
}  // namespace vong::send
