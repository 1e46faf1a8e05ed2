#include "events/field_plan.h"

#include <algorithm>

#include "events/limits.h"

namespace vong::events {

FieldPlan::FieldPlan() : nodes_(1) {}

Result<FieldId> FieldPlan::add(std::string_view path) {
  if (const FieldId known = find(path); known != kNoField) return known;
  if (path.empty() || path.size() > kPathBytesMax)
    return fail("a field name must have 1 to 256 characters");
  if (path.find('"') != path.npos || path.find('\\') != path.npos || path.find('\0') != path.npos) {
    return fail("a field name cannot hold a quote, a backslash or a zero byte");
  }
  if (paths_.size() >= kFieldsMax)
    return fail("too many different fields in the rules (limit 4096)");
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    parts.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  if (parts.size() > kPathPartsMax) return fail("a field path has at most 12 parts");
  const auto id = static_cast<FieldId>(paths_.size());
  paths_.emplace_back(path);
  ids_.emplace(std::string(path), id);
  insert(parts, id);
  if (parts.size() > 1) insert({path}, id);
  return id;
}

FieldId FieldPlan::find(std::string_view path) const {
  const auto it = ids_.find(path);
  return it == ids_.end() ? kNoField : it->second;
}

const FieldPlan::Child* FieldPlan::child_named(const Node& node, std::string_view name) const {
  for (const Child& child : node.children) {
    if (child.name == name) return &child;
  }
  return nullptr;
}

void FieldPlan::insert(const std::vector<std::string_view>& parts, FieldId id) {
  uint32_t at = 0;
  for (const std::string_view part : parts) {
    if (const Child* child = child_named(nodes_[at], part)) {
      at = child->node;
      continue;
    }
    const auto next = static_cast<uint32_t>(nodes_.size());
    nodes_[at].children.push_back({std::string(part), 0, next});
    rebuild_table(nodes_[at]);
    nodes_.emplace_back();
    at = next;
  }
  nodes_[at].field = id;
}

void FieldPlan::rebuild_table(Node& node) {
  size_t size = 8;
  while (size < node.children.size() * 4) size *= 2;
  node.table.assign(size, -1);
  for (size_t i = 0; i < node.children.size(); ++i) {
    std::string quoted = node.children[i].name + '"';
    quoted.resize(quoted.size() + 8);
    node.children[i].key = prefix_key(quoted.data());
    size_t slot = slot_of(node.children[i].key) & (size - 1);
    while (node.table[slot] >= 0) slot = (slot + 1) & (size - 1);
    node.table[slot] = static_cast<int16_t>(i);
  }
}

}  // namespace vong::events
