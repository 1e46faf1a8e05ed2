#include "sensor/applayer/imap/parser.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"

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

// What the literal is of: the last item before it, "BODY[]<0>", without the parenthesis of a list.
Literal::Kind kind_of(std::string_view item, uint64_t& offset) {
  if (item.starts_with('(')) item.remove_prefix(1);
  if (equals_ignore_case(item, "RFC822") || equals_ignore_case(item, "BODY[]") ||
      equals_ignore_case(item, "BINARY[]"))
    return Literal::Kind::kMail;
  for (const std::string_view name : {"BODY[]<", "BINARY[]<"}) {
    if (!starts_with_ignore_case(item, name) || !item.ends_with('>')) continue;
    const auto at = number(item.substr(name.size(), item.size() - name.size() - 1));
    if (!at) return Literal::Kind::kOther;
    offset = *at;
    return Literal::Kind::kPartOfMail;
  }
  return Literal::Kind::kOther;
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
  literal.kind = in_append ? Literal::Kind::kMail
                           : kind_of(before.substr(space == std::string_view::npos ? 0 : space + 1),
                                     literal.offset);
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
  }
}

void ImapParser::server_line(std::string_view text) {
  const std::string_view tag = word(text);
  const std::string_view status = word(text);
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
  Way& w = way(d);
  w.literal_left = literal.size;
  w.untouched = literal.waits && d == Direction::kToServer;
  w.is_part = literal.kind == Literal::Kind::kPartOfMail;
  const bool goes_on = w.is_part && w.tx != nullptr && literal.offset == w.part_bytes;
  if (!goes_on) {
    finish(d, true);
    const bool begins = literal.kind == Literal::Kind::kMail || (w.is_part && literal.offset == 0);
    if (begins && literal.size > 0 && config_.mail->decode_mime &&
        transactions.size() < kMaxTransactions) {
      w.tx = &add(std::make_unique<Transaction>(d, *config_.mail, next_file_id_));
      w.part_bytes = 0;
    }
  }
  if (literal.size == 0 && !w.is_part) finish(d, true);
}

void ImapParser::literal_bytes(Direction d, std::string_view bytes) {
  Way& w = way(d);
  w.literal_left -= bytes.size();
  w.untouched = false;
  if (w.tx == nullptr) return;
  w.tx->mail.feed(bytes);
  w.part_bytes += bytes.size();
  w.tx->updated[static_cast<size_t>(index(d))] = true;
  if (w.literal_left == 0 && !w.is_part) finish(d, true);
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
    w.untouched = false;
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
