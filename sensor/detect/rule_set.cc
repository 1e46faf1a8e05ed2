#include "sensor/detect/carry_over.h"
#include "sensor/detect/rule_set.h"

#include <openssl/evp.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "base/string_map.h"
#include "fmt/format.h"
#include "rules/matcher/literal_index.h"
#include "rules/matcher/short_index.h"
#include "rules/network/class_config.h"
#include "rules/network/rule_file.h"
#include "rules/network/rule_parser.h"
#include "rules/network/text.h"
#include "rules/network/threshold.h"
#include "sensor/detect/action_order.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/rule_builder.h"
#include "sensor/detect/rule_set_impl.h"
#include "sensor/detect/tenants.h"

namespace vong::detect {

std::string_view RuleSet::Impl::keep(std::string_view text) {
  if (text.empty()) return {};
  char* at = static_cast<char*>(arena.allocate(text.size(), 1));
  std::copy(text.begin(), text.end(), at);
  return {at, text.size()};
}

namespace {

std::atomic<uint32_t> next_generation{1};

rules::Variables variables_from(const Settings& settings) {
  rules::Variables variables = rules::Variables::defaults();
  for (const std::string& name : settings.children("vars.address-groups")) {
    variables.set_addresses(name, std::string(settings.text("vars.address-groups." + name, "")));
  }
  for (const std::string& name : settings.children("vars.port-groups")) {
    variables.set_ports(name, std::string(settings.text("vars.port-groups." + name, "")));
  }
  return variables;
}

std::string sha256_hex(EVP_MD_CTX* context) {
  unsigned char md[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  EVP_DigestFinal_ex(context, md, &n);
  std::string hex;
  for (unsigned i = 0; i < n; ++i) hex += fmt::format("{:02x}", md[i]);
  return hex;
}

// The tenants' sets, and one hash over all.
Result<> add_tenants(const LoadOptions& options, RuleSet::Impl& impl, LoadReport& report) {
  if (options.tenants == nullptr) return {};
  auto tenants = load_tenants(*options.tenants, options.previous ? options.previous->tenants() : nullptr, report);
  if (!tenants) return std::unexpected(tenants.error());
  impl.tenants = std::move(*tenants);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  std::string text = impl.hash;
  for (const auto& one : impl.tenants->all) text += fmt::format("\n{} {}", one.id, one.rules->hash());
  EVP_DigestUpdate(context, text.data(), text.size());
  impl.hash = sha256_hex(context);
  EVP_MD_CTX_free(context);
  return {};
}

// Compiles the rules of all files into one Impl.
class Loader {
 public:
  Loader(const LoadOptions& options, const Settings& settings, LoadReport& report)
      : options_(options), settings_(settings), report_(report), env_(settings, *catalog_of(options), variables_from(settings)),
        impl_(std::make_unique<RuleSet::Impl>()) {
    impl_->catalog = &env_.catalog;
    impl_->generation = next_generation.fetch_add(1, std::memory_order_relaxed);
    env_.regex_limits.match = static_cast<uint32_t>(settings.integer("pcre.match-limit", 3500));
    env_.regex_limits.depth = static_cast<uint32_t>(settings.integer("pcre.match-limit-recursion", 1500));
    env_.data_dir = options.data_dir;
    if (options.previous) env_.datasets_before = options.previous->impl().datasets;
    env_.diagnostics = &report.diagnostics;
  }

  void read_configs() {
    if (!options_.classification_file.empty()) {
      if (auto config = rules::ClassificationConfig::load(options_.classification_file)) {
        append(config->diagnostics());
        env_.classifications = std::move(*config);
      } else {
        warn(options_.classification_file, config.error().message);
      }
    }
    if (!options_.reference_file.empty()) {
      if (auto config = rules::ReferenceConfig::load(options_.reference_file)) {
        append(config->diagnostics());
        impl_->references = std::move(*config);
      } else {
        warn(options_.reference_file, config.error().message);
      }
    }
  }

  void add_file(const rules::RuleFile& file) {
    append(file.diagnostics());
    report_.counts.failed += static_cast<uint32_t>(file.rules_rejected());
    impl_->texts.emplace_back(file.name());
    const std::string_view name = impl_->texts.back();
    env_.file_name = file.name();
    env_.rule_dir = std::filesystem::path(file.name()).parent_path().string();
    for (const rules::Rule& ast : file.rules()) add_rule(ast, name);
  }

  Result<std::unique_ptr<RuleSet::Impl>> finish() {
    read_thresholds();
    sort_rules();
    index_rules();
    PrefilterReport prefilter;
    auto built = build_prefilter(impl_->rules, impl_->headers, env_.catalog, options_.cache_dir, options_.threads, impl_->prefilter, prefilter);
    if (!built) return std::unexpected(built.error());
    report_.patterns = prefilter.patterns;
    report_.pattern_sets = prefilter.sets;
    report_.sets_from_cache = prefilter.from_cache;
    impl_->identity = SetIdentity::of(impl_->generation, impl_->rules, impl_->prefilter);
    if (impl_->datasets) impl_->datasets->forget_before();
    return std::move(impl_);
  }

 private:
  static const Catalog* catalog_of(const LoadOptions& options) {
    return options.catalog != nullptr ? options.catalog : &Catalog::standard();
  }
  void append(const rules::Diagnostics& d) {
    report_.diagnostics.insert(report_.diagnostics.end(), d.items().begin(), d.items().end());
    if (d.suppressed() > 0) {
      report_.diagnostics.push_back({rules::Severity::kError, d.file(), {}, 0, fmt::format("{} further problems are not shown", d.suppressed())});
    }
  }
  void warn(const std::string& file, std::string message) {
    report_.diagnostics.push_back({rules::Severity::kWarning, file, {}, 0, std::move(message)});
  }
  void reject(const rules::Rule& ast, std::string_view at, std::string message) {
    ++report_.counts.failed;
    if (rejected_in_file_[env_.file_name]++ >= kMaxRuleDiagnostics) return;
    const bool inside = at.data() != nullptr && at.data() >= ast.text.data() && at.data() <= ast.text.data() + ast.text.size();
    report_.diagnostics.push_back(
        {rules::Severity::kError, env_.file_name, inside ? ast.pos_of(at) : ast.pos, ast.sid, std::move(message)});
  }

  // Duplicates: the higher revision stays, of equal ones the first.
  bool admit(const rules::Rule& ast) {
    const uint64_t key = static_cast<uint64_t>(ast.gid) << 32 | ast.sid;
    const auto [it, fresh] = env_.sids.emplace(key, ast.rev);
    if (fresh) return true;
    if (ast.rev <= it->second) {
      reject(ast, ast.text, fmt::format("duplicate of sid {}", ast.sid));
      return false;
    }
    it->second = ast.rev;
    const size_t before = impl_->rules.size();
    std::erase_if(impl_->rules, [&](const CompiledRule& r) { return r.sid == ast.sid && r.gid == ast.gid; });
    if (impl_->rules.size() != before) --report_.counts.loaded;
    return true;
  }

  void add_rule(const rules::Rule& ast, std::string_view file) {
    if (!admit(ast)) return;
    env_.skip_rule = env_.skip_warns = false;
    RuleBuilder b(ast, *impl_, env_);
    if (auto status = b.compile(); !status) {
      reject(ast, status.error().at, status.error().message);
      env_.sids.erase(static_cast<uint64_t>(ast.gid) << 32 | ast.sid);
      return;
    }
    if (env_.skip_rule) {
      ++report_.counts.skipped;
      if (env_.skip_warns) {
        report_.diagnostics.push_back({rules::Severity::kWarning, env_.file_name, ast.pos_of(env_.skip_at), ast.sid, env_.skip_reason});
      }
      env_.sids.erase(static_cast<uint64_t>(ast.gid) << 32 | ast.sid);
      return;
    }
    b.rule.text = impl_->keep(ast.text);
    b.rule.file = file;
    b.rule.line = ast.pos.line;
    b.body.load_order = static_cast<uint32_t>(impl_->bodies.size());
    ++report_.counts.loaded;
    count_type(b.body.type);
    impl_->bodies.push_back(std::move(b.body));
    b.rule.body = &impl_->bodies.back();
    impl_->rules.push_back(b.rule);
    if (ast.direction == rules::Direction::kBoth) add_reverse(b.rule);
  }

  // "<>": a second rule with the ends swapped.
  void add_reverse(const CompiledRule& rule) {
    const Header& h = impl_->headers[rule.body->header];
    if (*h.src == *h.dst && *h.sport == *h.dport) return;
    Header reverse = h;
    std::swap(reverse.src, reverse.dst);
    std::swap(reverse.sport, reverse.dport);
    impl_->headers.push_back(std::move(reverse));
    RuleBody body = *rule.body;
    body.header = static_cast<uint32_t>(impl_->headers.size() - 1);
    impl_->bodies.push_back(std::move(body));
    CompiledRule second = rule;
    second.body = &impl_->bodies.back();
    impl_->rules.push_back(second);
  }

  void count_type(RuleType type) {
    RuleCounts& c = report_.counts;
    switch (type) {
      case RuleType::kIpOnly: ++c.ip_only; break;
      case RuleType::kEventsOnly: ++c.events_only; break;
      case RuleType::kPacket: case RuleType::kProtocolOnly: ++c.packet; break;
      case RuleType::kStream: ++c.stream; break;
      case RuleType::kTransaction: case RuleType::kFrame: ++c.transaction; break;
    }
  }

  void sort_rules() {
    const ActionOrder order = ActionOrder::from(settings_);
    std::stable_sort(impl_->rules.begin(), impl_->rules.end(), [&](const CompiledRule& a, const CompiledRule& b) {
      const auto key = [&](const CompiledRule& r) {
        const auto& u = r.body->bits_use;   // what sets comes before what tests
        return std::tuple(order.rank(r.action), -u[0], -u[1], -u[2], -u[3], r.priority, r.body->load_order);
      };
      return key(a) < key(b);
    });
  }

  void index_rules() {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
    for (uint32_t i = 0; i < impl_->rules.size(); ++i) {
      CompiledRule& r = impl_->rules[i];
      r.order = i;
      impl_->any_transaction_rule |= r.body->type == RuleType::kTransaction || r.body->type == RuleType::kFrame;
      impl_->by_sid.emplace(static_cast<uint64_t>(r.gid) << 32 | r.sid, i);
      EVP_DigestUpdate(context, r.text.data(), r.text.size());
      EVP_DigestUpdate(context, "\n", 1);
    }
    impl_->hash = sha256_hex(context);
    EVP_MD_CTX_free(context);
  }

  void read_thresholds() {
    if (options_.threshold_file.empty()) return;
    auto file = rules::load_threshold_file(options_.threshold_file, env_.lists);
    if (!file) {
      warn(options_.threshold_file, file.error().message);
      return;
    }
    append(file->diagnostics);
    impl_->thresholds = ThresholdConfig::from(file->entries);
  }

  static constexpr uint64_t kMaxRuleDiagnostics = 1000;
  const LoadOptions& options_;
  const Settings& settings_;
  LoadReport& report_;
  CompileEnv env_;
  std::unique_ptr<RuleSet::Impl> impl_;
  StringMap<uint64_t> rejected_in_file_;
};

}  // namespace

RuleSet::RuleSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleSet::~RuleSet() = default;

Result<std::shared_ptr<const RuleSet>> RuleSet::load(const LoadOptions& options, const Settings& settings, LoadReport& report) {
  Loader loader(options, settings, report);
  loader.read_configs();
  for (const std::string& path : options.files) {
    auto file = rules::RuleFile::load(path);
    if (!file) return std::unexpected(file.error());
    loader.add_file(**file);
  }
  if (!options.extra_rules.empty()) loader.add_file(*rules::RuleFile::parse("built-in", options.extra_rules));
  auto impl = loader.finish();
  if (!impl) return std::unexpected(impl.error());
  if (auto added = add_tenants(options, **impl, report); !added) return std::unexpected(added.error());
  return std::shared_ptr<const RuleSet>(new RuleSet(std::move(*impl)));
}

Result<std::shared_ptr<const RuleSet>> RuleSet::from_text(std::string name, std::string text, const LoadOptions& options,
                                                          const Settings& settings, LoadReport& report) {
  Loader loader(options, settings, report);
  loader.read_configs();
  const auto file = rules::RuleFile::parse(std::move(name), std::move(text));
  loader.add_file(*file);
  auto impl = loader.finish();
  if (!impl) return std::unexpected(impl.error());
  return std::shared_ptr<const RuleSet>(new RuleSet(std::move(*impl)));
}

size_t RuleSet::size() const { return impl_->rules.size(); }
const CompiledRule& RuleSet::rule(size_t i) const { return impl_->rules[i]; }
const CompiledRule* RuleSet::find(uint32_t gid, uint32_t sid) const {
  const auto it = impl_->by_sid.find(static_cast<uint64_t>(gid) << 32 | sid);
  return it == impl_->by_sid.end() ? nullptr : &impl_->rules[it->second];
}
const std::string& RuleSet::hash() const { return impl_->hash; }
const Tenants* RuleSet::tenants() const { return impl_->tenants.get(); }

namespace {

// Of the set or of one of its tenants'.
template <typename Asked>
bool any_set(const RuleSet& set, const Asked& asked) {
  if (asked(set.impl())) return true;
  const Tenants* tenants = set.tenants();
  return tenants != nullptr && std::any_of(tenants->all.begin(), tenants->all.end(), [&](const Tenants::One& one) { return asked(one.rules->impl()); });
}

}  // namespace

RuleSet::FileNeeds RuleSet::file_needs() const {
  FileNeeds needs;
  for (const auto need : {&FileNeeds::md5, &FileNeeds::sha1, &FileNeeds::sha256, &FileNeeds::magic, &FileNeeds::any})
    needs.*need = any_set(*this, [need](const Impl& impl) { return impl.file_needs.*need; });
  return needs;
}
bool RuleSet::uses_buffer(std::string_view name_begins) const {
  return any_set(*this, [&](const Impl& impl) {
    return std::any_of(impl.uses.begin(), impl.uses.end(), [&](const auto& use) { return use->buffer != nullptr && use->buffer->name.starts_with(name_begins); });
  });
}
bool RuleSet::uses_frames() const {
  return any_set(*this, [](const Impl& impl) { return std::any_of(impl.uses.begin(), impl.uses.end(), [](const auto& use) { return use->buffer->frame; }); });
}
bool RuleSet::has_rules_for(applayer::AppProto proto) const {
  const auto& by_dir = impl_->prefilter.tx[static_cast<size_t>(proto)];
  return by_dir[0].any || by_dir[1].any;
}
size_t RuleSet::memory_bytes() const {
  size_t n = impl_->rules.size() * sizeof(CompiledRule) + impl_->bodies.size() * sizeof(RuleBody);
  for (const auto& g : impl_->prefilter.groups) n += (g->literals ? g->literals->memory_bytes() : 0) + (g->matcher ? g->matcher->memory_bytes() : 0) + (g->in_short_data ? g->in_short_data->memory_bytes() : 0) + (g->rules.size() + g->first.size()) * sizeof(uint32_t);
  for (const CompiledRule& r : impl_->rules) n += r.text.size();
  return n;
}

namespace {

// The options of a rule's text, parsed again: for what is only needed when an alert is written.
rules::Rule parse_text(std::string_view text) {
  rules::Rule rule;
  rule.text = text;
  rule.pos = {1, 1};
  rules::Diagnostics ignored;
  if (!rules::parse_rule(rule, ignored)) rule.options.clear();
  return rule;
}

}  // namespace

std::vector<std::pair<std::string_view, std::vector<std::string_view>>> CompiledRule::metadata() const {
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> result;
  for (const rules::Option& o : parse_text(text).options) {
    if (!rules::equal_nocase(o.name, "metadata")) continue;
    for (std::string_view rest = o.value; !rest.empty();) {
      const size_t comma = rest.find(',');
      const std::string_view part = rules::trim(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      const size_t space = part.find(' ');
      if (space == std::string_view::npos) continue;
      const std::string_view key = part.substr(0, space), value = rules::trim(part.substr(space));
      const auto it = std::find_if(result.begin(), result.end(), [&](const auto& e) { return e.first == key; });
      if (it == result.end()) result.push_back({key, {value}});
      else it->second.push_back(value);
    }
  }
  return result;
}

std::vector<CompiledRule::Reference> CompiledRule::references(const RuleSet& set) const {
  std::vector<Reference> result;
  for (const rules::Option& o : parse_text(text).options) {
    if (!rules::equal_nocase(o.name, "reference")) continue;
    const size_t comma = o.value.find(',');
    if (comma == std::string_view::npos) continue;
    Reference r{rules::trim(o.value.substr(0, comma)), rules::trim(o.value.substr(comma + 1)), {}};
    if (const std::string* prefix = set.impl().references.find(r.system)) r.url_prefix = *prefix;
    result.push_back(r);
  }
  return result;
}

}  // namespace vong::detect
