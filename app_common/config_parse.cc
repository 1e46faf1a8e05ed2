// YAML text to ConfigNode, straight from the parser's events: no second tree, and a cap can end the
// reading at once.
#include <fmt/format.h>
#include <sys/stat.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "app_common/config.h"

namespace vong::app {
namespace {

// Ends the parse from inside an event. Stays in this file: load() and parse() turn it into a
// problem.
struct Refused {
  Place place;
  std::string text;
};

Result<std::string> read_file(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return fail(std::strerror(errno));
  if (S_ISDIR(st.st_mode)) return fail("is a directory");
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return fail(std::strerror(errno));
  std::string text;
  char buffer[65536];
  std::size_t n;
  while (text.size() <= kMaxConfigBytes && (n = std::fread(buffer, 1, sizeof buffer, file)) > 0)
    text.append(buffer, n);
  const bool bad = std::ferror(file) != 0;
  std::fclose(file);
  if (bad) return fail("cannot be read");
  if (text.size() > kMaxConfigBytes)
    return fail(fmt::format("larger than {} MiB", kMaxConfigBytes >> 20));
  return text;
}

}  // namespace

// Builds one document. A stack of open containers; each finished node goes to the one below.
class ConfigBuilder : public YAML::EventHandler {
 public:
  ConfigBuilder(std::string file, int include_depth, std::size_t& nodes, Problems& problems)
      : file_(std::move(file)), include_depth_(include_depth), nodes_(nodes), problems_(problems) {}

  static ConfigNode build(std::string_view text, const std::string& file, int include_depth,
                          std::size_t& nodes, Problems& problems);

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    ConfigNode node = make(mark, ConfigNode::Kind::kNull);
    finish(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) throw Refused{at(mark), "alias of a value that is not finished"};
    nodes_ += it->second.count_nodes();
    check_nodes(mark);
    finish(it->second, YAML::NullAnchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag == "!include") return finish(include(at(mark), value), anchor);
    ConfigNode node = make(mark, ConfigNode::Kind::kScalar);
    node.quoted_ = tag == "!";
    if (!node.quoted_ && (value == "~" || value == "null" || value == "Null" || value == "NULL")) {
      node.kind_ = ConfigNode::Kind::kNull;
    } else {
      node.text_ = value;
    }
    finish(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, ConfigNode::Kind::kList, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, ConfigNode::Kind::kMap, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    ConfigNode node;
    YAML::anchor_t anchor;
    std::optional<std::string> key;  // of a map: the key that waits for its value
  };

  [[nodiscard]] Place at(const YAML::Mark& mark) const {
    return {file_, mark.line + 1, mark.column + 1};
  }
  void check_nodes(const YAML::Mark& mark) {
    if (nodes_ > kMaxConfigNodes)
      throw Refused{at(mark), fmt::format("more than {} values", kMaxConfigNodes)};
  }
  ConfigNode make(const YAML::Mark& mark, ConfigNode::Kind kind) {
    ++nodes_;
    check_nodes(mark);
    ConfigNode node;
    node.kind_ = kind;
    node.place_ = at(mark);
    return node;
  }
  void open(const YAML::Mark& mark, ConfigNode::Kind kind, YAML::anchor_t anchor) {
    if (stack_.size() >= kMaxConfigDepth)
      throw Refused{at(mark), fmt::format("nested deeper than {}", kMaxConfigDepth)};
    stack_.push_back({make(mark, kind), anchor, std::nullopt});
  }
  void close() {
    Open top = std::move(stack_.back());
    stack_.pop_back();
    finish(std::move(top.node), top.anchor);
  }
  void finish(ConfigNode node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& top = stack_.back();
    if (top.node.is_list()) {
      top.node.items_.push_back(std::move(node));
    } else if (!top.key) {
      if (!node.is_scalar() && !node.is_null())
        throw Refused{node.place_, "a key has to be a plain name"};
      top.key = node.text_;
    } else {
      add_entry(top.node, *std::exchange(top.key, std::nullopt), std::move(node));
    }
  }
  void add_entry(ConfigNode& map, std::string key, ConfigNode node) {
    if (stack_.size() == 1 && key == "include") return merge_includes(map, node);
    put(map, std::move(key), std::move(node));
  }
  void put(ConfigNode& map, std::string key, ConfigNode node) {
    // Maps of a configuration are small; a linear search keeps the order of the file.
    for (auto& [name, old] : map.entries_) {
      if (name != key) continue;
      problems_.warning(node.place_,
                        fmt::format("'{}' replaces the one in line {}", key, old.place_.line));
      old = std::move(node);
      return;
    }
    if (map.entries_.size() >= kMaxMapEntries)
      throw Refused{node.place_, fmt::format("more than {} keys in one map", kMaxMapEntries)};
    map.entries_.emplace_back(std::move(key), std::move(node));
  }
  void merge_includes(ConfigNode& map, const ConfigNode& names) {
    auto merge = [&](const ConfigNode& name) {
      if (!name.is_scalar())
        throw Refused{name.place_, "include takes a file name or a list of them"};
      ConfigNode included = include(name.place_, name.text_);
      for (auto& [key, value] : included.entries_) put(map, key, std::move(value));
    };
    if (!names.is_list()) return merge(names);
    for (const ConfigNode& name : names.items_) merge(name);
  }
  ConfigNode include(const Place& place, const std::string& name) {
    if (include_depth_ >= kMaxIncludeDepth)
      throw Refused{place, fmt::format("includes nested deeper than {}", kMaxIncludeDepth)};
    const std::filesystem::path base = std::filesystem::path(file_).parent_path();
    const std::string path = (base / name).string();  // an absolute name stays as it is
    Result<std::string> text = read_file(path);
    if (!text) throw Refused{place, fmt::format("include {}: {}", path, text.error().message)};
    return build(*text, path, include_depth_ + 1, nodes_, problems_);
  }

  static constexpr std::size_t kMaxMapEntries = 4096;

  std::string file_;
  int include_depth_;
  std::size_t& nodes_;
  Problems& problems_;
  ConfigNode root_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, ConfigNode> anchors_;
};

ConfigNode ConfigBuilder::build(std::string_view text, const std::string& file, int include_depth,
                                std::size_t& nodes, Problems& problems) {
  ConfigBuilder builder(file, include_depth, nodes, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
  } catch (const YAML::Exception& e) {
    throw Refused{{file, e.mark.line + 1, e.mark.column + 1}, e.msg};
  }
  return std::move(builder.root_);
}

Config Config::parse(std::string_view text, std::string name, Problems& problems) {
  Config config;
  std::size_t nodes = 0;
  try {
    config.root_ = ConfigBuilder::build(text, name, 0, nodes, problems);
  } catch (const Refused& refused) {
    problems.error(refused.place, refused.text);
    return config;
  }
  if (config.root_.kind() == ConfigNode::Kind::kScalar || config.root_.is_list()) {
    problems.error(config.root_.place(), "expected a map of keys at the top");
    config.root_ = ConfigNode();
  }
  return config;
}

Config Config::load(const std::string& path, Problems& problems) {
  const Result<std::string> text = read_file(path);
  if (!text) {
    problems.error({path, 1, 1}, text.error().message);
    return {};
  }
  return parse(*text, path, problems);
}

}  // namespace vong::app
