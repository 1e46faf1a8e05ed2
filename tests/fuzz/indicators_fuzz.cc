// Rooms: correlator_indicators. A file of indicators; what it holds is found by its own lines.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "correlator/indicators/lists.h"
#include "correlator/indicators/source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vong;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  indicators::Lists lists({"a", "b"});
  rules::Diagnostics diagnostics("list");
  indicators::read_list(text, 1, diagnostics, lists);
  std::string scratch;
  for (size_t at = 0, asked = 0; at < text.size() && asked < 64; ++asked) {
    const size_t end = std::min(text.find_first_of("\n,", at), text.size());
    for (const int64_t now : {int64_t{0}, INT64_MAX - 1}) {
      lists.look_up(text.substr(at, end - at), "host.vn", now, scratch,
                    [](const indicators::Lists::Hit& hit) {
                      if (hit.list != 1) std::abort();
                    });
    }
    at = end + 1;
  }
  for (int kind = 0; kind < static_cast<int>(indicators::kKinds); ++kind) {
    // The form in which lists hold a value is its own form; a URL's has lost its scheme.
    const auto k = static_cast<indicators::Kind>(kind);
    if (k == indicators::Kind::kUrl) continue;
    const auto form = indicators::canonical(k, text);
    if (form && indicators::canonical(k, *form) != form) std::abort();
  }
  return 0;
}
