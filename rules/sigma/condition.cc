#include "rules/sigma/condition.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "rules/network/nearest_name.h"
#include "rules/sigma/limits.h"
#include "rules/sigma/modifiers.h"

namespace vong::sigma {
namespace {

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern == "them") return !name.starts_with('_');
  const size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(pattern.rfind('*') + 1);
  return name.size() >= head.size() + tail.size() && name.starts_with(head) && name.ends_with(tail);
}

class ConditionParser {
 public:
  ConditionParser(std::string_view text, SourcePos pos, const std::vector<NamedNode>& names,
                  Diagnostics& diagnostics, Expression& out)
      : text_(text), pos_(pos), names_(names), diagnostics_(diagnostics), out_(out) {
    next();
  }

  std::optional<uint32_t> parse() {
    if (text_.size() > kConditionBytesMax)
      return error("condition too long (limit 16384 characters)");
    if (token_.empty()) return error("the condition is empty");
    const auto root = disjunction(0);
    if (!root) return std::nullopt;
    if (token_ == "|")
      return error(
          "aggregations after '|' are not part of Sigma any more, write a correlation rule");
    if (!token_.empty())
      return error("unexpected " + rules::shown(token_) + ", expected 'and', 'or' or the end");
    return root;
  }

 private:
  std::nullopt_t error(std::string message) {
    if (!failed_)
      diagnostics_.error({pos_.line, pos_.column + static_cast<uint32_t>(begin_)},
                         std::move(message));
    failed_ = true;
    return std::nullopt;
  }

  void next() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    begin_ = at_;
    if (at_ < text_.size()) {
      if (text_[at_] == '(' || text_[at_] == ')' || text_[at_] == '|') {
        ++at_;
      } else {
        while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != '(' &&
               text_[at_] != ')' && text_[at_] != '|')
          ++at_;
      }
    }
    token_ = text_.substr(begin_, at_ - begin_);
  }
  bool is_word(std::string_view word) const { return equals_ignore_case(token_, word); }

  std::optional<uint32_t> disjunction(size_t depth) {
    return chain(depth, "or", Expression::Kind::kOr);
  }

  std::optional<uint32_t> chain(size_t depth, std::string_view word, Expression::Kind kind) {
    std::vector<uint32_t> nodes;
    for (;;) {
      const auto n = kind == Expression::Kind::kOr ? chain(depth, "and", Expression::Kind::kAnd)
                                                   : negation(depth);
      if (!n) return std::nullopt;
      nodes.push_back(*n);
      if (!is_word(word)) break;
      next();
    }
    return add_node(out_, kind, std::move(nodes));
  }

  std::optional<uint32_t> negation(size_t depth) {
    if (depth > kConditionDepthMax) return error("nested too deep (limit 64)");
    if (is_word("not")) {
      next();
      const auto n = negation(depth + 1);
      if (!n) return std::nullopt;
      return add_node(out_, Expression::Kind::kNot, {*n});
    }
    if (token_ == "(") {
      next();
      const auto n = disjunction(depth + 1);
      if (!n) return std::nullopt;
      if (token_ != ")") return error("missing ')'");
      next();
      return n;
    }
    return primary();
  }

  std::optional<uint32_t> primary() {
    if (token_.empty()) return error("a name is expected at the end of the condition");
    if (token_ == ")" || is_word("and") || is_word("or"))
      return error("a name is expected before " + rules::shown(token_));
    if (const size_t ahead = text_.find_first_not_of(" \t\r\n", at_);
        ahead != text_.npos && (token_ == "1" || is_word("any") || is_word("all")) &&
        starts_with_ignore_case(text_.substr(ahead), "of") && ahead + 2 < text_.size() &&
        is_space(text_[ahead + 2])) {
      return quantifier();
    }
    for (const NamedNode& n : names_) {
      if (n.name == token_) {
        next();
        return n.node;
      }
    }
    return unknown();
  }

  std::optional<uint32_t> quantifier() {
    const bool all = is_word("all");
    next();  // of
    next();
    std::vector<uint32_t> nodes;
    for (const NamedNode& n : names_) {
      if (matches(token_, n.name)) nodes.push_back(n.node);
    }
    if (nodes.empty()) return unknown();
    next();
    return add_node(out_, all ? Expression::Kind::kAnd : Expression::Kind::kOr, std::move(nodes));
  }

  std::nullopt_t unknown() {
    std::vector<std::string_view> known = {"them"};
    for (const NamedNode& n : names_) known.push_back(n.name);
    return error("no search is called " + rules::shown(token_) + rules::suggestion(token_, known));
  }

  std::string_view text_;
  SourcePos pos_;
  const std::vector<NamedNode>& names_;
  Diagnostics& diagnostics_;
  Expression& out_;
  std::string_view token_;
  size_t at_ = 0, begin_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<uint32_t> parse_condition(std::string_view text, SourcePos pos,
                                        const std::vector<NamedNode>& names,
                                        Diagnostics& diagnostics, Expression& out) {
  return ConditionParser(text, pos, names, diagnostics, out).parse();
}

}  // namespace vong::sigma
