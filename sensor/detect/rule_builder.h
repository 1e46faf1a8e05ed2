// A rule while it is compiled: keywords write into it, finish() checks the whole and makes the CompiledRule. One per rule; CompileEnv is
// shared by the rules of a set (single-threaded).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "rules/network/address_set.h"
#include "rules/network/rule.h"
#include "rules/network/value.h"
#include "sensor/detect/compiled_rule.h"
#include "sensor/detect/keyword.h"
#include "sensor/detect/rule_set_impl.h"

namespace vong::detect {

// Does the configuration turn these fingerprints ("ja3", "ja4") off? They are computed when rules ask for them unless it says no.
[[nodiscard]] bool fingerprints_off(const Settings& settings, std::string_view kind);

// A list of nodes that grows while options are read.
struct ListDraft {
  const BufferName* buffer = nullptr;             // null: payload
  std::vector<const Transform*> transforms;
  bool base64 = false;                            // base64_data
  bool absent = false, absent_or_else = false;
  std::optional<Direction> only;                  // of a transactional rule ("http.header: to_client")
  std::vector<Node> nodes;
  std::vector<std::string_view> where;            // of each node, for diagnostics
};

class RuleBuilder {
 public:
  RuleBuilder(const rules::Rule& rule_ast, RuleSet::Impl& rule_set, CompileEnv& compile_env)
      : ast(rule_ast), set(rule_set), env(compile_env) {}

  // Compiles the whole rule. On success it stands in the rule set.
  [[nodiscard]] Status compile();

  const rules::Rule& ast;
  RuleSet::Impl& set;
  CompileEnv& env;
  CompiledRule rule;
  RuleBody body;

  // --- for keywords
  // The list that the next content goes into: of the sticky buffer in force, else the payload.
  [[nodiscard]] rules::Parsed<ListDraft*> current_list(std::string_view at);
  Status set_sticky(const BufferName& buffer, std::string_view at, std::optional<Direction> only = std::nullopt);
  // "to_server" or "to_client" of a transactional rule.
  [[nodiscard]] rules::Parsed<std::optional<Direction>> only_direction(std::string_view text) const;
  Status set_payload(std::string_view at);                   // pkt_data
  Status set_base64(std::string_view at);
  Status add_transform(const Transform* transform, std::string_view at);
  // Into the list in force. Without a sticky buffer, what is relative to a match and no match itself (isdataat, byte_*) goes
  // where the last content or pcre went, whose buffer a legacy modifier may have changed.
  Status add_node(const Node& node, std::string_view at);
  Status add_node_to(ListDraft& list, const Node& node, std::string_view at);
  // The content that a modifier (nocase, depth ...) belongs to; null when there is none.
  [[nodiscard]] Node* last_content();
  [[nodiscard]] ListDraft* last_list() { return last_list_ < 0 ? nullptr : &lists[static_cast<size_t>(last_list_)]; }
  // Legacy modifiers: moves the last content into `buffer`'s list.
  Status move_last_content(const BufferName& buffer, std::string_view at);
  [[nodiscard]] ListDraft& list_for(const BufferName* buffer, const std::vector<const Transform*>& transforms, bool fresh,
                                    std::optional<Direction> only = std::nullopt);
  // Number of a variable: existing, or new when `create`.
  [[nodiscard]] std::optional<uint16_t> variable(std::string_view name, bool create);
  // A number or the name of a variable that exists.
  [[nodiscard]] rules::Parsed<Operand> operand(std::string_view text, int64_t min, int64_t max);

  // Something about the rule that its author should know; it loads all the same.
  void warn(std::string message);
  void add_condition(const Condition* c) { conditions.push_back(c); }
  void add_effect(const Effect* e) { effects.push_back(e); }
  Status add_engine(TxEngine engine, bool to_server, bool to_client, std::string_view at);
  // Restricts the rule to a protocol (a keyword of it was used).
  Status restrict_app(std::vector<AppProto> apps, std::string_view at);
  [[nodiscard]] bool has_sticky() const { return sticky_ != nullptr || sticky_base64_; }

  std::vector<ListDraft> lists;
  std::vector<const Condition*> conditions;
  std::vector<const Effect*> effects;
  std::vector<TxEngine> engines;
  std::vector<std::string> variable_names;
  bool all_ip_only_ok = true, all_events_only_ok = true, has_event = false;
  bool dir_to_server = false, dir_to_client = false;   // asked for by `flow`
  size_t protocol_conditions = 0;                      // app-layer-protocol
  bool prefilter_keyword = false;
  bool has_driver_event = false;                       // app-layer-event of protocol detection
  bool saw_priority = false;
  bool arp_only = false;
  uint8_t ip_protocol_only = 0;                        // protocols of the header that are an IP protocol number
  uint16_t protocol_mask = 0;

 private:
  Status header();
  Status option(const rules::Option& o);
  Status protocol_option(const std::string& name, const rules::Option& o);
  [[nodiscard]] Status leave_sticky() const;
  Status transform_option(const TransformDef& def, const rules::Option& o);
  Status number_option(const NumberName& name, const rules::Option& o);
  Status matcher_option(const MatcherName& name, const rules::Option& o);
  [[nodiscard]] static rules::Parsed<NumberCheck> parse_number_check(const NumberName& name, std::string_view value);
  Status hook();
  Status finish();
  Status finish_list(ListDraft& list);
  Status finish_content(ListDraft& list, size_t i);
  void mark_relative(ListDraft& list);
  Status finish_apps();
  Status finish_directions();
  Status finish_payload();
  void choose_type();
  void choose_fast_pattern();
  [[nodiscard]] const BufferUse* use_of(const ListDraft& list);
  [[nodiscard]] bool in_direction(const BufferName& buffer, Direction d) const;

  const BufferName* sticky_ = nullptr;
  bool sticky_base64_ = false;
  std::string_view sticky_open_at_;
  std::vector<const Transform*> sticky_transforms_;
  std::optional<Direction> sticky_only_;
  int sticky_list_ = -1;
  int last_list_ = -1, last_node_ = -1;   // of the last content
  int last_match_list_ = -1;              // of the last content or pcre
};

}  // namespace vong::detect
