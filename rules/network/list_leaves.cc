#include "rules/network/list_leaves.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/network/limits.h"
#include "rules/network/nearest_name.h"
#include "rules/network/text.h"

namespace vong::rules {
namespace {

class LeafReader {
 public:
  explicit LeafReader(const Variables::Group& group) : group_(group) {}

  Parsed<std::vector<ListLeaf>> read(std::string_view text) {
    if (!list(text, false, 0)) return std::unexpected(std::move(error_));
    return std::move(leaves_);
  }

 private:
  // Items between commas.
  bool list(std::string_view text, bool negated, int depth) {
    if (depth > kMaxListDepth) {
      return refuse(text, fmt::format("brackets nested more than {} deep", kMaxListDepth));
    }
    size_t start = 0;
    int open = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '[') ++open;
      if (text[i] == ']' && --open < 0) return refuse(text.substr(i), "']' without '['");
      if (text[i] != ',' || open > 0) continue;
      if (!item(text.substr(start, i - start), negated, depth)) return false;
      start = i + 1;
    }
    if (open > 0) return refuse(text, "'[' without ']'");
    return item(text.substr(start), negated, depth);
  }

  bool item(std::string_view whole, bool negated, int depth) {
    std::string_view text = trim(whole);
    if (text.starts_with('!')) {
      negated = !negated;
      text = trim_left(text.substr(1));
      if (text.starts_with('!')) return refuse(text, "'!' twice in a row");
    }
    if (text.empty()) return refuse(whole, "empty item in a list");
    if (text.front() == '[') {
      if (text.back() != ']') return refuse(text, "',' expected after ']'");
      return list(text.substr(1, text.size() - 2), negated, depth + 1);
    }
    if (text.front() == '$') return variable(text, negated, depth);
    if (leaves_.size() >= kMaxListItems) {
      return refuse(text, fmt::format("list of more than {} items", kMaxListItems));
    }
    leaves_.push_back({text, names_.empty() ? text : outermost_,
                       names_.empty() ? std::string_view() : names_.back(), negated});
    return true;
  }

  bool variable(std::string_view text, bool negated, int depth) {
    const std::string_view name = text.substr(1);
    const auto found = group_.find(name);
    if (found == group_.end()) return refuse(text, unknown(text));
    if (trim(found->second).empty()) return refuse(text, fmt::format("variable {} is empty", text));
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
      return refuse(text, fmt::format("variable {} names itself", text));
    }
    if (names_.size() >= kMaxVariableDepth) {
      return refuse(text,
                    fmt::format("variables name each other more than {} deep", kMaxVariableDepth));
    }
    if (names_.empty()) outermost_ = text;
    names_.push_back(name);
    const bool ok = list(found->second, negated, depth + 1);
    names_.pop_back();
    return ok;
  }

  std::string unknown(std::string_view text) const {
    std::vector<std::string_view> known;
    for (const auto& [name, value] : group_) known.push_back(name);
    return fmt::format("unknown variable {}{}", shown(text), suggestion(text.substr(1), known));
  }

  bool refuse(std::string_view at, std::string message) {
    const ListLeaf leaf{at, names_.empty() ? at : outermost_,
                        names_.empty() ? std::string_view() : names_.back(), false};
    error_ = leaf_error(leaf, std::move(message));
    return false;
  }

  const Variables::Group& group_;
  std::vector<ListLeaf> leaves_;
  std::vector<std::string_view> names_;  // of the variables being read, outermost first
  std::string_view outermost_;           // where the first of them stands in the rule
  ValueError error_;
};

}  // namespace

Parsed<std::vector<ListLeaf>> list_leaves(std::string_view text, const Variables::Group& group) {
  return LeafReader(group).read(text);
}

ValueError leaf_error(const ListLeaf& leaf, std::string message) {
  if (leaf.variable.empty()) return {leaf.at, std::move(message)};
  return {leaf.at, fmt::format("in variable ${}: {}", leaf.variable, message)};
}

}  // namespace vong::rules
