// What correlators that divide the work tell each other: the records of the topic vong.facts. A
// block holds facts, matches, verdicts and sensors' status of several sources, and how far event
// time has come in each source.
//
// Numbers in facts mean something in one process only, so a block carries the names of sensors,
// event types, agencies, rules and columns, and its reader puts its own numbers in their place.
// Byte order and layout are those of the machine, with a version in front: all members of a group
// run the same build.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "correlator/app/engine.h"
#include "correlator/app/raised.h"
#include "correlator/ingest/order.h"

namespace vong::correlator {

// How far a source has come: a partition of events, or (for the leader) one of facts.
struct SourceMark {
  static constexpr int64_t kNever = INT64_MIN;
  int64_t reached_ns = kNever;  // nothing older comes, unless late
  int64_t newest_ns = kNever;   // of all its records
  uint32_t epoch = 0;           // what it sent in earlier epochs no longer holds
  bool idle = false;            // it does not hold others back
  friend bool operator==(const SourceMark&, const SourceMark&) = default;
};

class FactBlockWriter {
 public:
  static constexpr size_t kBlockBytes = 400u << 10;  // what a block should not exceed

  // `engine` must outlive the writer: it knows the names.
  explicit FactBlockWriter(Engine& engine) : engine_(&engine) {}

  // `key`: as the engine gives it, for `fact` too; a verdict's fact goes as it is.
  void add_fact(std::string_view source, uint32_t epoch, const ingest::OrderKey& key,
                std::string_view fact);
  // `of`: the engine that raised it, whose numbers it has.
  void add_raised(std::string_view source, uint32_t epoch, const Raised& raised, const Engine& of);
  void add_status(std::string_view source, std::string_view json);
  // Which rules this partition's owner has (RulesInForce); `begins`: from here on.
  void add_rules(bool begins, std::string_view json);
  void add_mark(std::string_view source, const SourceMark& mark);
  [[nodiscard]] bool empty() const { return items_ == 0 && marks_ == 0; }
  [[nodiscard]] size_t bytes() const { return body_.size(); }
  // The block; the writer is empty again.
  [[nodiscard]] std::string take();

 private:
  uint32_t name(std::string_view text);
  template <typename N, typename F>
  uint32_t known(std::vector<uint32_t>& cache, N number, F&& text);
  void item(char kind, std::string_view source, uint32_t epoch);

  Engine* engine_;
  std::string body_, marks_body_, scratch_;
  uint32_t items_ = 0, marks_ = 0;
  std::vector<std::string> names_;
  StringMap<uint32_t> ids_;
  std::vector<uint32_t> sensors_, event_types_, agencies_, rules_;  // number -> name and 1, 0: none
  std::string last_source_;
  uint32_t last_source_id_ = 0;
};

// What a block says, in its order; views live during the call.
struct FactBlockVisitor {
  // `source`: its name. The fact is in the reading engine's numbers.
  std::function<void(std::string_view source, uint32_t epoch, const ingest::OrderKey&,
                     std::string_view fact)>
      fact;
  std::function<void(std::string_view source, uint32_t epoch, const Raised&)> raised;
  std::function<void(std::string_view json)> status;
  std::function<void(bool begins, std::string_view json)> rules;
  std::function<void(std::string_view source, const SourceMark&)> mark;
};

// Only what it says of rules; the engine is not asked.
[[nodiscard]] bool read_rules_of_block(std::string_view block, Engine& engine,
                                       const FactBlockVisitor& visitor);

// False: no block, or one of another build.
[[nodiscard]] bool read_fact_block(std::string_view block, Engine& engine,
                                   const FactBlockVisitor& visitor);

// The kinds of items, and the first bytes of a block.
namespace block {
inline constexpr std::string_view kMagic = "VFB3";
inline constexpr char kFact = 'f', kControl = 'c', kRaised = 'r', kStatus = 's', kRulesBegin = 'b',
                      kRulesStand = 'a';
}  // namespace block

}  // namespace vong::correlator
