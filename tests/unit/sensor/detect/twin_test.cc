// The engine against a slow twin: an evaluator of contents that tries every combination of places, on random rules and payloads.
#include <fmt/format.h>

#include <random>

#include "tests/unit/sensor/detect/fixture.h"

namespace vong::detect {
namespace {

struct TwinContent {
  std::string bytes;
  bool nocase = false, negated = false, starts = false, ends = false;
  int offset = -1, depth = -1;
  bool has_distance = false, has_within = false;
  int distance = 0, within = 0;

  std::string text() const {
    std::string s = fmt::format("content:{}\"{}\";", negated ? "!" : "", bytes);
    if (nocase) s += " nocase;";
    if (starts) s += " startswith;";
    if (ends) s += " endswith;";
    if (offset >= 0) s += fmt::format(" offset:{};", offset);
    if (depth >= 0) s += fmt::format(" depth:{};", depth);
    if (has_distance) s += fmt::format(" distance:{};", distance);
    if (has_within) s += fmt::format(" within:{};", within);
    return s;
  }
};

bool same(char a, char b, bool nocase) { return nocase ? std::tolower(a) == std::tolower(b) : a == b; }

// Whether `c` stands at `at`, given where the match before it ended.
bool stands(const TwinContent& c, const std::string& data, int at, int before) {
  const int n = static_cast<int>(c.bytes.size()), size = static_cast<int>(data.size());
  if (at < 0 || at + n > size) return false;
  for (int i = 0; i < n; ++i) {
    if (!same(data[static_cast<size_t>(at + i)], c.bytes[static_cast<size_t>(i)], c.nocase)) return false;
  }
  if (c.starts && at != 0) return false;
  if (c.ends && at + n != size) return false;
  if (c.has_distance || c.has_within) {
    const int from = std::max(0, before + (c.has_distance ? c.distance : 0));
    if (at < from) return false;
    if (c.has_within && at + n > before + (c.has_distance ? c.distance : 0) + c.within) return false;
    return true;
  }
  const int offset = std::max(c.offset, 0);
  if (at < offset) return false;
  return c.depth < 0 || at + n <= offset + c.depth;
}

// All ways to place contents i.. behind a match that ended at `before`.
bool twin(const std::vector<TwinContent>& rule, size_t i, const std::string& data, int before) {
  if (i == rule.size()) return true;
  const TwinContent& c = rule[i];
  const int size = static_cast<int>(data.size());
  if (c.negated) {
    for (int at = 0; at <= size; ++at) {
      if (stands(c, data, at, before)) return false;
    }
    return twin(rule, i + 1, data, before);
  }
  for (int at = 0; at <= size; ++at) {
    if (stands(c, data, at, before) && twin(rule, i + 1, data, at + static_cast<int>(c.bytes.size()))) return true;
  }
  return false;
}

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  int below(int n) { return static_cast<int>(engine_() % static_cast<uint32_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  std::string text(int least, int most) {
    std::string s;
    for (int n = least + below(most - least + 1); n > 0; --n) s.push_back("abAB"[below(4)]);
    return s;
  }

 private:
  std::mt19937 engine_;
};

TwinContent random_content(Random& r, bool first) {
  TwinContent c;
  c.bytes = r.text(1, 3);
  c.nocase = r.chance(40);
  c.negated = r.chance(15);
  const int n = static_cast<int>(c.bytes.size());
  if (!first && r.chance(60)) {
    if (r.chance(70)) {
      c.has_distance = true;
      c.distance = r.below(7) - 2;
    }
    if (r.chance(50) || !c.has_distance) {
      c.has_within = true;
      c.within = n + r.below(6);
    }
  } else if (r.chance(40)) {
    if (r.chance(50)) c.offset = r.below(6);
    if (r.chance(50)) c.depth = n + r.below(8);
  } else if (r.chance(20)) {
    c.starts = true;
  }
  if (r.chance(15) && c.offset < 0 && c.depth < 0) c.ends = true;
  return c;
}

using Twin = DetectTest;

TEST_F(Twin, AgreesOnRandomRulesAndPayloads) {
  Random r(20'261'123);
  int matched = 0, total = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<std::vector<TwinContent>> rules;
    std::string text;
    for (uint32_t sid = 1; sid <= 12; ++sid) {
      std::vector<TwinContent> rule;
      const int n = 1 + r.below(4);
      // A content after a non-relative one does not try again, so the chain is relative throughout: then every order of trying gives the same.
      for (int i = 0; i < n; ++i) {
        TwinContent c = random_content(r, i == 0);
        if (i > 0 && !c.has_distance && !c.has_within) {
          c = TwinContent();
          c.bytes = r.text(1, 2);
          c.has_distance = true;
          c.distance = r.below(3);
        }
        rule.push_back(c);
      }
      text += fmt::format("alert udp any any -> any any (");
      for (const TwinContent& c : rule) text += c.text() + " ";
      text += fmt::format("sid:{};)\n", sid);
      rules.push_back(std::move(rule));
    }
    settings_.set("packet-alert-max", "255");
    load(text);
    for (int k = 0; k < 25; ++k) {
      const std::string payload = r.text(1, 24);
      std::vector<uint32_t> expected;
      for (size_t i = 0; i < rules.size(); ++i) {
        if (twin(rules[i], 0, payload, 0)) expected.push_back(static_cast<uint32_t>(i + 1));
      }
      matched += static_cast<int>(expected.size());
      total += static_cast<int>(rules.size());
      ASSERT_EQ(sids(packet(payload)), expected) << payload << "\n" << text;
    }
  }
  EXPECT_GT(matched, total / 20) << "the random rules hardly ever match: the test says little";
  EXPECT_LT(matched, total * 19 / 20);
}

}  // namespace
}  // namespace vong::detect
