#include "correlator/state/keyed_store.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace vong::state {
namespace {

TEST(KeyedStore, ExpiredStateIsFresh) {
  KeyedStore<int> store(10, 100);
  store.touch("a", 0) = 7;
  EXPECT_EQ(store.touch("a", 99), 7);
  EXPECT_EQ(store.touch("a", 199), 0);
}

TEST(KeyedStore, TheQuietestGoesAtTheCap) {
  KeyedStore<int> store(2, 1000);
  store.touch("a", 0) = 1;
  store.touch("b", 1) = 2;
  store.touch("a", 2);
  store.touch("c", 3) = 3;
  EXPECT_EQ(store.find("b", 3), nullptr);
  EXPECT_EQ(*store.find("a", 3), 1);
  EXPECT_EQ(store.evictions(), 1u);
}

TEST(KeyedStore, EraseAndReuse) {
  KeyedStore<int> store(3, 1000);
  for (int i = 0; i < 1000; ++i) {
    store.touch(std::to_string(i), i) = i;
    store.erase(std::to_string(i));
  }
  EXPECT_EQ(store.size(), 0u);
  EXPECT_EQ(store.evictions(), 0u);
}

TEST(KeyedStore, AgreesWithAPlainMap) {
  KeyedStore<int> store(1'000'000, 50);
  std::map<std::string, std::pair<int64_t, int>> twin;
  std::mt19937 random(3);
  int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += random() % 3;
    const std::string key = std::to_string(random() % 100);
    int& state = store.touch(key, now);
    auto& [touched, expected] = twin[key];
    if (now - touched >= 50) expected = 0;
    touched = now;
    ASSERT_EQ(state, expected);
    state = expected = static_cast<int>(random());
  }
  EXPECT_LE(store.size(), 100u);
}

}  // namespace
}  // namespace vong::state
