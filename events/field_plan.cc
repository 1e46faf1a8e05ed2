#include "events/field_plan.h"

#include <algorithm>

#include "events/limits.h"

namespace vong::events {

namespace {

struct OtherName {
  std::string_view eve, other;
};

// Zeek's logs as JSON, and ECS. No name stands here that EVE uses for something else at that place
// (Zeek's "host" of http is EVE's sensor).
constexpr OtherName kOtherNames[] = {
    {"event_type", "_path"},
    {"event_type", "event.dataset"},
    {"src_ip", "id.orig_h"},
    {"src_ip", "source.ip"},
    {"src_port", "id.orig_p"},
    {"src_port", "source.port"},
    {"dest_ip", "id.resp_h"},
    {"dest_ip", "destination.ip"},
    {"dest_port", "id.resp_p"},
    {"dest_port", "destination.port"},
    {"proto", "network.transport"},
    {"app_proto", "network.protocol"},
    {"community_id", "network.community_id"},
    {"host", "observer.name"},
    {"alert.signature", "rule.name"},
    {"alert.signature", "note"},
    {"alert.signature_id", "rule.id"},
    {"alert.category", "rule.category"},
    {"dns.rrname", "query"},
    {"dns.rrname", "dns.question.name"},
    {"dns.rrtype", "qtype_name"},
    {"dns.rrtype", "dns.question.type"},
    {"dns.rcode", "rcode_name"},
    {"dns.rcode", "dns.response_code"},
    {"dns.answers.rdata", "answers"},
    {"dns.answers.rdata", "dns.answers.data"},
    {"http.hostname", "url.domain"},
    {"http.url", "uri"},
    {"http.url", "url.original"},
    {"http.http_method", "method"},
    {"http.http_method", "http.request.method"},
    {"http.http_user_agent", "user_agent"},
    {"http.http_user_agent", "user_agent.original"},
    {"http.http_refer", "referrer"},
    {"http.http_refer", "http.request.referrer"},
    {"http.status", "status_code"},
    {"http.status", "http.response.status_code"},
    {"tls.sni", "server_name"},
    {"tls.sni", "tls.client.server_name"},
    {"tls.ja3.hash", "ja3"},
    {"tls.ja3.hash", "tls.client.ja3"},
    {"tls.ja3s.hash", "ja3s"},
    {"tls.ja3s.hash", "tls.server.ja3s"},
    {"tls.ja4", "ja4"},
    {"tls.subject", "tls.server.subject"},
    {"tls.issuerdn", "tls.server.issuer"},
    {"fileinfo.filename", "filename"},
    {"fileinfo.filename", "file.name"},
    {"fileinfo.md5", "md5"},
    {"fileinfo.md5", "file.hash.md5"},
    {"fileinfo.sha1", "sha1"},
    {"fileinfo.sha1", "file.hash.sha1"},
    {"fileinfo.sha256", "sha256"},
    {"fileinfo.sha256", "file.hash.sha256"},
    {"flow.bytes_toserver", "orig_bytes"},
    {"flow.bytes_toserver", "source.bytes"},
    {"flow.bytes_toclient", "resp_bytes"},
    {"flow.bytes_toclient", "destination.bytes"},
    {"flow.pkts_toserver", "orig_pkts"},
    {"flow.pkts_toserver", "source.packets"},
    {"flow.pkts_toclient", "resp_pkts"},
    {"flow.pkts_toclient", "destination.packets"},
    {"flow.age", "duration"},
};

}  // namespace

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
  if (static_cast<size_t>(std::count(path.begin(), path.end(), '.')) >= kPathPartsMax)
    return fail("a field path has at most 12 parts");
  const auto id = static_cast<FieldId>(paths_.size());
  paths_.emplace_back(path);
  ids_.emplace(std::string(path), id);
  insert_path(path, id, false);
  for (const OtherName& row : kOtherNames) {
    if (row.eve == path) insert_path(row.other, id, true);
  }
  return id;
}

void FieldPlan::insert_path(std::string_view path, FieldId id, bool other_name) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    parts.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  insert(parts, id, other_name);
  if (parts.size() > 1) insert({path}, id, other_name);
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

void FieldPlan::insert(const std::vector<std::string_view>& parts, FieldId id, bool other_name) {
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
  FieldId& place = other_name ? nodes_[at].also : nodes_[at].field;
  if (place == kNoField) place = id;
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
