// XML to text, a piece at a time: tags go, ends of paragraphs become ends of lines, entities become characters. No document type, no
// validation: what is not well-formed gives whatever text it holds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vong::content {

class XmlText {
 public:
  // `limit`: bytes that `out` may grow to.
  XmlText(std::string& out, size_t limit) : out_(out), limit_(limit) {}
  // The next bytes of the XML, UTF-8. False: the limit is reached, nothing more is taken.
  bool feed(std::string_view xml);
  void end_line();

 private:
  enum class State : unsigned char { kText, kTag, kEntity };
  void tag_over();
  void entity_over();
  void put(std::string_view text);

  std::string& out_;
  size_t limit_;
  State state_ = State::kText;
  std::string pending_;           // the tag's name or the entity so far
  bool name_over_ = false;
  bool self_closing_ = false;
};

}  // namespace vong::content
