#include "sensor/detect/flow_state.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <shared_mutex>

#include "base/string_map.h"
#include "base/strings.h"
#include "sensor/detect/detector.h"
#include "sensor/detect/limits.h"

namespace vong::detect {
namespace {

struct NameTable {
  std::shared_mutex mutex;
  StringMap<NameId> ids;
  std::deque<std::string> names{""};
};
NameTable& names() {
  static auto* const table = new NameTable();
  return *table;
}

}  // namespace

NameId intern_name(std::string_view name) {
  NameTable& table = names();
  std::unique_lock lock(table.mutex);
  const auto it = table.ids.find(name);
  if (it != table.ids.end()) return it->second;
  if (table.names.size() >= kMaxFlowbitNames) return kNoName;
  const auto id = static_cast<NameId>(table.names.size());
  table.names.emplace_back(name);
  table.ids.emplace(std::string(name), id);
  return id;
}

const std::string& name_of(NameId id) {
  NameTable& table = names();
  std::shared_lock lock(table.mutex);
  return table.names[id];
}

bool FlowDetect::has_bit(NameId id) const {
  return extra && std::find(extra->bits.begin(), extra->bits.end(), id) != extra->bits.end();
}
bool FlowDetect::set_bit(NameId id) {
  if (has_bit(id)) return true;
  FlowExtra& e = more();
  if (e.bits.size() >= kMaxFlowbitsPerFlow) return false;
  e.bits.push_back(id);
  return true;
}
void FlowDetect::clear_bit(NameId id) {
  if (extra) std::erase(extra->bits, id);
}
const uint32_t* FlowDetect::find_int(NameId id) const {
  if (!extra) return nullptr;
  for (const auto& [name, value] : extra->ints) {
    if (name == id) return &value;
  }
  return nullptr;
}
bool FlowDetect::set_int(NameId id, uint32_t value) {
  FlowExtra& e = more();
  for (auto& [name, old] : e.ints) {
    if (name == id) {
      old = value;
      return true;
    }
  }
  if (e.ints.size() >= kMaxFlowintsPerFlow) return false;
  e.ints.emplace_back(id, value);
  return true;
}
bool FlowDetect::set_var(std::string_view name, Bytes value) {
  FlowExtra& e = more();
  const std::string_view text = as_text(value.first(std::min(value.size(), kMaxFlowvarBytes)));
  for (auto& [key, old] : e.vars) {
    if (key == name) {
      old = text;
      return true;
    }
  }
  if (e.vars.size() >= kMaxFlowvarsPerFlow) return false;
  e.vars.emplace_back(name, text);
  return true;
}

bool FlowDetect::set_entropy(std::string_view buffer, double value) {
  FlowExtra& e = more();
  for (auto& [key, old] : e.entropies) {
    if (key == buffer) {
      old = value;
      return true;
    }
  }
  if (e.entropies.size() >= kMaxFlowvarsPerFlow) return false;
  e.entropies.emplace_back(buffer, value);
  return true;
}

bool FlowExtra::Tag::take(uint64_t packet_bytes, int64_t now_ns, bool& log) {
  used += metric == Metric::kPackets ? 1 : metric == Metric::kBytes ? packet_bytes : 0;
  if (metric == Metric::kSeconds ? now_ns > until_ns : used > limit) return false;
  log = log || begun;
  begun = true;
  return true;
}

FlowDetect& ensure_flow_detect(flow::Flow& f) {
  if (FlowDetect* state = flow_detect(f)) return *state;
  f.set_slot(flow::FlowSlot::kDetect, std::make_unique<FlowDetect>());
  return *flow_detect(f);
}

FlowDecision flow_decision(const flow::Flow& flow) {
  const FlowDetect* state = flow_detect(flow);
  if (state == nullptr) return {flow.pass_by_policy, false, false};
  return {state->pass || flow.pass_by_policy, state->drop, state->bypass};
}

FlowVariables flow_variables(const flow::Flow& flow) {
  FlowVariables result;
  const FlowDetect* state = flow_detect(flow);
  if (state == nullptr || !state->extra) return result;
  for (const NameId id : state->extra->bits) result.flowbits.push_back(name_of(id));
  for (const auto& [id, value] : state->extra->ints) result.flowints.emplace_back(name_of(id), value);
  result.flowvars = state->extra->vars;
  result.entropies = state->extra->entropies;
  return result;
}

std::unique_ptr<FlowDetect> copy_for_observer(const FlowDetect& state) {
  auto copy = std::make_unique<FlowDetect>();
  for (size_t i = 0; i < kDirections; ++i) {
    copy->ip_only_done[i] = true;
    copy->protocol_known[i] = state.protocol_known[i];
  }
  copy->pass = state.pass;
  copy->drop = state.drop;
  copy->bypass = state.bypass;
  copy->driver_events_seen = state.driver_events_seen;
  if (!state.extra) return copy;
  FlowExtra& extra = copy->more();
  extra.bits = state.extra->bits;
  extra.ints = state.extra->ints;
  extra.vars = state.extra->vars;
  extra.timed = state.extra->timed;
  return copy;
}

}  // namespace vong::detect
