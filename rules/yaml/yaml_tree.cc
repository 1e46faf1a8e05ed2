#include "rules/yaml/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "rules/network/nearest_name.h"
#include "rules/yaml/limits.h"

namespace vong::yaml {

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlEntry& e : entries) {
    if (e.key == key) return &e.value;
  }
  return nullptr;
}

namespace {

// Stops yaml-cpp from within a handler; caught in parse_yaml.
struct Refused {
  SourcePos pos;
  std::string message;
};

SourcePos pos_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

size_t count_nodes(const YamlNode& n) {
  size_t total = 1;
  for (const YamlNode& item : n.items) total += count_nodes(item);
  for (const YamlEntry& e : n.entries) total += count_nodes(e.value);
  return total;
}

size_t depth_of(const YamlNode& n) {
  size_t deepest = 0;
  for (const YamlNode& item : n.items) deepest = std::max(deepest, depth_of(item));
  for (const YamlEntry& e : n.entries) deepest = std::max(deepest, depth_of(e.value));
  return deepest + 1;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::vector<YamlNode>& documents, Diagnostics& diagnostics)
      : documents_(documents), diagnostics_(diagnostics) {}

  void OnDocumentStart(const YAML::Mark&) override {
    stack_.clear();
    anchors_.clear();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode n;
    n.pos = pos_of(mark);
    finish(std::move(n), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end())
      throw Refused{pos_of(mark), "an alias refers to a value that is not complete yet"};
    count(count_nodes(it->second), pos_of(mark));
    if (stack_.size() + depth_of(it->second) > kDepthMax)
      throw Refused{pos_of(mark), "nested too deep"};
    YamlNode copy = it->second;
    finish(std::move(copy), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode n;
    n.pos = pos_of(mark);
    n.plain = tag == "?";
    if (n.plain && (value == "null" || value == "~" || value == "Null" || value == "NULL")) {
      n.kind = YamlNode::Kind::kNull;
    } else {
      n.kind = YamlNode::Kind::kScalar;
      n.text = value;
    }
    finish(std::move(n), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    bool has_key = false;
  };

  void count(size_t nodes, SourcePos pos) {
    nodes_ += nodes;
    if (nodes_ > kNodesMax)
      throw Refused{pos, "too many values in one file (limit 400000, aliases counted as copies)"};
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() >= kDepthMax) throw Refused{pos_of(mark), "nested too deep (limit 32)"};
    Open o{{}, anchor};
    o.node.kind = kind;
    o.node.pos = pos_of(mark);
    stack_.push_back(std::move(o));
  }

  void close() {
    Open o = std::move(stack_.back());
    stack_.pop_back();
    finish(std::move(o.node), o.anchor);
  }

  void finish(YamlNode n, YAML::anchor_t anchor) {
    count(1, n.pos);
    if (anchor != 0) {
      count(count_nodes(n), n.pos);  // the anchor keeps a copy
      anchors_[anchor] = n;
    }
    if (stack_.empty()) {
      if (documents_.size() >= kDocumentsMax)
        throw Refused{n.pos, "too many documents in one file (limit 20000)"};
      documents_.push_back(std::move(n));
      return;
    }
    Open& parent = stack_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(n));
    } else if (!parent.has_key) {
      if (!n.is_scalar() && !n.is_null()) throw Refused{n.pos, "a key must be plain text"};
      parent.node.entries.push_back({n.text, n.pos, {}});
      parent.has_key = true;
    } else {
      parent.node.entries.back().value = std::move(n);
      parent.has_key = false;
      note_duplicate(parent.node);
    }
  }

  void note_duplicate(const YamlNode& map) {
    const YamlEntry& last = map.entries.back();
    if (map.entries.size() > 256) return;  // long maps are data, and this search is quadratic
    for (size_t i = 0; i + 1 < map.entries.size(); ++i) {
      if (map.entries[i].key == last.key) {
        diagnostics_.error(last.pos, "key " + rules::shown(last.key) + " stands twice in this map");
        return;
      }
    }
  }

  std::vector<YamlNode>& documents_;
  Diagnostics& diagnostics_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t nodes_ = 0;
};

}  // namespace

std::vector<YamlNode> parse_yaml(std::string_view text, Diagnostics& diagnostics) {
  std::vector<YamlNode> documents;
  if (text.size() > kFileBytesMax) {
    diagnostics.error({}, "file too long (limit 4 MiB)");
    return documents;
  }
  if (const size_t zero = text.find('\0'); zero != text.npos) {
    const auto line = static_cast<uint32_t>(
        1 + std::count(text.begin(), text.begin() + static_cast<long>(zero), '\n'));
    diagnostics.error({line, 1}, "not a text file: it holds a zero byte");
    return documents;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder(documents, diagnostics);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    diagnostics.error(refused.pos, refused.message);
  } catch (const YAML::Exception& e) {
    diagnostics.error(pos_of(e.mark), "not valid YAML: " + e.msg);
  } catch (const std::exception& e) {
    diagnostics.error({}, std::string("not valid YAML: ") + e.what());
  }
  return documents;
}

}  // namespace vong::yaml
