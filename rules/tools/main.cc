// vong-rules: lint, explain and format rules, at an analyst's desk or in CI.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>

#include "app_common/config.h"
#include "app_common/program.h"
#include "base/strings.h"
#include "rules/network/read_file.h"
#include "rules/tools/explain.h"
#include "rules/tools/format.h"
#include "rules/tools/lint.h"
#include "rules/tools/standard_input.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/detect/keyword_reference.h"
#include "sensor/detect/rule_set.h"

namespace vong::rules_tools {
namespace {

using Files = std::vector<std::unique_ptr<rules::RuleFile>>;

struct Options {
  app::CommonFlags common;
  StandardInput input;
  std::vector<std::string> files;       // lint, format; explain: what to explain
  std::vector<std::string> rule_files;  // explain -S
  std::string output_format = "text";
  std::string language;
  std::string classification_file;
  std::string reference_file;
  bool cost = false;
  bool in_place = false;
  bool check = false;
};

// The names that rules use, from the configuration and the flags.
struct Names {
  rules::Variables variables = rules::Variables::defaults();
  std::optional<rules::ClassificationConfig> classes;
  std::optional<rules::ReferenceConfig> references;
};

void complain(std::string_view message) { fmt::print(stderr, "vong-rules: {}\n", message); }

bool print_all(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

Language choose_language(const std::string& wanted) {
  if (!wanted.empty()) return wanted == "vi" ? Language::kVietnamese : Language::kEnglish;
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    return std::string_view(value).starts_with("vi") ? Language::kVietnamese : Language::kEnglish;
  }
  return Language::kEnglish;
}

// False when one could not be read.
bool load(const std::vector<std::string>& paths, const StandardInput& input, Files& files,
          bool keep_disabled) {
  bool good = true;
  for (const std::string& path : paths) {
    auto text = rules::read_file(path);
    if (!text) {
      complain(text.error().message);
      good = false;
      continue;
    }
    files.push_back(rules::RuleFile::parse(
        input.shown(path), std::move(*text),
        {.file_index = static_cast<uint32_t>(files.size()), .keep_disabled = keep_disabled}));
  }
  return good;
}

void read_variables(const app::Config& config, rules::Variables& variables,
                    app::Problems& problems) {
  const app::ConfigNode& vars = config["vars"];
  for (const auto& [name, value] : vars["address-groups"].entries()) {
    variables.set_addresses(name, value.text("", problems));
  }
  for (const auto& [name, value] : vars["port-groups"].entries()) {
    variables.set_ports(name, value.text("", problems));
  }
}

// Reads a names file when one is given; its problems are printed. False: it cannot be used.
template <typename Config>
bool load_names(std::string path, std::optional<Config>& into) {
  if (path.empty()) return true;
  auto loaded = Config::load(path);
  if (!loaded) {
    complain(loaded.error().message);
    return false;
  }
  for (const auto& problem : loaded->diagnostics().items())
    fmt::print(stderr, "{}\n", problem.format());
  into = std::move(*loaded);
  return true;
}

bool load_all_names(const Options& options, const app::Config& config, app::Problems& problems,
                    Names& names) {
  read_variables(config, names.variables, problems);
  const auto choose = [&](const std::string& flag, const char* key) {
    return flag.empty() ? config[key].text("", problems) : flag;
  };
  return load_names(choose(options.classification_file, "classification-file"), names.classes) &&
         load_names(choose(options.reference_file, "reference-config-file"), names.references);
}

template <typename T>
const T* pointer(const std::optional<T>& value) {
  return value ? &*value : nullptr;
}

// What the sensor's compiler has against rules that read well: a regular expression that cannot be
// compiled, buffers that exclude each other. One problem a rule is enough, so rules that have an
// error already are passed over.
void add_compiler_errors(const Options& options, const app::Config& config, app::Problems& problems,
                         LintReport& report) {
  Settings settings;
  for (const char* group : {"address-groups", "port-groups"}) {
    for (const auto& [name, value] : config["vars"][group].entries())
      settings.set(fmt::format("vars.{}.{}", group, name), value.text("", problems));
  }
  detect::LoadOptions load;
  load.files = options.files;
  load.classification_file = options.classification_file;
  load.reference_file = options.reference_file;
  detect::LoadReport compiled;
  if (const auto set = detect::RuleSet::load(load, settings, compiled); !set) {
    complain(set.error().message);
    ++report.errors;
    return;
  }
  std::set<std::pair<std::string, uint32_t>> told;
  for (const rules::Diagnostic& d : report.problems) {
    if (d.severity == rules::Severity::kError) told.emplace(d.file, d.pos.line);
  }
  for (rules::Diagnostic& d : compiled.diagnostics) {
    d.file = options.input.shown(d.file);
    if (d.severity != rules::Severity::kError || told.contains({d.file, d.pos.line})) continue;
    ++report.errors;
    report.problems.push_back(std::move(d));
  }
  const auto place = [&](const rules::Diagnostic& d) {
    const auto file =
        std::find_if(options.files.begin(), options.files.end(),
                     [&](const std::string& path) { return options.input.shown(path) == d.file; });
    return std::pair(file - options.files.begin(), d.pos);
  };
  std::stable_sort(report.problems.begin(), report.problems.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

// Every word that the sensor built with us knows.
std::set<std::string, std::less<>> known_words() {
  std::set<std::string, std::less<>> known;
  const std::string listed = detect::keyword_list();
  for (std::string_view line : split(listed, '\n')) {
    if (line.starts_with("- ")) known.insert(to_lower(line.substr(2)));
  }
  for (const applayer::ProtocolDef* p : applayer::protocols()) {
    known.insert(std::string(p->name));
    if (!p->rule_alias.empty()) known.insert(std::string(p->rule_alias));
  }
  return known;
}

int run_lint(const Options& options, const Names& names, const app::Config& config,
             app::Problems& problems) {
  Files files;
  const bool read = load(options.files, options.input, files, false);
  const auto known = known_words();
  LintReport report = lint(files, {.variables = names.variables,
                                   .classes = pointer(names.classes),
                                   .references = pointer(names.references),
                                   .cost = options.cost,
                                   .known = &known});
  if (read) add_compiler_errors(options, config, problems, report);
  const bool json = options.output_format == "json";
  if (!print_all(json ? problems_as_json(report) : problems_as_text(report)))
    return app::kExitFailed;
  if (!json && options.common.verbosity >= 0) {
    if (report.not_shown > 0)
      fmt::print(stderr, "{} more problems are not shown\n", report.not_shown);
    fmt::print(stderr, "{} rules, {} errors, {} warnings\n", report.rules, report.errors,
               report.warnings);
  }
  return read && report.errors == 0 ? app::kExitDone : app::kExitUsage;
}

std::optional<uint32_t> as_sid(std::string_view text) {
  uint32_t sid = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), sid);
  if (code != std::errc() || end != text.data() + text.size()) return {};
  return sid;
}

// Every rule of the files whose sid is `sid`, or all.
size_t print_explanations(const Files& files, std::optional<uint32_t> sid, ExplainContext context) {
  size_t found = 0;
  for (const auto& file : files) {
    context.file = file->name();
    for (const rules::Rule& rule : file->rules()) {
      if (sid && rule.sid != *sid) continue;
      std::string text = explain(rule, context);
      if (found++ > 0) text.insert(0, "\n");
      if (!print_all(text)) return 0;
    }
  }
  return found;
}

int run_explain(const Options& options, const Names& names, const app::Config& config,
                app::Problems& problems) {
  const ExplainContext context{choose_language(options.language), "", pointer(names.classes),
                               pointer(names.references)};
  std::vector<std::string> paths = options.rule_files;
  std::vector<uint32_t> sids;
  for (const std::string& what : options.files) {
    if (const auto sid = as_sid(what)) {
      sids.push_back(*sid);
    } else {
      paths.push_back(what);
    }
  }
  if (paths.empty()) {
    const std::string folder = config["default-rule-path"].text("", problems);
    for (const std::string& name : config["rule-files"].texts(problems)) {
      paths.push_back(name.starts_with('/') || folder.empty() ? name : folder + "/" + name);
    }
  }
  if (paths.empty()) {
    complain("no rule file: give one with -S, or rule-files in the configuration of -c");
    return app::kExitUsage;
  }
  Files files;
  const bool read = load(paths, options.input, files, true);
  for (const auto& file : files) {
    for (const auto& problem : file->diagnostics().items())
      fmt::print(stderr, "{}\n", problem.format());
  }
  bool all_found = true;
  if (sids.empty()) (void)print_explanations(files, {}, context);
  for (const uint32_t sid : sids) {
    if (print_explanations(files, sid, context) > 0) continue;
    complain(fmt::format("no rule with sid {}", sid));
    all_found = false;
  }
  return read && all_found ? app::kExitDone : app::kExitUsage;
}

bool replace_file(const std::string& path, const std::string& text) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  std::ofstream out(temporary, std::ios::binary);
  out << text;
  out.close();
  if (out && std::rename(temporary.c_str(), path.c_str()) == 0) return true;
  std::remove(temporary.c_str());
  complain(fmt::format("{}: cannot be written", path));
  return false;
}

int run_format(const Options& options) {
  Files files;
  bool good = load(options.files, options.input, files, true);
  bool broken = false;
  for (const auto& file : files) {
    for (const auto& problem : file->diagnostics().items())
      fmt::print(stderr, "{}\n", problem.format());
    broken = broken || file->rules_rejected() > 0;
    const std::string text = format_file(*file);
    if (options.check) {
      if (text == file->text()) continue;
      fmt::print("{}\n", file->name());
      good = false;
    } else if (!options.in_place) {
      if (!print_all(text)) return app::kExitFailed;
    } else if (text != file->text() && !replace_file(file->name(), text)) {
      return app::kExitFailed;
    }
  }
  return good && !broken ? app::kExitDone : app::kExitUsage;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App cli{"vong-rules: lint, explain and format rules"};
  app::add_common_flags(cli, options.common);
  cli.require_subcommand(1);
  cli.fallthrough();
  cli.add_option("--classification", options.classification_file, "classification.config")
      ->type_name("FILE");
  cli.add_option("--reference", options.reference_file, "reference.config")->type_name("FILE");

  CLI::App* lint_command = cli.add_subcommand(
      "lint", "tell every problem of the rules; status 2 when there is an error");
  lint_command->add_option("FILE", options.files, "rule files, - for standard input")->required();
  lint_command->add_option("--format", options.output_format, "text, or json: an object a line")
      ->check(CLI::IsMember({"text", "json"}));
  lint_command->add_flag("--cost", options.cost, "also warn of slow rules");

  CLI::App* explain_command = cli.add_subcommand("explain", "say in plain words what rules do");
  explain_command->add_option("SID|FILE", options.files, "rules by number, or all rules of a file")
      ->required();
  explain_command->add_option("-S,--rules", options.rule_files, "where the numbers are looked up")
      ->type_name("FILE");
  explain_command->add_option("--lang", options.language, "vi or en (default: from LANG)")
      ->check(CLI::IsMember({"vi", "en"}));

  CLI::App* format_command = cli.add_subcommand("format", "write rules in one form");
  format_command->add_option("FILE", options.files, "rule files, - for standard input")->required();
  format_command->add_flag("-i,--in-place", options.in_place, "change the files");
  format_command->add_flag("--check", options.check,
                           "name the files that would change; status 2 when there are any");

  if (auto status = app::parse_command_line(cli, argc, argv, "vong-rules")) return *status;
  app::start_log(options.common, "vong-rules");
  app::Problems problems;
  const app::Config config = app::load_config(options.common, problems);
  Names names;
  const bool named = load_all_names(options, config, problems, names);
  if (auto status = app::finish_check(options.common, problems)) return *status;
  if (!named) return app::kExitUsage;
  if (auto read = options.input.substitute(options.files); !read) {
    complain(read.error().message);
    return app::kExitUsage;
  }
  if (lint_command->parsed()) return run_lint(options, names, config, problems);
  if (explain_command->parsed()) return run_explain(options, names, config, problems);
  return run_format(options);
}

}  // namespace
}  // namespace vong::rules_tools

int main(int argc, char** argv) { return vong::rules_tools::run(argc, argv); }
