#include "sensor/applayer/imap/body_structure.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "sensor/applayer/imap/limits.h"

namespace vong::imap {

namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

bool is_list_mark(char c) { return c == '(' || c == ')' || c == ' ' || c == '"'; }

// A field's value as MIME has it: extended parameters (RFC 2231) are never quoted. Marks that would
// end the field, or would need an escape that few readers know, are left out.
void add_parameter(std::string& out, const std::string& name, const std::string& value) {
  out += "; " + name + "=";
  const bool bare = name.ends_with('*');
  if (!bare) out += '"';
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) continue;
    if (c != '"' && c != '\\' && !(bare && c == ';')) out += c;
  }
  if (!bare) out += '"';
}

class Reader {
 public:
  Reader(std::string_view text, std::vector<PartHeader>& out) : rest_(text), out_(out) {}

  // A message's body. Its parts are numbered behind `prefix`; the only part of one that is not
  // divided is 1.
  bool message(const std::string& prefix, size_t depth) {
    const std::string only = prefix.empty() ? "1" : prefix + ".1";
    return body(prefix, only, prefix.empty() ? "TEXT" : prefix + ".TEXT", depth);
  }

 private:
  bool take(char c) {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool next_is(char c) const {
    const size_t at = rest_.find_first_not_of(' ');
    return at != std::string_view::npos && rest_[at] == c;
  }

  // A string or an atom; NIL is empty. Nothing: neither.
  std::optional<std::string> text() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    std::string out;
    if (!rest_.starts_with('"')) {
      const auto end = std::find_if(rest_.begin(), rest_.end(), is_list_mark);
      out.assign(rest_.begin(), end);
      rest_.remove_prefix(out.size());
      if (out.empty()) return std::nullopt;
      return equals_ignore_case(out, "NIL") ? std::string() : out;
    }
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return out;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      out += rest_[i];
    }
    return std::nullopt;
  }

  // Up to the end of the list that is open.
  bool leave_list() {
    for (size_t open = 1; !rest_.empty();) {
      if (next_is('"')) {
        if (!text()) return false;
        continue;
      }
      const char c = rest_.front();
      rest_.remove_prefix(1);
      open += c == '(';
      if (c == ')' && --open == 0) return true;
    }
    return false;
  }
  bool skip_value() {
    if (take('(')) return leave_list();
    return text().has_value();
  }

  std::optional<Parameters> parameters() {
    Parameters out;
    if (!take('(')) {
      if (!text()) return std::nullopt;
      return out;
    }
    while (!take(')')) {
      auto name = text(), value = name ? text() : std::nullopt;
      if (!value) return std::nullopt;
      if (out.size() < kMaxPartParameters) out.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
  }

  // `children`: what the numbers of the parts begin with; `only`: the number when it is not
  // divided; `whole`: another name of it.
  bool body(const std::string& children, const std::string& only, const std::string& whole,
            size_t depth) {
    if (depth > kMaxPartDepth || out_.size() >= kMaxPartsOfStructure || !take('(')) return false;
    if (next_is('(')) return divided(children, whole, depth);
    const size_t before = out_.size();
    if (!single(only, depth)) return false;
    if (whole != only) out_.push_back({whole, out_[before].fields});
    return true;
  }

  bool divided(const std::string& children, const std::string& whole, size_t depth) {
    for (size_t n = 1; next_is('('); ++n) {
      const std::string section = (children.empty() ? "" : children + ".") + std::to_string(n);
      if (!body(section, section, section, depth + 1)) return false;
    }
    const auto subtype = text();
    if (!subtype) return false;
    const auto with = next_is(')') ? Parameters() : parameters();
    if (!with) return false;
    add(whole, "multipart/" + *subtype, *with, {}, {}, {});
    return leave_list();
  }

  bool single(const std::string& section, size_t depth) {
    const auto type = text(), subtype = type ? text() : std::nullopt;
    if (!subtype) return false;
    const auto with = parameters();
    if (!with || !skip_value() || !skip_value()) return false;  // id, description
    const auto encoding = text();
    if (!encoding || !skip_value()) return false;  // size
    const size_t here = out_.size();
    out_.emplace_back();  // before those of a message inside it
    if (equals_ignore_case(*type, "MESSAGE") && equals_ignore_case(*subtype, "RFC822") &&
        !next_is(')')) {
      if (!skip_value() || !message(section, depth + 1) || !skip_value())
        return false;  // envelope, body, lines
    } else if (equals_ignore_case(*type, "TEXT") && !next_is(')') && !skip_value()) {
      return false;
    }
    std::string kind;
    Parameters of_kind;
    if (!next_is(')') && !skip_value()) return false;  // MD5
    if (take('(')) {
      const auto name = text();
      auto list = name ? parameters() : std::nullopt;
      if (!list || !leave_list()) return false;
      kind = *name;
      of_kind = std::move(*list);
    }
    add_at(out_[here], section, *type + "/" + *subtype, *with, *encoding, kind, of_kind);
    return leave_list();
  }

  void add(const std::string& section, const std::string& type, const Parameters& with,
           const std::string& encoding, const std::string& disposition,
           const Parameters& of_disposition) {
    out_.emplace_back();
    add_at(out_.back(), section, type, with, encoding, disposition, of_disposition);
  }

  static void add_at(PartHeader& to, const std::string& section, const std::string& type,
                     const Parameters& with, const std::string& encoding,
                     const std::string& disposition, const Parameters& of_disposition) {
    to.section = section;
    const auto token = [&](const std::string& value) {
      std::ranges::copy_if(value, std::back_inserter(to.fields),
                           [](unsigned char c) { return c > ' ' && c < 0x7f && c != ';'; });
    };
    to.fields = "Content-Type: ";
    token(type);
    for (const auto& [name, value] : with) add_parameter(to.fields, name, value);
    if (!encoding.empty()) {
      to.fields += "\r\nContent-Transfer-Encoding: ";
      token(encoding);
    }
    if (!disposition.empty()) {
      to.fields += "\r\nContent-Disposition: ";
      token(disposition);
      for (const auto& [name, value] : of_disposition) add_parameter(to.fields, name, value);
    }
    to.fields += "\r\n\r\n";
  }

  std::string_view rest_;
  std::vector<PartHeader>& out_;
};

}  // namespace

std::vector<PartHeader> read_structures(std::string_view line) {
  std::vector<PartHeader> out;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && quoted) {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '(')) {
      for (const std::string_view name : {"BODYSTRUCTURE (", "BODY ("}) {
        if (!starts_with_ignore_case(line.substr(i), name)) continue;
        // One structure in a line, in practice: what it has is not looked through again.
        if (!Reader(line.substr(i + name.size() - 1), out).message({}, 0))
          std::erase_if(out, [](const PartHeader& p) { return p.section.empty(); });
        return out;
      }
    }
  }
  return out;
}

}  // namespace vong::imap
