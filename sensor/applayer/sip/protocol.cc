// SIP and SDP as a table: buffers, records, detection.
#include <array>

#include "sensor/applayer/sip/parser.h"

namespace vong::sip {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Message& of(const Tx& tx) { return static_cast<const Transaction&>(tx).message; }

// ---------------------------------------------------------------- buffers

// Start line's parts: of requests, of responses, or of both.
template <std::string Message::*kText>
BufferView part(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return BufferView::of(of(tx).*kText);
}

struct Name {
  char text[16];
};
template <Name kName>
BufferView header(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  const std::string* value = of(tx).header(kName.text, i);
  return value != nullptr ? BufferView::of(*value) : BufferView::none();
}

BufferView view_of(const std::string& text) {
  return text.empty() ? BufferView::none() : BufferView::of(text);
}

template <std::string Sdp::*kText>
BufferView sdp_text(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  return of(tx).sdp ? view_of((*of(tx).sdp).*kText) : BufferView::none();
}

BufferView nth(const std::vector<std::string>& list, uint32_t& i) {
  if (i < list.size()) return BufferView::of(list[i]);
  i -= static_cast<uint32_t>(list.size());
  return BufferView::none();
}

// Of the session first, then of each medium.
template <std::vector<std::string> Sdp::*kSession, std::vector<std::string> SdpMedia::*kMedia>
BufferView sdp_list(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  if (!of(tx).sdp) return BufferView::none();
  const Sdp& sdp = *of(tx).sdp;
  if (const BufferView v = nth(sdp.*kSession, i); v.present) return v;
  for (const SdpMedia& m : sdp.media) {
    if (const BufferView v = nth(m.*kMedia, i); v.present) return v;
  }
  return BufferView::none();
}

BufferView sdp_time(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  if (!of(tx).sdp || i >= of(tx).sdp->times.size()) return BufferView::none();
  return BufferView::of(of(tx).sdp->times[i].time);
}

BufferView sdp_repeat_time(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  if (!of(tx).sdp) return BufferView::none();
  for (const SdpTime& t : of(tx).sdp->times) {
    if (const BufferView v = nth(t.repeats, i); v.present) return v;
  }
  return BufferView::none();
}

// The i-th medium that has this line.
template <std::string SdpMedia::*kText>
BufferView sdp_media(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  if (!of(tx).sdp) return BufferView::none();
  for (const SdpMedia& m : of(tx).sdp->media) {
    if (!(m.*kText).empty() && i-- == 0) return BufferView::of(m.*kText);
  }
  return BufferView::none();
}

constexpr BufferDef buffer(std::string_view name, bool requests, bool responses,
                           applayer::BufferGetter get, bool multi, std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = requests ? uint8_t{1} : kNever,
          .to_client_progress = responses ? uint8_t{1} : kNever,
          .get = get,
          .multi = multi,
          .help = help};
}
constexpr BufferDef both(std::string_view name, applayer::BufferGetter get, bool multi,
                         std::string_view help) {
  return buffer(name, true, true, get, multi, help);
}

constexpr std::array kBuffers = {
    buffer("sip.method", true, false, part<&Message::method>, false, "method of a request"),
    buffer("sip.uri", true, false, part<&Message::uri>, false, "URI of a request"),
    buffer("sip.request_line", true, false, part<&Message::start_line>, false,
           "first line of a request"),
    buffer("sip.stat_code", false, true, part<&Message::code>, false, "status code of a response"),
    buffer("sip.stat_msg", false, true, part<&Message::reason>, false, "status text of a response"),
    buffer("sip.response_line", false, true, part<&Message::start_line>, false,
           "first line of a response"),
    both("sip.protocol", part<&Message::version>, false, "protocol version of the first line"),
    both("sip.from", header<Name{"from"}>, true, "From headers"),
    both("sip.to", header<Name{"to"}>, true, "To headers"),
    both("sip.via", header<Name{"via"}>, true, "Via headers"),
    both("sip.user_agent", header<Name{"user-agent"}>, true, "User-Agent headers"),
    both("sip.content_type", header<Name{"content-type"}>, true, "Content-Type headers"),
    both("sip.content_length", header<Name{"content-length"}>, true, "Content-Length headers"),
    both("sdp.session_name", sdp_text<&Sdp::name>, false, "session name (s=)"),
    both("sdp.session_info", sdp_text<&Sdp::info>, false, "session information (i=)"),
    both("sdp.origin", sdp_text<&Sdp::origin>, false, "originator (o=)"),
    both("sdp.uri", sdp_text<&Sdp::uri>, false, "URI of the session (u=)"),
    both("sdp.email", sdp_text<&Sdp::email>, false, "mail address (e=)"),
    both("sdp.phone_number", sdp_text<&Sdp::phone>, false, "phone number (p=)"),
    both("sdp.connection_data", sdp_text<&Sdp::connection>, false, "connection data (c=)"),
    both("sdp.bandwidth", sdp_list<&Sdp::bandwidths, &SdpMedia::bandwidths>, true,
         "bandwidths (b=)"),
    both("sdp.time", sdp_time, true, "start and stop times (t=)"),
    both("sdp.repeat_time", sdp_repeat_time, true, "repeat times (r=)"),
    both("sdp.timezone", sdp_text<&Sdp::timezone>, false, "time zone (z=)"),
    both("sdp.encryption_key", sdp_text<&Sdp::key>, false, "encryption key (k=)"),
    both("sdp.attribute", sdp_list<&Sdp::attributes, &SdpMedia::attributes>, true,
         "attributes (a=)"),
    both("sdp.media.media", sdp_media<&SdpMedia::media>, true, "media descriptions (m=)"),
    both("sdp.media.session_info", sdp_media<&SdpMedia::info>, true, "information of media (i=)"),
    both("sdp.media.connection_data", sdp_media<&SdpMedia::connection>, true,
         "connection data of media (c=)"),
    both("sdp.media.encryption_key", sdp_media<&SdpMedia::key>, true,
         "encryption keys of media (k=)"),
};

// ---------------------------------------------------------------- records

void text(JsonWriter& out, std::string_view key, const std::string& value) {
  if (!value.empty()) out.field(key, value);
}

void list(JsonWriter& out, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out.open_array(key);
  for (const std::string& v : values) out.string(v);
  out.close_array();
}

void times(JsonWriter& out, const std::vector<SdpTime>& values) {
  if (values.empty()) return;
  out.open_array("time_descriptions");
  for (const SdpTime& t : values) {
    out.open_object();
    out.field("time", t.time);
    if (!t.repeats.empty()) out.field("repeat_time", t.repeats.front());
    out.close_object();
  }
  out.close_array();
}

void media(JsonWriter& out, const std::vector<SdpMedia>& values) {
  if (values.empty()) return;
  out.open_array("media_descriptions");
  for (const SdpMedia& m : values) {
    out.open_object();
    out.field("media", m.media);
    text(out, "media_info", m.info);
    list(out, "bandwidths", m.bandwidths);
    text(out, "connection_data", m.connection);
    text(out, "encryption_key", m.key);
    list(out, "attributes", m.attributes);
    out.close_object();
  }
  out.close_array();
}

void sdp(JsonWriter& out, const Sdp& s) {
  out.open_object("sdp");
  out.field("version", s.version);
  out.field("origin", s.origin);
  out.field("session_name", s.name);
  text(out, "session_info", s.info);
  text(out, "uri", s.uri);
  text(out, "email", s.email);
  text(out, "phone_number", s.phone);
  text(out, "connection_data", s.connection);
  list(out, "bandwidths", s.bandwidths);
  times(out, s.times);
  text(out, "timezone", s.timezone);
  text(out, "encryption_key", s.key);
  list(out, "attributes", s.attributes);
  media(out, s.media);
  out.close_object();
}

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"incomplete_data", "incomplete_data"},
    {"invalid_data", "invalid_data"},
}};

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "sip",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_sip},
    LoggerDef{.event_type = "sip",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_sip},
};

// ---------------------------------------------------------------- detection

ProbeVerdict probe(Direction d, Bytes data) {
  const auto is = looks_like_message(d == Direction::kToServer, as_text(data));
  if (!is) return ProbeVerdict::kMoreData;
  return *is ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

// Of a datagram the method is enough (SSDP's NOTIFY counts so with the reference), and a flow may be seen from its answers on.
ProbeVerdict probe_datagram(Direction d, Bytes data) {
  if (d == Direction::kToServer && begins_with_method(as_text(data))) return ProbeVerdict::kYes;
  const ProbeVerdict v = probe(d, data);
  if (v != ProbeVerdict::kNo) return v;
  return probe(opposite(d), data) == ProbeVerdict::kYes ? ProbeVerdict::kReversed
                                                        : ProbeVerdict::kNo;
}

constexpr uint16_t kProbeBytes = 4;

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<SipParser>(); }

constexpr std::string_view kFrames[] = {"pdu",           "request.line",     "request.headers", "request.body",
                                        "response.line", "response.headers", "response.body"};   // by Frame

}  // namespace

bool alert_sip(const Tx& base, const applayer::LogContext&, JsonWriter& out) {
  const Message& m = of(base);
  out.open_object("sip");
  if (m.request) {
    out.field("method", m.method);
    out.field("uri", m.uri);
    out.field("version", m.version);
    out.field("request_line", m.start_line);
  } else {
    out.field("version", m.version);
    out.field("code", m.code);
    out.field("reason", m.reason);
    out.field("response_line", m.start_line);
  }
  if (m.sdp) sdp(out, *m.sdp);
  out.close_object();
  return true;
}

bool log_sip(const Tx& base, const applayer::LogContext& context, JsonWriter& out) {
  if (of(base).request != (context.direction == Direction::kToServer)) return false;
  return alert_sip(base, context, out);
}

const ProtocolDef kSipProtocol = {
    .id = AppProto::kSip,
    .name = "sip",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = {},
              .min_bytes = kProbeBytes,
              .datagram_probe = probe_datagram},
    .complete = {1, 1},
    .make = make,
    .buffers = kBuffers,
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = alert_sip,
    .unidirectional = true,
    .frames = kFrames,
};

}  // namespace vong::sip
