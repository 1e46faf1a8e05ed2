// Rooms: correlator_app. A block of the topic of facts, read and worked with: facts and matches go
// into an engine. The bytes stand at the end of a buffer of their own.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "correlator/app/fact.h"
#include "correlator/app/fact_block.h"
#include "correlator/app/rules_in_force.h"
#include "rules/sigma/loader.h"

namespace {

using namespace vong;

constexpr const char* kRules =
    "title: x\nname: x\nlogsource: {product: suricata, category: alert}\n"
    "detection: {s: {alert.signature_id: 1}, condition: s}\nlevel: high\n"
    "---\ntitle: three\nname: three\n"
    "correlation: {type: event_count, rules: [x], group-by: [src_ip], timespan: 1m, condition: "
    "{gte: 3}}\nlevel: high\n"
    "---\ntitle: many\ncorrelation: {type: value_count, rules: [x], group-by: [src_ip], timespan: "
    "10m, condition: {field: dest_ip, gte: 2}}\nlevel: high\n";
constexpr const char* kAgencies = "agencies:\n  - {id: A, name: A, kind: ministry}\n";

struct World {
  rules::Diagnostics none{"agencies.yaml"};
  enrich::Registry registry = enrich::Registry::parse(kAgencies, none);
  routing::Router router{registry, "key"};
  correlator::EngineSettings settings;
  sigma::RuleSet rules;
  World() {
    settings.share = {1, 1};  // the one that takes matches of others
    settings.reads = false;
    sigma::Loader loader;
    loader.add_text("r.yml", kRules);
    rules = loader.finish();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World world;
  correlator::EngineCounters counters;
  correlator::Engine engine(world.registry, world.router, world.settings, counters,
                            [](const events::Incident&) {});
  std::vector<rules::Diagnostic> diagnostics;
  engine.load(world.rules, diagnostics);
  const std::vector<char> copy(data, data + size);
  const std::string_view block(copy.data(), copy.size());
  correlator::FactBlockVisitor visitor;
  visitor.fact = [&](std::string_view, uint32_t, const ingest::OrderKey&, std::string_view fact) {
    const std::vector<char> alone(fact.begin(), fact.end());
    engine.process(std::string_view(alone.data(), alone.size()));
  };
  visitor.raised = [&](std::string_view, uint32_t, const correlator::Raised& r) { engine.take(r); };
  visitor.status = [](std::string_view) {};
  visitor.rules = [](bool, std::string_view json) { (void)correlator::RulesInForce::parse(json); };
  visitor.mark = [](std::string_view, const correlator::SourceMark&) {};
  (void)correlator::read_fact_block(block, engine, visitor);
  (void)correlator::read_rules_of_block(block, engine, visitor);
  return 0;
}
