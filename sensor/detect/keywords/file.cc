// Keywords on files that protocols carry: name, type, size, hashes, storing.
#include <algorithm>
#include <filesystem>

#include "absl/container/flat_hash_set.h"
#include "rules/network/read_file.h"
#include "sensor/applayer/core/file.h"
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

using applayer::File;
using applayer::FileState;

template <typename F>
Status add_file_condition(RuleBuilder& b, const rules::Option& o, F f, std::optional<Direction> only = std::nullopt) {
  b.set.file_needs.any = true;
  b.set.conditions.push_back(condition([f = std::move(f)](Runtime& rt) { return rt.file != nullptr && f(*rt.file); }));
  TxEngine e;
  e.kind = EngineKind::kFile;
  e.condition = b.set.conditions.back().get();
  return b.add_engine(e, only != Direction::kToClient, only != Direction::kToServer, o.name);
}

rules::Parsed<rules::Content> text_of(const rules::Option& o) {
  const auto content = rules::parse_content(o.value);
  if (!content) return std::unexpected(content.error());
  return *content;
}

bool contains_nocase(std::string_view text, std::string_view lower) {
  const auto it = std::search(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char c) { return ascii_lower(a) == c; });
  return it != text.end();
}

Status setup_filename(RuleBuilder& b, const rules::Option& o) {
  const auto c = text_of(o);
  if (!c) return std::unexpected(c.error());
  return add_file_condition(b, o, [want = to_lower(c->bytes), negated = c->negated](const File& f) {
    return !f.name.empty() && contains_nocase(f.name, want) != negated;
  });
}

Status setup_fileext(RuleBuilder& b, const rules::Option& o) {
  const auto c = text_of(o);
  if (!c) return std::unexpected(c.error());
  return add_file_condition(b, o, [want = "." + to_lower(c->bytes), negated = c->negated](const File& f) {
    if (f.name.empty()) return false;
    const bool ends = f.name.size() >= want.size() && equals_ignore_case(std::string_view(f.name).substr(f.name.size() - want.size()), want);
    return ends != negated;
  });
}

Status setup_filemagic(RuleBuilder& b, const rules::Option& o) {
  const auto c = text_of(o);
  if (!c) return std::unexpected(c.error());
  b.set.file_needs.magic = true;
  return add_file_condition(b, o, [want = to_lower(c->bytes), negated = c->negated](const File& f) {
    return !f.magic.empty() && contains_nocase(f.magic, want) != negated;
  });
}

Status setup_filesize(RuleBuilder& b, const rules::Option& o) {
  std::string_view value = o.value;
  std::optional<Direction> only;
  if (const size_t comma = value.find(','); comma != std::string_view::npos) {   // "to_client, <100"
    const auto said = b.only_direction(rules::trim(value.substr(0, comma)));
    if (!said) return std::unexpected(said.error());
    only = *said;
    value = rules::trim(value.substr(comma + 1));
  }
  const auto t = rules::parse_number_test(value);
  if (!t) return std::unexpected(t.error());
  return add_file_condition(b, o, [test = *t](const File& f) {
    if (f.state == FileState::kClosed) return test.matches(f.size);
    // Of a file that still grows only a lower bound is certain.
    return (test.compare == rules::Compare::kGreater || test.compare == rules::Compare::kGreaterEqual) && test.matches(f.size);
  }, only);
}

// Lists of hashes, one a line, beside the rule file.
template <std::string File::* Hash, size_t Digits>
Status setup_hash(RuleBuilder& b, const rules::Option& o) {
  std::string_view name = o.value;
  const bool negated = name.starts_with("!");
  if (negated) name = rules::trim(name.substr(1));
  std::filesystem::path path{std::string(name)};
  if (path.is_relative()) path = std::filesystem::path(b.env.rule_dir) / path;
  const auto text = rules::read_file(path.string());
  if (!text) return value_error(o.value, text.error().message);
  auto hashes = std::make_shared<absl::flat_hash_set<std::string>>();
  for (const std::string_view raw : split(*text, '\n')) {
    std::string_view line = rules::trim(raw);
    const size_t end = line.find_first_of(" \t,;");
    line = line.substr(0, end);
    if (line.empty() || line.front() == '#') continue;
    if (line.size() != Digits || line.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      return value_error(o.value, fmt::format("{}: not a hash of {} digits: {}", path.string(), Digits, rules::shown(line)));
    }
    hashes->insert(to_lower(line));
  }
  if constexpr (Digits == 32) b.set.file_needs.md5 = true;
  else if constexpr (Digits == 40) b.set.file_needs.sha1 = true;
  else b.set.file_needs.sha256 = true;
  return add_file_condition(b, o, [hashes, negated](const File& f) {
    const std::string& hash = f.*Hash;
    return f.state == FileState::kClosed && !hash.empty() && hashes->contains(hash) != negated;
  });
}

// filestore[:request|response|both|to_server|to_client[, file|tx|ssn|flow]]
Status setup_filestore(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  bool both = false, whole_tx = false, flow = false;
  std::optional<Direction> only;
  for (size_t i = 0; i < parts->size(); ++i) {
    const std::string_view p = (*parts)[i];
    if (p == "both") both = true;
    else if (p == "tx") whole_tx = true;
    else if (p == "ssn" || p == "flow") flow = true;
    else if (p == "request" || p == "to_server") only = Direction::kToServer;
    else if (p == "response" || p == "to_client") only = Direction::kToClient;
    else if (p != "file") {
      return value_error(p, "expected request|response|both and file|tx|flow");
    }
  }
  b.set.file_needs.any = b.set.file_needs.sha256 = true;
  add_effect(b, [both, whole_tx, flow, only](Runtime& rt) {
    if (rt.tx == nullptr) return;
    const uint32_t sid = rt.rule->sid;
    const auto want = [&](File& f) {
      f.store_wanted = true;
      if (std::find(f.sids.begin(), f.sids.end(), sid) == f.sids.end() && f.sids.size() < kMaxFlowbitsPerFlow) f.sids.push_back(sid);
    };
    if (rt.file != nullptr && !both && !whole_tx && !flow && (!only || *only == rt.direction)) {
      want(*rt.file);
      return;
    }
    auto& tx = const_cast<applayer::Transaction&>(*rt.tx);
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
      if (only ? d != *only : d != rt.direction && !both && !whole_tx && !flow) continue;
      if (applayer::FileContainer* files = tx.files(d)) {
        for (File& f : files->files()) want(f);
      }
    }
  });
  return add_file_condition(b, o, [](const File&) { return true; });
}

constexpr Keyword kKeywords[] = {
    {"filename", "", KeywordKind::kFile, ValueUse::kRequired, setup_filename, nullptr, 0, "[!]\"<text>\"", "Part of the file's name, any letter case."},
    {"fileext", "", KeywordKind::kFile, ValueUse::kRequired, setup_fileext, nullptr, 0, "[!]\"<extension>\"", "Extension of the file's name, any letter case."},
    {"filemagic", "", KeywordKind::kFile, ValueUse::kRequired, setup_filemagic, nullptr, 0, "[!]\"<text>\"", "Part of libmagic's description."},
    {"filesize", "", KeywordKind::kFile, ValueUse::kRequired, setup_filesize, nullptr, 0, "[<|>]<bytes> or <min><><max>", "Size of the file."},
    {"filemd5", "", KeywordKind::kFile, ValueUse::kRequired, setup_hash<&File::md5, 32>, nullptr, 0, "[!]<file>", "MD5 of the file is in a list."},
    {"filesha1", "", KeywordKind::kFile, ValueUse::kRequired, setup_hash<&File::sha1, 40>, nullptr, 0, "[!]<file>", "SHA-1 of the file is in a list."},
    {"filesha256", "", KeywordKind::kFile, ValueUse::kRequired, setup_hash<&File::sha256, 64>, nullptr, 0, "[!]<file>", "SHA-256 of the file is in a list."},
    {"filestore", "", KeywordKind::kFile, ValueUse::kOptional, setup_filestore, nullptr, 0, "[request|response|both][, file|tx|flow]", "Stores the file."},
};

}  // namespace

std::span<const Keyword> file_keywords() { return kKeywords; }

}  // namespace vong::detect
