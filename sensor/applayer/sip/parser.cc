#include "sensor/applayer/sip/parser.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/sip/limits.h"

namespace vong::sip {

using applayer::Input;
using applayer::ParseResult;

namespace {

struct End {
  size_t head = std::string_view::npos;  // size of start line and headers, with their line ends
  size_t body = 0;                       // where the body begins
};

// The empty line behind the headers, looked for from `from` on.
End find_end(std::string_view data, size_t from) {
  for (size_t at = data.find('\n', from); at != std::string_view::npos;
       at = data.find('\n', at + 1)) {
    if (data.substr(at + 1, 1) == "\n") return {at + 1, at + 2};
    if (data.substr(at + 1, 2) == "\r\n") return {at + 1, at + 3};
  }
  return {};
}

size_t leading_line_ends(std::string_view data) {
  const size_t at = data.find_first_not_of("\r\n");
  return at == std::string_view::npos ? data.size() : at;
}

// 0 when there is none; numbers that do not fit say that everything else is body.
uint64_t content_length(const Message& m) {
  const std::string* text = m.header("content-length");
  if (text == nullptr) return 0;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error == std::errc::result_out_of_range) return UINT64_MAX;
  return error == std::errc() ? value : 0;
}

}  // namespace

void SipParser::event(Event e) {
  if (!transactions.empty()) transactions.back()->add_event(e);
}

bool SipParser::parse_head(Direction d, std::string_view head, Message& m) {
  const size_t end = head.find('\n');
  std::string_view line = head.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const bool started =
      d == Direction::kToServer ? parse_request_line(line, m) : parse_status_line(line, m);
  return started && parse_headers(end == std::string_view::npos ? "" : head.substr(end + 1), m);
}

void SipParser::keep(Direction d, Message m) {
  auto& tx = add(std::make_unique<Transaction>());
  tx.message = std::move(m);
  tx.progress = {1, 1};
  tx.has_direction[static_cast<size_t>(index(opposite(d)))] = false;
}

void SipParser::note_frames(Direction d, uint64_t offset, std::string_view message, size_t head, size_t body) {
  if (frames == nullptr) return;
  const uint8_t first = d == Direction::kToServer ? kFrameRequestLine : kFrameResponseLine;
  const size_t line = std::min(message.find('\n'), head) + 1;
  const auto add = [&](uint8_t type, size_t from, size_t to) {
    if (to > from) frames->add(d, type, offset + from, static_cast<int64_t>(to - from));
  };
  add(kFramePdu, 0, message.size());
  add(first, 0, std::min(line, head));
  add(static_cast<uint8_t>(first + 1), std::min(line, head), head);
  add(static_cast<uint8_t>(first + 2), body, message.size());
}

// A datagram that is no message is noted and says nothing about the next one.
ParseResult SipParser::datagram(Direction d, std::string_view data) {
  const size_t size = data.size();
  data.remove_prefix(leading_line_ends(data));
  if (data.empty()) return ParseResult::ok(size);  // keep-alive, RFC 5626 section 3.5.1
  const End end = find_end(data, 0);
  Message m;
  if (!parse_head(d, data.substr(0, end.head), m)) {
    event(kInvalidData);
  } else if (end.head == std::string_view::npos) {
    event(kIncompleteData);
  } else {
    parse_body(data.substr(end.body), m);
    note_frames(d, size - data.size(), data, end.head, end.body);
    keep(d, std::move(m));
  }
  return ParseResult::ok(size);
}

ParseResult SipParser::stream(Direction d, const Input& in) {
  Side& side = sides_[static_cast<size_t>(index(d))];
  const std::string_view data = as_text(in.data);
  size_t at = 0;
  while (at < data.size()) {
    std::string_view rest = data.substr(at);
    if (side.skip > 0) {
      const size_t n = std::min<uint64_t>(side.skip, rest.size());
      side.skip -= n;
      at += n;
      continue;
    }
    if (side.searched == 0) {
      const size_t ends = leading_line_ends(rest);  // RFC 3261 section 7.5
      if (ends > 0) {
        at += ends;
        continue;
      }
    }
    const End end = find_end(rest, side.searched);
    if (end.head == std::string_view::npos || end.head > kMaxHeadBytes) {
      if (rest.size() > kMaxHeadBytes) return event(kInvalidData), ParseResult::error();
      side.searched = rest.size() > 3 ? rest.size() - 3 : 0;
      return ParseResult::ok(at);
    }
    side.searched = 0;
    Message m;
    if (!parse_head(d, rest.substr(0, end.head), m))
      return event(kInvalidData), ParseResult::error();
    const uint64_t body = content_length(m);
    const bool kept = body <= kMaxBodyBytes;
    if (kept && rest.size() - end.body < body && !in.end) {
      // Searched again from just before the end that was found.
      side.searched = end.head > 0 ? end.head - 1 : 0;
      return ParseResult::ok(at, end.body + static_cast<size_t>(body));
    }
    const std::string_view text = kept ? rest.substr(end.body, body) : std::string_view();
    parse_body(text, m);
    note_frames(d, in.offset + at, rest.substr(0, end.body + text.size()), end.head, end.body);
    keep(d, std::move(m));
    at += end.body + text.size();
    if (!kept) side.skip = body;
  }
  return ParseResult::ok(at);
}

ParseResult SipParser::parse(Direction d, const Input& in) {
  return in.datagram ? datagram(d, as_text(in.data)) : stream(d, in);
}

}  // namespace vong::sip
