// HTTP/2 and DNS over HTTP/2 as tables.
#include <array>
#include <utility>

#include "base/strings.h"
#include "sensor/applayer/http2/buffers.h"
#include "sensor/applayer/http2/parser.h"
#include "sensor/applayer/http2/records.h"

namespace vong::http2 {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::NumberDef;
using applayer::ProbePattern;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;

namespace {

constexpr std::array<EventDef, static_cast<size_t>(Event::kCount)> kEvents = {{
    {"invalid_frame_header", "invalid_frame_header"},
    {"invalid_client_magic", "invalid_client_magic"},
    {"invalid_frame_data", "invalid_frame_data"},
    {"invalid_header", "invalid_header"},
    {"invalid_frame_length", "invalid_frame_length"},
    {"extra_header_data", "extra_header_data"},
    {"long_frame_data", "long_frame_data"},
    {"stream_id_reuse", "stream_id_reuse"},
    {"invalid_http1_settings", "invalid_http1_settings"},
    {"failed_decompression", "failed_decompression"},
    {"invalid_range", "invalid_range"},
    {"header_integer_overflow", "header_integer_overflow"},
    {"too_many_streams", "too_many_streams"},
    {"authority_host_mismatch", "authority_host_mismatch"},
    {"userinfo_in_uri", "userinfo_in_uri"},
    {"reassembly_limit_reached", "reassembly_limit_reached"},
    {"dns_request_too_long", "dns_request_too_long"},
    {"dns_response_too_long", "dns_response_too_long"},
    {"data_stream_zero", "data_stream_zero"},
    {"too_many_frames", "too_many_frames"},
}};

// ---------------------------------------------------------------- detection

constexpr auto kPatterns = std::to_array<ProbePattern>({
    {"PRI * HTTP/2.0\r\n", false, 0, 0, Direction::kToServer},
});
// A server's first frame is SETTINGS; that looks like much else, so it counts only where HTTP/2 was
// agreed on or the client speaks it.
ProbeVerdict probe(Direction d, Bytes data) {
  if (d == Direction::kToServer) return ProbeVerdict::kNo;
  if (data.size() < kFrameHeaderBytes) return ProbeVerdict::kMoreData;
  const FrameHeader h = read_frame_header(data);
  return h.type == FrameType::kSettings && h.length <= kFirstFrameBytesMax && h.length % 6 == 0 &&
                 !h.reserved && (h.flags & ~kAck) == 0 && h.stream_id == 0
             ? ProbeVerdict::kYes
             : ProbeVerdict::kNo;
}

std::shared_ptr<const void> configure(const Settings& settings) { return make_config(settings); }

std::unique_ptr<applayer::Parser> make(const void* config) {
  return std::make_unique<Http2Parser>(*static_cast<const Config*>(config));
}

constexpr auto kLoggers = std::to_array<LoggerDef>({
    {.event_type = "http",
     .to_server_progress = kClosed,
     .to_client_progress = kClosed,
     .log = log_http2,
     .config = "http2"},
});
// The first stands where HTTP/2 has its own, so that a stream that was logged before its flow was
// renamed is not logged again.
constexpr auto kDohLoggers = std::to_array<LoggerDef>({
    {.event_type = "http",
     .to_server_progress = kClosed,
     .to_client_progress = kClosed,
     .log = log_without_dns,
     .config = "http2"},
    {.event_type = "dns",
     .to_server_progress = kClosed,
     .to_client_progress = kClosed,
     .log = log_dns,
     .config = "doh2"},
});

constexpr std::string_view kFrames[] = {"pdu", "hdr", "data"};  // by FrameKind

ProtocolDef make_http2() {
  ProtocolDef def;
  def.id = AppProto::kHttp2;
  def.name = "http2";
  def.probe.patterns = kPatterns;
  def.probe.when_expected = probe;
  def.complete = {kClosed, kClosed};
  def.configure = configure;
  def.make = make;
  def.buffers = buffer_defs();
  def.numbers = number_defs();
  def.matchers = matcher_defs();
  def.events = kEvents;
  def.loggers = kLoggers;
  def.alert_record = log_http2;
  def.frames = kFrames;
  return def;
}

// ---------------------------------------------------------------- DNS inside

// The DNS room's getters take a DNS transaction: each of its buffers and numbers gets a function
// here that hands them the one inside.
const dns::Transaction* dns_of(const applayer::Transaction& tx, Direction d) {
  return static_cast<const Http2Transaction&>(tx).side(d).dns.get();
}
template <size_t kIndex>
BufferView dns_buffer(const applayer::Transaction& tx, Direction d, uint32_t i,
                      BufferScratch& scratch) {
  const dns::Transaction* inner = dns_of(tx, d);
  return inner == nullptr ? BufferView::none()
                          : dns::kDnsProtocol.buffers[kIndex].get(*inner, d, i, scratch);
}
template <size_t kIndex>
std::optional<uint64_t> dns_number(const applayer::Transaction& tx, Direction d, uint32_t i) {
  const dns::Transaction* inner = dns_of(tx, d);
  return inner == nullptr ? std::nullopt : dns::kDnsProtocol.numbers[kIndex].get(*inner, d, i);
}

constexpr size_t kWrapped = 32;  // at least as many as the DNS room has of either
template <size_t... kIndex>
constexpr auto wrapped_buffers(std::index_sequence<kIndex...>) {
  return std::array<applayer::BufferGetter, sizeof...(kIndex)>{dns_buffer<kIndex>...};
}
template <size_t... kIndex>
constexpr auto wrapped_numbers(std::index_sequence<kIndex...>) {
  return std::array<decltype(NumberDef::get), sizeof...(kIndex)>{dns_number<kIndex>...};
}

template <typename Def>
void move_progress(Def& def) {
  if (def.to_server_progress != BufferDef::kNotHere) def.to_server_progress = kClientData;
  if (def.to_client_progress != BufferDef::kNotHere) def.to_client_progress = kServerData;
}

std::vector<BufferDef> doh_buffers() {
  static constexpr auto kGetters = wrapped_buffers(std::make_index_sequence<kWrapped>());
  const auto own = buffer_defs();
  std::vector<BufferDef> all(own.begin(), own.end());
  for (size_t i = 0; i < dns::kDnsProtocol.buffers.size() && i < kWrapped; ++i) {
    BufferDef def = dns::kDnsProtocol.buffers[i];
    def.get = kGetters[i];
    move_progress(def);
    all.push_back(def);
  }
  return all;
}

std::vector<NumberDef> doh_numbers() {
  static constexpr auto kGetters = wrapped_numbers(std::make_index_sequence<kWrapped>());
  const auto own = number_defs();
  std::vector<NumberDef> all(own.begin(), own.end());
  for (size_t i = 0; i < dns::kDnsProtocol.numbers.size() && i < kWrapped; ++i) {
    NumberDef def = dns::kDnsProtocol.numbers[i];
    def.get = kGetters[i];
    move_progress(def);
    all.push_back(def);
  }
  return all;
}

}  // namespace

std::span<const EventDef> event_defs() { return kEvents; }

std::shared_ptr<const Config> make_config(const Settings& settings) {
  auto c = std::make_shared<Config>();
  const std::string at = "app-layer.protocols.http2.";
  const auto number = [&](const char* key, int64_t value, int64_t most) {
    return std::clamp<int64_t>(settings.integer(at + key, value), 1, most);
  };
  c->streams_max = static_cast<uint32_t>(number("max-streams", kStreamsMax, 1 << 20));
  c->table_bytes_max = static_cast<size_t>(std::min<uint64_t>(
      settings.size_bytes(at + "max-table-size", kTableBytesMax), uint64_t{16} << 20));
  c->header_block_bytes_max = static_cast<size_t>(std::min<uint64_t>(
      settings.size_bytes(at + "max-reassembly-size", kHeaderBlockBytesMax), uint64_t{16} << 20));
  c->bomb_bytes_min = settings.size_bytes(
      "app-layer.protocols.http.libhtp.default-config.compression-bomb-limit", c->bomb_bytes_min);
  c->doh = settings.flag("app-layer.protocols.doh2.enabled", true);
  c->files = applayer::file_options(settings);
  return c;
}

const ProtocolDef& http2_def() {
  static const ProtocolDef kDef = make_http2();
  return kDef;
}

const ProtocolDef& doh2_def() {
  static const std::vector<BufferDef> kBuffers = doh_buffers();
  static const std::vector<NumberDef> kNumbers = doh_numbers();
  static const ProtocolDef kDef = [] {
    ProtocolDef def = make_http2();
    def.id = AppProto::kDoh2;
    def.name = "doh2";
    def.probe = {};
    def.buffers = kBuffers;
    def.numbers = kNumbers;
    def.loggers = kDohLoggers;
    def.alert_record = alert_doh2;
    return def;
  }();
  return kDef;
}

}  // namespace vong::http2
