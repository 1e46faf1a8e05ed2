#include "rules/sigma/modifiers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/strings.h"
#include "rules/network/nearest_name.h"
#include "rules/sigma/field_map.h"
#include "rules/sigma/limits.h"

namespace vong::sigma {
namespace {

constexpr std::string_view kModifiers[] = {
    "contains", "startswith", "endswith", "all",          "re",         "i",         "m",
    "s",        "cidr",       "base64",   "base64offset", "wide",       "utf16",     "utf16le",
    "utf16be",  "windash",    "lt",       "lte",          "gt",         "gte",       "exists",
    "fieldref", "expand",     "cased",    "neq",          "ignorecase", "multiline", "dotall",
    "minute",   "hour",       "day",      "week",         "month",      "year"};
constexpr std::string_view kTimeParts[] = {"minute", "hour", "day", "week", "month", "year"};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Flags {
  bool contains = false, starts = false, ends = false, all = false, re = false, cidr = false,
       exists = false, fieldref = false;
  bool cased = false, neq = false, ignore_case = false, multiline = false, dot_all = false;
  std::string_view compare;  // lt, lte, gt, gte
  std::optional<TimePart> part;
  std::vector<std::string_view>
      transforms;  // base64, base64offset, wide, utf16be, windash, expand, in order
};

std::string base64_of(std::string_view in) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < in.size(); i += 3) {
    uint32_t v = 0;
    const size_t n = std::min<size_t>(3, in.size() - i);
    for (size_t k = 0; k < 3; ++k) v = v << 8 | (k < n ? static_cast<uint8_t>(in[i + k]) : 0u);
    out.push_back(kAlphabet[v >> 18]);
    out.push_back(kAlphabet[v >> 12 & 63]);
    out.push_back(n > 1 ? kAlphabet[v >> 6 & 63] : '=');
    out.push_back(n > 2 ? kAlphabet[v & 63] : '=');
  }
  return out;
}

// How `in` looks within somebody's base64 when `offset` bytes stand before it: without the
// characters that the neighbours decide as well.
std::string base64_at_offset(std::string_view in, size_t offset) {
  static constexpr std::array<size_t, 3> kSkip = {0, 2, 3};
  static constexpr std::array<size_t, 3> kDrop = {0, 3, 2};
  const std::string encoded = base64_of(std::string(offset, ' ') + std::string(in));
  const size_t end = encoded.size() - kDrop[(in.size() + offset) % 3];
  return end <= kSkip[offset] ? std::string() : encoded.substr(kSkip[offset], end - kSkip[offset]);
}

// The character at the front of `in` (RFC 3629), which it removes; a byte that is no UTF-8 counts
// as one of Latin-1.
char32_t take_character(std::string_view& in) {
  const auto first = static_cast<uint8_t>(in[0]);
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  char32_t c = size == 1 ? first : static_cast<char32_t>(first & (0xff >> (size + 1)));
  bool whole = size > 1 && in.size() >= size;
  for (size_t i = 1; whole && i < size; ++i) {
    whole = (in[i] & 0xc0) == 0x80;
    c = c << 6 | static_cast<char32_t>(in[i] & 0x3f);
  }
  if (!whole || c > 0x10ffff) c = first;
  in.remove_prefix(whole ? size : 1);
  return c;
}

std::string utf16_of(std::string_view in, bool big_endian) {
  std::string out;
  const auto unit = [&](uint32_t u) {
    const char high = static_cast<char>(u >> 8), low = static_cast<char>(u);
    out.push_back(big_endian ? high : low);
    out.push_back(big_endian ? low : high);
  };
  while (!in.empty()) {
    const char32_t c = take_character(in);
    if (c < 0x10000) {
      unit(c);
    } else {
      unit(0xd800 + ((c - 0x10000) >> 10));
      unit(0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  }
  return out;
}

// Every "-" or "/" that starts a word, as any of the five characters that Windows takes for it.
std::vector<std::string> windash_of(const std::string& in) {
  static constexpr std::string_view kDashes[] = {"-", "/", "\xe2\x80\x93", "\xe2\x80\x94",
                                                 "\xe2\x80\x95"};
  std::vector<std::string> out;
  for (const std::string_view dash : kDashes) {
    std::string s;
    for (size_t i = 0; i < in.size(); ++i) {
      const bool starts =
          (in[i] == '-' || in[i] == '/') && (i == 0 || in[i - 1] == ' ' || in[i - 1] == '*');
      if (starts)
        s += dash;
      else
        s += in[i];
    }
    if (std::find(out.begin(), out.end(), s) == out.end()) out.push_back(std::move(s));
  }
  return out;
}

std::optional<double> to_number(std::string_view text) {
  double d = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), d);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(d))
    return std::nullopt;
  return d;
}

class LineBuilder {
 public:
  LineBuilder(const FieldContext& context, Expression& out) : context_(context), out_(out) {}

  std::optional<uint32_t> build(std::string_view line, SourcePos pos, const YamlNode& values) {
    if (!read_name(line, pos)) return std::nullopt;
    std::vector<const YamlNode*> list;
    if (values.is_list()) {
      for (const YamlNode& v : values.items) list.push_back(&v);
    } else {
      list.push_back(&values);
    }
    if (list.size() > kValuesMax) return error(pos, "too many values in one list (limit 20000)");
    if (list.empty()) return error(values.pos, "an empty list matches nothing");
    std::vector<uint32_t> nodes;
    for (const YamlNode* v : list) {
      const auto n = value(*v);
      if (!n) return std::nullopt;
      nodes.push_back(*n);
    }
    uint32_t joined = add_node(out_, flags_.all ? Expression::Kind::kAnd : Expression::Kind::kOr,
                               std::move(nodes));
    if (flags_.neq) joined = add_node(out_, Expression::Kind::kNot, {joined});
    return joined;
  }

 private:
  std::nullopt_t error(SourcePos pos, std::string text) {
    context_.diagnostics->error(pos, std::move(text));
    return std::nullopt;
  }

  bool read_name(std::string_view line, SourcePos pos) {
    const std::vector<std::string_view> parts = split(line, '|');
    const std::string_view name = parts[0];
    if (name.size() > 256) return error(pos, "field name too long"), false;
    field_ = name.empty() ? std::string() : map_field(name, context_.service);
    if (const std::string hint = field_suggestion(field_); !hint.empty()) {
      context_.diagnostics->warning(pos, "unknown field " + rules::shown(name) + hint);
    }
    uint32_t column = pos.column + static_cast<uint32_t>(name.size()) + 1;
    for (size_t i = 1; i < parts.size(); ++i) {
      if (!read_modifier(parts[i], {pos.line, column})) return false;
      column += static_cast<uint32_t>(parts[i].size()) + 1;
    }
    return check(pos);
  }

  bool read_modifier(std::string_view m, SourcePos pos) {
    Flags& f = flags_;
    if (m == "contains")
      f.contains = true;
    else if (m == "startswith")
      f.starts = true;
    else if (m == "endswith")
      f.ends = true;
    else if (m == "all")
      f.all = true;
    else if (m == "re")
      f.re = true;
    else if (m == "i" || m == "m" || m == "s" || m == "ignorecase" || m == "multiline" ||
             m == "dotall") {
      if (!f.re)
        return error(pos, "modifier " + rules::shown(m) + " is a flag of 're' and must follow it"),
               false;
      (m[0] == 'i' ? f.ignore_case : m[0] == 'm' ? f.multiline : f.dot_all) = true;
    } else if (const auto* p = std::find(std::begin(kTimeParts), std::end(kTimeParts), m);
               p != std::end(kTimeParts)) {
      f.part = static_cast<TimePart>(p - kTimeParts);
    } else if (m == "cidr")
      f.cidr = true;
    else if (m == "exists")
      f.exists = true;
    else if (m == "fieldref")
      f.fieldref = true;
    else if (m == "cased")
      f.cased = true;
    else if (m == "neq")
      f.neq = true;
    else if (m == "lt" || m == "lte" || m == "gt" || m == "gte")
      f.compare = m;
    else if (m == "utf16le")
      f.transforms.push_back("wide");
    else if (m == "base64" || m == "base64offset" || m == "wide" || m == "utf16" ||
             m == "utf16be" || m == "windash" || m == "expand") {
      f.transforms.push_back(m);
    } else {
      return error(pos, "unknown modifier " + rules::shown(m) + rules::suggestion(m, kModifiers)),
             false;
    }
    return true;
  }

  bool check(SourcePos pos) {
    const Flags& f = flags_;
    const int kinds =
        (f.contains || f.starts || f.ends) + f.re + f.cidr + f.exists + !f.compare.empty();
    if (kinds > 1 || (f.fieldref && (f.re || f.cidr || f.exists || !f.compare.empty()))) {
      return error(pos, "these modifiers exclude each other"), false;
    }
    if (f.contains + f.starts + f.ends > 1) {
      return error(pos, "only one of contains, startswith and endswith can be used"), false;
    }
    if (f.part && (kinds > static_cast<int>(!f.compare.empty()) || f.fieldref || f.cased))
      return error(pos, "these modifiers exclude each other"), false;
    if (field_.empty() && (f.part || f.cidr || f.exists || f.fieldref || !f.compare.empty())) {
      return error(pos, "this modifier needs a field name"), false;
    }
    return true;
  }

  std::optional<uint32_t> test(Test t, SourcePos pos) {
    if (out_.tests.size() >= kTestsMax)
      return error(pos, "too many tests in one rule (limit 40000)");
    t.field = field_;
    t.pos = pos;
    t.cased = flags_.cased;
    out_.nodes.push_back({Expression::Kind::kTest, {}, static_cast<uint32_t>(out_.tests.size())});
    out_.tests.push_back(std::move(t));
    return static_cast<uint32_t>(out_.nodes.size() - 1);
  }

  std::optional<uint32_t> value(const YamlNode& v) {
    if (v.is_list() || v.is_map()) return error(v.pos, "a single value is expected here");
    if (v.is_null()) return null_value(v);
    if (v.text.size() > kValueBytesMax) return error(v.pos, "value too long (limit 16384 bytes)");
    if (flags_.exists) return exists_value(v);
    if (flags_.fieldref) return field_reference(v);
    if (flags_.cidr) return network(v);
    if (!flags_.compare.empty() || flags_.part) return comparison(v);
    if (flags_.re) return regular_expression(v);
    return text_value(v);
  }

  std::optional<uint32_t> null_value(const YamlNode& v) {
    if (field_.empty()) return error(v.pos, "null needs a field name");
    Test t;
    t.op = TestOp::kNull;
    return test(std::move(t), v.pos);
  }

  std::optional<uint32_t> exists_value(const YamlNode& v) {
    Test t;
    t.op = TestOp::kExists;
    const std::string lower = to_lower(v.text);
    if (lower != "true" && lower != "false" && lower != "yes" && lower != "no") {
      return error(v.pos, "exists takes true or false");
    }
    t.expected = lower == "true" || lower == "yes";
    return test(std::move(t), v.pos);
  }

  std::optional<uint32_t> field_reference(const YamlNode& v) {
    Test t;
    t.op = TestOp::kFieldRef;
    t.other_field = map_field(v.text, context_.service);
    if (t.other_field.empty()) return error(v.pos, "fieldref takes the name of a field");
    t.ref = flags_.contains ? RefCompare::kContains
            : flags_.starts ? RefCompare::kStartsWith
            : flags_.ends   ? RefCompare::kEndsWith
                            : RefCompare::kEquals;
    return test(std::move(t), v.pos);
  }

  std::optional<uint32_t> network(const YamlNode& v) {
    const auto prefix = IpPrefix::parse(v.text);
    if (!prefix)
      return error(v.pos, "not a network: " + rules::shown(v.text) + ", expected address/length");
    Test t;
    t.op = TestOp::kCidr;
    t.prefix = *prefix;
    return test(std::move(t), v.pos);
  }

  std::optional<uint32_t> comparison(const YamlNode& v) {
    const auto number = to_number(v.text);
    if (!number) return error(v.pos, "not a number: " + rules::shown(v.text));
    Test t;
    t.op = TestOp::kRange;
    if (flags_.part) {
      t.op = TestOp::kTimePart;
      t.part = *flags_.part;
    }
    t.low = -kInfinity;
    t.high = kInfinity;
    if (flags_.compare.empty())
      t.low = t.high = *number;
    else if (flags_.compare == "gte")
      t.low = *number;
    else if (flags_.compare == "gt")
      t.low = std::nextafter(*number, kInfinity);
    else if (flags_.compare == "lte")
      t.high = *number;
    else
      t.high = std::nextafter(*number, -kInfinity);
    return test(std::move(t), v.pos);
  }

  std::optional<uint32_t> regular_expression(const YamlNode& v) {
    if (v.text.empty()) return error(v.pos, "an empty regular expression matches everything");
    Test t;
    t.op = TestOp::kRegex;
    t.regex = v.text;
    t.ignore_case = flags_.ignore_case;
    t.multiline = flags_.multiline;
    t.dot_all = flags_.dot_all;
    return test(std::move(t), v.pos);
  }

  // "%name%" and nothing else, where name is a list of indicators.
  std::optional<uint32_t> list_of(std::string_view text) const {
    const auto expands = std::find(flags_.transforms.begin(), flags_.transforms.end(), "expand");
    if (expands == flags_.transforms.end() || context_.placeholders == nullptr) return std::nullopt;
    if (text.size() < 3 || text.front() != '%' || text.back() != '%') return std::nullopt;
    const auto& lists = context_.placeholders->lists;
    const auto it = std::find(lists.begin(), lists.end(), text.substr(1, text.size() - 2));
    if (it == lists.end()) return std::nullopt;
    return static_cast<uint32_t>(it - lists.begin());
  }

  std::optional<uint32_t> list_value(const YamlNode& v, uint32_t list) {
    const Flags& f = flags_;
    if (f.transforms.size() > 1 || f.contains || f.starts || f.ends || f.cased)
      return error(v.pos,
                   "a list of indicators holds whole values: of the modifiers only expand, "
                   "all and neq can be used");
    if (field_.empty()) return error(v.pos, "a list of indicators needs a field name");
    Test t;
    t.op = TestOp::kList;
    t.list = list;
    return test(std::move(t), v.pos);
  }

  std::optional<uint32_t> text_value(const YamlNode& v) {
    if (const auto list = list_of(v.text)) return list_value(v, *list);
    std::vector<std::string> texts = {v.text};
    bool encoded = false;  // after base64 or wide the text has no wildcards any more
    for (const std::string_view transform : flags_.transforms) {
      std::vector<std::string> next;
      for (const std::string& s : texts) {
        if (!apply(transform, s, v.pos, next)) return std::nullopt;
      }
      encoded |= transform != "windash" && transform != "expand";
      texts = std::move(next);
      if (texts.size() > kValuesMax)
        return error(v.pos, "too many values after the modifiers (limit 20000)");
    }
    const bool whole_text = field_.empty();
    std::vector<uint32_t> nodes;
    for (const std::string& s : texts) {
      Test t;
      t.pattern = encoded ? Pattern::literal(s) : Pattern::parse(s);
      if (flags_.contains || flags_.ends || whole_text) t.pattern.prepend_any();
      if (flags_.contains || flags_.starts || whole_text) t.pattern.append_any();
      if (t.pattern.matches_everything())
        t.op = TestOp::kExists;
      else
        t.op = t.pattern.is_literal() ? TestOp::kEquals : TestOp::kLike;
      const auto n = test(std::move(t), v.pos);
      if (!n) return std::nullopt;
      nodes.push_back(*n);
    }
    return add_node(out_, Expression::Kind::kOr, std::move(nodes));
  }

  bool apply(std::string_view transform, const std::string& s, SourcePos pos,
             std::vector<std::string>& out) {
    if (transform == "expand") return expand(s, pos, out);
    if (transform == "windash") {
      for (std::string& variant : windash_of(s)) out.push_back(std::move(variant));
      return true;
    }
    const Pattern p = Pattern::parse(s);
    if (!p.is_literal())
      return error(pos, "wildcards cannot be encoded by " + rules::shown(transform)), false;
    const std::string bytes = p.text();
    if (transform == "base64")
      out.push_back(base64_of(bytes));
    else if (transform == "wide")
      out.push_back(utf16_of(bytes, false));
    else if (transform == "utf16be")
      out.push_back(utf16_of(bytes, true));
    else if (transform == "utf16")
      out.push_back("\xff\xfe" + utf16_of(bytes, false));
    else {
      for (size_t offset = 0; offset < 3; ++offset) out.push_back(base64_at_offset(bytes, offset));
      if (std::any_of(out.begin(), out.end(), [](const std::string& x) { return x.empty(); })) {
        return error(pos, "too short for base64offset"), false;
      }
    }
    return true;
  }

  bool expand(const std::string& s, SourcePos pos, std::vector<std::string>& out) {
    const size_t begin = s.find('%');
    const size_t end = begin == s.npos ? s.npos : s.find('%', begin + 1);
    if (end == s.npos) {
      out.push_back(s);
      return true;
    }
    const std::string name = s.substr(begin + 1, end - begin - 1);
    static const Placeholders kNone;
    const Placeholders& known = context_.placeholders == nullptr ? kNone : *context_.placeholders;
    if (std::find(known.lists.begin(), known.lists.end(), name) != known.lists.end())
      return error(pos, "%" + name + "% is a list of indicators and must be the whole value"),
             false;
    const auto it = known.values.find(name);
    if (it == known.values.end()) {
      return error(pos, "placeholder %" + name +
                            "% has no values in the configuration (placeholders, indicators)"),
             false;
    }
    // A replacement is not looked at again; what stands behind it may hold the next placeholder.
    std::vector<std::string> rests;
    if (!expand(s.substr(end + 1), pos, rests)) return false;
    if (it->second.size() * rests.size() > kValuesMax)
      return error(pos, "too many values after the modifiers (limit 20000)"), false;
    for (const std::string& replacement : it->second) {
      for (const std::string& rest : rests) out.push_back(s.substr(0, begin) + replacement + rest);
    }
    return true;
  }

  const FieldContext& context_;
  Expression& out_;
  std::string field_;
  Flags flags_;
};

}  // namespace

std::optional<uint32_t> add_field_tests(std::string_view field_and_modifiers, SourcePos pos,
                                        const YamlNode& values, const FieldContext& context,
                                        Expression& out) {
  return LineBuilder(context, out).build(field_and_modifiers, pos, values);
}

uint32_t add_node(Expression& out, Expression::Kind kind, std::vector<uint32_t> children) {
  if (children.size() == 1 && kind != Expression::Kind::kNot) return children[0];
  out.nodes.push_back({kind, std::move(children), 0});
  return static_cast<uint32_t>(out.nodes.size() - 1);
}

}  // namespace vong::sigma
