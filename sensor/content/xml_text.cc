#include "sensor/content/xml_text.h"

#include "base/encode.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace vong::content {
namespace {

constexpr size_t kMaxName = 32, kMaxEntity = 10;

// Elements behind which a reader sees a new line (w: WordprocessingML, a: DrawingML, text: and table: OpenDocument, SpreadsheetML).
constexpr std::array<std::string_view, 10> kLines = {"w:p", "w:br", "w:cr", "a:p", "a:br", "text:p", "text:h", "si", "row", "c"};
constexpr std::array<std::string_view, 2> kTabs = {"w:tab", "text:tab"};
constexpr std::array<std::string_view, 1> kSpaces = {"text:s"};

bool is_one_of(std::string_view name, auto& list) { return std::find(list.begin(), list.end(), name) != list.end(); }

}  // namespace

void XmlText::put(std::string_view text) { out_.append(text.substr(0, limit_ - std::min(limit_, out_.size()))); }

void XmlText::end_line() {
  if (!out_.empty() && out_.back() != '\n') put("\n");
}

void XmlText::tag_over() {
  const bool closing = !pending_.empty() && pending_[0] == '/';
  const std::string_view name = closing ? std::string_view(pending_).substr(1) : std::string_view(pending_);
  if (closing || self_closing_) {
    if (is_one_of(name, kLines)) end_line();
    else if (is_one_of(name, kTabs)) put("\t");
    else if (is_one_of(name, kSpaces)) put(" ");
  }
  state_ = State::kText;
}

void XmlText::entity_over() {
  state_ = State::kText;
  const std::string_view e = pending_;
  if (e == "amp") return put("&");
  if (e == "lt") return put("<");
  if (e == "gt") return put(">");
  if (e == "quot") return put("\"");
  if (e == "apos") return put("'");
  if (e.size() < 2 || e[0] != '#') return;
  const bool hex = e[1] == 'x' || e[1] == 'X';
  uint32_t c = 0;
  const char* end = e.data() + e.size();
  const auto [p, error] = std::from_chars(e.data() + (hex ? 2 : 1), end, c, hex ? 16 : 10);
  if (error != std::errc() || p != end) return;
  std::string text;
  const bool character = c != 0 && c <= 0x10ffff && (c < 0xd800 || c >= 0xe000);
  append_utf8(text, character ? c : 0xfffd);
  put(text);
}

bool XmlText::feed(std::string_view xml) {
  for (size_t i = 0; i < xml.size(); ++i) {
    if (out_.size() >= limit_) return false;
    const char c = xml[i];
    switch (state_) {
      case State::kText: {
        const size_t end = std::min(xml.find_first_of("<&", i), xml.size());
        put(xml.substr(i, end - i));
        if (end == xml.size()) return true;
        state_ = xml[end] == '<' ? State::kTag : State::kEntity;
        pending_.clear();
        name_over_ = self_closing_ = false;
        i = end;
        break;
      }
      case State::kTag:
        if (c == '>') {
          tag_over();
          break;
        }
        self_closing_ = c == '/' && !pending_.empty();
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || self_closing_) name_over_ = true;
        if (!name_over_ && pending_.size() < kMaxName) pending_ += c;
        break;
      case State::kEntity:
        if (c == ';') entity_over();
        else if (pending_.size() >= kMaxEntity || c == '<') state_ = c == '<' ? State::kTag : State::kText;
        else pending_ += c;
        if (state_ == State::kTag) {
          pending_.clear();
          name_over_ = self_closing_ = false;
        }
        break;
    }
  }
  return true;
}

}  // namespace vong::content
