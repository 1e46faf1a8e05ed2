#include "sensor/detect/detector.h"

#include <algorithm>

#include "sensor/detect/detector_impl.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/tenants.h"

namespace vong::detect {
namespace {

constexpr std::string_view kStreamBuffer = "stream";  // of evidence
constexpr size_t kMaxHeaderViews = 32'768;   // beyond it headers are judged for each packet anew

bool matches_pseudo(const RuleBody& b) { return b.type == RuleType::kStream || b.type == RuleType::kProtocolOnly; }

}

Detector::Impl::Impl(std::shared_ptr<const RuleSet> rule_set, const Settings& settings, SharedState& shared_state)
    : shared(shared_state) {
  rt.shared = &shared.impl();
  rt.counters = &counters;
  rt.recursion_limit = static_cast<uint32_t>(settings.integer("detect.inspection-recursion-limit", kDefaultRecursionLimit));
  if (rt.recursion_limit == 0) rt.recursion_limit = kDefaultRecursionLimit;
  alert_queue_max = static_cast<uint32_t>(std::clamp<int64_t>(settings.integer("packet-alert-max", kDefaultAlertQueue), 1, 255));
  packet_work = static_cast<uint32_t>(std::clamp<int64_t>(settings.integer("detect.packet-work", kDefaultPacketWork), 0, UINT32_MAX));
  if (packet_work == 0) packet_work = UINT32_MAX;
  guess_tx = settings.flag("detect.guess-applayer-tx", false);
  use_rules(std::move(rule_set));
}

Detector::Impl::Impl(std::shared_ptr<const RuleSet> rule_set, Impl& like, SharedState& shared_state)
    : shared(shared_state), counters(like.counters) {
  rt.shared = &shared.impl();
  rt.counters = &counters;
  rt.recursion_limit = like.rt.recursion_limit;
  rt.observing = like.rt.observing;
  alert_queue_max = like.alert_queue_max;
  packet_work = like.packet_work;
  guess_tx = like.guess_tx;
  priority_limit = like.priority_limit;
  use_rules(std::move(rule_set));
}

void Detector::Impl::use_rules(std::shared_ptr<const RuleSet> rule_set) {
  if (rules == rule_set) return;
  rules = std::move(rule_set);
  set = &rules->impl();
  identities.push_back(set->identity);
  if (identities.size() > kIdentitiesMax) identities.pop_front();
  views.clear();
  view = nullptr;
  buffers.resize(set->uses.size());
  for (const auto& group : set->prefilter.groups) {
    if (group->matcher != nullptr && !scratch.prepare(*group->matcher)) throw std::bad_alloc();
  }
  if (set->datasets) {
    SharedState::Impl& s = shared.impl();
    std::lock_guard lock(s.stores_mutex);
    if (std::find(s.stores.begin(), s.stores.end(), set->datasets) == s.stores.end()) s.stores.push_back(set->datasets);
  }
}

void Detector::Impl::begin(Packet& p) {
  rt.packet = &p;
  rt.flow = p.flow;
  rt.direction = p.direction;
  rt.tx = nullptr;
  rt.flow_state = nullptr;
  rt.proto = AppProto::kUnknown;
  rt.packet_vars.clear();
  rt.work_left = packet_work;
  rt.new_driver_events = 0;
  app = nullptr;
  stream = nullptr;
  window = {};
  fresh = joint = {};
  joint_matched = false;
  stream_added = false;
  protocol_detected_now = false;
  verdict = {};
  tagged = false;
  rt.contexts.clear();
  alerts.clear();
  matches.clear();
  evidence.clear();
  candidates.clear();
  stream_tx_candidates.clear();
  stream_copy.clear();
  packet_class = class_of(p);
  payload_bytes = static_cast<uint16_t>(std::min<size_t>(p.payload.size(), UINT16_MAX));
  gate_refuses = (p.direction == Direction::kToServer ? RuleGate::kNotToServer : RuleGate::kNotToClient) |
                 (p.flow_established ? RuleGate::kNotEstablished : RuleGate::kEstablished);
  view = nullptr;
  if (p.flow == nullptr) return;
  rt.flow_state = &ensure_flow_detect(*p.flow);
  if (rt.flow_state->generation != set->generation) {
    rt.flow_state->generation = set->generation;
    rt.flow_state->header_view[0] = rt.flow_state->header_view[1] = nullptr;
  }
  app = applayer::app_state(*p.flow);
  rt.new_driver_events = 0;
  if (app != nullptr) {
    rt.proto = app->proto;
    rt.new_driver_events = app->driver_events & ~rt.flow_state->driver_events_seen;
    rt.flow_state->driver_events_seen = app->driver_events;
  }
  if (p.is_tcp) stream = flow::raw_stream(*p.flow);
}

void Detector::Impl::scan(const PatternGroup& group, Bytes data, std::vector<RuleIndex>& out) {
  if (data.size() < group.min_length) return;
  ++counters.prefilter_scans;
  counters.prefilter_bytes += data.size();
  const auto found = [&](uint32_t id) {
    for (uint32_t k = group.first[id]; k < group.first[id + 1]; ++k) {
      if (passes_gate(group.rules[k])) out.push_back(group.rules[k]);
    }
  };
  if (group.literals != nullptr) group.literals->scan(data, literal_marks, found);
  if (group.matcher == nullptr) return;
  if (group.in_short_data != nullptr && data.size() <= matcher::ShortIndex::kLongestData) {
    group.in_short_data->scan(data, literal_marks, found);
    return;
  }
  (void)group.matcher->scan(data, scratch, [&](uint32_t id, uint64_t) {
    found(id);
    return true;
  });
}

// What packet_part_fits asks first, for rules that a pattern named: most of them end here.
bool Detector::Impl::passes_gate(RuleIndex i) {
  const RuleGate& gate = set->prefilter.gates[i];
  if ((gate.flags & gate_refuses) != 0 || payload_bytes < gate.payload.least || payload_bytes > gate.payload.most) return false;
  if ((gate.flags & RuleGate::kAppAsked) != 0 && !set->rules[i].body->app_fits(rt.proto)) return false;
  return (gate.flags & RuleGate::kHeaderAsked) == 0 || header_fits(gate.header);
}

bool Detector::Impl::has_ports() const {
  const Packet& p = *rt.packet;
  return (p.is_tcp || p.is_udp || p.is_sctp) && !(p.ip.is_fragment && !p.is_defragmented);
}

bool Detector::Impl::compute_header(const Header& h) const {
  const Packet& p = *rt.packet;
  if ((h.protocols & mask_of(packet_class)) == 0) return false;
  if (h.ip_version != 0 && p.ip.version != h.ip_version) return false;
  if (h.any) return true;
  if (!h.ports_any()) {
    if (!has_ports() || !h.dport->contains(p.dport) || !h.sport->contains(p.sport)) return false;
  }
  return h.dst->contains(p.dst) && h.src->contains(p.src);
}

bool Detector::Impl::reversed_header_fits(const Header& h) const {
  const Packet& p = *rt.packet;
  if ((h.protocols & mask_of(packet_class)) == 0 || (h.ip_version != 0 && p.ip.version != h.ip_version)) return false;
  return h.dport->contains(p.sport) && h.sport->contains(p.dport) && h.dst->contains(p.src) && h.src->contains(p.dst);
}

Detector::Impl::HeaderView& Detector::Impl::view_of(const Packet& p) {
  const HeaderClasses& c = set->prefilter.classes;
  const ViewKey key{c.src(p.src), c.dst(p.dst), c.sport(p.sport), c.dport(p.dport), static_cast<uint8_t>(packet_class), p.ip.version, has_ports()};
  const auto it = views.find(key);
  if (it != views.end()) return *it->second;
  HeaderView* fresh_view = &spare_view;
  if (views.size() < kMaxHeaderViews) {
    fresh_view = views.emplace(key, std::make_unique<HeaderView>()).first->second.get();
  } else {
    spare_view = HeaderView();
  }
  fresh_view->result.assign(set->headers.size(), 0);
  return *fresh_view;
}

void Detector::Impl::open_view() {
  if (view != nullptr) return;
  // All packets of a flow's direction are alike, but for fragments, which are no flow's packets.
  if (rt.flow_state != nullptr) view = static_cast<HeaderView*>(rt.flow_state->header_view[index(rt.direction)]);
  if (view != nullptr) return;
  view = &view_of(*rt.packet);
  if (rt.flow_state != nullptr && view != &spare_view) rt.flow_state->header_view[index(rt.direction)] = view;
}

bool Detector::Impl::header_fits(uint32_t header) {
  open_view();
  uint8_t& result = view->result[header];
  if (result == 0) result = compute_header(set->headers[header]) ? 2 : 1;
  return result == 2;
}

void Detector::Impl::run_ip_only() {
  const IpOnlyIndex& ip = set->prefilter.ip_only;
  if (!ip.any || rt.packet->ip.version == 0) return;
  if (rt.flow_state != nullptr) {
    bool& done = rt.flow_state->ip_only_done[index(rt.direction)];
    if (done) return;
    done = true;
  }
  candidates.clear();
  const auto add = [&](std::span<const RuleIndex> list) { candidates.insert(candidates.end(), list.begin(), list.end()); };
  add(ip.find(ip.src, rt.packet->src));
  add(ip.find(ip.dst, rt.packet->dst));
  add(ip.rest);
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  for (const RuleIndex i : candidates) {
    bool stream_match = false;
    if (packet_part_fits(set->rules[i], stream_match, false)) matched(i, nullptr, false, std::nullopt);
  }
  candidates.clear();
}

const Detector::Impl::HeaderView::Payload& Detector::Impl::payload_view(PayloadKind kind) {
  open_view();
  const auto d = static_cast<size_t>(index(rt.direction));
  HeaderView::Payload& found = view->payload[kind][d];
  if (found.listed) return found;
  found.listed = true;
  const auto& all = kind == kStreamPayload ? set->prefilter.stream : set->prefilter.packet_payload;
  const auto fits = [this](RuleIndex i) {
    const RuleGate& gate = set->prefilter.gates[i];
    return (gate.flags & RuleGate::kHeaderAsked) == 0 || header_fits(gate.header);
  };
  std::vector<RuleIndex> fitting;
  for (const PayloadGroup& g : all[static_cast<size_t>(packet_class)][d]) {
    if (std::any_of(g.placed.begin(), g.placed.end(), fits)) found.groups.push_back(&g);
    for (const ShortPatterns& s : g.shorts) {
      fitting.clear();
      std::copy_if(s.rules.begin(), s.rules.end(), std::back_inserter(fitting), fits);
      if (fitting.empty()) continue;
      // Candidates among rules on transactions lead to the flow's transactions: only when the pattern is there.
      const bool transactions =
          std::any_of(fitting.begin(), fitting.end(), [this](RuleIndex i) { return set->rules[i].body->type == RuleType::kTransaction; });
      if (transactions || fitting.size() > kDirectRules) {
        found.shorts.emplace_back(g.app, &s);
      } else {
        for (const RuleIndex i : fitting) found.direct.emplace_back(g.app, i);
      }
    }
  }
  return found;
}

// `head`: the bytes from which places are counted.
void Detector::Impl::collect_payload(PayloadKind kind, Bytes data, Bytes head) {
  const HeaderView::Payload& payload = payload_view(kind);
  const auto& all = kind == kStreamPayload ? set->prefilter.any_stream : set->prefilter.any_packet_payload;
  const AnyPayload& any = all[static_cast<size_t>(packet_class)][static_cast<size_t>(index(rt.direction))];
  const auto found = [&](RuleIndex i) {
    if (passes_gate(i)) candidates.push_back(i);
  };
  any.prefixes.find(head, found);
  if (any.literals != nullptr) scan(*any.literals, data, candidates);
  for (const PayloadGroup* g : payload.groups) {
    if (g->app == AppProto::kUnknown || g->app == rt.proto) g->head.find(head, found);
  }
  for (const auto& [app_proto, s] : payload.shorts) {
    if (app_proto != AppProto::kUnknown && app_proto != rt.proto) continue;
    if (s->when == nullptr || s->when->match(rt)) scan(*s->group, data, candidates);
  }
  for (const auto& [app_proto, i] : payload.direct) {
    if ((app_proto == AppProto::kUnknown || app_proto == rt.proto) && passes_gate(i)) candidates.push_back(i);
  }
}

void Detector::Impl::collect_unfiltered() {
  const int d = index(rt.direction);
  const auto& all = set->prefilter.unfiltered[static_cast<size_t>(packet_class)][static_cast<size_t>(d)];
  if (all.empty()) return;
  open_view();
  if (!view->listed[d]) {
    view->listed[d] = true;
    for (const RuleIndex i : all) {
      if (!header_fits(set->rules[i].body->header)) continue;
      view->unfiltered[d].push_back(i);
      if (matches_pseudo(*set->rules[i].body)) view->unfiltered_at_end[d].push_back(i);
    }
  }
  const auto& fitting = rt.packet->is_pseudo ? view->unfiltered_at_end[d] : view->unfiltered[d];
  candidates.insert(candidates.end(), fitting.begin(), fitting.end());
}

// What of the stream is new, and as much before it as a match over the border may need.
void Detector::Impl::open_window() {
  window = stream->raw_window(rt.direction, rt.packet->is_pseudo);
  if (window.data.empty()) return;
  const uint64_t inspected = std::clamp(stream->raw_inspected(rt.direction), window.offset, window.offset + window.data.size());
  const auto old = static_cast<size_t>(inspected - window.offset);
  fresh = window.data.subspan(old);
  joint = window.data.subspan(old - std::min(old, kStreamOverlapBytes));
}

void Detector::Impl::collect_packet_candidates() {
  const Packet& p = *rt.packet;
  const auto c = static_cast<size_t>(packet_class);
  const auto d = static_cast<size_t>(index(rt.direction));
  const Prefilter& prefilter = set->prefilter;
  if (!p.no_payload_inspection && !p.payload.empty()) collect_payload(kPacketPayload, p.payload, p.payload);
  if (stream != nullptr) {
    open_window();
    if (!joint.empty()) collect_payload(kStreamPayload, joint, fresh);
  }
  if (p.is_tcp && !stream_added && !p.no_payload_inspection && !p.payload.empty()) collect_payload(kStreamPayload, p.payload, p.payload);
  if (p.is_pseudo) {
    collect_unfiltered();
  } else {
    for (const PacketBufferGroup& g : prefilter.packet_buffers[c][d]) {
      Bytes data = g.use->buffer->packet->get(p);
      if (!g.use->transforms.empty()) {
        if (!run_transforms(g.use->transforms, data, packet_transformed, packet_spare)) continue;
        data = as_bytes(packet_transformed);
      }
      if (!data.empty()) scan(*g.group, data, candidates);
    }
    collect_unfiltered();
  }
  if (p.events.any()) candidates.insert(candidates.end(), prefilter.event_rules.begin(), prefilter.event_rules.end());
  if (protocol_detected_now) candidates.insert(candidates.end(), prefilter.protocol_rules.begin(), prefilter.protocol_rules.end());
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
}

bool Detector::Impl::flow_fits(const RuleBody& b) const {
  const Packet& p = *rt.packet;
  const FlowSpec& f = b.flow;
  if (!b.dirs[index(rt.direction)]) return false;
  if (!b.has_flow_spec) return true;
  if (f.established && !p.flow_established) return false;
  if (f.not_established && p.flow_established) return false;
  if (f.only_frag && !p.is_defragmented) return false;
  if (f.no_frag && p.is_defragmented) return false;
  return true;
}

bool Detector::Impl::packet_buffer_fits(const PacketBufferCheck& check) {
  Bytes data = check.use->buffer->packet->get(*rt.packet);
  if (data.data() == nullptr) return false;
  if (!check.use->transforms.empty()) {
    if (!run_transforms(check.use->transforms, data, packet_transformed, packet_spare)) return false;
    data = as_bytes(packet_transformed);
  }
  return detect::inspect(rt, check.nodes, BufferInput{data, 0, true, check.use->buffer->name});
}

// The new bytes by themselves: rules' places count from their beginning, those of the evidence from that of `joint`. Then over the border, where a match must have bytes of both sides, so
// that nothing is told twice.
bool Detector::Impl::stream_fits(const RuleBody& b) {
  const uint64_t old = joint.size() - fresh.size();
  rt.evidence.clear();
  if (detect::inspect(rt, b.payload, BufferInput{fresh, 0, true, kStreamBuffer})) {
    for (MatchedContent& e : rt.evidence) e.offset += old;
    return true;
  }
  if (b.placed || joint.size() == fresh.size()) return false;
  rt.evidence.clear();
  rt.captures.clear();
  if (!detect::inspect(rt, b.payload, BufferInput{joint, 0, true, kStreamBuffer})) return false;
  bool before = false, behind = false;
  for (MatchedContent& e : rt.evidence) {
    before = before || e.offset < old;
    behind = behind || e.offset + e.length > old;
  }
  joint_matched = joint_matched || (before && behind);
  return before && behind;
}

bool Detector::Impl::payload_fits(const RuleBody& b, bool& stream_match) {
  const Packet& p = *rt.packet;
  if (b.needs_stream && packet_class == PacketClass::kTcp) {
    if (!fresh.empty() && stream_fits(b)) {
      stream_match = true;
      return true;
    }
    if ((stream_added && !b.needs_packet) || b.flow.only_stream) return false;
  }
  if (p.no_payload_inspection || p.is_pseudo) return false;
  return detect::inspect(rt, b.payload, BufferInput{p.payload, 0, true, "payload"});
}

// Everything of a rule that does not lie in transactions.
bool Detector::Impl::packet_part_fits(const CompiledRule& rule, bool& stream_match, bool with_payload) {
  const RuleBody& b = *rule.body;
  const Packet& p = *rt.packet;
  if (!flow_fits(b)) return false;
  if (!b.apps.empty() && !b.app_fits(rt.proto)) return false;
  if (b.both_directions && rt.direction == Direction::kToClient) {
    if (!reversed_header_fits(set->headers[b.header])) return false;
  } else if (b.type == RuleType::kIpOnly ? !compute_header(set->headers[b.header]) : !header_fits(b.header)) {
    return false;
  }
  if (b.arp_only && !p.arp) return false;
  if (b.ip_protocol_only != 0 && p.ip.protocol != b.ip_protocol_only) return false;
  if (b.flow_start_only && (p.flow == nullptr || p.flow->counters[0].packets + p.flow->counters[1].packets != 1)) return false;
  ++counters.rules_evaluated;
  rt.spend(1);
  rt.rule = &rule;
  rt.captures.clear();
  rt.evidence.clear();
  rt.contexts.clear();
  for (const Condition* c : b.conditions) {
    if (!c->match(rt)) return false;
  }
  for (const PacketBufferCheck& check : b.packet_buffers) {
    if (!packet_buffer_fits(check)) return false;
  }
  return !with_payload || b.payload.empty() || payload_fits(b, stream_match);
}

bool Detector::Impl::may_try(const CompiledRule& rule) {
  if (rt.work_left == 0) [[unlikely]] return false;
  if (rule.priority <= priority_limit) [[likely]] return true;
  for (const uint8_t use : rule.body->bits_use) {
    if (use >= 2) return true;   // others ask for what it sets
  }
  ++counters.rules_shed;
  return false;
}

// False: whatever this packet holds, no rule in force could match on it.
bool Detector::Impl::some_rule_speaks_of(const Packet& p) {
  const Prefilter& prefilter = set->prefilter;
  const auto c = static_cast<size_t>(packet_class);
  const auto d = static_cast<size_t>(index(rt.direction));
  if (prefilter.ip_only.any && p.ip.version != 0) return true;
  if (!prefilter.packet_buffers[c][d].empty()) return true;
  if (!prefilter.unfiltered[c][d].empty()) {
    open_view();
    if (!view->listed[d] || !view->unfiltered[d].empty()) return true;
  }
  if (p.events.any() && !prefilter.event_rules.empty()) return true;
  if (rt.flow != nullptr && !prefilter.protocol_rules.empty()) return true;
  for (const PayloadKind kind : {kPacketPayload, kStreamPayload}) {
    if (kind == kStreamPayload && !p.is_tcp) break;
    const auto& any = (kind == kStreamPayload ? prefilter.any_stream : prefilter.any_packet_payload)[c][d];
    if (any.literals != nullptr || !any.prefixes.empty()) return true;
    const HeaderView::Payload& payload = payload_view(kind);
    if (!payload.groups.empty() || !payload.shorts.empty() || !payload.direct.empty()) return true;
  }
  if (rt.flow == nullptr) return false;
  if (rt.proto != AppProto::kUnknown) return prefilter.tx[static_cast<size_t>(rt.proto)][d].any || !prefilter.frames[static_cast<size_t>(rt.proto)][d].empty();
  return set->any_transaction_rule && (p.is_tcp || p.is_udp);   // what it speaks is not known yet
}

void Detector::Impl::evaluate_packet_rules() {
  counters.candidates += candidates.size();
  for (const RuleIndex i : candidates) {
    const CompiledRule& rule = set->rules[i];
    if (!may_try(rule)) continue;
    if (rule.body->type == RuleType::kTransaction) {
      stream_tx_candidates.push_back(i);
      continue;
    }
    // A pseudo packet has no bytes of its own: only what the stream still held can match.
    if (rt.packet->is_pseudo && !matches_pseudo(*rule.body)) continue;
    bool stream_match = false;
    if (packet_part_fits(rule, stream_match, true)) matched(i, nullptr, stream_match, std::nullopt);
  }
}

bool Detector::Impl::frame_fits(const RuleBody& b, const applayer::Frame& frame) {
  for (const PacketBufferCheck& check : b.frames) {
    if (check.use->buffer->by_frame[static_cast<size_t>(rt.proto)] != frame.type) return false;
    Bytes data = as_bytes(frame.data);
    if (!check.use->transforms.empty()) {
      if (!run_transforms(check.use->transforms, data, packet_transformed, packet_spare)) return false;
      data = as_bytes(packet_transformed);
    }
    if (!detect::inspect(rt, check.nodes, BufferInput{data, 0, frame.closed, "frame"})) return false;
  }
  return true;
}

// Frames of the packet's direction that have grown or ended; a rule fires once on a frame.
void Detector::Impl::inspect_frames() {
  if (app == nullptr || !app->parser || !app->parser->frames) return;
  const auto& asked = set->prefilter.frames[static_cast<size_t>(rt.proto)][static_cast<size_t>(index(rt.direction))];
  for (applayer::Frame& frame : app->parser->frames->of(rt.direction)) {
    if (frame.inspection_done || (frame.data.size() <= frame.inspected && !frame.closed)) continue;
    rt.frame = &frame;
    for (const RuleIndex i : asked) {
      if (std::find(frame.matched.begin(), frame.matched.end(), set->rules[i].sid) != frame.matched.end()) continue;
      bool stream_match = false;
      if (!packet_part_fits(set->rules[i], stream_match, false) || !frame_fits(*set->rules[i].body, frame)) continue;
      frame.matched.push_back(set->rules[i].sid);
      const applayer::Transaction* tx = nullptr;
      for (const auto& t : app->parser->transactions) {
        if (frame.tx_id && t->id == *frame.tx_id) tx = t.get();
      }
      matched(i, tx, false, std::nullopt);
    }
    frame.inspected = frame.data.size();
    frame.inspection_done = frame.closed;
  }
  rt.frame = nullptr;
}

void Detector::Impl::note_protocol_detection() {
  if (rt.flow_state == nullptr || app == nullptr || app->proto == AppProto::kUnknown) return;
  uint8_t& known = rt.flow_state->protocol_known[index(rt.direction)];
  const auto now = static_cast<uint8_t>(app->proto);
  // Each direction's detection is told by a packet that goes that way; after a change of the protocol by none that stands for the end.
  const bool told = app->detection[static_cast<size_t>(index(rt.direction))].completed || app->proto == AppProto::kFailed;
  if (rt.packet->is_tcp && (!told || (rt.packet->is_pseudo && app->proto_original != AppProto::kUnknown))) return;
  protocol_detected_now = known != now;
  known = now;
}

void Detector::Impl::mark_all_inspected() {
  if (app == nullptr || !app->parser) return;
  for (auto& tx : app->parser->transactions) tx->inspected = {true, true};
  if (!app->parser->frames) return;
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    for (applayer::Frame& frame : app->parser->frames->of(d)) frame.inspection_done = frame.closed;
  }
}

// What alerts show as the stream: the new bytes, and those before them only where a match goes over the border. Places count from its
// beginning. A copy, for what is done with may go.
void Detector::Impl::keep_stream_payload() {
  if (matches.empty()) return;
  stream_copy.assign(as_text(joint_matched ? joint : fresh));
  if (joint_matched) return;
  for (MatchedContent& e : evidence) {
    if (e.buffer == kStreamBuffer) e.offset -= joint.size() - fresh.size();
  }
}

// Nobody looks at what the flow has: it goes by as if it had been looked at.
void Detector::Impl::pass_by() {
  mark_all_inspected();
  if (stream == nullptr) return;
  const auto rest = stream->raw_window(rt.direction, true);
  stream->raw_done(rt.direction, rest.offset + rest.data.size());
}

std::span<const Alert> Detector::Impl::inspect(Packet& p) {
  ++counters.packets;
  if (set->rules.empty() && identities.size() == 1) {   // there never was a rule: nor bits, tags or verdicts
    ++counters.packets_without_rules;
    if (p.flow == nullptr) return {};
    rt.direction = p.direction;
    app = applayer::app_state(*p.flow);
    stream = p.is_tcp ? flow::raw_stream(*p.flow) : nullptr;
    pass_by();
    return {};
  }
  begin(p);
  if (p.no_inspection && p.flow == nullptr) {
    ++counters.packets_passed;
    return {};
  }
  if (rt.flow_state != nullptr && (rt.flow_state->pass || rt.flow_state->drop || (rt.flow_state->bypass && !p.is_pseudo) || p.no_inspection || p.flow->pass_by_policy)) {
    ++counters.packets_passed;
    pass_by();
    return {};
  }
  stream_added = p.payload_in_stream;
  if (p.invalid) {
    if (p.events.any()) {
      candidates = set->prefilter.event_rules;
      evaluate_packet_rules();
    }
  } else {
    note_protocol_detection();
    if (!p.is_pseudo) run_ip_only();
    collect_packet_candidates();
    evaluate_packet_rules();
    if (rt.flow != nullptr) {
      inspect_frames();
      inspect_transactions();
    }
    keep_stream_payload();
    if (stream != nullptr && !window.data.empty()) stream->raw_done(rt.direction, window.offset + window.data.size());
    counters.packets_without_rules += matches.empty() && !some_rule_speaks_of(p);
  }
  counters.packets_work_limit += rt.work_left == 0;
  finish_alerts();
  return alerts;
}

Detector::Detector(std::shared_ptr<const RuleSet> rules, const Settings& settings, SharedState& shared)
    : impl_(std::make_unique<Impl>(std::move(rules), settings, shared)), now_(impl_.get()) {}
Detector::~Detector() = default;

Detector::Impl* Detector::of_tenant(uint32_t tenant) {
  if (const auto it = tenants_.find(tenant); it != tenants_.end()) return it->second.get();
  const Tenants& tenants = *impl_->set->tenants;
  const auto at = tenants.find(tenant);
  if (!at) return impl_.get();
  auto& made = tenants_[tenant];
  made = std::make_unique<Impl>(tenants.all[*at].rules, *impl_, impl_->shared.of_tenant(tenant, tenants.all.size()));
  return made.get();
}

Detector::Impl* Detector::of_packet(Packet& packet) {
  const TenantMap& map = impl_->set->tenants->map;
  const TenantId tenant = map.selector() == TenantMap::Selector::kDirect ? direct_tenant_ : map.of(packet);
  if (packet.flow != nullptr) packet.flow->tenant = tenant;
  return tenant == kNoTenant ? impl_.get() : of_tenant(tenant);
}

std::span<const Alert> Detector::inspect(Packet& packet) {
  if (impl_->set->tenants != nullptr) [[unlikely]] now_ = of_packet(packet);
  return now_->inspect(packet);
}

void Detector::set_rules(std::shared_ptr<const RuleSet> rules) {
  now_ = impl_.get();
  impl_->use_rules(std::move(rules));
  const Tenants* tenants = impl_->set->tenants.get();
  std::erase_if(tenants_, [&](auto& entry) {
    const auto at = tenants != nullptr ? tenants->find(entry.first) : std::nullopt;
    if (at) entry.second->use_rules(tenants->all[*at].rules);
    return !at;
  });
}

void Detector::set_observing() {
  impl_->rt.observing = true;
  for (auto& [id, impl] : tenants_) impl->rt.observing = true;
}

void Detector::set_priority_limit(uint8_t priority) {
  impl_->priority_limit = priority;
  for (auto& [id, impl] : tenants_) impl->priority_limit = priority;
}

void Detector::set_tenant(uint32_t tenant) { direct_tenant_ = tenant; }
const Detector::Verdict& Detector::verdict() const { return now_->verdict; }
std::span<const std::pair<std::string, std::string>> Detector::packet_vars() const { return now_->rt.packet_vars; }
Bytes Detector::stream_payload() const { return as_bytes(now_->stream_copy); }
void Detector::matched_rules(std::vector<uint64_t>& out) const {
  for (const Match& m : now_->matches) {
    const CompiledRule& rule = now_->set->rules[m.rule];
    out.push_back(uint64_t{rule.gid} << 32 | rule.sid);
  }
}
bool Detector::tagged() const { return now_->tagged; }
const RuleSet& Detector::rules() const { return *now_->rules; }
const RuleSet& Detector::all_rules() const { return *impl_->rules; }
const DetectCounters& Detector::counters() const { return impl_->counters; }

}  // namespace vong::detect
