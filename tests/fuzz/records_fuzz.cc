// Rooms: correlator_app and those below it, exporters_send. What comes to the correlator beside
// events: status, verdicts, grants, which rules are in force, positions of a forwarder; and lines
// of a file. First byte: which.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "correlator/app/rules_in_force.h"
#include "correlator/coverage/board.h"
#include "correlator/ingest/line_reader.h"
#include "correlator/routing/unmask.h"
#include "correlator/verdicts/verdict.h"
#include "events/limits.h"
#include "exporters/send/resume.h"

namespace {

using namespace vong;

void must(bool holds) {
  if (!holds) std::abort();
}

void read_rules(const std::string& text) {
  using correlator::RulesInForce;
  const auto rules = RulesInForce::parse(text);
  if (!rules) return;
  const std::string json = rules->json();
  const auto again = RulesInForce::parse(json);
  must(again && again->json() == json);
  (void)rules->starts_in({"t", 0});
}

// Lines as the reader gives them, against the plain way to split.
void read_lines(const std::string& text) {
  static const int fd = memfd_create("fuzz", 0);
  must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
  must(pwrite(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  uint64_t number = 0;
  size_t at = 0;
  const auto next = [&] {  // the next line that is not empty
    while (at < text.size()) {
      const size_t end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      at = end + 1;
      ++number;
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) return line;
    }
    return std::string();
  };
  const auto done = ingest::read_lines_fd(
      fd, "fuzz",
      [&](const ingest::Line& line) {
        must(!line.too_long && line.text == next() && line.number == number);
        unsigned sum = 0;
        for (size_t i = 0; i < events::kRecordPaddingBytes; ++i)
          sum += static_cast<unsigned char>(line.text.data()[line.text.size() + i]);
        must(sum != 1'000'000);
        return true;
      },
      {});
  must(done.has_value() && next().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: {
      if (const auto status = coverage::read_status(text)) must(!status->sensor.empty());
      break;
    }
    case 1: {
      if (const auto verdict = verdicts::read_verdict(text))
        must(verdict->incident_id.size() == 32);
      break;
    }
    case 2: {
      if (const auto grant = routing::read_grant(text)) {
        const std::string signed_text = routing::grant_text(*grant);
        must(static_cast<size_t>(std::count(signed_text.begin(), signed_text.end(), '\n')) ==
             6 + grant->pseudonyms.size());
        must(!routing::verify(grant->reason, signed_text, grant->signature));
      }
      break;
    }
    case 3:
      read_rules(text);
      break;
    case 4: {
      const auto c = send::from_metadata(7, text);
      must(send::from_metadata(7, send::to_metadata(c)) == c);
      const auto r = send::plan_resume({1, 5, 0}, c);
      must(r.next_seq >= 6 || r.kind == send::Resume::Kind::kContinue);
      break;
    }
    default:
      read_lines(text);
      break;
  }
  return 0;
}
