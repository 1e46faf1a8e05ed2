// Rooms: sensor_content, rules_vietnamese.
#include <cassert>
#include <string>

#include "rules/vietnamese/phrase.h"
#include "sensor/content/limits.h"
#include "sensor/content/office_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const vong::Bytes file(data, size);
  std::string text;
  (void)vong::content::office_text(file, text);
  assert(text.size() <= vong::content::kMaxTextBytes + 1);
  static const auto kPhrase = vong::vietnamese::Phrase::make("tối mật", {.unmarked = true, .alone = true});
  for (const vong::Bytes where : {file, vong::as_bytes(text)}) {
    const auto found = kPhrase->find(where, 0, where.size());
    assert(!found || found.at + found.length <= where.size());
  }
  return 0;
}
