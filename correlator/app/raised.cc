#include "correlator/app/raised.h"

#include "correlator/app/flat_bytes.h"
#include "correlator/state/limits.h"

namespace vong::correlator {

void write_raised(const Raised& r, std::string& out) {
  put(out, r.incident_rule);
  put(out, static_cast<uint8_t>(r.national));
  put(out, r.order);
  put(out, r.match.first_ns);
  put(out, r.match.last_ns);
  put(out, r.match.event_count);
  put_text(out, r.match.key);
  for (const std::string& text : r.infrastructure) put_text(out, text);
  put(out, static_cast<uint16_t>(r.match.evidence.size()));
  for (const state::EventRef& ref : r.match.evidence) put(out, ref);
}

bool read_raised(std::string_view bytes, Raised& r) {
  FlatInput in(bytes);
  r.incident_rule = in.get<uint32_t>();
  r.national = in.get<uint8_t>() != 0;
  r.order = in.get<ingest::OrderKey>();
  r.match.first_ns = in.get<int64_t>();
  r.match.last_ns = in.get<int64_t>();
  r.match.event_count = in.get<uint64_t>();
  r.match.key.assign(in.text());
  for (std::string& text : r.infrastructure) text.assign(in.text());
  const auto count = in.get<uint16_t>();
  if (!in.ok() || count > state::kCountMax) return false;
  r.match.evidence.clear();
  for (uint16_t i = 0; i < count && in.ok(); ++i)
    r.match.evidence.push_back(in.get<state::EventRef>());
  return in.ok() && in.empty();
}

}  // namespace vong::correlator
