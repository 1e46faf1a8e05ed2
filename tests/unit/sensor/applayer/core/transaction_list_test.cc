#include "sensor/applayer/core/transaction_list.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace vong::applayer {
namespace {

struct Numbered : Transaction {
  explicit Numbered(uint64_t n) { id = n; }
};

std::vector<uint64_t> ids_of(const TransactionList& list) {
  std::vector<uint64_t> ids;
  for (const auto& tx : list) ids.push_back(tx->id);
  return ids;
}

TEST(TransactionList, EmptyOneHoldsNothing) {
  TransactionList list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.size(), 0U);
  EXPECT_TRUE(list.begin() == list.end());
  EXPECT_LE(sizeof list, 32U);
}

TEST(TransactionList, BehavesAsAQueueWithRemovalFromAnyPlace) {
  std::mt19937 random(7);
  TransactionList list;
  std::deque<uint64_t> model;
  uint64_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    const unsigned what = random() % 16;
    if (what < 8) {
      list.push_back(std::make_unique<Numbered>(next));
      model.push_back(next++);
    } else if (what < 15) {
      if (model.empty()) continue;
      ASSERT_EQ(list.front()->id, model.front());
      list.pop_front();
      model.pop_front();
    } else {
      const uint64_t rest = random() % 5;
      const size_t gone = erase_if(list, [&](const auto& tx) { return tx->id % 5 == rest; });
      ASSERT_EQ(gone, std::erase_if(model, [&](uint64_t id) { return id % 5 == rest; }));
    }
    ASSERT_EQ(list.size(), model.size());
    if (model.empty()) continue;
    ASSERT_EQ(list.back()->id, model.back());
    ASSERT_EQ((*list.rbegin())->id, model.back());
    ASSERT_EQ(list[model.size() / 2]->id, model[model.size() / 2]);
    if (step % 97 == 0) ASSERT_EQ(ids_of(list), std::vector<uint64_t>(model.begin(), model.end()));
  }
}

TEST(TransactionList, ManyOpenOnesThatComeAndGoKeepTheirOrder) {
  TransactionList list;
  for (uint64_t i = 0; i < 1000; ++i) list.push_back(std::make_unique<Numbered>(i));
  for (uint64_t i = 1000; i < 50'000; ++i) {
    list.pop_front();
    list.push_back(std::make_unique<Numbered>(i));
    ASSERT_EQ(list.front()->id, i - 999);
    ASSERT_EQ(list.size(), 1000U);
  }
}

TEST(TransactionList, PlaceBeyondTheEndIsRefused) {
  TransactionList list;
  list.push_back(std::make_unique<Numbered>(1));
  EXPECT_ANY_THROW((void)list.at(1));
}

}  // namespace
}  // namespace vong::applayer
