// PostgreSQL as a table: buffer, record, events, detection, configuration.
#include <algorithm>
#include <array>

#include "sensor/applayer/pgsql/parser.h"

namespace vong::pgsql {

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

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

BufferView query(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto& r = of(tx).request;
  return r && r->query ? BufferView::of(*r->query) : BufferView::none();
}

constexpr std::array kBuffers = {BufferDef{.name = "pgsql.query",
                                           .alias = {},
                                           .modifier = {},
                                           .to_server_progress = kComplete,
                                           .to_client_progress = BufferDef::kNotHere,
                                           .get = query,
                                           .help = "text of a simple query"}};

// ---------------------------------------------------------------- record

void text(JsonWriter& out, std::string_view key, const std::optional<std::string>& value) {
  if (value) out.field(key, *value);
}

template <typename T>
void number(JsonWriter& out, std::string_view key, const std::optional<T>& value) {
  if (value) out.field(key, *value);
}

// Each an object of its own, as they came.
void parameters(JsonWriter& out, std::string_view key, const Parameters& list) {
  if (list.empty()) return;
  out.open_array(key);
  for (const auto& [name, value] : list) {
    out.open_object();
    out.key_escaped(snake_case(name));
    out.string(value);
    out.close_object();
  }
  out.close_array();
}

// The two that the server has go by the reference's names.
std::string_view mechanism(std::string_view name) {
  if (name == "SCRAM-SHA-256") return "scram_SHA256";
  if (name == "SCRAM-SHA-256-PLUS") return "scram_SHA256_plus";
  return name;
}

void log_request(JsonWriter& out, const Request& r, bool passwords) {
  out.open_object("request");
  text(out, "simple_query", r.query);
  if (!r.message.empty()) out.field("message", r.message);
  if (r.password && passwords) out.field("password", *r.password);
  if (r.password && !passwords) out.field("password_redacted", true);
  if (r.sasl_mechanism) out.field("sasl_authentication_mechanism", mechanism(*r.sasl_mechanism));
  text(out, "sasl_param", r.sasl_param);
  text(out, "sasl_response", r.sasl_response);
  if (r.has_version) {
    out.field("protocol_version", std::to_string(r.major) + "." + std::to_string(r.minor));
    out.open_object("startup_parameters");
    out.field("user", r.user);
    parameters(out, "optional_parameters", r.parameters);
    out.close_object();
  }
  number(out, "process_id", r.process_id);
  number(out, "secret_key", r.secret_key);
  if (r.copy) {
    out.open_object("copy_data_in");
    out.field("msg_count", r.copy_messages);
    out.field("data_size", r.copy_bytes);
    out.close_object();
  }
  out.close_object();
}

std::string_view error_key(char field) {
  switch (field) {
    case 'S':
      return "severity_localizable";
    case 'V':
      return "severity_non_localizable";
    case 'C':
      return "code";
    case 'M':
      return "message";
    case 'F':
      return "file";
    case 'L':
      return "line";
    case 'R':
      return "routine";
    default:
      return {};
  }
}

void log_error(JsonWriter& out, const Response& r) {
  std::string_view written;
  std::string seen;
  for (const auto& [field, value] : r.error) {
    written = error_key(field);
    if (written.empty() || seen.find(field) != std::string::npos) continue;
    seen.push_back(field);
    out.field(written, value);
  }
}

void columns(JsonWriter& out, std::string_view key, const std::optional<uint16_t>& value) {
  if (!value) return;
  out.open_object(key);
  out.field("columns", *value);
  out.close_object();
}

void log_response(JsonWriter& out, const Response& r) {
  out.open_object("response");
  if (r.ssl_accepted) out.field("ssl_accepted", *r.ssl_accepted);
  const bool error_text =
      std::ranges::any_of(r.error, [](const auto& f) { return f.first == 'M'; });
  if (!r.message.empty() && !error_text) out.field("message", r.message);
  text(out, "authentication_md5_password", r.md5_salt);
  text(out, "authentication_sasl_final", r.sasl_final);
  parameters(out, "parameter_status", r.parameters);
  number(out, "process_id", r.process_id);
  number(out, "secret_key", r.secret_key);
  number(out, "field_count", r.fields);
  if (r.rows > 0) {
    out.field("data_rows", r.rows);
    out.field("data_size", r.row_bytes);
  }
  columns(out, "copy_in_response", r.copy_in_columns);
  columns(out, "copy_out_response", r.copy_out_columns);
  if (r.copy_rows > 0) {
    out.open_object("copy_data_out");
    out.field("row_count", r.copy_rows);
    out.field("data_size", r.copy_bytes);
    out.close_object();
  }
  text(out, "command_completed", r.command);
  log_error(out, r);
  out.close_object();
}

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"invalid_length", "invalid_length"},
    {"malformed_request", "malformed_request"},
    {"malformed_response", "malformed_response"},
    {"too_many_transactions", "too_many_transactions"},
}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "pgsql",
                                           .to_server_progress = kComplete,
                                           .to_client_progress = kComplete,
                                           .direction = Direction::kToServer,
                                           .log = log_pgsql}};

// ---------------------------------------------------------------- detection, settings

ProbeVerdict probe(Direction d, Bytes data) {
  if (d == Direction::kToServer) {
    if (data.size() < kStartupHeaderBytes) return ProbeVerdict::kMoreData;
    const auto h = parse_startup_header(data);
    return h && known_code(h->code) ? ProbeVerdict::kYes : ProbeVerdict::kNo;
  }
  // An answer to the request for encryption, or a message.
  if (data.size() == 1 && (data[0] == 'S' || data[0] == 'N')) return ProbeVerdict::kYes;
  if (data.size() < kHeaderBytes) return ProbeVerdict::kMoreData;
  const uint32_t length = uint32_t{data[1]} << 24 | uint32_t{data[2]} << 16 |
                          uint32_t{data[3]} << 8 | uint32_t{data[4]};
  const bool begins = data[0] == 'R' || data[0] == 'E' || data[0] == 'v';
  return begins && length >= 4 && length <= kMaxStartupBytes ? ProbeVerdict::kYes
                                                             : ProbeVerdict::kNo;
}

constexpr std::array<uint16_t, 1> kPorts = {5432};

std::shared_ptr<const void> configure(const Settings& s) {
  auto config = std::make_shared<Config>();
  config->transactions_max = static_cast<size_t>(std::clamp<int64_t>(
      s.integer("app-layer.protocols.pgsql.max-tx", kMaxTransactions), 1, 1 << 16));
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<PgsqlParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                         : kDefault);
}

}  // namespace

bool log_pgsql(const Tx& base, const applayer::LogContext& context, JsonWriter& out) {
  const Transaction& tx = of(base);
  const bool passwords = context.options != nullptr && context.options->flag("passwords", false);
  out.open_object("pgsql");
  out.field("tx_id", tx.id + 1);
  if (tx.request) log_request(out, *tx.request, passwords);
  if (tx.response) log_response(out, *tx.response);
  out.close_object();
  return true;
}

// Off by itself, as in the reference's own configuration.
const ProtocolDef kPgsqlProtocol = {
    .id = AppProto::kPgsql,
    .name = "pgsql",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 1},
    .complete = {kComplete, kComplete},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_pgsql,
    .enabled_by_default = false,
};

}  // namespace vong::pgsql
