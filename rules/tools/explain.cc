#include "rules/tools/explain.h"

#include <optional>
#include <vector>

#include "rules/network/text.h"
#include "rules/network/value.h"
#include "rules/tools/sentences.h"

namespace vong::rules_tools {
namespace {

using rules::equal_nocase;
using rules::Option;
using rules::Rule;

// What is asked of one buffer.
struct Group {
  std::string title;
  std::vector<std::string> lines;
};

Phrase action_phrase(rules::Action action) {
  using rules::Action;
  switch (action) {
    case Action::kAlert:
      return {"Alerts on {}", "Cảnh báo khi thấy {}"};
    case Action::kPass:
      return {"Lets pass without any alert: {}", "Cho qua, không cảnh báo: {}"};
    case Action::kDrop:
      return {"Drops and alerts on {}", "Chặn và cảnh báo khi thấy {}"};
    case Action::kReject:
    case Action::kRejectSrc:
      return {"Rejects towards the source and alerts on {}",
              "Từ chối phía nguồn và cảnh báo khi thấy {}"};
    case Action::kRejectDst:
      return {"Rejects towards the destination and alerts on {}",
              "Từ chối phía đích và cảnh báo khi thấy {}"};
    case Action::kRejectBoth:
      return {"Rejects towards both sides and alerts on {}",
              "Từ chối cả hai phía và cảnh báo khi thấy {}"};
    case Action::kConfig:
      return {"Configures the handling of {}", "Cấu hình cách xử lý {}"};
    case Action::kAccept:
      return {"Accepts {}", "Chấp nhận {}"};
  }
  return {"{}", "{}"};
}

// Reads the options from left to right, as the sensor does: a buffer's name opens a group, contents
// collect what stands behind them.
class Reader {
 public:
  Reader(const Rule& rule, Language language) : language_(language) {
    groups_.push_back({say(language_, {"the data", "dữ liệu"}), {}});
    for (const Option& option : rule.options) take(option);
    finish_search();
  }

  [[nodiscard]] const std::vector<std::string>& conditions() const { return conditions_; }
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] const std::vector<std::string>& effects() const { return effects_; }

 private:
  static bool is_modifier(std::string_view name) {
    for (const std::string_view known :
         {"nocase", "depth", "offset", "distance", "within", "startswith", "endswith",
          "fast_pattern", "rawbytes", "replace"}) {
      if (equal_nocase(name, known)) return true;
    }
    return false;
  }
  static bool is_search(std::string_view name) {
    return equal_nocase(name, "content") || equal_nocase(name, "pcre") ||
           equal_nocase(name, "uricontent");
  }
  // Looks at the current buffer, like a content.
  static bool is_about_buffer(std::string_view name) {
    for (const std::string_view known :
         {"isdataat", "bsize", "byte_test", "byte_jump", "byte_extract", "byte_math",
          "base64_decode", "absent", "dataset", "datarep", "entropy", "asn1"}) {
      if (equal_nocase(name, known)) return true;
    }
    return false;
  }

  void take(const Option& option) {
    if (search_ && is_modifier(option.name)) {
      search_->modifiers.push_back(&option);
      return;
    }
    const Word* word = find_word(option.name);
    if (search_ && word != nullptr && word->role == Role::kLegacyBuffer) {
      legacy_ = word;
      return;
    }
    finish_search();
    if (is_search(option.name)) {
      search_ = Search{&option, {}};
    } else if (word != nullptr && word->role == Role::kBuffer) {
      open_group(option, *word);
    } else if (word != nullptr && word->role == Role::kTransform) {
      groups_.back().title += ", " + std::string(word->phrase.in(language_));
    } else {
      plain(option);
    }
  }

  void open_group(const Option& option, const Word& word) {
    std::string title(word.phrase.in(language_));
    if (option.has_value && !option.value.empty()) title += fmt::format(" ({})", option.value);
    groups_.push_back({std::move(title), {}});
  }

  void plain(const Option& option) {
    if (std::string effect = effect_sentence(option, language_); !effect.empty()) {
      effects_.push_back(std::move(effect));
      return;
    }
    std::string condition = condition_sentence(option, language_);
    if (condition.empty()) return;
    (is_about_buffer(option.name) ? groups_.back().lines : conditions_)
        .push_back(std::move(condition));
  }

  void finish_search() {
    if (!search_) return;
    std::string sentence = search_sentence(*search_, language_);
    if (equal_nocase(search_->option->name, "uricontent")) legacy_ = find_word("http_uri");
    if (legacy_ != nullptr) {
      legacy_group(*legacy_).lines.push_back(std::move(sentence));
    } else {
      groups_.back().lines.push_back(std::move(sentence));
    }
    search_.reset();
    legacy_ = nullptr;
  }

  // An older spelling names the buffer behind the content; the group that contents without a name
  // go to stays the last.
  Group& legacy_group(const Word& word) {
    const std::string title(word.phrase.in(language_));
    for (Group& group : groups_) {
      if (group.title == title) return group;
    }
    return *groups_.insert(groups_.end() - 1, {title, {}});
  }

  Language language_;
  std::vector<std::string> conditions_;
  std::vector<Group> groups_;
  std::vector<std::string> effects_;
  std::optional<Search> search_;
  const Word* legacy_ = nullptr;
};

class Page {
 public:
  Page(const Rule& rule, const ExplainContext& context)
      : rule_(rule), context_(context), language_(context.language) {}

  std::string write() {
    title();
    traffic();
    matching();
    about();
    return std::move(out_);
  }

 private:
  void line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }

  void title() {
    const Option* msg = rule_.find("msg");
    line(say(language_, {"Rule {}, revision {}: {}", "Luật {}, bản sửa {}: {}"}, rule_.sid,
             rule_.rev, msg != nullptr ? plain_text(msg->value) : "-"));
    if (!context_.file.empty()) line(fmt::format("{}:{}", context_.file, rule_.pos.line));
    if (!rule_.enabled)
      line(say(language_, {"(commented out: not in force)", "(đang bị tắt: không có hiệu lực)"}));
    line("");
  }

  std::string side(std::string_view address, std::string_view port) const {
    const std::string where = equal_nocase(address, "any")
                                  ? say(language_, {"any address", "địa chỉ bất kỳ"})
                                  : std::string(address);
    return equal_nocase(port, "any") ? say(language_, {"{}, any port", "{}, cổng bất kỳ"}, where)
                                     : say(language_, {"{}, port {}", "{}, cổng {}"}, where, port);
  }

  void traffic() {
    const Phrase* protocol = find_protocol(rule_.protocol);
    std::string what =
        protocol != nullptr ? std::string(protocol->in(language_)) : std::string(rule_.protocol);
    if (!rule_.hook.empty())
      what += say(language_, {" at the stage {}", " ở giai đoạn {}"}, rule_.hook);
    line(say(language_, action_phrase(rule_.action), what));
    line(say(language_, {"  from {}", "  từ {}"}, side(rule_.src, rule_.src_port)));
    line(say(language_, {"  to   {}", "  đến {}"}, side(rule_.dst, rule_.dst_port)));
    if (rule_.direction == rules::Direction::kBoth)
      line(say(language_, {"  or the other way round", "  hoặc chiều ngược lại"}));
    if (rule_.direction == rules::Direction::kTransaction) {
      line(say(language_, {"  looking at request and response together",
                           "  xét yêu cầu và phản hồi cùng nhau"}));
    }
  }

  void matching() {
    const Reader reader(rule_, language_);
    size_t groups = 0;
    for (const Group& group : reader.groups()) groups += !group.lines.empty();
    if (reader.conditions().empty() && groups == 0) {
      line(say(language_, {"whatever it carries.", "bất kể nội dung."}));
    } else {
      line(say(language_, {"when all of this is true:", "khi tất cả điều sau đều đúng:"}));
    }
    for (const std::string& condition : reader.conditions()) line("  - " + condition);
    for (const Group& group : reader.groups()) {
      if (group.lines.empty()) continue;
      line(say(language_, {"  - {}:", "  - {}:"}, group.title));
      for (const std::string& text : group.lines) line("      " + text);
    }
    if (reader.effects().empty()) return;
    line(say(language_, {"Then:", "Khi đó:"}));
    for (const std::string& effect : reader.effects()) line("  - " + effect);
  }

  void about() {
    const Option* classtype = rule_.find("classtype");
    if (classtype != nullptr) kind(classtype->value);
    if (const Option* priority = rule_.find("priority"))
      line(say(language_, {"Priority: {}", "Mức ưu tiên: {}"}, priority->value));
    for (const Option& option : rule_.options) {
      if (equal_nocase(option.name, "reference")) reference(option.value);
    }
    for (const Option& option : rule_.options) {
      if (equal_nocase(option.name, "metadata"))
        line(say(language_, {"Notes: {}", "Ghi chú: {}"}, option.value));
    }
  }

  void kind(std::string_view name) {
    const rules::Classification* known =
        context_.classes != nullptr ? context_.classes->find(name) : nullptr;
    if (known == nullptr) return line(say(language_, {"Kind: {}", "Loại: {}"}, name));
    line(say(language_, {"Kind: {} ({}), priority {}", "Loại: {} ({}), mức ưu tiên {}"},
             known->description, name, known->priority));
  }

  void reference(std::string_view value) {
    const size_t comma = value.find(',');
    const std::string_view system = rules::trim(value.substr(0, comma));
    const std::string_view id =
        comma == std::string_view::npos ? std::string_view() : rules::trim(value.substr(comma + 1));
    const std::string* prefix =
        context_.references != nullptr ? context_.references->find(system) : nullptr;
    const std::string shown =
        prefix != nullptr ? *prefix + std::string(id) : fmt::format("{} {}", system, id);
    line(say(language_, {"Read more: {}", "Xem thêm: {}"}, shown));
  }

  const Rule& rule_;
  const ExplainContext& context_;
  Language language_;
  std::string out_;
};

}  // namespace

std::string explain(const Rule& rule, const ExplainContext& context) {
  return Page(rule, context).write();
}

}  // namespace vong::rules_tools
