#include "sensor/applayer/imap/parser.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/imap/body_structure.h"

namespace vong::imap {

using applayer::Input;
using applayer::ParseResult;

namespace {

std::optional<uint64_t> number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The word at the begin of `text`, which it shortens.
std::string_view word(std::string_view& text) {
  const size_t begin = std::min(text.find_first_not_of(' '), text.size());
  const size_t end = std::min(text.find(' ', begin), text.size());
  const std::string_view w = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return w;
}

bool is_part_number(std::string_view text) {
  return !text.empty() && is_digit(text.front()) && is_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return out;
}

// "2", "2.MIME", "HEADER" and what else stands between the brackets.
void read_section(std::string_view text, bool decoded, Literal& out) {
  using Kind = Literal::Kind;
  const std::string section = upper(text);
  if (section.empty()) {
    out.kind = Kind::kMail;
  } else if (section == "HEADER") {
    out.kind = Kind::kHeader;
    out.section = "TEXT";
  } else if (section == "TEXT" || is_part_number(section)) {
    out.kind = decoded ? Kind::kDecoded : Kind::kSection;
    out.section = section;
  } else if (section.ends_with(".MIME") && is_part_number(section.substr(0, section.size() - 5))) {
    out.kind = Kind::kHeader;
    out.section = section.substr(0, section.size() - 5);
  }
}

// What the literal is of: the last item before it, "BODY[2]<0>", without the parenthesis of a list.
void read_item(std::string_view item, Literal& out) {
  if (item.starts_with('(')) item.remove_prefix(1);
  if (equals_ignore_case(item, "RFC822")) return read_section("", false, out);
  if (equals_ignore_case(item, "RFC822.HEADER")) return read_section("HEADER", false, out);
  if (equals_ignore_case(item, "RFC822.TEXT")) return read_section("TEXT", false, out);
  for (const std::string_view name : {"BODY[", "BINARY["}) {
    if (!starts_with_ignore_case(item, name)) continue;
    const size_t close = item.find(']');
    if (close == std::string_view::npos) return;
    const std::string_view behind = item.substr(close + 1);
    if (!behind.empty()) {
      if (!behind.starts_with('<') || !behind.ends_with('>')) return;
      const auto at = number(behind.substr(1, behind.size() - 2));
      if (!at) return;
      out.is_partial = true;
      out.offset = *at;
    }
    return read_section(item.substr(name.size(), close - name.size()), name.size() > 5, out);
  }
}

// Of a part that comes decoded: its header without the field that says how it was encoded.
std::string without_encoding(std::string_view fields) {
  std::string out;
  bool drop = false;
  while (!fields.empty()) {
    const size_t newline = fields.find('\n');
    const size_t size = newline == std::string_view::npos ? fields.size() : newline + 1;
    const std::string_view line = fields.substr(0, size);
    fields.remove_prefix(size);
    const bool goes_on = line.starts_with(' ') || line.starts_with('\t');
    drop = goes_on ? drop : starts_with_ignore_case(line, "Content-Transfer-Encoding:");
    if (!drop) out += line;
  }
  return out;
}

}  // namespace

std::optional<Literal> read_literal(std::string_view line, bool in_append) {
  if (!line.ends_with('}')) return std::nullopt;
  const size_t open = line.rfind('{');
  if (open == std::string_view::npos) return std::nullopt;
  std::string_view digits = line.substr(open + 1, line.size() - open - 2);
  Literal literal;
  literal.waits = !digits.ends_with('+') && !digits.ends_with('-');
  if (!literal.waits) digits.remove_suffix(1);
  const auto size = number(digits);
  if (!size) return std::nullopt;
  literal.size = *size;
  std::string_view before = line.substr(0, open);
  if (before.ends_with('~')) before.remove_suffix(1);  // RFC 3516: may hold NUL
  before = strip(before);
  const size_t space = before.rfind(' ');
  if (in_append)
    literal.kind = Literal::Kind::kMail;
  else
    read_item(before.substr(space == std::string_view::npos ? 0 : space + 1), literal);
  return literal;
}

ParseResult ImapParser::parse(Direction d, const Input& in) {
  if (switched_) return ParseResult::done(in.data.size());
  Way& w = way(d);
  std::string_view data = as_text(in.data);
  while (!data.empty()) {
    if (w.literal_left > 0) {
      const auto n = static_cast<size_t>(std::min<uint64_t>(w.literal_left, data.size()));
      literal_bytes(d, data.substr(0, n));
      data.remove_prefix(n);
      continue;
    }
    const size_t newline = data.find('\n');
    const bool whole = newline != std::string_view::npos;
    const size_t size = whole ? newline : data.size();
    if (!w.discard && !whole && size <= kMaxLineBytes) break;
    std::string_view text = data.substr(0, size);
    data.remove_prefix(whole ? size + 1 : size);
    const bool skip = w.discard || size > kMaxLineBytes;
    w.discard = !whole;
    if (skip) continue;
    if (text.ends_with('\r')) text.remove_suffix(1);
    line(d, text);
    if (switched_) return ParseResult::done(in.data.size() - data.size());
  }
  return ParseResult::ok(in.data.size() - data.size());
}

void ImapParser::line(Direction d, std::string_view text) {
  const bool client = d == Direction::kToServer;
  if (client)
    client_line(text);
  else
    server_line(text);
  Way& w = way(d);
  const auto literal = read_literal(text, client && w.in_append);
  if (literal) {
    begin_literal(d, *literal);
  } else {
    w.in_append = false;
  }
}

void ImapParser::client_line(std::string_view text) {
  Way& w = way(Direction::kToServer);
  if (w.in_append) return;  // further mails of the same command (RFC 3502)
  const std::string_view tag = word(text);
  const std::string_view command = word(text);
  if (equals_ignore_case(command, "APPEND")) {
    w.in_append = true;
    w.tag = tag;
  } else if (equals_ignore_case(command, "STARTTLS") || equals_ignore_case(command, "COMPRESS")) {
    switch_tag_ = tag;
  } else if (equals_ignore_case(command, "SELECT") || equals_ignore_case(command, "EXAMINE")) {
    forget_messages();
  }
}

void ImapParser::server_line(std::string_view text) {
  const std::string_view all = text;
  const std::string_view tag = word(text);
  const std::string_view status = word(text);
  if (tag == "*") {
    const std::string_view what = word(text);
    const auto message = number(status);
    if (message && *message <= UINT32_MAX && equals_ignore_case(what, "FETCH"))
      message_ = static_cast<uint32_t>(*message);
    if (message && *message <= UINT32_MAX && equals_ignore_case(what, "EXPUNGE"))
      forget_message(static_cast<uint32_t>(*message));
    if (equals_ignore_case(status, "VANISHED")) forget_messages();
  }
  if (config_.mail->decode_mime) {
    for (PartHeader& part : read_structures(all))
      remember(message_, std::move(part.section), std::move(part.fields));
  }
  if (tag.empty() || tag == "*" || tag == "+") return;
  const bool ok = equals_ignore_case(status, "OK");
  if (!switch_tag_.empty() && tag == switch_tag_) {
    switched_ = ok;
    switch_tag_.clear();
  }
  // The literal that the client announced is not wanted, and does not come.
  Way& client = way(Direction::kToServer);
  if (!ok && client.untouched && tag == client.tag) {
    client.literal_left = 0;
    client.untouched = client.in_append = false;
    finish(Direction::kToServer, false);
  }
}

void ImapParser::begin_literal(Direction d, const Literal& literal) {
  using Kind = Literal::Kind;
  Way& w = way(d);
  w.literal_left = literal.size;
  w.untouched = literal.waits && d == Direction::kToServer;
  w.is_part =
      literal.is_partial && (literal.kind == Kind::kMail || literal.kind == Kind::kSection ||
                             literal.kind == Kind::kDecoded);
  w.is_header =
      literal.kind == Kind::kHeader && !literal.is_partial && literal.size <= kMaxKnownHeader;
  if (w.is_header) w.header.clear();
  const bool goes_on = w.is_part && w.tx != nullptr && literal.offset == w.part_bytes &&
                       w.message == message_ && w.section == literal.section;
  if (!goes_on) {
    finish(d, true);
    const bool begins =
        literal.kind != Kind::kOther && literal.kind != Kind::kHeader && literal.offset == 0;
    if (begins && literal.size > 0) open_mail(d, literal);
  }
  w.message = message_;
  w.section = literal.section;
  if (literal.size == 0 && !w.is_part) finish(d, true);
}

// A body without its header in front is read behind the one that the server told before; where it
// told none, how the body is encoded is not known, and it is read over.
void ImapParser::open_mail(Direction d, const Literal& literal) {
  using Kind = Literal::Kind;
  Way& w = way(d);
  if (!config_.mail->decode_mime || transactions.size() >= kMaxTransactions) return;
  const std::string* header = nullptr;
  if (literal.kind == Kind::kSection || literal.kind == Kind::kDecoded) {
    header = header_of(message_, literal.section);
    if (header == nullptr) return;
  }
  w.tx = &add(std::make_unique<Transaction>(d, *config_.mail, next_file_id_));
  w.part_bytes = 0;
  if (header != nullptr)
    w.tx->mail.feed(literal.kind == Kind::kDecoded ? without_encoding(*header) : *header);
}

void ImapParser::literal_bytes(Direction d, std::string_view bytes) {
  Way& w = way(d);
  w.literal_left -= bytes.size();
  w.untouched = false;
  if (w.is_header) {
    w.header += bytes;
    if (w.literal_left == 0) {
      w.is_header = false;
      remember(w.message, w.section, std::move(w.header));
    }
    return;
  }
  if (w.tx == nullptr) return;
  w.tx->mail.feed(bytes);
  w.part_bytes += bytes.size();
  w.tx->updated[static_cast<size_t>(index(d))] = true;
  if (w.literal_left == 0 && !w.is_part) finish(d, true);
}

void ImapParser::remember(uint32_t message, std::string section, std::string fields) {
  const size_t size = section.size() + fields.size() + sizeof(KnownHeader);
  if (section.empty() || size > kMaxKnownHeader) return;
  known_bytes_ += size;
  known_.push_back({message, std::move(section), std::move(fields)});
  while (known_bytes_ > kMaxKnownHeaderBytes) {
    const KnownHeader& oldest = known_.front();
    known_bytes_ -= oldest.section.size() + oldest.fields.size() + sizeof(KnownHeader);
    known_.pop_front();
  }
}

const std::string* ImapParser::header_of(uint32_t message, std::string_view section) const {
  const auto found = std::find_if(known_.rbegin(), known_.rend(), [&](const KnownHeader& k) {
    return k.message == message && k.section == section;
  });
  return found == known_.rend() ? nullptr : &found->fields;
}

// The messages behind it move up by one.
void ImapParser::forget_message(uint32_t gone) {
  for (KnownHeader& k : known_) {
    if (k.message == gone) k.message = 0;  // no message has this number
    if (k.message > gone) --k.message;
  }
}

void ImapParser::forget_messages() {
  known_.clear();
  known_bytes_ = 0;
}

void ImapParser::finish(Direction d, bool whole) {
  Way& w = way(d);
  if (w.tx == nullptr) return;
  w.tx->mail.finish(whole);
  w.tx->progress = {kComplete, kComplete};
  w.tx->updated = {true, true};
  w.tx = nullptr;  // it may go as soon as it is inspected and logged
  w.part_bytes = 0;
}

bool ImapParser::gap(Direction d, uint64_t size) {
  Way& w = way(d);
  const uint64_t of_literal = std::min(size, w.literal_left);
  if (of_literal > 0) {
    w.literal_left -= of_literal;
    w.untouched = w.is_header = false;
    finish(d, false);
  }
  if (size > of_literal) w.discard = true;
  return true;
}

void ImapParser::end() {
  for (const Direction d : {Direction::kToServer, Direction::kToClient})
    finish(d, way(d).literal_left == 0);
}

}  // namespace vong::imap
