// The index over all rules: which can match at all, found by pattern sets and by what a rule's header asks for, never rule by rule.
//
// A rule with a fast pattern stands in the pattern set of that buffer and direction (of the payload: also of its protocol and port
// kind); a hit makes it a candidate. A rule without one stands in a list by protocol and direction. Immutable.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/result.h"
#include "rules/matcher/matcher.h"
#include "sensor/detect/compiled_rule.h"
#include "sensor/detect/head_table.h"
#include "sensor/detect/header_classes.h"
#include "sensor/detect/prefix_table.h"

namespace vong::matcher {
class LiteralIndex;
class ShortIndex;
}

namespace vong::detect {

using RuleIndex = uint32_t;      // into the rule set, in order of evaluation

struct PatternGroup {
  std::shared_ptr<const matcher::LiteralIndex> literals;   // of four bytes and more; null: there are none
  std::shared_ptr<const matcher::Matcher> matcher;         // the others; null: there are none
  std::shared_ptr<const matcher::ShortIndex> in_short_data;   // the same as `matcher`, for data up to its kLongestData; null: too many
  std::vector<uint32_t> first;   // pattern id -> its rules stand in rules[first[id], first[id + 1])
  std::vector<RuleIndex> rules;
  uint32_t min_length = 1;       // shorter data cannot match
  uint32_t max_length = 1;       // of a pattern
  std::string label;             // for the log and the cache
};

// Which kind of packet: index of the tables below.
enum class PacketClass : uint8_t { kTcp, kUdp, kIcmp4, kIcmp6, kSctp, kOtherIp, kNotIp, kCount };
inline constexpr size_t kPacketClasses = static_cast<size_t>(PacketClass::kCount);
[[nodiscard]] PacketClass class_of(const Packet& p);
[[nodiscard]] constexpr uint16_t mask_of(PacketClass c) { return static_cast<uint16_t>(1u << static_cast<unsigned>(c)); }

// Patterns that are too short to be told from chance by their bytes alone, searched for where the ports fit.
struct ShortPatterns {
  const Condition* when = nullptr;            // a condition of all these rules: unless it holds nothing is searched
  const PatternGroup* group = nullptr;
  std::vector<RuleIndex> rules;
};
// Rules on payload that are looked for where their ports fit; those that cost little whatever the ports stand in AnyPayload.
struct PayloadGroup {
  AppProto app = AppProto::kUnknown;          // only for flows of this protocol; kUnknown: for all
  std::vector<ShortPatterns> shorts;          // anywhere
  HeadTable head;                             // at few places within the first kHeadBytes
  std::vector<RuleIndex> placed;              // rules of `head`
};
// Rules on payload of all protocols and ports, found in one go.
struct AnyPayload {
  const PatternGroup* literals = nullptr;     // patterns of some length, anywhere; null: none
  PrefixTable prefixes;                       // at the very beginning
};

// What must hold before anything else of a rule that a pattern named is looked at; small, in one place.
struct RuleGate {
  static constexpr uint8_t kNotToServer = 1, kNotToClient = 2, kEstablished = 4, kNotEstablished = 8;
  static constexpr uint8_t kHeaderAsked = 16;  // else its header is judged elsewhere ("=>")
  static constexpr uint8_t kAppAsked = 32;     // it is for flows of some protocols only
  uint32_t header = 0;
  PayloadSizes payload;                        // of packets that it can match on
  uint8_t flags = 0;
};

struct PacketBufferGroup {
  const BufferUse* use;
  const PatternGroup* group;
};

struct TxPrefilter {
  const BufferUse* use;
  const applayer::BufferDef* def;
  uint8_t progress;
  const PatternGroup* group;
};
// Rules of a protocol and direction that have no pattern, by the progress their first engine needs.
struct TxUnfiltered {
  uint8_t progress;
  std::vector<RuleIndex> rules;
};
struct TxIndex {
  std::vector<TxPrefilter> prefilters;       // by progress
  std::vector<TxUnfiltered> unfiltered;      // by progress
  std::vector<RuleIndex> conditional;        // the same for rules that also ask for what may change between packets (bits ...)
  absl::flat_hash_map<applayer::EventId, std::vector<RuleIndex>> by_event;
  bool any = false;                          // some rule can match on this protocol's transactions in this direction
};

// Rules on addresses alone, by the ranges of the side that is not `any`.
struct IpOnlyIndex {
  struct Side {
    std::vector<uint32_t> v4_start;          // sorted; list i holds from v4_start[i] on
    std::vector<uint32_t> v4_list;
    std::vector<rules::U128> v6_start;
    std::vector<uint32_t> v6_list;
  } src, dst;
  std::vector<std::vector<RuleIndex>> lists; // list 0 is empty
  std::vector<RuleIndex> rest;               // no single side narrows them
  bool any = false;
  [[nodiscard]] std::span<const RuleIndex> find(const Side& side, const IpAddress& a) const;
};

struct Prefilter {
  template <typename T>
  using ByClassDir = std::array<std::array<T, kDirections>, kPacketClasses>;

  ByClassDir<std::vector<PayloadGroup>> packet_payload;      // rules that look at a packet's payload
  ByClassDir<std::vector<PayloadGroup>> stream;              // rules that look at the reassembled stream
  ByClassDir<AnyPayload> any_packet_payload, any_stream;     // the same
  ByClassDir<std::vector<PacketBufferGroup>> packet_buffers;
  ByClassDir<std::vector<RuleIndex>> unfiltered;             // packet rules without a pattern
  std::array<std::array<TxIndex, kDirections>, kAppProtoCount> tx;
  IpOnlyIndex ip_only;
  std::vector<RuleIndex> event_rules;                        // rules that need a packet event
  std::vector<RuleIndex> protocol_rules;                     // kProtocolOnly
  std::array<std::array<std::vector<RuleIndex>, kDirections>, kAppProtoCount> frames;   // kFrame; few, so asked one by one
  std::vector<std::unique_ptr<PatternGroup>> groups;
  std::vector<RuleGate> gates;                               // by rule
  HeaderClasses classes;                                     // over the headers of all rules but those on addresses alone
};

struct PrefilterReport {
  uint64_t patterns = 0, sets = 0, from_cache = 0;
};
// `rules` in order of evaluation.
[[nodiscard]] Result<> build_prefilter(std::span<const CompiledRule> rules, std::span<const Header> headers, const Catalog& catalog,
                                       const std::string& cache_dir, int threads, Prefilter& out, PrefilterReport& report);

}  // namespace vong::detect
