#include "rules/matcher/run_cost.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace vong::matcher {
namespace {

constexpr size_t kClasses = 15;
// A byte once more is common whatever it is: padding, tables, pictures.
constexpr uint8_t kRepeated = 12;

constexpr uint8_t class_of(uint8_t c) {
  const auto among = [c](std::string_view set) {
    return set.find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (c == 0) return 0;
  if (c == 0xff) return 1;
  if (c == ' ') return 2;
  if (c == '\r') return 3;
  if (c == '\n') return 4;
  if (c >= '0' && c <= '9') return 5;
  if (c >= 'a' && c <= 'z') return among("aeiou") ? 6 : among("tnsrldhcmp") ? 7 : 8;
  if (among("./:-=")) return 9;
  if (c > 0x20 && c < 0x7f) return 10;
  return c <= 8 ? 11 : c < 0x20 ? 12 : c < 0xc0 ? 13 : 14;
}

constexpr auto kClassOf = [] {
  std::array<uint8_t, 256> classes{};
  for (size_t c = 0; c < 256; ++c) classes[c] = class_of(static_cast<uint8_t>(c));
  return classes;
}();

// bench/run_costs.py prints both.
constexpr std::array<uint8_t, kClasses> kAlone = {22, 41, 17, 25, 24, 30, 22, 21,
                                                  28, 26, 33, 34, 42, 37, 35};
constexpr uint8_t kFollows[kClasses][kClasses] = {
    {5, 34, 38, 32, 25, 30, 39, 40, 35, 34, 38, 19, 30, 44, 45},
    {31, 50, 26, 34, 34, 28, 24, 28, 29, 31, 35, 21, 35, 35, 30},
    {37, 50, 49, 48, 57, 30, 30, 15, 28, 33, 37, 51, 60, 60, 54},
    {31, 65, 41, 49, 0, 39, 41, 44, 45, 50, 52, 33, 66, 52, 51},
    {25, 65, 40, 11, 48, 50, 19, 18, 32, 32, 34, 37, 39, 50, 45},
    {30, 43, 15, 14, 28, 21, 26, 27, 26, 21, 34, 36, 39, 44, 44},
    {43, 50, 24, 34, 61, 34, 22, 18, 21, 26, 41, 35, 50, 52, 46},
    {30, 51, 16, 29, 45, 35, 18, 21, 28, 24, 29, 42, 48, 51, 31},
    {36, 45, 26, 22, 44, 28, 17, 22, 26, 24, 41, 37, 46, 47, 31},
    {31, 50, 12, 26, 43, 22, 24, 19, 27, 28, 37, 48, 55, 53, 49},
    {24, 40, 18, 22, 44, 37, 34, 19, 34, 19, 27, 40, 42, 43, 39},
    {8, 30, 40, 40, 23, 31, 23, 27, 30, 43, 35, 20, 34, 42, 37},
    {9, 28, 26, 27, 32, 31, 31, 26, 33, 36, 34, 23, 32, 36, 32},
    {28, 38, 9, 43, 41, 35, 33, 22, 38, 43, 40, 38, 41, 30, 37},
    {38, 36, 39, 32, 34, 38, 36, 35, 36, 38, 37, 37, 37, 26, 35},
};

constexpr uint8_t folded(uint8_t c) { return static_cast<uint8_t>(c | (c & 0x40) >> 1); }

}  // namespace

uint32_t rarity_of(const uint8_t* run) {
  uint8_t before = folded(run[0]);
  uint32_t sum = kAlone[kClassOf[before]];
  for (size_t i = 1; i < 4; ++i) {
    const uint8_t c = folded(run[i]);
    const uint8_t rarity = kFollows[kClassOf[before]][kClassOf[c]];
    sum += c == before ? std::min(rarity, kRepeated) : rarity;
    before = c;
  }
  return sum;
}

}  // namespace vong::matcher
