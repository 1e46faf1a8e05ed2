// Rooms: rules_matcher. Both indexes of literals against the slow twin.
//
// Input: number of literals (1 byte), then each: a byte (bit 0 no case, bits 1-5 length, bits 6-7
// ids taken together), its bytes; the rest is the data.
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/strings.h"
#include "rules/matcher/literal_index.h"
#include "rules/matcher/naive_matcher.h"
#include "rules/matcher/short_index.h"

namespace {

using namespace vong;

std::set<uint32_t> wanted(const matcher::PatternSet& set, Bytes data) {
  std::set<uint32_t> ids;
  for (const matcher::Match& m : matcher::naive_scan(set, data)) ids.insert(m.id);
  return ids;
}

template <typename Index>
void compare(const Index& index, const matcher::PatternSet& set, Bytes data) {
  static matcher::LiteralMarks marks;
  std::set<uint32_t> found;
  index.scan(data, marks, [&](uint32_t id) {
    if (!found.insert(id).second) std::abort();  // told twice
  });
  if (found != wanted(set, data)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  ByteReader in(Bytes(bytes, size));
  matcher::LiteralIndex longer, gathered;
  matcher::ShortIndex shorter;
  matcher::PatternSet of_longer, of_shorter;
  const uint32_t count = in.u8();
  for (uint32_t i = 0; i < count && !in.empty(); ++i) {
    const uint8_t how = in.u8();
    std::string text(as_text(in.bytes(std::min<size_t>(how >> 1 & 31, in.remaining()))));
    if (text.empty()) continue;
    const bool nocase = (how & 1) != 0;
    if (nocase) text = to_lower(text);
    const uint32_t id = i >> (how >> 6);
    if (matcher::LiteralIndex::suits(as_bytes(text))) {
      longer.add(id, as_bytes(text), nocase);
      gathered.add(id, as_bytes(text), nocase);
      of_longer.add_literal(id, text, {.nocase = nocase});
    }
    if (shorter.size() < matcher::ShortIndex::kMostLiterals) {
      shorter.add(id, as_bytes(text), nocase);
      of_shorter.add_literal(id, text, {.nocase = nocase});
    }
  }
  longer.finish(matcher::LiteralIndex::Way::kOneByOne);
  gathered.finish(matcher::LiteralIndex::Way::kGathered);
  shorter.finish();
  // A copy of its own: a read beyond the data is seen.
  const Bytes rest = in.bytes(std::min<size_t>(in.remaining(), 2048));
  const std::vector<uint8_t> data(rest.begin(), rest.end());
  compare(longer, of_longer, data);
  compare(gathered, of_longer, data);
  compare(shorter, of_shorter,
          Bytes(data).first(std::min(data.size(), matcher::ShortIndex::kLongestData)));
  return 0;
}
