// The rules in force, compiled: immutable after load, shared by all workers, swapped whole by pointer. Everything that changes while
// packets come (scratch, flow bits, thresholds) belongs to Detector and SharedState, never to this.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "rules/network/diagnostic.h"
#include "rules/network/rule.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::detect {

enum class Target : uint8_t { kNone, kSource, kDestination };

struct RuleBody;   // compiled_rule.h: the part that only the engine reads
struct RuleText;

// One rule as emit, console and tools see it. Views live as long as the rule set.
struct CompiledRule {
  uint32_t sid = 0, gid = 1, rev = 0;
  uint32_t order = 0;               // position in the order of evaluation and of alerts: small first
  rules::Action action = rules::Action::kAlert;
  uint8_t priority = 3;
  Target target = Target::kNone;
  bool noalert = false;
  std::string_view msg;             // escapes resolved
  std::string_view category;        // the class's description, "" without classtype
  std::string_view classtype;       // its short name
  std::string_view text;            // the whole rule, one line
  std::string_view file;            // path as given
  uint32_t line = 0;
  const RuleBody* body = nullptr;

  struct Reference {
    std::string_view system;        // "url", "cve"
    std::string_view id;            // as written
    std::string_view url_prefix;    // from reference.config: "https://", ""
  };
  // Parsed from `text` when asked: keep the result, it is not free. Keys in the order of the rule, a key's values likewise.
  [[nodiscard]] std::vector<std::pair<std::string_view, std::vector<std::string_view>>> metadata() const;
  [[nodiscard]] std::vector<Reference> references(const class RuleSet& set) const;
};

struct LoadOptions {
  std::vector<std::string> files;            // rule files, in order
  std::string classification_file, reference_file, threshold_file;   // "" : none (a missing file is a warning)
  std::string cache_dir;                     // of compiled pattern sets; "" : no cache
  std::string extra_rules;                   // text of rules besides those of the files
  std::string data_dir;                      // where datasets of relative path stand ("" : beside the rule file)
  int threads = 1;                           // for compiling
  std::shared_ptr<const class RuleSet> previous;   // a reload: its data sets live on
  const class Catalog* catalog = nullptr;    // of buffers and protocols; null: the program's
  std::shared_ptr<const struct TenantPlan> tenants;   // tenants.h; null: there are none
};

struct RuleCounts {
  uint32_t loaded = 0, failed = 0, skipped = 0;   // skipped: `requires` not met; failed: a diagnostic says why
  uint32_t ip_only = 0, packet = 0, stream = 0, transaction = 0, events_only = 0;
};

struct LoadReport {
  RuleCounts counts;
  std::vector<rules::Diagnostic> diagnostics;     // in order of files and lines; capped per file, the rest counted in it
  uint64_t patterns = 0, pattern_sets = 0, sets_from_cache = 0;
  std::vector<std::pair<uint32_t, RuleCounts>> tenants;   // by id; `counts` has them all
};

class RuleSet {
 public:
  // Reads, compiles and indexes. Broken rules are in the report; an error only when nothing can go on (a rule file that cannot be
  // read, out of memory). `settings` gives vars.address-groups.*, vars.port-groups.*, detect.*, pcre.*, datasets.*, action-order.
  [[nodiscard]] static Result<std::shared_ptr<const RuleSet>> load(const LoadOptions& options, const Settings& settings,
                                                                   LoadReport& report);
  // The same from text in memory: lint, tests, the console's rule editor. `name` stands in diagnostics.
  [[nodiscard]] static Result<std::shared_ptr<const RuleSet>> from_text(std::string name, std::string text, const LoadOptions& options,
                                                                        const Settings& settings, LoadReport& report);
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  [[nodiscard]] size_t size() const;
  [[nodiscard]] const CompiledRule& rule(size_t i) const;               // in order of evaluation
  [[nodiscard]] const CompiledRule* find(uint32_t gid, uint32_t sid) const;
  // Hex SHA-256 over the text of the rules in force, in order: equal exactly when the same rules run. Kafka's `ruleset` header.
  [[nodiscard]] const std::string& hash() const;
  // What rules need of files (hashes, magic), for applayer's configuration.
  struct FileNeeds { bool md5 = false, sha1 = false, sha256 = false, magic = false, any = false; };
  [[nodiscard]] FileNeeds file_needs() const;
  // True when some rule looks at a buffer whose name starts so ("ja3", "ssh.hassh"): what is made only on request is then wanted.
  [[nodiscard]] bool uses_buffer(std::string_view name_begins) const;
  // True when some rule looks at frames.
  [[nodiscard]] bool uses_frames() const;
  // True when some rule looks at this protocol (its transactions need inspection at all).
  [[nodiscard]] bool has_rules_for(applayer::AppProto proto) const;
  [[nodiscard]] size_t memory_bytes() const;
  // The sets of its tenants (tenants.h), which file_needs(), uses_buffer(), uses_frames() and hash() speak of too; null: none.
  [[nodiscard]] const struct Tenants* tenants() const;

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit RuleSet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vong::detect
