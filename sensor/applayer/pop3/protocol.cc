// POP3 as a table: record, events, detection, configuration.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "sensor/applayer/core/file_buffers.h"
#include "sensor/applayer/pop3/parser.h"

namespace vong::pop3 {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;

namespace {

void strings(JsonWriter& out, std::string_view key, const std::vector<std::string>& values) {
  out.open_array(key);
  for (const std::string& v : values) out.string(v);
  out.close_array();
}

bool log_pop3(const applayer::Transaction& base, const applayer::LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  out.open_object("pop3");
  if (tx.request) {
    out.open_object("request");
    out.field("command", tx.request->command);
    strings(out, "args", tx.request->arguments);
    out.close_object();
  }
  if (tx.response) {
    out.open_object("response");
    out.field("success", tx.response->success);
    out.field("status", tx.response->success ? "OK" : "ERR");
    out.field("header", tx.response->header);
    strings(out, "data", tx.response->data);
    out.close_object();
  }
  out.close_object();
  return true;
}

// Beside alerts and files stands whose mail it was.
bool log_with_mail(const applayer::Transaction& base, const applayer::LogContext& context, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  if (!log_pop3(base, context, out)) return false;
  if (tx.mail != nullptr && !tx.mail->mime().headers().empty()) smtp::write_email(tx.mail->mime(), nullptr, out);
  return true;
}

constexpr std::array kBuffers = {
    applayer::file_data_buffer(BufferDef::kNotHere, kInProgress),
    applayer::file_name_buffer(BufferDef::kNotHere, kInProgress),
};

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"too_many_transactions", "too_many_transactions"},
    {"request_too_long", "request_too_long"},
    {"incorrect_argument_count", "incorrect_argument_count"},
    {"unknown_command", "unknown_command"},
    {"response_too_long", "response_too_long"},
}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "pop3",
                                           .to_server_progress = kComplete,
                                           .to_client_progress = kComplete,
                                           .direction = Direction::kToServer,
                                           .log = log_pop3}};

ProbeVerdict probe(Direction d, Bytes data) {
  const std::string_view text = as_text(data);
  const auto begins = [&](std::string_view prefix) {
    if (text.size() >= prefix.size())
      return starts_with_ignore_case(text, prefix) ? ProbeVerdict::kYes : ProbeVerdict::kNo;
    return starts_with_ignore_case(prefix, text) ? ProbeVerdict::kMoreData : ProbeVerdict::kNo;
  };
  if (d == Direction::kToClient) {
    const ProbeVerdict ok = begins("+OK");
    return ok != ProbeVerdict::kNo ? ok : begins("-ERR");
  }
  const size_t end = text.find_first_of(" \r\n");
  constexpr size_t kLongestCommand = 4;
  if (end == std::string_view::npos)
    return text.size() <= kLongestCommand ? ProbeVerdict::kMoreData : ProbeVerdict::kNo;
  std::string name(text.substr(0, end));
  for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return find_command(name) != nullptr ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

constexpr std::array<uint16_t, 1> kPorts = {110};

std::shared_ptr<const void> configure(const Settings& s) {
  auto config = std::make_shared<Config>();
  config->transactions_max = static_cast<size_t>(std::clamp<int64_t>(
      s.integer("app-layer.protocols.pop3.max-tx", kMaxTransactions), 1, 1 << 14));
  config->mail = smtp::make_config(s);
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<Pop3Parser>(config != nullptr ? *static_cast<const Config*>(config)
                                                        : kDefault);
}

}  // namespace

const ProtocolDef kPop3Protocol = {
    .id = AppProto::kPop3,
    .name = "pop3",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 3},
    .complete = {kComplete, kComplete},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_with_mail,
};

}  // namespace vong::pop3
