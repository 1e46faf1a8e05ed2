#include "sensor/applayer/http/line_log.h"

#include "base/strings.h"
#include "fmt/format.h"
#include "sensor/applayer/http/message.h"

namespace vong::http {
namespace {

const HttpTransaction& own(const applayer::Transaction& tx) { return static_cast<const HttpTransaction&>(tx); }

bool wants(const applayer::Transaction& tx) { return own(tx).uri.present() || own(tx).status.present(); }

void add(std::string& out, std::string_view text, std::string_view when_empty) { out.append(text.empty() ? when_empty : text); }

std::string_view value(const Message& m, std::string_view lower_name) { return m.value_of(lower_name).value_or(std::string_view()); }

bool is_redirect(int status) { return status == 301 || status == 302; }

void add_status(const HttpTransaction& tx, std::string& out) {
  add(out, tx.response.text(tx.status), "<no status>");
  if (!is_redirect(tx.status_code)) return;
  if (const auto to = value(tx.response, "location"); !to.empty()) out.append(" => ").append(to);
}

void standard(const applayer::Transaction& base, bool extended, std::string& out) {
  const HttpTransaction& tx = own(base);
  constexpr std::string_view kBar = " [**] ";
  add(out, tx.host, "<hostname unknown>");
  out.append(kBar);
  add(out, tx.request.text(tx.uri), "/");
  out.append(kBar);
  add(out, value(tx.request, "user-agent"), "<useragent unknown>");
  if (!extended) return;
  out.append(kBar);
  add(out, value(tx.request, "referer"), "<no referer>");
  out.append(kBar);
  add(out, tx.request.text(tx.method), "<no method>");
  out.append(kBar);
  add(out, tx.request.text(tx.protocol), "<no protocol>");
  out.append(kBar);
  add_status(tx, out);
  out.append(kBar).append(fmt::format("{} bytes", tx.response.wire_bytes));
}

bool field(const applayer::Transaction& base, char code, std::string_view argument, std::string& out) {
  const HttpTransaction& tx = own(base);
  switch (code) {
    case 'h': add(out, tx.host, "-"); return true;
    case 'H': add(out, tx.request.text(tx.protocol), "-"); return true;
    case 'm': add(out, tx.request.text(tx.method), "-"); return true;
    case 'u': add(out, tx.request.text(tx.uri), "-"); return true;
    case 'i': add(out, value(tx.request, to_lower(argument)), "-"); return true;
    case 'o': add(out, value(tx.response, to_lower(argument)), "-"); return true;
    case 'B': out.append(fmt::format("{}", tx.response.wire_bytes)); return true;
    case 's':
      add(out, tx.response.text(tx.status), "-");
      if (const auto to = value(tx.response, "location"); is_redirect(tx.status_code) && !to.empty()) out.append("(").append(to).append(")");
      return true;
    default: return false;
  }
}

}  // namespace

const applayer::LineLogDef kHttpLineLog = {
    .output = "http-log",
    .filename = "http.log",
    .protocol = "http",
    .event_type = "http",
    .wants = wants,
    .standard = standard,
    .ends_first = false,
    .field = field,
};

}  // namespace vong::http
