#include "sensor/applayer/http/records.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/strings.h"
#include "sensor/applayer/http/message.h"
#include "sensor/applayer/http/syntax.h"

namespace vong::http {
namespace {

using applayer::LogContext;

// Fields that `custom` may name, by the side they are looked up on; a name's underscores are the
// field's dashes.
constexpr auto kRequestFields = std::to_array<std::string_view>({
    "accept",
    "accept_charset",
    "accept_encoding",
    "accept_language",
    "accept_datetime",
    "authorization",
    "cache_control",
    "cookie",
    "from",
    "max_forwards",
    "origin",
    "pragma",
    "proxy_authorization",
    "range",
    "te",
    "via",
    "x_requested_with",
    "dnt",
    "x_forwarded_proto",
    "x_authenticated_user",
    "x_flash_version",
    "true_client_ip",
    "org_src_ip",
    "x_bluecoat_via",
});
constexpr auto kResponseFields = std::to_array<std::string_view>({
    "accept_range",
    "age",
    "allow",
    "connection",
    "content_encoding",
    "content_language",
    "content_length",
    "content_location",
    "content_md5",
    "content_range",
    "content_type",
    "date",
    "etag",
    "last_modified",
    "link",
    "location",
    "proxy_authenticate",
    "referrer",
    "refresh",
    "retry_after",
    "server",
    "set_cookie",
    "trailer",
    "transfer_encoding",
    "upgrade",
    "vary",
    "warning",
    "www_authenticate",
    "expires",
});

std::string field_name(std::string_view custom) {
  if (custom == "referrer") return "referer";
  std::string name(custom);
  std::ranges::replace(name, '_', '-');
  return name;
}

void write_basic(const HttpTransaction& tx, const LogContext& context, JsonWriter& out) {
  if (!tx.host.empty()) out.field("hostname", tx.host);
  if (tx.port > 0) out.field("http_port", tx.port);
  if (tx.uri.present()) out.field("url", tx.request.text(tx.uri));
  if (const auto agent = tx.request.value_of("user-agent")) out.field("http_user_agent", *agent);
  if (context.options != nullptr) {  // set by who writes the record
    if (const auto client = context.options->get("xff.address")) out.field("xff", *client);
  }
  if (const auto type = tx.response.value_of("content-type")) {
    out.field("http_content_type", type->substr(0, type->find(';')));
  }
  if (const auto range = tx.response.value_of("content-range")) {
    out.open_object("content_range");
    out.field("raw", *range);
    if (const auto r = parse_content_range(*range)) {
      if (r->start >= 0) out.field("start", r->start);
      if (r->end >= 0) out.field("end", r->end);
      if (r->size >= 0) out.field("size", r->size);
    }
    out.close_object();
  }
}

void write_extended(const HttpTransaction& tx, JsonWriter& out) {
  if (const auto referer = tx.request.value_of("referer")) out.field("http_refer", *referer);
  if (tx.method.present()) out.field("http_method", tx.request.text(tx.method));
  if (tx.protocol.present()) out.field("protocol", tx.request.text(tx.protocol));
  if (tx.status_code > 0) {
    out.field("status", tx.status_code);
  } else if (tx.status.present()) {
    out.field("status_string", tx.response.text(tx.status));
  }
  if (const auto location = tx.response.value_of("location")) out.field("redirect", *location);
  out.field("length", tx.response.wire_bytes);
}

// Of those that `custom` names, the ones with a key of their own in the record; the others stand among the headers.
constexpr auto kKeyedFields =
    std::to_array<std::string_view>({"true_client_ip", "org_src_ip", "x_bluecoat_via"});

bool is_keyed(std::string_view name) {
  return std::ranges::find(kKeyedFields, name) != kKeyedFields.end();
}

// The names in `custom`, with underscores.
std::vector<std::string> custom_names(const Settings& options) {
  std::vector<std::string> names;
  for (const std::string& n : options.children("custom")) {
    names.push_back(to_lower(options.text("custom." + n, "")));
    std::ranges::replace(names.back(), '-', '_');
  }
  return names;
}

void write_keyed(const HttpTransaction& tx, const std::vector<std::string>& custom,
                 JsonWriter& out) {
  for (const std::string& name : custom) {
    if (!is_keyed(name)) continue;
    if (const auto value = tx.request.value_of(field_name(name))) out.field(name, *value);
  }
}

// The names, as headers spell them in lower case, that `custom` asks for on this side. A field that belongs to one side is looked
// up there alone.
std::vector<std::string> wanted_on(Direction d, const std::vector<std::string>& custom) {
  std::vector<std::string> names;
  for (const std::string& name : custom) {
    const bool in_request = std::ranges::find(kRequestFields, name) != kRequestFields.end();
    const bool in_response = std::ranges::find(kResponseFields, name) != kResponseFields.end();
    const bool other_side = d == Direction::kToServer ? in_response && !in_request
                                                      : in_request && !in_response;
    if (!other_side && !is_keyed(name)) names.push_back(field_name(name));
  }
  return names;
}

// Headers as they stand on the wire: those of these names (lower case), or all.
void write_headers(const Message& m, std::string_view key, const std::vector<std::string>* names,
                   JsonWriter& out) {
  bool open = false;
  for (const Header& h : m.headers) {
    const std::string_view name = m.text(h.name);
    if (names != nullptr && std::ranges::find(*names, to_lower(name)) == names->end()) continue;
    if (!open) out.open_array(key);
    open = true;
    out.open_object();
    out.field("name", name);
    out.field("value", m.text(h.value));
    out.close_object();
  }
  if (open) out.close_array();
}

void write_bodies(const HttpTransaction& tx, const Settings& options, JsonWriter& out) {
  const bool plain = options.flag("http-body", false),
             printable = options.flag("http-body-printable", false);
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    const Body& b = tx.message(d).body;
    if (b.window.empty()) continue;
    const bool request = d == Direction::kToServer;
    if (printable) {
      out.key(request ? "http_request_body_printable" : "http_response_body_printable");
      out.printable(as_bytes(b.window));
    }
    if (plain) {
      out.key(request ? "http_request_body" : "http_response_body");
      out.base64(as_bytes(b.window));
    }
  }
}

}  // namespace

bool log_http(const applayer::Transaction& t, const LogContext& context, JsonWriter& out) {
  const auto& tx = static_cast<const HttpTransaction&>(t);
  out.open_object("http");
  write_basic(tx, context, out);
  std::vector<std::string> custom;
  if (context.options != nullptr) custom = custom_names(*context.options);
  write_keyed(tx, custom, out);
  if (context.options == nullptr || context.options->flag("extended", false))
    write_extended(tx, out);
  if (context.options != nullptr) {
    const std::string dump = to_lower(context.options->text("dump-all-headers", "none"));
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
      const bool request = d == Direction::kToServer;
      const bool all = dump == "both" || dump == (request ? "request" : "response");
      if (!all && custom.empty()) continue;
      const std::vector<std::string> names = wanted_on(d, custom);
      write_headers(tx.message(d), request ? "request_headers" : "response_headers",
                    all ? nullptr : &names, out);
    }
  }
  out.close_object();
  return true;
}

bool alert_http(const applayer::Transaction& t, const LogContext& context, JsonWriter& out) {
  const auto& tx = static_cast<const HttpTransaction&>(t);
  out.open_object("http");
  write_basic(tx, context, out);
  write_extended(tx, out);
  if (context.options != nullptr) write_bodies(tx, *context.options, out);
  out.close_object();
  return true;
}

}  // namespace vong::http
