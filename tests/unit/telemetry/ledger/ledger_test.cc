// Records and their check, without a sensor.
#include "telemetry/ledger/ledger.h"

#include <gtest/gtest.h>

#include <vector>

#include "telemetry/ledger/verify.h"

namespace vong::ledger {
namespace {

Timestamp at(int64_t second) { return timestamp_from_ns(second * 1'000'000'000); }

// 100 packets of which the kernel lost 10, the ring holds 5, 3 are broken, 2 bypassed; 50 events of
// which the spool shed 4.
Totals sample(uint64_t times) {
  Totals t;
  for (auto& hop : t.hops) hop.present = true;
  const auto set = [&](Hop hop, uint64_t in, uint64_t out) {
    t[hop].in = in * times;
    t[hop].out = out * times;
  };
  set(Hop::kInterface, 100, 100);
  set(Hop::kKernel, 100, 90);
  t[Hop::kKernel][Reason::kRingFull] = 10 * times;
  set(Hop::kRing, 90, 85);
  t[Hop::kRing].held = 5 * times;
  set(Hop::kDecode, 85, 84);
  t[Hop::kDecode][Reason::kInner] = 2 * times;
  t[Hop::kDecode][Reason::kInvalidHeader] = 3 * times;
  set(Hop::kFlow, 84, 82);
  t[Hop::kFlow][Reason::kBypass] = 2 * times;
  set(Hop::kMatch, 82, 82);
  set(Hop::kEmit, 50, 50);
  set(Hop::kFile, 50, 50);
  set(Hop::kSpool, 50, 47);
  t[Hop::kSpool][Reason::kOwn] = times;
  t[Hop::kSpool][Reason::kShed] = 4 * times;
  set(Hop::kKafka, 47, 40);
  t[Hop::kKafka].held = 7 * times;
  return t;
}

std::vector<std::string> chain_of_three() {
  Ledger ledger({"s1", "1.0", at(0)}, {});
  return {ledger.record(sample(1), at(60), "r", false),
          ledger.record(sample(2), at(120), "r", false),
          ledger.record(sample(3), at(150), "r", true)};
}

// The number of the first bad line from 1 on and what is wrong with it; 0: none.
std::pair<size_t, std::string> check(const std::vector<std::string>& lines) {
  Verifier verifier;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (auto wrong = verifier.add(lines[i])) return {i + 1, *wrong};
  }
  return {0, ""};
}

std::string with(std::string line, std::string_view what, std::string_view instead) {
  const size_t at = line.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return line.replace(at, what.size(), instead);
}

TEST(Ledger, EveryHopOfTheSampleBalances) {
  const Totals t = sample(1);
  for (const HopTotals& hop : t.hops) EXPECT_EQ(hop.balance(), static_cast<int64_t>(hop.held));
}

TEST(Ledger, RecordsOfARunAreWholeAndBalanced) {
  Verifier verifier;
  for (const auto& line : chain_of_three()) EXPECT_EQ(verifier.add(line), std::nullopt);
  EXPECT_EQ(verifier.summary().records, 3u);
  EXPECT_EQ(verifier.summary().runs, 1u);
  EXPECT_TRUE(verifier.ended());
  EXPECT_EQ(verifier.summary().in[static_cast<size_t>(Hop::kInterface)], 300u);
  EXPECT_EQ(verifier.summary().reasons[static_cast<size_t>(Reason::kRingFull)], 30u);
}

TEST(Ledger, ALaterRunGoesOnWithTheChain) {
  auto lines = chain_of_three();
  Ledger next({"s1", "1.0", at(500)}, {3, digest_of(lines.back())});
  lines.push_back(next.record(sample(1), at(560), "r", false));
  EXPECT_EQ(check(lines).second, "");
}

TEST(Ledger, AKilledRunIsCountedAndNoBreak) {
  auto lines = chain_of_three();
  lines.pop_back();
  Ledger next({"s1", "1.0", at(500)}, {2, digest_of(lines.back())});
  lines.push_back(next.record(sample(1), at(560), "r", true));
  Verifier verifier;
  for (const auto& line : lines) EXPECT_EQ(verifier.add(line), std::nullopt);
  EXPECT_EQ(verifier.summary().unclean_ends, 1u);
}

TEST(LedgerVerify, AChangedRecordBreaksTheChainAtTheNextOne) {
  auto lines = chain_of_three();
  lines[0] = with(lines[0], "\"ruleset\":\"r\"", "\"ruleset\":\"q\"");
  const auto [line, what] = check(lines);
  EXPECT_EQ(line, 2u);
  EXPECT_NE(what.find("the record before was changed"), std::string::npos) << what;
}

TEST(LedgerVerify, AHiddenLossDoesNotBalance) {
  auto lines = chain_of_three();
  lines[1] = with(lines[1], "\"ring_full\":10", "\"ring_full\":1");
  const auto [line, what] = check(lines);
  EXPECT_EQ(line, 2u);
  EXPECT_NE(what.find("hop kernel does not balance"), std::string::npos) << what;
}

TEST(LedgerVerify, AMissingRecordIsSeen) {
  auto lines = chain_of_three();
  lines.erase(lines.begin() + 1);
  EXPECT_EQ(check(lines).first, 2u);
  EXPECT_NE(check(lines).second.find("records are missing"), std::string::npos);
}

TEST(LedgerVerify, ARepeatedRecordIsSeen) {
  auto lines = chain_of_three();
  lines.insert(lines.begin(), lines[0]);
  EXPECT_EQ(check(lines).first, 2u);
}

TEST(LedgerVerify, WhatOneHopGivesTheNextOneMustTake) {
  Totals t = sample(1);
  t[Hop::kFlow].in -= 1;
  t[Hop::kFlow].out -= 1;
  Ledger ledger({"s1", "1.0", at(0)}, {});
  const auto [line, what] = check({ledger.record(t, at(60), "r", false)});
  EXPECT_EQ(line, 1u);
  EXPECT_NE(what.find("hop decode gave out 84, hop flow took 83"), std::string::npos) << what;
}

TEST(LedgerVerify, EveryHopsLossIsMissedWhenItIsLeftOut) {
  for (size_t h = 0; h < kHops; ++h) {
    Totals t = sample(1);
    t.hops[h].in += 1;
    Ledger ledger({"s1", "1.0", at(0)}, {});
    const auto [line, what] = check({ledger.record(t, at(60), "r", false)});
    EXPECT_EQ(line, 1u) << name_of(static_cast<Hop>(h));
    EXPECT_NE(what.find(name_of(static_cast<Hop>(h))), std::string::npos) << what;
  }
}

TEST(LedgerVerify, BrokenLinesAreSaidNotTrusted) {
  const auto lines = chain_of_three();
  EXPECT_EQ(check({""}).first, 1u);
  EXPECT_EQ(check({"[]"}).first, 1u);
  EXPECT_EQ(check({lines[0].substr(0, lines[0].size() / 2)}).first, 1u);
  EXPECT_EQ(check({with(lines[0], "\"ring_full\"", "\"weather\"")}).second,
            "\"weather\" is no reason of \"dropped\"");
  EXPECT_EQ(check({with(lines[0], "\"in\":100", "\"in\":-1")}).second, "\"in\" is no count");
  EXPECT_EQ(check({with(lines[0], "\"hop\":\"flow\"", "\"hop\":\"decode\"")}).second,
            "hop decode stands there twice");
}

TEST(LedgerReasons, NamesReadBack) {
  for (size_t i = 0; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_EQ(reason_by_name(name_of(reason)), reason);
  }
  for (size_t i = 0; i < kHops; ++i)
    EXPECT_EQ(hop_by_name(name_of(static_cast<Hop>(i))), static_cast<Hop>(i));
}

}  // namespace
}  // namespace vong::ledger
