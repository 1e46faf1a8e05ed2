#include "sensor/detect/prefilter.h"

#include <algorithm>
#include <map>
#include <set>

#include "fmt/format.h"
#include "rules/matcher/literal_index.h"
#include "rules/matcher/matcher_cache.h"
#include "rules/matcher/pattern_set.h"
#include "rules/matcher/short_index.h"
#include "rules/vietnamese/phrase.h"
#include "sensor/detect/limits.h"

namespace vong::detect {

using applayer::BufferDef;

PacketClass class_of(const Packet& p) {
  if (p.is_tcp) return PacketClass::kTcp;
  if (p.is_udp) return PacketClass::kUdp;
  if (p.is_icmp4) return PacketClass::kIcmp4;
  if (p.is_icmp6) return PacketClass::kIcmp6;
  if (p.is_sctp) return PacketClass::kSctp;
  return p.ip.version != 0 ? PacketClass::kOtherIp : PacketClass::kNotIp;
}

std::span<const RuleIndex> IpOnlyIndex::find(const Side& side, const IpAddress& a) const {
  const auto look = [&](const auto& starts, const std::vector<uint32_t>& index, const auto& x) -> std::span<const RuleIndex> {
    const auto it = std::upper_bound(starts.begin(), starts.end(), x);
    if (it == starts.begin()) return {};
    return lists[index[static_cast<size_t>(it - starts.begin()) - 1]];
  };
  if (a.is_v4()) return look(side.v4_start, side.v4_list, a.v4_host_order());
  if (a.is_v6()) return look(side.v6_start, side.v6_list, rules::AddressSet::to_number(a));
  return {};
}

namespace {

constexpr size_t kLongPatternBytes = 4;   // searched for in all packets; shorter ones only where their ports fit

bool is_padding(std::string_view bytes) { return bytes.find_first_not_of(bytes.front()) == std::string_view::npos; }

class Builder {
 public:
  Builder(std::span<const CompiledRule> rules, std::span<const Header> headers, const Catalog& catalog, Prefilter& out)
      : rules_(rules), headers_(headers), catalog_(catalog), out_(out) {}

  Result<> build(const std::string& cache_dir, unsigned threads, PrefilterReport& report) {
    for (RuleIndex i = 0; i < rules_.size(); ++i) sort_in(i);
    build_payload(out_.packet_payload, out_.any_packet_payload, packet_payload_, "packet");
    build_payload(out_.stream, out_.any_stream, stream_, "stream");
    for (size_t c = 0; c < kPacketClasses; ++c) {
      for (int d = 0; d < kDirections; ++d) {
        for (auto& [use, list] : packet_buffers_[c][d]) {
          out_.packet_buffers[c][d].push_back({uses_[use], group(list, uses_[use]->label)});
        }
      }
    }
    build_tx();
    build_ip_only();
    build_classes();
    build_gates();
    return compile(cache_dir, threads, report);
  }

 private:
  // Payload rules are told apart by the application protocol they are for and by whether their ports are `any`.
  struct PayloadKey {
    AppProto app;
    bool port_specific;
    friend auto operator<=>(const PayloadKey&, const PayloadKey&) = default;
  };
  using PayloadLists = Prefilter::ByClassDir<std::map<PayloadKey, std::vector<RuleIndex>>>;

  const RuleBody& body(RuleIndex i) const { return *rules_[i].body; }

  template <typename F>
  void for_each_class_dir(const RuleBody& b, F f) {
    const uint16_t mask = headers_[b.header].protocols;
    for (size_t c = 0; c < kPacketClasses; ++c) {
      if ((mask & mask_of(static_cast<PacketClass>(c))) == 0) continue;
      for (int d = 0; d < kDirections; ++d) {
        if (b.dirs[d]) f(c, d);
      }
    }
  }

  void sort_in(RuleIndex i) {
    const RuleBody& b = body(i);
    switch (b.type) {
      case RuleType::kIpOnly: ip_only_.push_back(i); return;
      case RuleType::kEventsOnly: out_.event_rules.push_back(i); return;
      case RuleType::kProtocolOnly: out_.protocol_rules.push_back(i); return;
      case RuleType::kFrame:
        for (const AppProto a : b.apps) {
          for (int d = 0; d < kDirections; ++d) {
            if (b.dirs[d]) out_.frames[static_cast<size_t>(a)][static_cast<size_t>(d)].push_back(i);
          }
        }
        return;
      case RuleType::kTransaction:
        if (!b.has_fast_pattern || b.fast_use != nullptr) {
          sort_in_tx(i);
          return;
        }
        mark_tx(i);
        break;   // its pattern is in the stream
      default: break;
    }
    if (b.has_fast_pattern && b.fast_use != nullptr) {
      for_each_class_dir(b, [&](size_t c, int d) {
        uses_[b.fast_use->index] = b.fast_use;
        packet_buffers_[c][d][b.fast_use->index].push_back(i);
      });
      return;
    }
    if (!b.has_fast_pattern) {
      for_each_class_dir(b, [&](size_t c, int d) { out_.unfiltered[c][d].push_back(i); });
      return;
    }
    const bool specific = !headers_[b.header].ports_any();
    for_each_class_dir(b, [&](size_t c, int d) {
      const bool tcp = c == static_cast<size_t>(PacketClass::kTcp);
      const auto add = [&](PayloadLists& lists) {
        if (b.apps.empty()) lists[c][d][{AppProto::kUnknown, specific}].push_back(i);
        else for (const AppProto a : b.apps) lists[c][d][{a, specific}].push_back(i);
      };
      if (!tcp || b.needs_packet || !b.needs_stream) add(packet_payload_);
      if (tcp && b.needs_stream) add(stream_);
    });
  }

  static uint8_t progress_of(const BufferDef& def, int d) { return d == 0 ? def.to_server_progress : def.to_client_progress; }

  void mark_tx(RuleIndex i) {
    const RuleBody& b = body(i);
    for (const auto* p : catalog_.protocols()) {
      if (!b.app_fits(p->id)) continue;
      for (int d = 0; d < kDirections; ++d) {
        if (b.dirs[d]) out_.tx[static_cast<size_t>(p->id)][static_cast<size_t>(d)].any = true;
      }
    }
  }

  // The least progress at which something the rule asks for can be seen; kNotHere when this protocol has none of it.
  uint8_t first_progress(const RuleBody& b, AppProto app, int d) const {
    uint8_t first = BufferDef::kNotHere;
    for (const TxEngine& e : b.engines) {
      if (!e.dirs[d]) continue;
      const auto id = static_cast<size_t>(app);
      uint8_t p = BufferDef::kNotHere;
      switch (e.kind) {
        case EngineKind::kBuffer:
          if (const BufferDef* def = e.use->buffer->by_proto[id]) p = progress_of(*def, d);
          break;
        case EngineKind::kNumber:
          if (const auto* def = e.number->number->by_proto[id]) p = d == 0 ? def->to_server_progress : def->to_client_progress;
          break;
        case EngineKind::kMatcher:
          if (const auto* def = e.matcher->matcher->by_proto[id]) p = d == 0 ? def->to_server_progress : def->to_client_progress;
          break;
        default: p = 0; break;
      }
      first = std::min(first, p);
    }
    return first;
  }

  void sort_in_tx(RuleIndex i) {
    const RuleBody& b = body(i);
    for (const auto* p : catalog_.protocols()) {
      if (!b.app_fits(p->id)) continue;
      const auto id = static_cast<size_t>(p->id);
      for (int d = 0; d < kDirections; ++d) {
        if (!b.both_directions && !b.dirs[d]) continue;
        const uint8_t first = first_progress(b, p->id, d);
        if (first == BufferDef::kNotHere) continue;
        TxIndex& index = out_.tx[id][static_cast<size_t>(d)];
        index.any = true;
        if (b.has_fast_pattern) {
          const BufferDef* def = b.fast_use->buffer->by_proto[id];
          if (def != nullptr && progress_of(*def, d) != BufferDef::kNotHere) {
            uses_[b.fast_use->index] = b.fast_use;
            tx_patterns_[{id, d}][b.fast_use->index].push_back(i);
            continue;
          }
          // Its pattern's buffer does not occur this way round. With "=>" the other side starts it.
          if (b.both_directions) continue;
        }
        const auto event = std::find_if(b.engines.begin(), b.engines.end(), [](const TxEngine& e) { return e.kind == EngineKind::kEvent; });
        if (event != b.engines.end()) {
          index.by_event[event->event].push_back(i);
          continue;
        }
        if (b.has_changing_tests()) {
          index.conditional.push_back(i);
          continue;
        }
        auto at = std::find_if(index.unfiltered.begin(), index.unfiltered.end(), [&](const auto& u) { return u.progress == first; });
        if (at == index.unfiltered.end()) at = index.unfiltered.insert(at, TxUnfiltered{first, {}});
        at->rules.push_back(i);
      }
    }
  }

  void build_tx() {
    for (auto& [where, by_use] : tx_patterns_) {
      TxIndex& index = out_.tx[where.first][static_cast<size_t>(where.second)];
      for (auto& [use, list] : by_use) {
        const BufferDef* def = uses_[use]->buffer->by_proto[where.first];
        index.prefilters.push_back({uses_[use], def, progress_of(*def, where.second), group(list, uses_[use]->label)});
      }
    }
    for (auto& by_dir : out_.tx) {
      for (TxIndex& index : by_dir) {
        std::stable_sort(index.prefilters.begin(), index.prefilters.end(), [](const auto& a, const auto& b) { return a.progress < b.progress; });
        std::stable_sort(index.unfiltered.begin(), index.unfiltered.end(), [](const auto& a, const auto& b) { return a.progress < b.progress; });
      }
    }
  }

  void build_payload(Prefilter::ByClassDir<std::vector<PayloadGroup>>& out, Prefilter::ByClassDir<AnyPayload>& any, PayloadLists& lists,
                     std::string_view label) {
    for (size_t c = 0; c < kPacketClasses; ++c) {
      for (int d = 0; d < kDirections; ++d) {
        const std::string name = fmt::format("{}-{}-{}", label, c, d);
        std::vector<RuleIndex> anywhere;
        const auto add = [&](AppProto app, const std::vector<RuleIndex>& list) {
          PayloadGroup g = payload_group(app, list, name, any[c][d].prefixes, anywhere);
          if (!g.shorts.empty() || !g.placed.empty()) out[c][d].push_back(std::move(g));
        };
        for (auto& [key, list] : lists[c][d]) {
          if (!key.port_specific) add(key.app, list);
          else for (const auto& part : by_ports(list)) add(key.app, part);
        }
        std::sort(anywhere.begin(), anywhere.end());
        anywhere.erase(std::unique(anywhere.begin(), anywhere.end()), anywhere.end());
        if (!anywhere.empty()) any[c][d].literals = group(anywhere, name);
        any[c][d].prefixes.finish();
      }
    }
  }

  // A packet shall meet the patterns of its own ports: those with many rules stand apart, the others by whether few or many ports fit.
  std::vector<std::vector<RuleIndex>> by_ports(const std::vector<RuleIndex>& list) {
    constexpr size_t kFewPorts = 256;
    std::vector<std::vector<RuleIndex>> parts;
    std::map<std::pair<const void*, const void*>, size_t> known;
    for (const RuleIndex i : list) {
      const Header& h = headers_[body(i).header];
      const auto [it, fresh] = known.try_emplace({h.sport.get(), h.dport.get()}, parts.size());
      if (fresh) parts.emplace_back();
      parts[it->second].push_back(i);
    }
    const auto width = [](const rules::PortSet& ports) {
      size_t n = ports.is_any() ? 65'536 : 0;
      for (const auto& r : ports.ranges()) n += size_t{r.last} - r.first + 1;
      return n;
    };
    std::vector<std::vector<RuleIndex>> result(2);   // few ports, many ports
    for (auto& part : parts) {
      const Header& h = headers_[body(part.front()).header];
      if (part.size() >= kOwnGroupRules) {
        result.push_back(std::move(part));
        continue;
      }
      auto& rest = result[std::min(width(*h.sport), width(*h.dport)) <= kFewPorts ? 0 : 1];
      rest.insert(rest.end(), part.begin(), part.end());
    }
    for (auto& part : result) std::sort(part.begin(), part.end());
    std::erase_if(result, [](const auto& part) { return part.empty(); });
    return result;
  }

  // The byte before which a pattern must have ended, counted from the beginning; 0: it can stand anywhere.
  static uint64_t end_of(const ContentNode& c) {
    if (c.relative() || c.phrase != nullptr) return 0;   // a phrase's spellings differ in length
    if (c.starts_with) return c.length;
    if (!c.has_depth || c.depth.variable >= 0 || c.offset.variable >= 0 || c.offset.value < 0 || c.depth.value < 0) return 0;
    return static_cast<uint64_t>(c.offset.value) + static_cast<uint64_t>(c.depth.value);
  }

  // `prefixes` and `anywhere` get the rules that are looked for in all packets: with patterns at the very beginning; long ones anywhere.
  PayloadGroup payload_group(AppProto app, const std::vector<RuleIndex>& list, std::string_view label, PrefixTable& prefixes,
                             std::vector<RuleIndex>& anywhere) {
    PayloadGroup g;
    g.app = app;
    std::map<const Condition*, std::vector<RuleIndex>> shorts;
    for (const RuleIndex i : list) {
      const ContentNode& c = *body(i).fast;
      const Bytes pattern(c.bytes, c.length);
      const uint64_t end = end_of(c);
      if (end != 0 && end <= c.length) {
        prefixes.add(pattern, c.nocase, i);
      } else if (end != 0 && end <= kHeadBytes && g.head.add(pattern, c.nocase, c.has_offset ? static_cast<size_t>(c.offset.value) : 0, end, i)) {
        g.placed.push_back(i);
      } else if (c.phrase == nullptr && searched_part(c).size() >= kLongPatternBytes && !is_padding(searched_part(c))) {
        anywhere.push_back(i);
      } else {
        shorts[selecting_condition_of(body(i))].push_back(i);
      }
    }
    g.head.finish();
    std::vector<RuleIndex>& others = shorts[nullptr];
    for (auto& [condition, rules] : shorts) {
      if (condition == nullptr || rules.size() >= kOwnGroupRules) continue;
      others.insert(others.end(), rules.begin(), rules.end());
      rules.clear();
    }
    std::sort(others.begin(), others.end());
    for (auto& [condition, rules] : shorts) {
      if (!rules.empty()) g.shorts.push_back({condition, nullptr, std::move(rules)});
    }
    // By rules, not by where conditions happen to lie in memory.
    std::sort(g.shorts.begin(), g.shorts.end(), [](const ShortPatterns& a, const ShortPatterns& b) { return a.rules < b.rules; });
    for (ShortPatterns& s : g.shorts) s.group = group(s.rules, label);
    return g;
  }

  // What is searched of a pattern: all of it, or what `fast_pattern:offset,length` says.
  static std::string_view searched_part(const ContentNode& c) {
    std::string_view bytes(reinterpret_cast<const char*>(c.bytes), c.length);
    if (c.chop_length != 0) bytes = bytes.substr(c.chop_offset, c.chop_length);
    return bytes.substr(0, kMaxSearchedBytes);
  }

  // The condition that fits the fewest packets of those that can be asked before a search; null: none. Rules on transactions keep what has matched
  // from packet to packet: none of theirs.
  static const Condition* selecting_condition_of(const RuleBody& b) {
    const Condition* best = nullptr;
    if (b.type == RuleType::kTransaction) return best;
    for (const Condition* c : b.conditions) {
      if (c->selects() > (best == nullptr ? 0 : best->selects())) best = c;
    }
    return best;
  }

  // Rules on transactions are judged by packets that come after the one with the pattern too.
  static PayloadSizes payload_sizes_of(const RuleBody& b) {
    PayloadSizes all;
    if (b.type == RuleType::kTransaction) return all;
    for (const Condition* c : b.conditions) {
      const PayloadSizes sizes = c->payload_sizes();
      all.least = std::max(all.least, sizes.least);
      all.most = std::min(all.most, sizes.most);
    }
    return all;
  }

  void build_gates() {
    out_.gates.reserve(rules_.size());
    for (RuleIndex i = 0; i < rules_.size(); ++i) {
      const RuleBody& b = body(i);
      RuleGate gate;
      gate.header = b.header;
      gate.payload = payload_sizes_of(b);
      if (!b.both_directions) gate.flags |= RuleGate::kHeaderAsked;
      if (!b.dirs[0]) gate.flags |= RuleGate::kNotToServer;
      if (!b.dirs[1]) gate.flags |= RuleGate::kNotToClient;
      if (b.flow.established) gate.flags |= RuleGate::kEstablished;
      if (b.flow.not_established) gate.flags |= RuleGate::kNotEstablished;
      if (!b.apps.empty()) gate.flags |= RuleGate::kAppAsked;
      out_.gates.push_back(gate);
    }
  }

  const PatternGroup* group(const std::vector<RuleIndex>& list, std::string_view label) {
    const auto it = by_list_.find(list);
    if (it != by_list_.end()) return it->second;
    out_.groups.push_back(std::make_unique<PatternGroup>());
    PatternGroup& g = *out_.groups.back();
    g.label = fmt::format("{}#{}", label, out_.groups.size());
    // Equal patterns are one.
    std::map<std::pair<std::string_view, bool>, std::vector<RuleIndex>> by_pattern;
    g.min_length = ~uint32_t{0};
    for (const RuleIndex i : list) {
      const ContentNode& c = *body(i).fast;
      if (c.phrase != nullptr) {
        for (const std::string& literal : c.phrase->literals()) {
          by_pattern[{literal, true}].push_back(i);
          g.min_length = std::min(g.min_length, static_cast<uint32_t>(literal.size()));
          g.max_length = std::max(g.max_length, static_cast<uint32_t>(literal.size()));
        }
        continue;
      }
      const std::string_view bytes = searched_part(c);
      by_pattern[{bytes, c.nocase}].push_back(i);
      g.min_length = std::min(g.min_length, static_cast<uint32_t>(bytes.size()));
      g.max_length = std::max(g.max_length, static_cast<uint32_t>(bytes.size()));
    }
    matcher::PatternSet patterns;
    g.first.push_back(0);
    using Index = matcher::LiteralIndex;
    auto index = std::make_shared<Index>();
    auto in_short_data = std::make_shared<matcher::ShortIndex>();
    for (const auto& [pattern, indices] : by_pattern) {
      const auto id = static_cast<uint32_t>(g.first.size() - 1);
      const Bytes text = as_bytes(pattern.first);
      if (Index::suits(text)) {
        index->add(id, text, pattern.second);
      } else {
        patterns.add_literal(id, pattern.first, {.nocase = pattern.second});
        in_short_data->add(id, text, pattern.second);
      }
      g.rules.insert(g.rules.end(), indices.begin(), indices.end());
      g.first.push_back(static_cast<uint32_t>(g.rules.size()));
    }
    index->finish();
    literals_ += index->size();
    if (!index->empty()) g.literals = std::move(index);
    if (!patterns.empty()) {
      in_short_data->finish();
      if (in_short_data->size() <= matcher::ShortIndex::kMostLiterals) g.in_short_data = std::move(in_short_data);
      sets_.push_back(std::move(patterns));
      set_of_.push_back(&g);
    }
    by_list_.emplace(list, &g);
    return &g;
  }

  Result<> compile(const std::string& cache_dir, unsigned threads, PrefilterReport& report) {
    matcher::MatcherCache cache(cache_dir);
    const auto compiled = cache.build(sets_, {}, threads);
    report.patterns = literals_;
    for (size_t i = 0; i < sets_.size(); ++i) {
      report.patterns += sets_[i].size();
      if (!compiled[i]) return fail(fmt::format("pattern set {}: {}", set_of_[i]->label, compiled[i].error().message));
      set_of_[i]->matcher = *compiled[i];
    }
    report.sets = out_.groups.size();
    report.from_cache = cache.stats().loaded;
    return {};
  }

  template <typename T>
  void index_side(const std::vector<std::pair<rules::Range<T>, RuleIndex>>& ranges, std::vector<T>& starts, std::vector<uint32_t>& index) {
    std::map<T, std::pair<std::vector<RuleIndex>, std::vector<RuleIndex>>> edges;   // begin, end
    for (const auto& [range, rule] : ranges) {
      edges[range.first].first.push_back(rule);
      if (range.last != rules::RangeLimits<T>::kMax) edges[rules::RangeLimits<T>::next(range.last)].second.push_back(rule);
    }
    std::multiset<RuleIndex> open;
    std::map<std::vector<RuleIndex>, uint32_t> known{{{}, 0}};
    for (const auto& [at, change] : edges) {
      for (const RuleIndex r : change.second) open.erase(open.find(r));
      for (const RuleIndex r : change.first) open.insert(r);
      std::vector<RuleIndex> list(open.begin(), open.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
      const auto [it, fresh] = known.emplace(list, static_cast<uint32_t>(out_.ip_only.lists.size()));
      if (fresh) out_.ip_only.lists.push_back(list);
      starts.push_back(at);
      index.push_back(it->second);
    }
  }

  void build_classes() {
    std::vector<uint8_t> used(headers_.size(), 0);
    for (RuleIndex i = 0; i < rules_.size(); ++i) {
      if (body(i).type != RuleType::kIpOnly) used[body(i).header] = 1;
    }
    out_.classes.build(headers_, used);
  }

  void build_ip_only() {
    IpOnlyIndex& ip = out_.ip_only;
    ip.any = !ip_only_.empty();
    ip.lists.emplace_back();
    std::vector<std::pair<rules::Range<uint32_t>, RuleIndex>> src4, dst4;
    std::vector<std::pair<rules::Range<rules::U128>, RuleIndex>> src6, dst6;
    const auto add = [](const rules::AddressSet& set, RuleIndex i, auto& v4, auto& v6) {
      for (const auto& r : set.v4()) v4.emplace_back(r, i);
      for (const auto& r : set.v6()) v6.emplace_back(r, i);
    };
    const auto width = [](const rules::AddressSet& set) {   // how much of IPv4 it takes
      uint64_t n = 0;
      for (const auto& r : set.v4()) n += uint64_t{r.last} - r.first + 1;
      return n;
    };
    for (const RuleIndex i : ip_only_) {
      const Header& h = headers_[body(i).header];
      const bool src = !h.src->is_any(), dst = !h.dst->is_any();
      if (!src && !dst) ip.rest.push_back(i);
      else if (src && (!dst || width(*h.src) <= width(*h.dst))) add(*h.src, i, src4, src6);
      else add(*h.dst, i, dst4, dst6);
    }
    index_side(src4, ip.src.v4_start, ip.src.v4_list);
    index_side(src6, ip.src.v6_start, ip.src.v6_list);
    index_side(dst4, ip.dst.v4_start, ip.dst.v4_list);
    index_side(dst6, ip.dst.v6_start, ip.dst.v6_list);
  }

  std::span<const CompiledRule> rules_;
  std::span<const Header> headers_;
  const Catalog& catalog_;
  Prefilter& out_;
  PayloadLists packet_payload_, stream_;
  Prefilter::ByClassDir<std::map<uint32_t, std::vector<RuleIndex>>> packet_buffers_;
  std::map<std::pair<size_t, int>, std::map<uint32_t, std::vector<RuleIndex>>> tx_patterns_;
  std::map<uint32_t, const BufferUse*> uses_;
  std::vector<RuleIndex> ip_only_;
  std::map<std::vector<RuleIndex>, const PatternGroup*> by_list_;
  std::vector<matcher::PatternSet> sets_;
  std::vector<PatternGroup*> set_of_;       // the group of each
  uint64_t literals_ = 0;
};

}  // namespace

Result<> build_prefilter(std::span<const CompiledRule> rules, std::span<const Header> headers, const Catalog& catalog,
                         const std::string& cache_dir, int threads, Prefilter& out, PrefilterReport& report) {
  return Builder(rules, headers, catalog, out).build(cache_dir, static_cast<unsigned>(std::max(threads, 1)), report);
}

}  // namespace vong::detect
