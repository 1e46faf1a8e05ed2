#include "sensor/applayer/http2/records.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "fmt/format.h"
#include "sensor/applayer/http2/transaction.h"

namespace vong::http2 {
namespace {

using applayer::LogContext;

const Http2Transaction& of(const applayer::Transaction& tx) {
  return static_cast<const Http2Transaction&>(tx);
}

bool loggable(const Field& f) {
  return f.status == FieldStatus::kOk || f.status == FieldStatus::kSizeUpdate;
}

void write_fields(const Side& s, std::string_view key, JsonWriter& out) {
  if (std::ranges::none_of(s.fields, loggable)) return;
  out.open_array(key);
  for (const Field& f : s.fields) {
    if (!loggable(f)) continue;
    out.open_object();
    if (f.status == FieldStatus::kSizeUpdate) {
      out.field("table_size_update", f.size_update);
    } else {
      out.field("name", f.name());
      out.field("value", f.value());
    }
    out.close_object();
  }
  out.close_array();
}

// The last field of this name in either side: responses come after requests.
std::optional<std::string_view> last_value(const Http2Transaction& tx, std::string_view name) {
  for (const Direction d : {Direction::kToClient, Direction::kToServer}) {
    const auto& fields = tx.side(d).fields;
    for (auto f = fields.rbegin(); f != fields.rend(); ++f) {
      if (f->status == FieldStatus::kOk && equals_ignore_case(f->name(), name)) return f->value();
    }
  }
  return std::nullopt;
}

void write_common(const Http2Transaction& tx, JsonWriter& out) {
  static constexpr std::pair<std::string_view, std::string_view> kTexts[] = {
      {":method", "http_method"},
      {":path", "url"},
      {"host", "hostname"},
      {"user-agent", "http_user_agent"}};
  static constexpr std::pair<std::string_view, std::string_view> kNumbers[] = {
      {"content-length", "length"}, {":status", "status"}};
  for (const auto& [name, key] : kTexts) {
    if (const auto v = last_value(tx, name)) out.field(key, *v);
  }
  for (const auto& [name, key] : kNumbers) {
    const auto v = last_value(tx, name);
    if (!v) continue;
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(v->data(), v->data() + v->size(), number);
    if (error == std::errc() && end == v->data() + v->size()) out.field(key, number);
  }
}

std::string or_number(std::string name, uint32_t value) {
  return name.empty() ? fmt::format("UNKNOWN({})", value) : name;
}

bool has_frame_notes(const Side& s, Direction d) {
  return !s.settings.empty() || !s.errors.empty() ||
         (d == Direction::kToServer && !s.priorities.empty());
}

void write_frame_notes(const Side& s, Direction d, JsonWriter& out) {
  if (!has_frame_notes(s, d)) return;
  out.open_object(d == Direction::kToServer ? "request" : "response");
  if (!s.settings.empty()) {
    out.open_array("settings");
    for (const Setting& setting : s.settings) {
      out.open_object();
      out.field("settings_id", or_number(record_name(setting_names(), setting.id), setting.id));
      out.field("settings_value", setting.value);
      out.close_object();
    }
    out.close_array();
  }
  const bool priorities = d == Direction::kToServer;  // a server has none to give
  if (priorities && !s.priorities.empty()) out.field("priority", s.priorities.front());
  if (!s.errors.empty()) {
    out.field("error_code",
              or_number(record_name(error_code_names(), s.errors.front()), s.errors.front()));
  }
  if (priorities && s.priorities.size() > 1) {
    out.field("has_multiple", "priority");
  } else if (s.errors.size() > 1) {
    out.field("has_multiple", "error_code");
  }
  out.close_object();
}

const dns::Transaction* dns_of(const Http2Transaction& tx) {
  const auto& response = tx.side(Direction::kToClient).dns;
  return response != nullptr ? response.get() : tx.side(Direction::kToServer).dns.get();
}

}  // namespace

bool log_http2(const applayer::Transaction& t, const LogContext&, JsonWriter& out) {
  const auto& tx = of(t);
  const Side& request = tx.side(Direction::kToServer);
  const Side& response = tx.side(Direction::kToClient);
  if (std::ranges::none_of(request.fields, loggable) &&
      std::ranges::none_of(response.fields, loggable) &&
      !has_frame_notes(request, Direction::kToServer) &&
      !has_frame_notes(response, Direction::kToClient)) {
    return false;
  }
  out.open_object("http");
  out.field("version", "2");
  write_fields(request, "request_headers", out);
  write_fields(response, "response_headers", out);
  write_common(tx, out);
  out.open_object("http2");
  out.field("stream_id", tx.stream_id);
  write_frame_notes(request, Direction::kToServer, out);
  write_frame_notes(response, Direction::kToClient, out);
  out.close_object();
  out.close_object();
  return true;
}

bool log_without_dns(const applayer::Transaction& tx, const LogContext& context, JsonWriter& out) {
  return dns_of(of(tx)) == nullptr && log_http2(tx, context, out);
}

bool log_dns(const applayer::Transaction& tx, const LogContext& context, JsonWriter& out) {
  return dns_of(of(tx)) != nullptr && alert_doh2(tx, context, out);
}

bool alert_doh2(const applayer::Transaction& tx, const LogContext& context, JsonWriter& out) {
  const bool http = log_http2(tx, context, out);
  const dns::Transaction* message = dns_of(of(tx));
  if (message == nullptr) return http;
  return dns::alert_dns(*message, context, out) || http;
}

}  // namespace vong::http2
