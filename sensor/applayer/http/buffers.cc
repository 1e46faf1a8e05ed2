#include "sensor/applayer/http/buffers.h"

#include <array>

#include "base/strings.h"
#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/http/body.h"
#include "sensor/applayer/http/message.h"

namespace vong::http {
namespace {

using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::Transaction;

const HttpTransaction& http(const Transaction& tx) {
  return static_cast<const HttpTransaction&>(tx);
}

BufferView of(const Message& m, Slice s) {
  return s.present() ? BufferView::of(m.text(s)) : BufferView::none();
}
BufferView of_text(const std::string& text) {
  return text.empty() ? BufferView::none() : BufferView::of(text);
}

BufferView uri(const Transaction& tx, Direction, uint32_t, BufferScratch&) {
  return of_text(http(tx).uri_normalized);
}
BufferView uri_raw(const Transaction& tx, Direction, uint32_t, BufferScratch&) {
  return of(http(tx).request, http(tx).uri);
}
BufferView method(const Transaction& tx, Direction, uint32_t, BufferScratch&) {
  return of(http(tx).request, http(tx).method);
}
BufferView protocol(const Transaction& tx, Direction d, uint32_t, BufferScratch&) {
  const HttpTransaction& t = http(tx);
  return d == Direction::kToServer ? of(t.request, t.protocol)
                                   : of(t.response, t.response_protocol);
}
BufferView start_line(const Transaction& tx, Direction d, uint32_t, BufferScratch&) {
  const Message& m = http(tx).message(d);
  return of(m, m.line);
}
BufferView status_code(const Transaction& tx, Direction, uint32_t, BufferScratch&) {
  return of(http(tx).response, http(tx).status);
}
BufferView status_message(const Transaction& tx, Direction, uint32_t, BufferScratch&) {
  return of(http(tx).response, http(tx).status_message);
}
BufferView host(const Transaction& tx, Direction, uint32_t, BufferScratch&) {
  return of_text(http(tx).host);
}
BufferView host_raw(const Transaction& tx, Direction, uint32_t, BufferScratch&) {
  return of_text(http(tx).host_raw);
}

template <const char* kName>
BufferView field(const Transaction& tx, Direction d, uint32_t, BufferScratch&) {
  const auto value = http(tx).message(d).value_of(kName);
  return value ? BufferView::of(*value) : BufferView::none();
}

bool is_cookie(const Message& m, const Header& h, Direction d) {
  return equals_ignore_case(m.text(h.name), d == Direction::kToServer ? "cookie" : "set-cookie");
}

void append_field(const Message& m, const Header& h, std::string& out) {
  out.append(m.text(h.name)).append(": ").append(m.text(h.value));
}

// Every field but cookies, "Name: value\r\n" each.
BufferView headers(const Transaction& tx, Direction d, uint32_t, BufferScratch& scratch) {
  const Message& m = http(tx).message(d);
  scratch.clear();
  for (const Header& h : m.headers) {
    if (is_cookie(m, h, d)) continue;
    append_field(m, h, scratch);
    scratch.append("\r\n");
  }
  return of_text(scratch);
}

BufferView headers_raw(const Transaction& tx, Direction d, uint32_t, BufferScratch&) {
  const Message& m = http(tx).message(d);
  if (m.headers_end <= m.headers_at) return BufferView::none();
  return BufferView::of(std::string_view(m.raw).substr(m.headers_at, m.headers_end - m.headers_at));
}

BufferView header_names(const Transaction& tx, Direction d, uint32_t, BufferScratch& scratch) {
  const Message& m = http(tx).message(d);
  if (m.headers.empty()) return BufferView::none();
  scratch.assign("\r\n");
  for (const Header& h : m.headers) scratch.append(m.text(h.name)).append("\r\n");
  scratch.append("\r\n");
  return BufferView::of(scratch);
}

BufferView one_header(const Transaction& tx, Direction d, uint32_t i, BufferScratch& scratch) {
  const Message& m = http(tx).message(d);
  if (i >= m.headers.size()) return BufferView::none();
  scratch.clear();
  append_field(m, m.headers[i], scratch);
  return BufferView::of(scratch);
}

BufferView start(const Transaction& tx, Direction d, uint32_t, BufferScratch& scratch) {
  const Message& m = http(tx).message(d);
  if (!m.line.present()) return BufferView::none();
  scratch.assign(m.text(m.line)).append("\r\n");
  for (const Header& h : m.headers) {
    append_field(m, h, scratch);
    scratch.append("\r\n");
  }
  scratch.append("\r\n");
  return BufferView::of(scratch);
}

BufferView body(const Transaction& tx, Direction d, uint32_t, BufferScratch&) {
  const HttpTransaction& t = http(tx);
  const Body& b = t.message(d).body;
  if (b.total == 0 || !body_is_presentable(t, d)) return BufferView::none();
  BufferView v = BufferView::of(b.window);
  v.offset = b.window_offset;
  v.complete = t.progress_of(d) > kBody || b.limit_reached;
  return v;
}

BufferView file_data(const Transaction& tx, Direction d, uint32_t i, BufferScratch&) {
  const HttpTransaction& t = http(tx);
  const applayer::File* f = applayer::file_at(tx, d, i);
  if (f == nullptr || f->size == 0) return BufferView::none();
  if (f->state == applayer::FileState::kOpen && !body_is_presentable(t, d))
    return BufferView{{}, 0, true, false};
  return applayer::content_of(*f);
}

constexpr char kCookie[] = "cookie", kSetCookie[] = "set-cookie", kUserAgent[] = "user-agent",
               kAccept[] = "accept", kAcceptEncoding[] = "accept-encoding",
               kAcceptLanguage[] = "accept-language", kReferer[] = "referer",
               kConnection[] = "connection", kContentType[] = "content-type",
               kContentLength[] = "content-length", kLocation[] = "location", kServer[] = "server";

BufferView cookie(const Transaction& tx, Direction d, uint32_t i, BufferScratch& scratch) {
  return d == Direction::kToServer ? field<kCookie>(tx, d, i, scratch)
                                   : field<kSetCookie>(tx, d, i, scratch);
}

constexpr uint8_t kNo = BufferDef::kNotHere;

// name, sticky alias, content modifier, pcre flag, to server from, to client from, getter, several,
// streaming, help.
constexpr auto kBuffers = std::to_array<BufferDef>({
    {"http.uri", "", "http_uri", 'U', kHeaders, kNo, uri, false, false,
     "Request target, normalized"},
    {"http.uri.raw", "", "http_raw_uri", 'I', kHeaders, kNo, uri_raw, false, false,
     "Request target as it came"},
    {"http.method", "", "http_method", 'M', kHeaders, kNo, method, false, false, "Request method"},
    {"http.protocol", "http_protocol", "", 0, kHeaders, kHeaders, protocol, false, false,
     "Protocol and version of the start line"},
    {"http.request_line", "http_request_line", "", 0, kHeaders, kNo, start_line, false, false,
     "Request line without its end"},
    {"http.response_line", "http_response_line", "", 0, kNo, kHeaders, start_line, false, false,
     "Status line without its end"},
    {"http.stat_code", "", "http_stat_code", 'S', kNo, kHeaders, status_code, false, false,
     "Status code"},
    {"http.stat_msg", "", "http_stat_msg", 'Y', kNo, kHeaders, status_message, false, false,
     "Reason phrase"},
    {"http.host", "", "http_host", 'W', kBody, kNo, host, false, false,
     "Host name, lower case, without port"},
    {"http.host.raw", "", "http_raw_host", 'Z', kBody, kNo, host_raw, false, false,
     "Host field as it came"},
    {"http.header", "", "http_header", 'H', kBody, kBody, headers, false, false,
     "All fields but cookies, 'Name: value' and CRLF each"},
    {"http.header.raw", "", "http_raw_header", 'D', kBody, kBody, headers_raw, false, false,
     "Header block as it came"},
    {"http.header_names", "http_header_names", "", 0, kBody, kBody, header_names, false, false,
     "Names of all fields between CRLFs, in order"},
    {"http.request_header", "http_request_header", "", 0, kBody, kNo, one_header, true, false,
     "Each request field, 'name: value'"},
    {"http.response_header", "http_response_header", "", 0, kNo, kBody, one_header, true, false,
     "Each response field, 'name: value'"},
    {"http.start", "http_start", "", 0, kBody, kBody, start, false, false,
     "Start line and all fields, CRLF each"},
    {"http.cookie", "", "http_cookie", 'C', kBody, kBody, cookie, false, false,
     "Cookie or Set-Cookie"},
    {"http.user_agent", "", "http_user_agent", 'V', kBody, kNo, field<kUserAgent>, false, false,
     "User-Agent"},
    {"http.accept", "http_accept", "", 0, kBody, kNo, field<kAccept>, false, false, "Accept"},
    {"http.accept_enc", "http_accept_enc", "", 0, kBody, kNo, field<kAcceptEncoding>, false, false,
     "Accept-Encoding"},
    {"http.accept_lang", "http_accept_lang", "", 0, kBody, kNo, field<kAcceptLanguage>, false,
     false, "Accept-Language"},
    {"http.referer", "http_referer", "", 0, kBody, kNo, field<kReferer>, false, false, "Referer"},
    {"http.connection", "http_connection", "", 0, kBody, kBody, field<kConnection>, false, false,
     "Connection"},
    {"http.content_type", "http_content_type", "", 0, kBody, kBody, field<kContentType>, false,
     false, "Content-Type"},
    {"http.content_len", "http_content_len", "", 0, kBody, kBody, field<kContentLength>, false,
     false, "Content-Length"},
    {"http.location", "http_location", "", 0, kNo, kBody, field<kLocation>, false, false,
     "Location"},
    {"http.server", "http_server", "", 0, kNo, kBody, field<kServer>, false, false, "Server"},
    {"http.request_body", "", "http_client_body", 'P', kBody, kNo, body, false, true,
     "Request body, decoded"},
    {"http.response_body", "", "http_server_body", 0, kNo, kBody, body, false, true,
     "Response body, decoded"},
    {"file.data", "file_data", "", 'Q', kBody, kBody, file_data, true, true, "Content of files"},
    {"file.name", "", "", 0, kBody, kBody, applayer::file_name, true, false, "Names of files"},
});

}  // namespace

std::span<const BufferDef> buffer_defs() { return kBuffers; }

}  // namespace vong::http
