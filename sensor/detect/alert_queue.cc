#include <algorithm>

#include "base/json_writer.h"
#include "sensor/detect/detector_impl.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/threshold.h"

namespace vong::detect {
namespace {

AlertAction action_of(rules::Action a) {
  switch (a) {
    case rules::Action::kPass: case rules::Action::kAccept: return AlertAction::kPass;
    case rules::Action::kDrop: return AlertAction::kDrop;
    case rules::Action::kReject: case rules::Action::kRejectSrc: case rules::Action::kRejectDst: case rules::Action::kRejectBoth:
      return AlertAction::kReject;
    default: return AlertAction::kAlert;
  }
}

}  // namespace

// The transaction that a match on raw content most likely speaks of: of a datagram when the rule names the protocol, of a
// stream when detect.guess-applayer-tx says so.
const applayer::Transaction* Detector::Impl::transaction_in_view(const RuleBody& body) const {
  const bool wanted = rt.packet->is_tcp ? guess_tx : rt.packet->is_udp && !body.apps.empty();
  if (!wanted || app == nullptr || !app->parser) return nullptr;
  const auto d = static_cast<size_t>(index(rt.direction));
  for (const auto& tx : app->parser->transactions) {
    if (tx->has_direction[d] && !tx->inspected[d]) return tx.get();
  }
  return nullptr;
}

void Detector::Impl::matched(RuleIndex i, const applayer::Transaction* tx, bool stream_match, std::optional<uint64_t> file_id) {
  const CompiledRule& rule = set->rules[i];
  for (const Runtime::PendingCapture& c : rt.captures) {
    if (c.scope == Regex::Scope::kAlert) {
      std::string json;
      JsonWriter(json).string(c.value);
      rt.contexts.emplace_back(c.name, std::move(json));
    } else if (c.scope == Regex::Scope::kFlow && rt.flow_state != nullptr) {
      if (!rt.flow_state->set_var(c.name, as_bytes(c.value))) ++counters.flow_state_full;
    } else if (rt.packet_vars.size() < kMaxFlowvarsPerFlow) {
      rt.packet_vars.emplace_back(c.name, c.value);
    }
  }
  rt.captures.clear();
  rt.rule = &rule;
  for (const Effect* e : rule.body->effects) e->apply(rt);
  if (matches.size() >= kMaxQueuedMatches) {
    ++counters.alert_queue_overflow;
    return;
  }
  Match m;
  m.state = tx != nullptr && rt.frame == nullptr;
  if (tx == nullptr) {
    tx = transaction_in_view(*rule.body);
    m.tx_guessed = tx != nullptr && rt.packet->is_tcp;
  }
  m.rule = i;
  m.tx = tx;
  m.tx_id = tx != nullptr ? tx->id : 0;
  m.stream = stream_match;
  m.frame = rt.frame;
  m.file_id = file_id;
  if (!rule.noalert) {
    m.evidence_at = static_cast<uint32_t>(evidence.size());
    m.evidence_count = static_cast<uint32_t>(rt.evidence.size());
    evidence.insert(evidence.end(), rt.evidence.begin(), rt.evidence.end());
  }
  if (!rt.contexts.empty()) m.context = std::make_shared<const std::vector<std::pair<std::string, std::string>>>(std::move(rt.contexts));
  rt.contexts.clear();
  matches.push_back(std::move(m));
}

void Detector::Impl::apply_verdict(const CompiledRule& rule, AlertAction action, const Match& m) {
  const RuleBody& b = *rule.body;
  const bool protocol_alone = b.type == RuleType::kPacket && !b.apps.empty() && b.payload.empty() && b.packet_buffers.empty() && b.conditions.empty();
  const bool for_flow = b.flow_scope || protocol_alone || m.state || m.stream || b.type == RuleType::kIpOnly || b.type == RuleType::kProtocolOnly;
  FlowDetect* f = rt.flow_state;
  if (action == AlertAction::kPass) {
    if (for_flow && f != nullptr && !f->drop) f->pass = verdict.pass_flow = true;
  } else if (action == AlertAction::kDrop || action == AlertAction::kReject) {
    verdict.drop_packet = true;
    if (for_flow && f != nullptr && !f->pass) f->drop = verdict.drop_flow = true;
  }
}

// Order, thresholds, what pass rules take away, the cap.
void Detector::Impl::finish_alerts() {
  if (matches.empty()) {
    run_tags();
    return;
  }
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) { return std::tie(a.rule, a.tx_id) < std::tie(b.rule, b.tx_id); });
  for (const Match& m : matches) {
    const CompiledRule& rule = set->rules[m.rule];
    const ThresholdResult t = apply_thresholds(rule, action_of(rule.action), set->thresholds, rt);
    if (t.verdict == ThresholdVerdict::kNothing) {
      ++counters.alerts_suppressed;
      continue;
    }
    const bool pass = t.action == AlertAction::kPass;
    if (!(pass && verdict.drop_packet)) apply_verdict(rule, t.action, m);   // the first to decide about the packet wins
    if (t.verdict == ThresholdVerdict::kSilent) {
      ++counters.alerts_suppressed;
    } else if (!rule.noalert && (!pass || rule.body->pass_alerts) && rule.action != rules::Action::kConfig) {
      if (alerts.size() >= alert_queue_max) {
        ++counters.alert_queue_overflow;
      } else {
        Alert a;
        a.rule = &rule;
        a.action = t.action;
        a.direction = rt.direction;
        a.tx = m.tx;
        a.tx_id = m.tx_id;
        a.tx_guessed = m.tx_guessed;
        a.stream_match = m.stream;
        a.state_match = m.state;
        a.file_id = m.file_id;
        a.frame = m.frame;
        a.context = m.context != nullptr ? std::span<const std::pair<std::string, std::string>>(*m.context) : std::span<const std::pair<std::string, std::string>>();
        a.evidence = std::span<const MatchedContent>(evidence).subspan(m.evidence_at, m.evidence_count);
        alerts.push_back(a);
        ++counters.alerts;
        if (rt.flow_state != nullptr) rt.flow_state->alerted = true;
      }
    }
    if (pass) break;
  }
  run_tags();
}

void Detector::Impl::run_tags() {
  const Packet& p = *rt.packet;
  if (p.is_pseudo) return;
  const int64_t now = to_ns(p.ts);
  const auto run = [&](std::vector<FlowExtra::Tag>& tags) {
    std::erase_if(tags, [&](FlowExtra::Tag& tag) { return !tag.take(p.wire_len, now, tagged); });
  };
  if (rt.flow_state != nullptr && rt.flow_state->extra) run(rt.flow_state->extra->tags);
  SharedState::Impl& s = shared.impl();
  if (!s.any_tagged_host || p.ip.version == 0) return;
  std::lock_guard lock(s.tags_mutex);
  for (const IpAddress& host : {p.src, p.dst}) {
    const auto it = s.tagged_hosts.find(host);
    if (it == s.tagged_hosts.end()) continue;
    run(it->second);
    if (it->second.empty()) s.tagged_hosts.erase(it);
    if (p.src == p.dst) break;
  }
  s.any_tagged_host = !s.tagged_hosts.empty();
}

}  // namespace vong::detect
