#include "sensor/applayer/core/frame.h"

#include <gtest/gtest.h>

#include "sensor/applayer/core/limits.h"

namespace vong::applayer {
namespace {

constexpr auto kTs = Direction::kToServer;

TEST(FrameSet, AFrameTakesItsBytesAsTheyAreShown) {
  FrameSet s;
  Frame* f = s.add(kTs, 1, 102, 4);
  s.fill(kTs, as_bytes("abcd"), 100);
  EXPECT_EQ(f->data, "cd");
  EXPECT_FALSE(f->complete());
  s.fill(kTs, as_bytes("cdefg"), 102);   // bytes that were left come again
  EXPECT_EQ(f->data, "cdef");
  EXPECT_TRUE(f->complete());
  EXPECT_TRUE(f->closed);
}

TEST(FrameSet, TheEndMayBecomeKnownLater) {
  FrameSet s;
  Frame* f = s.add(kTs, 0, 0, kUnknownLength);
  s.fill(kTs, as_bytes("abcdef"), 0);
  s.end(kTs, 0, 4);
  EXPECT_EQ(f->data, "abcd");
  EXPECT_EQ(f->length, 4);
  s.fill(kTs, as_bytes("gh"), 6);
  EXPECT_EQ(f->data, "abcd");
  EXPECT_TRUE(f->closed);
}

TEST(FrameSet, BytesThatWereNeverShownEndIt) {
  FrameSet s;
  Frame* f = s.add(kTs, 0, 0, 10);
  s.fill(kTs, as_bytes("ab"), 0);
  s.fill(kTs, as_bytes("xy"), 5);
  EXPECT_EQ(f->data, "ab");
  EXPECT_TRUE(f->closed);
  EXPECT_FALSE(f->complete());
}

TEST(FrameSet, NumberAndBytesAreCapped) {
  FrameSet s;
  for (size_t i = 0; i < kMaxFrames; ++i) ASSERT_NE(s.add(kTs, 0, i, 1), nullptr);
  EXPECT_EQ(s.add(kTs, 0, 0, 1), nullptr);
  EXPECT_EQ(s.dropped(), 1u);
  FrameSet one;
  Frame* f = one.add(kTs, 0, 0, kUnknownLength);
  const std::string block(kFrameBytesMax, 'x');
  one.fill(kTs, as_bytes(block), 0);
  one.fill(kTs, as_bytes(block), kFrameBytesMax);
  EXPECT_EQ(f->data.size(), kFrameBytesMax);
}

TEST(FrameSet, WhatIsInspectedAndLoggedGoes) {
  FrameSet s;
  s.logging = true;
  s.add(kTs, 0, 0, 2);
  s.fill(kTs, as_bytes("ab"), 0);
  s.of(kTs)[0].inspection_done = true;
  s.collect();
  EXPECT_EQ(s.of(kTs).size(), 1u);
  s.of(kTs)[0].logged = true;
  s.collect();
  EXPECT_TRUE(s.of(kTs).empty());
}

}  // namespace
}  // namespace vong::applayer
