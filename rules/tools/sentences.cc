#include "rules/tools/sentences.h"

#include <array>
#include <optional>

#include "rules/network/text.h"
#include "rules/network/threshold.h"
#include "rules/network/value.h"

namespace vong::rules_tools {
namespace {

using rules::equal_nocase;
using rules::Option;

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string result;
  for (const std::string& part : parts) {
    if (!result.empty()) result += separator;
    result += part;
  }
  return result;
}

std::vector<std::string_view> parts_of(std::string_view value) {
  auto parts = rules::split_parts(value);
  return parts ? std::move(*parts) : std::vector<std::string_view>{value};
}

struct Named {
  std::string_view name;
  Phrase phrase;
};

template <size_t N>
const Phrase* lookup(const std::array<Named, N>& table, std::string_view name) {
  for (const Named& entry : table) {
    if (equal_nocase(entry.name, name)) return &entry.phrase;
  }
  return nullptr;
}

// What stands behind a content; {} is the value.
constexpr auto kModifiers = std::to_array<Named>({
    {"nocase", {"in any letter case", "không phân biệt hoa thường"}},
    {"depth", {"within the first {} bytes from there", "trong {} byte đầu kể từ đó"}},
    {"offset", {"not before byte {}", "không trước byte {}"}},
    {"distance",
     {"at least {} bytes behind the previous match", "cách lần khớp trước ít nhất {} byte"}},
    {"within",
     {"ending at most {} bytes behind the previous match",
      "kết thúc cách lần khớp trước nhiều nhất {} byte"}},
    {"startswith", {"at the very beginning", "ở ngay đầu"}},
    {"endswith", {"at the very end", "ở ngay cuối"}},
    {"rawbytes", {"in the bytes as sent", "trong byte gốc"}},
});
constexpr Phrase kDepthAlone{"within the first {} bytes", "trong {} byte đầu"};
constexpr Phrase kDistanceZero{"behind the previous match", "sau lần khớp trước"};

std::string modifier_sentence(const Option& modifier, bool has_offset, Language language) {
  if (equal_nocase(modifier.name, "fast_pattern")) return {};
  const Phrase* phrase = lookup(kModifiers, modifier.name);
  if (phrase == nullptr) return {};
  if (equal_nocase(modifier.name, "depth") && !has_offset) phrase = &kDepthAlone;
  if (equal_nocase(modifier.name, "distance") && modifier.value == "0") phrase = &kDistanceZero;
  return say(language, *phrase, modifier.value);
}

std::string comparison(std::string_view value, Language language) {
  using rules::Compare;
  const auto test = rules::parse_number_test(value);
  if (!test) return say(language, {"is {}", "là {}"}, value);
  switch (test->compare) {
    case Compare::kEqual:
      return say(language, {"is {}", "bằng {}"}, test->a);
    case Compare::kNotEqual:
      return say(language, {"is not {}", "khác {}"}, test->a);
    case Compare::kLess:
      return say(language, {"is less than {}", "nhỏ hơn {}"}, test->a);
    case Compare::kLessEqual:
      return say(language, {"is at most {}", "nhiều nhất là {}"}, test->a);
    case Compare::kGreater:
      return say(language, {"is more than {}", "lớn hơn {}"}, test->a);
    case Compare::kGreaterEqual:
      return say(language, {"is at least {}", "ít nhất là {}"}, test->a);
    case Compare::kRange:
      return say(language,
                 {"lies between {} and {} (without them)", "nằm giữa {} và {} (không kể hai đầu)"},
                 test->a, test->b);
    case Compare::kNotRange:
      return say(language, {"does not lie between {} and {}", "không nằm giữa {} và {}"}, test->a,
                 test->b);
    case Compare::kMaskEqual:
      return say(language, {"under the mask {:#x} is {:#x}", "qua mặt nạ {:#x} bằng {:#x}"},
                 test->a, test->b);
    case Compare::kMaskNotEqual:
      return say(language, {"under the mask {:#x} is not {:#x}", "qua mặt nạ {:#x} khác {:#x}"},
                 test->a, test->b);
  }
  return {};
}

constexpr auto kFlow = std::to_array<Named>({
    {"established", {"the connection is established", "kết nối đã được thiết lập"}},
    {"not_established", {"the connection is not established", "kết nối chưa được thiết lập"}},
    {"stateless", {"whatever the state of the connection", "bất kể trạng thái kết nối"}},
    {"to_server", {"sent by the client to the server", "chiều từ máy khách đến máy chủ"}},
    {"from_client", {"sent by the client to the server", "chiều từ máy khách đến máy chủ"}},
    {"to_client", {"sent by the server to the client", "chiều từ máy chủ đến máy khách"}},
    {"from_server", {"sent by the server to the client", "chiều từ máy chủ đến máy khách"}},
    {"only_stream", {"in the reassembled stream only", "chỉ trong luồng đã ghép"}},
    {"no_stream", {"in single packets only", "chỉ trong từng gói"}},
    {"only_frag", {"in reassembled fragments only", "chỉ trong gói được ghép từ mảnh"}},
    {"no_frag", {"not in reassembled fragments", "không xét gói được ghép từ mảnh"}},
});

std::string flow_sentence(std::string_view value, Language language) {
  std::vector<std::string> said;
  for (const std::string_view part : parts_of(value)) {
    const Phrase* phrase = lookup(kFlow, part);
    said.push_back(phrase != nullptr ? std::string(phrase->in(language)) : std::string(part));
  }
  return join(said, ", ");
}

// flowbits, xbits and hostbits: "isset,name[,...]".
struct Bits {
  std::string_view command;
  std::string name;
  std::string rest;
};
std::optional<Bits> read_bits(const Option& option) {
  if (!equal_nocase(option.name, "flowbits") && !equal_nocase(option.name, "xbits") &&
      !equal_nocase(option.name, "hostbits")) {
    return {};
  }
  const auto parts = parts_of(option.value);
  Bits bits{parts.empty() ? std::string_view() : parts[0],
            parts.size() > 1 ? std::string(parts[1]) : "", ""};
  for (size_t i = 2; i < parts.size(); ++i) bits.rest += fmt::format(", {}", parts[i]);
  return bits;
}
Phrase bits_place(const Option& option) {
  if (equal_nocase(option.name, "flowbits")) return {"this flow", "luồng này"};
  return {"this host or pair of hosts", "máy hoặc cặp máy này"};
}

constexpr auto kBitConditions = std::to_array<Named>({
    {"isset",
     {"{} carries the mark {}{} (another rule sets it)", "{} mang dấu {}{} (do luật khác đặt)"}},
    {"isnotset", {"{} does not carry the mark {}{}", "{} không mang dấu {}{}"}},
});
constexpr auto kBitEffects = std::to_array<Named>({
    {"set", {"puts the mark {1} on {0}{2}", "đặt dấu {1} lên {0}{2}"}},
    {"unset", {"takes the mark {1} off {0}{2}", "bỏ dấu {1} khỏi {0}{2}"}},
    {"toggle", {"turns the mark {1} of {0} over{2}", "đảo dấu {1} của {0}{2}"}},
});

std::string bits_sentence(const Option& option, const Bits& bits, const Phrase* phrase,
                          Language language) {
  if (phrase == nullptr) return {};
  return say(language, *phrase, bits_place(option).in(language), bits.name, bits.rest);
}

std::string isdataat_sentence(std::string_view value, Language language) {
  bool negated = value.starts_with('!');
  const auto parts = parts_of(negated ? value.substr(1) : value);
  bool relative = false;
  for (const std::string_view part : parts) relative = relative || equal_nocase(part, "relative");
  const Phrase where =
      relative ? Phrase{" behind the previous match", " sau lần khớp trước"} : Phrase{"", ""};
  const Phrase phrase =
      negated
          ? Phrase{"there is no data {0} bytes on{1}", "không còn dữ liệu ở {0} byte tiếp theo{1}"}
          : Phrase{"there is data {0} bytes on{1}", "còn dữ liệu ở {0} byte tiếp theo{1}"};
  return say(language, phrase, parts.empty() ? std::string_view() : parts[0], where.in(language));
}

std::string byte_test_sentence(std::string_view value, Language language) {
  const auto parts = parts_of(value);
  if (parts.size() < 4) return {};
  std::vector<std::string> rest;
  bool relative = false;
  for (size_t i = 4; i < parts.size(); ++i) {
    if (equal_nocase(parts[i], "relative")) {
      relative = true;
    } else {
      rest.emplace_back(parts[i]);
    }
  }
  const Phrase where =
      relative ? Phrase{" behind the previous match", " sau lần khớp trước"} : Phrase{"", ""};
  std::string said = say(language,
                         {"the number in {0} bytes at byte {3}{4} is {1} {2}",
                          "số trong {0} byte tại byte {3}{4} thoả {1} {2}"},
                         parts[0], parts[1], parts[2], parts[3], where.in(language));
  if (!rest.empty()) said += fmt::format(" ({})", join(rest, ", "));
  return said;
}

std::string tcp_flags_sentence(std::string_view value, Language language) {
  constexpr std::array<std::pair<char, std::string_view>, 8> kNames = {{{'F', "FIN"},
                                                                        {'S', "SYN"},
                                                                        {'R', "RST"},
                                                                        {'P', "PSH"},
                                                                        {'A', "ACK"},
                                                                        {'U', "URG"},
                                                                        {'C', "CWR"},
                                                                        {'E', "ECE"}}};
  const auto parts = parts_of(value);
  if (parts.empty()) return {};
  std::vector<std::string> names;
  for (const char c : parts[0]) {
    for (const auto& [letter, name] : kNames) {
      if (letter == (c >= 'a' ? c - 32 : c)) names.emplace_back(name);
    }
  }
  std::string said = names.empty() ? say(language, {"TCP flags: {}", "cờ TCP: {}"}, value)
                                   : say(language, {"TCP flags {} ({})", "cờ TCP {} ({})"},
                                         join(names, "+"), value);
  return said;
}

std::string track_phrase(rules::Track track, Language language) {
  using rules::Track;
  switch (track) {
    case Track::kBySrc:
      return say(language, {"source address", "địa chỉ nguồn"});
    case Track::kByDst:
      return say(language, {"destination address", "địa chỉ đích"});
    case Track::kByBoth:
      return say(language, {"pair of addresses", "cặp địa chỉ"});
    case Track::kByRule:
      return say(language, {"rule", "luật"});
    case Track::kByFlow:
      return say(language, {"flow", "luồng"});
    case Track::kByEither:
      return say(language, {"address", "địa chỉ"});
  }
  return {};
}

std::string threshold_sentence(std::string_view value, Language language) {
  const auto t = rules::parse_threshold(value);
  if (!t) return {};
  const std::string each = track_phrase(t->track, language);
  using rules::ThresholdType;
  switch (t->type) {
    case ThresholdType::kLimit:
      return say(language,
                 {"at most {0} alerts in {1} seconds for each {2}",
                  "nhiều nhất {0} cảnh báo trong {1} giây cho mỗi {2}"},
                 t->count, t->seconds, each);
    case ThresholdType::kThreshold:
      return say(language,
                 {"an alert at every {0} matches within {1} seconds for each {2}",
                  "cứ {0} lần khớp trong {1} giây thì báo một lần cho mỗi {2}"},
                 t->count, t->seconds, each);
    case ThresholdType::kBoth:
      return say(language,
                 {"one alert in {1} seconds, once there were {0} matches, for each {2}",
                  "một cảnh báo trong {1} giây khi đã có {0} lần khớp, cho mỗi {2}"},
                 t->count, t->seconds, each);
    case ThresholdType::kBackoff:
      return say(language,
                 {"alerts at match {0}, then ever more rarely (times {1}), for each {2}",
                  "báo ở lần khớp thứ {0}, sau đó thưa dần (gấp {1}), cho mỗi {2}"},
                 t->count, t->multiplier, each);
  }
  return {};
}

std::string detection_filter_sentence(std::string_view value, Language language) {
  const auto t = rules::parse_detection_filter(value);
  if (!t) return {};
  return say(language,
             {"alerts only after {} matches within {} seconds for each {}",
              "chỉ báo sau {} lần khớp trong {} giây cho mỗi {}"},
             t->count, t->seconds, track_phrase(t->track, language));
}

std::string pcre_sentence(const Search& search, Language language) {
  const auto inner = rules::unquote(search.option->value, rules::Quotes::kOptional, true);
  if (!inner) return std::string(search.option->value);
  const size_t end = inner->text.rfind('/');
  const std::string_view flags =
      end == std::string_view::npos ? std::string_view() : inner->text.substr(end);
  const bool relative = flags.find('R') != std::string_view::npos;
  std::string said = say(
      language,
      inner->negated
          ? Phrase{"does not match the regular expression {}", "không khớp biểu thức chính quy {}"}
          : Phrase{"matches the regular expression {}", "khớp biểu thức chính quy {}"},
      inner->text);
  if (relative) said += ", " + say(language, kDistanceZero);
  return said;
}

}  // namespace

std::string shown_bytes(std::string_view bytes) {
  std::string shown = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\r') {
      shown += "\\r";
    } else if (c == '\n') {
      shown += "\\n";
    } else if (c == '"' || c == '\\') {
      shown += std::string{'\\', c};
    } else if (byte >= 0x20 && byte < 0x7F) {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", byte);
    }
  }
  return shown + "\"";
}

std::string plain_text(std::string_view value) {
  const auto inner = rules::unquote(value, rules::Quotes::kOptional, false);
  return rules::unescape_text(inner ? inner->text : value);
}

std::string search_sentence(const Search& search, Language language) {
  if (equal_nocase(search.option->name, "pcre")) return pcre_sentence(search, language);
  const auto content = rules::parse_content(search.option->value);
  if (!content) return std::string(search.option->value);
  std::string said = say(language,
                         content->negated ? Phrase{"does not contain {}", "không chứa {}"}
                                          : Phrase{"contains {}", "có chứa {}"},
                         shown_bytes(content->bytes));
  bool has_offset = false;
  for (const Option* modifier : search.modifiers) {
    has_offset = has_offset || equal_nocase(modifier->name, "offset");
  }
  for (const Option* modifier : search.modifiers) {
    const std::string part = modifier_sentence(*modifier, has_offset, language);
    if (!part.empty()) said += ", " + part;
  }
  return said;
}

std::string condition_sentence(const Option& option, Language language) {
  const auto is = [&](std::string_view name) { return equal_nocase(option.name, name); };
  if (is("flow")) return flow_sentence(option.value, language);
  if (const auto bits = read_bits(option)) {
    return bits_sentence(option, *bits, lookup(kBitConditions, bits->command), language);
  }
  if (is("threshold") || is("detection_filter") || is("noalert") || is("alert") || is("tag") ||
      is("filestore") || is("bypass") || is("config") || is("target") || is("prefilter") ||
      is("tls.store")) {
    return {};
  }
  if (is("isdataat")) return isdataat_sentence(option.value, language);
  if (is("flags") || is("tcp.flags")) return tcp_flags_sentence(option.value, language);
  if (is("bsize")) {
    return say(language, {"its size in bytes {}", "kích thước (byte) {}"},
               comparison(option.value, language));
  }
  if (is("byte_test")) {
    if (std::string said = byte_test_sentence(option.value, language); !said.empty()) return said;
  }
  const Word* word = find_word(option.name);
  if (word == nullptr) {
    return option.has_value ? fmt::format("{}: {}", option.name, option.value)
                            : std::string(option.name);
  }
  if (word->role == Role::kMeta) return {};
  const std::string_view phrase = word->phrase.in(language);
  if (!option.has_value || option.value.empty()) return std::string(phrase);
  if (word->role == Role::kNumber)
    return fmt::format("{} {}", phrase, comparison(option.value, language));
  return fmt::format("{}: {}", phrase, option.value);
}

std::string effect_sentence(const Option& option, Language language) {
  const auto is = [&](std::string_view name) { return equal_nocase(option.name, name); };
  if (const auto bits = read_bits(option)) {
    if (equal_nocase(bits->command, "noalert"))
      return say(language, {"raises no alert itself", "tự nó không cảnh báo"});
    return bits_sentence(option, *bits, lookup(kBitEffects, bits->command), language);
  }
  if (is("threshold")) return threshold_sentence(option.value, language);
  if (is("detection_filter")) return detection_filter_sentence(option.value, language);
  if (is("noalert")) return say(language, {"raises no alert itself", "tự nó không cảnh báo"});
  if (is("tag"))
    return say(language,
               {"also records the packets that follow ({})", "ghi thêm các gói tiếp theo ({})"},
               option.value);
  if (is("filestore")) return say(language, {"keeps the file", "lưu lại tệp"});
  if (is("tls.store")) return say(language, {"keeps the certificate", "lưu lại chứng thư"});
  if (is("bypass"))
    return say(language,
               {"the rest of the flow is not inspected", "phần còn lại của luồng không được xét"});
  if (is("config"))
    return say(language, {"changes how the flow is handled: {}", "đổi cách xử lý luồng: {}"},
               option.value);
  if (is("target")) {
    return equal_nocase(option.value, "src_ip")
               ? say(language, {"the source is the victim", "địa chỉ nguồn là nạn nhân"})
               : say(language, {"the destination is the victim", "địa chỉ đích là nạn nhân"});
  }
  return {};
}

}  // namespace vong::rules_tools
