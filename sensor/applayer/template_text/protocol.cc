// The protocol as a table, and its parser.
#include <algorithm>
#include <array>

#include "sensor/applayer/template_text/limits.h"
#include "sensor/applayer/template_text/parser.h"

namespace vong::template_text {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::ParseResult;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;

Message read_message(Bytes data) {
  Message m;
  size_t value = 0, i = 0;
  for (; i < data.size() && data[i] >= '0' && data[i] <= '9' && i <= kMaxLengthDigits; ++i)
    value = value * 10 + (data[i] - '0');
  if (i > kMaxLengthDigits) return m;
  if (i == data.size()) {
    m.status = Message::Status::kMoreData;
    return m;
  }
  if (i == 0 || data[i] != ':' || value > kMaxMessageBytes) return m;
  m.header = i + 1;
  m.size = value;
  m.needed = m.header + m.size;
  m.status = data.size() < m.needed ? Message::Status::kMoreData : Message::Status::kWhole;
  return m;
}

ParseResult TemplateParser::parse(Direction d, const applayer::Input& in) {
  size_t at = 0;
  while (at < in.data.size()) {
    const Bytes rest = in.data.subspan(at);
    const Message m = read_message(rest);
    if (m.status == Message::Status::kWrong) return ParseResult::error();
    if (m.status == Message::Status::kMoreData) return ParseResult::ok(at, m.needed);
    if (!take(d, as_text(rest.subspan(m.header, m.size)))) return ParseResult::error();
    at += m.needed;
  }
  return ParseResult::ok(at);
}

bool TemplateParser::take(Direction d, std::string_view text) {
  const auto i = static_cast<size_t>(index(d));
  Transaction* tx = nullptr;
  if (d == Direction::kToClient) {
    const auto open =
        std::ranges::find_if(transactions, [](const auto& t) { return t->progress[1] == 0; });
    if (open == transactions.end()) return true;  // an answer that nobody asked for
    tx = static_cast<Transaction*>(open->get());
  } else {
    tx = &add(std::make_unique<Transaction>());
  }
  tx->message[i] = text;
  tx->progress[i] = 1;
  tx->updated = {true, true};
  if (transactions.size() <= kMaxOpenTransactions) return true;
  tx->add_event(kTooManyTransactions);
  return false;
}

void TemplateParser::end() {
  for (const auto& tx : transactions) tx->progress = {1, 1};
}

namespace {

const Transaction& of(const applayer::Transaction& tx) {
  return static_cast<const Transaction&>(tx);
}

BufferView message(const applayer::Transaction& tx, Direction d, uint32_t,
                   applayer::BufferScratch&) {
  const auto& text = of(tx).message[index(d)];
  return text ? BufferView::of(*text) : BufferView::none();
}

bool log_template(const applayer::Transaction& base, const applayer::LogContext&, JsonWriter& out) {
  const Transaction& tx = of(base);
  out.open_object("template");
  if (tx.message[0]) out.field("request", std::string_view(*tx.message[0]));
  if (tx.message[1]) out.field("response", std::string_view(*tx.message[1]));
  out.close_object();
  return true;
}

ProbeVerdict probe(Direction, Bytes data) {
  const Message m = read_message(data);
  if (m.status == Message::Status::kWrong) return ProbeVerdict::kNo;
  return m.header == 0 ? ProbeVerdict::kMoreData : ProbeVerdict::kYes;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<TemplateParser>(); }

constexpr std::array<uint16_t, 1> kPorts = {7000};

constexpr std::array kBuffers = {BufferDef{.name = "template.buffer",
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .get = message,
                                           .help = "the text of a request or of an answer"}};

constexpr std::array<EventDef, kEventCount> kEvents = {{{"too_many_transactions", {}}}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "template",
                                           .to_server_progress = 1,
                                           .to_client_progress = 1,
                                           .direction = Direction::kToServer,
                                           .log = log_template}};

}  // namespace

const ProtocolDef kTemplateProtocol = {
    .id = AppProto::kTemplate,
    .name = "template",
    .rule_alias = {},
    .probe = {.tcp = true,
              .udp = false,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = 2},
    .complete = {1, 1},
    .make = make,
    .buffers = kBuffers,
    .numbers = {},
    .matchers = {},
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_template,
    .enabled_by_default = false,
};

}  // namespace vong::template_text
