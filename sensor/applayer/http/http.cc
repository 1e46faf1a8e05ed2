// The table that makes HTTP/1 known: detection, buffers, events, records.
#include <array>

#include "sensor/applayer/http/buffers.h"
#include "sensor/applayer/http/parser.h"
#include "sensor/applayer/http/records.h"

namespace vong::http {
namespace {

using applayer::ProbePattern;

#define METHOD(name) \
  {name " ", false, 0, 0, Direction::kToServer}, { name "\t", false, 0, 0, Direction::kToServer }
constexpr auto kPatterns = std::to_array<ProbePattern>({
    METHOD("GET"),
    METHOD("PUT"),
    METHOD("POST"),
    METHOD("HEAD"),
    METHOD("TRACE"),
    METHOD("OPTIONS"),
    METHOD("CONNECT"),
    METHOD("DELETE"),
    METHOD("PATCH"),
    METHOD("PROPFIND"),
    METHOD("PROPPATCH"),
    METHOD("MKCOL"),
    METHOD("COPY"),
    METHOD("MOVE"),
    METHOD("LOCK"),
    METHOD("UNLOCK"),
    METHOD("CHECKOUT"),
    METHOD("UNCHECKOUT"),
    METHOD("CHECKIN"),
    METHOD("UPDATE"),
    METHOD("LABEL"),
    METHOD("REPORT"),
    METHOD("MKWORKSPACE"),
    METHOD("MKACTIVITY"),
    METHOD("MERGE"),
    METHOD("INVALID"),
    METHOD("VERSION-CONTROL"),
    METHOD("BASELINE-CONTROL"),
    {"HTTP/0.9", false, 0, 0, Direction::kToClient},
    {"HTTP/1.0", false, 0, 0, Direction::kToClient},
    {"HTTP/1.1", false, 0, 0, Direction::kToClient},
});
#undef METHOD

std::shared_ptr<const void> configure(const Settings& settings) {
  return make_http_config(settings);
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  return std::make_unique<HttpParser>(*static_cast<const HttpConfig*>(config));
}

constexpr auto kLoggers = std::to_array<applayer::LoggerDef>({
    {"http", kComplete, kComplete, Direction::kToServer, log_http},
});

constexpr std::string_view kFrames[] = {"request", "response"};  // by Frame

applayer::ProtocolDef make_def() {
  applayer::ProtocolDef def;
  def.id = applayer::AppProto::kHttp1;
  def.name = "http";
  def.rule_alias = "http1";
  def.probe.patterns = kPatterns;
  def.complete = {kComplete, kComplete};
  def.configure = configure;
  def.make = make;
  def.buffers = buffer_defs();
  def.events = event_defs();
  def.loggers = kLoggers;
  def.alert_record = alert_http;
  def.frames = kFrames;
  return def;
}

}  // namespace

const applayer::ProtocolDef kHttp1Protocol = make_def();

}  // namespace vong::http
