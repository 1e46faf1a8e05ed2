#include "rules/sigma/loader.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "rules/network/nearest_name.h"
#include "rules/network/read_file.h"
#include "rules/sigma/rule_parser.h"
#include "rules/yaml/yaml_tree.h"

namespace vong::sigma {
namespace {

namespace fs = std::filesystem;
constexpr uint32_t kCorrelation = 0x80000000;

bool is_rule_file(const fs::path& path) {
  return path.extension() == ".yml" || path.extension() == ".yaml";
}

}  // namespace

void Loader::add(const Diagnostics& found) {
  diagnostics_.insert(diagnostics_.end(), found.items().begin(), found.items().end());
  errors_ += found.errors();
}

void Loader::report(const RuleHead& head, SourcePos pos, std::string message) {
  diagnostics_.push_back({rules::Severity::kError, head.file, pos, 0, std::move(message)});
  ++errors_;
}

void Loader::add_path(const std::string& path) {
  std::error_code error;
  std::vector<std::string> files;
  if (fs::is_directory(path, error)) {
    for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
      if (it->is_regular_file(error) && is_rule_file(it->path()))
        files.push_back(it->path().string());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  Diagnostics folder(path);
  if (error) folder.error({}, "cannot read this folder: " + error.message());
  add(folder);
  for (const std::string& file : files) {
    const auto text = rules::read_file(file);
    if (text) {
      add_text(file, *text);
    } else {
      Diagnostics unreadable(file);
      unreadable.error({}, text.error().message);
      add(unreadable);
    }
  }
}

void Loader::add_text(const std::string& file, std::string_view text) {
  if (keeps_text_) rules_.text.append(text).append("\n---\n");
  Diagnostics found(file);
  for (const YamlNode& document : yaml::parse_yaml(text, found)) {
    if (document.is_null()) continue;
    ++documents_;
    if (is_correlation(document)) {
      if (auto rule = parse_correlation(document, found))
        rules_.correlations.push_back(std::move(*rule));
    } else if (is_filter(document)) {
      if (auto filter = parse_filter(document, placeholders_, found))
        filters_.push_back(std::move(*filter));
    } else if (auto rule = parse_detection(document, placeholders_, found)) {
      rules_.detections.push_back(std::move(*rule));
    }
  }
  add(found);
}

bool Loader::resolve(CorrelationRule& rule, const std::vector<std::string_view>& known) {
  rule.targets.clear();
  for (const auto& [name, pos] : rule.rules) {
    const auto it = by_name_.find(name);
    if (it == by_name_.end()) {
      report(rule.head, pos,
             "no rule has the name or id " + rules::shown(name) + rules::suggestion(name, known));
      return false;
    }
    rule.targets.push_back(it->second);
  }
  return true;
}

void Loader::apply_filters(const std::vector<std::string_view>& known) {
  for (const FilterRule& filter : filters_) {
    std::vector<uint32_t> targets;
    for (const auto& [name, pos] : filter.rules) {
      const auto it = by_name_.find(name);
      if (it == by_name_.end() || (it->second & kCorrelation))
        report(filter.head, pos,
               "no detection rule has the name or id " + rules::shown(name) +
                   rules::suggestion(name, known));
      else
        targets.push_back(it->second);
    }
    for (uint32_t i = 0; i < rules_.detections.size(); ++i) {
      const bool named =
          filter.rules.empty() || std::find(targets.begin(), targets.end(), i) != targets.end();
      if (named && covers(filter, rules_.detections[i]))
        apply_filter(filter, placeholders_, rules_.detections[i]);
    }
  }
}

RuleSet Loader::finish() {
  std::vector<std::string_view> known;
  const auto name_it = [&](const RuleHead& head, uint32_t index) {
    for (const std::string* name : {&head.id, &head.name}) {
      if (name->empty()) continue;
      known.push_back(*name);
      if (!by_name_.emplace(*name, index).second)
        report(head, head.pos, "two rules are called " + rules::shown(*name));
    }
  };
  for (uint32_t i = 0; i < rules_.detections.size(); ++i) name_it(rules_.detections[i].head, i);
  for (uint32_t i = 0; i < rules_.correlations.size(); ++i)
    name_it(rules_.correlations[i].head, kCorrelation | i);

  apply_filters(known);

  // Place correlations one after the other, each as soon as all that it refers to is placed: what
  // is left refers to itself.
  RuleSet out;
  out.detections = std::move(rules_.detections);
  out.text = std::move(rules_.text);
  std::vector<uint32_t> place(rules_.correlations.size(), kCorrelation);
  std::vector<bool> broken(rules_.correlations.size(), false);
  for (size_t i = 0; i < rules_.correlations.size(); ++i)
    broken[i] = !resolve(rules_.correlations[i], known);
  for (bool moved = true; moved;) {
    moved = false;
    for (size_t i = 0; i < rules_.correlations.size(); ++i) {
      CorrelationRule& rule = rules_.correlations[i];
      if (broken[i] || place[i] != kCorrelation) continue;
      const bool ready = std::all_of(rule.targets.begin(), rule.targets.end(), [&](uint32_t t) {
        return (t & kCorrelation) == 0 || place[t & ~kCorrelation] != kCorrelation;
      });
      if (!ready) continue;
      for (uint32_t& t : rule.targets) {
        if (t & kCorrelation)
          t = static_cast<uint32_t>(out.detections.size()) + place[t & ~kCorrelation];
      }
      place[i] = static_cast<uint32_t>(out.correlations.size());
      out.correlations.push_back(rule);
      moved = true;
    }
  }
  for (size_t i = 0; i < place.size(); ++i) {
    if (broken[i] || place[i] != kCorrelation) continue;
    const CorrelationRule& rule = rules_.correlations[i];
    const bool on_broken = std::any_of(rule.targets.begin(), rule.targets.end(), [&](uint32_t t) {
      return (t & kCorrelation) && broken[t & ~kCorrelation];
    });
    report(rule.head, rule.head.pos,
           on_broken ? "refers to a rule that could not be loaded"
                     : "this correlation refers to itself, directly or in a circle");
  }
  return out;
}

}  // namespace vong::sigma
