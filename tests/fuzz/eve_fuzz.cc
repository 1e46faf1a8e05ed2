// Rooms: events, correlator_match, rules_sigma. One record for the decoder and a few rules over it,
// then the same bytes for the reader of incidents. The record stands at the end of its buffer, with
// nothing but the padding that the decoder asks for.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "correlator/match/rule_matcher.h"
#include "events/eve_decoder.h"
#include "events/incident.h"
#include "events/limits.h"
#include "rules/sigma/loader.h"

namespace {

using namespace vong;

constexpr const char* kRules =
    "title: a\nname: a\nlogsource: {product: suricata, category: alert}\ndetection: {s: "
    "{alert.signature|contains: [x, scan], src_ip|cidr: 10.0.0.0/8}, condition: s}\n"
    "---\ntitle: b\nname: b\nlogsource: {product: suricata}\ndetection: {s: "
    "{dns.answers.rdata|endswith: e, flow.age|gte: 3}, t: {http.url|re: 'a+b'}, condition: s or "
    "not t}\n";

struct World {
  events::FieldPlan plan;
  std::shared_ptr<const match::RuleMatcher> rules;
  std::unique_ptr<events::EveDecoder> decoder;
  std::unique_ptr<match::Session> session;
  World() {
    sigma::Loader loader;
    loader.add_text("rules", kRules);
    const sigma::RuleSet set = loader.finish();
    std::vector<vong::rules::Diagnostic> diagnostics;
    events::add_time_fields(plan);
    rules = match::RuleMatcher::compile(set.detections, plan, diagnostics);
    decoder = std::make_unique<events::EveDecoder>(plan);
    session = std::make_unique<match::Session>(rules);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World world;
  const auto buffer = std::make_unique<char[]>(size + events::kRecordPaddingBytes);
  if (size > 0) std::memcpy(buffer.get(), data, size);
  std::memset(buffer.get() + size, '"', events::kRecordPaddingBytes);
  const std::string_view record(buffer.get(), size);
  if (world.decoder->decode(record) == events::DecodeError::kNone) {
    for (const events::FieldValue& v : world.decoder->values()) {
      if (world.decoder->first(v.field) == nullptr) std::abort();
    }
    (void)world.session->match(*world.decoder);
  }
  if (const auto incident = events::read_incident(record)) {
    std::string out;
    events::write_incident(*incident, out);
    if (!events::read_incident(out)) std::abort();
  }
  return 0;
}
