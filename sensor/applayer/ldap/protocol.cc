// LDAP as a table: buffers, keywords, events, detection, configuration.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/ldap/parser.h"

namespace vong::ldap {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;
using Parsed = Result<std::unique_ptr<TransactionMatcher>>;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

// ---------------------------------------------------------------- buffers

bool names_an_entry(Op op) {
  switch (op) {
    case Op::kBindRequest:
    case Op::kSearchRequest:
    case Op::kModifyRequest:
    case Op::kAddRequest:
    case Op::kDelRequest:
    case Op::kModDnRequest:
    case Op::kCompareRequest:
      return true;
    default:
      return false;
  }
}

BufferView request_dn(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const auto& r = of(tx).request;
  return r && names_an_entry(r->op) ? BufferView::of(r->dn) : BufferView::none();
}

// The i-th response that has one: an entry's base object, a result's matched DN.
BufferView response_dn(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  for (const Message& m : of(tx).responses) {
    const bool entry = m.op == Op::kSearchResultEntry;
    if ((entry || m.has_result) && i-- == 0) return BufferView::of(entry ? m.dn : m.matched_dn);
  }
  return BufferView::none();
}

BufferView response_message(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  for (const Message& m : of(tx).responses) {
    if (m.has_result && i-- == 0) return BufferView::of(m.diagnostic);
  }
  return BufferView::none();
}

BufferView request_attribute(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  const auto& r = of(tx).request;
  return r && i < r->attributes.size() ? BufferView::of(r->attributes[i].name) : BufferView::none();
}

BufferView response_attribute(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  for (const Message& m : of(tx).responses) {
    if (i < m.attributes.size()) return BufferView::of(m.attributes[i].name);
    i -= static_cast<uint32_t>(m.attributes.size());
  }
  return BufferView::none();
}

constexpr BufferDef request_buffer(std::string_view name, applayer::BufferGetter get, bool multi,
                                   std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = kInProgress,
          .to_client_progress = kNever,
          .get = get,
          .multi = multi,
          .help = help};
}
constexpr BufferDef response_buffer(std::string_view name, applayer::BufferGetter get,
                                    std::string_view help) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = kNever,
          .to_client_progress = kComplete,
          .get = get,
          .multi = true,
          .help = help};
}

constexpr std::array kBuffers = {
    request_buffer("ldap.request.dn", request_dn, false, "distinguished name of the request"),
    request_buffer("ldap.request.attribute_type", request_attribute, true,
                   "attributes that the request names"),
    response_buffer("ldap.responses.dn", response_dn, "distinguished names of the responses"),
    response_buffer("ldap.responses.message", response_message,
                    "diagnostic messages of the responses"),
    response_buffer("ldap.responses.attribute_type", response_attribute,
                    "attributes of the entries found"),
};

// ---------------------------------------------------------------- numbers

std::optional<uint64_t> request_operation(const Tx& tx, Direction, uint32_t i) {
  if (i > 0 || !of(tx).request) return std::nullopt;
  return static_cast<uint64_t>(of(tx).request->op);
}

std::optional<uint64_t> responses_count(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).responses_count;
}

std::vector<NumberDef::Value> values_of(const std::vector<OpName>& names) {
  std::vector<NumberDef::Value> out;
  for (const OpName& n : names) out.push_back({n.name, n.value});
  return out;
}

const std::vector<NumberDef::Value> kOperationValues = values_of(operations());

const std::array kNumbers = {
    NumberDef{.name = "ldap.request.operation",
              .alias = {},
              .to_server_progress = kInProgress,
              .to_client_progress = kNever,
              .get = request_operation,
              .values = kOperationValues,
              .bits = 8,
              .help = "operation of the request"},
    NumberDef{.name = "ldap.responses.count",
              .alias = {},
              .to_server_progress = kNever,
              .to_client_progress = kComplete,
              .get = responses_count,
              .values = {},
              .bits = 32,
              .help = "number of responses"},
};

// ---------------------------------------------------------------- VALUE[,INDEX] over the responses

// One number with an operator in front, a range, or a name.
struct Wanted {
  uint64_t low = 0, high = UINT64_MAX;
  bool negated = false;
  [[nodiscard]] bool fits(uint64_t v) const { return (v >= low && v <= high) != negated; }
};

std::optional<uint64_t> value_of(std::string_view text, const std::vector<OpName>& names) {
  text = strip(text);
  for (const OpName& n : names) {
    if (equals_ignore_case(n.name, text)) return n.value;
  }
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

std::optional<Wanted> parse_wanted(std::string_view text, const std::vector<OpName>& names) {
  Wanted w;
  text = strip(text);
  const auto take = [&](std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
  };
  const size_t dash = text.find('-');
  if (dash != std::string_view::npos && dash > 0) {
    const auto low = value_of(text.substr(0, dash), names);
    const auto high = value_of(text.substr(dash + 1), names);
    if (!low || !high || *high < 2 || *low > *high - 2) return std::nullopt;
    w.low = *low + 1;
    w.high = *high - 1;
    return w;
  }
  const bool at_least = take(">="), at_most = !at_least && take("<=");
  const bool above = !at_least && !at_most && take(">"), below = !above && !at_most && take("<");
  w.negated = !at_least && !at_most && !above && !below && (take("!=") || take("!"));
  const auto v = value_of(text, names);
  if (!v || (above && *v == UINT64_MAX) || (below && *v == 0)) return std::nullopt;
  if (at_least || above)
    w.low = *v + (above ? 1 : 0);
  else if (at_most || below)
    w.high = *v - (below ? 1 : 0);
  else
    w.low = w.high = *v;
  return w;
}

enum class Which : uint8_t { kAny, kAll, kAt };

struct OfResponses : TransactionMatcher {
  Wanted wanted;
  Which which = Which::kAny;
  int64_t at = 0;  // negative: from the end
  bool result_code = false;

  [[nodiscard]] std::optional<uint64_t> value(const Message& m) const {
    if (!result_code) return static_cast<uint64_t>(m.op);
    if (!m.has_result) return std::nullopt;
    return m.result_code;
  }
  [[nodiscard]] bool fits(const Message& m) const {
    const auto v = value(m);
    return v && wanted.fits(*v);
  }
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const auto& list = of(tx).responses;
    const auto each = [this](const Message& m) { return fits(m); };
    if (which == Which::kAny) return std::ranges::any_of(list, each);
    if (which == Which::kAll) return !list.empty() && std::ranges::all_of(list, each);
    const auto size = static_cast<int64_t>(list.size());
    const int64_t i = at < 0 ? size + at : at;
    return i >= 0 && i < size && fits(list[static_cast<size_t>(i)]);
  }
};

bool parse_which(std::string_view text, OfResponses& m) {
  text = strip(text);
  if (equals_ignore_case(text, "any")) return true;
  m.which = equals_ignore_case(text, "all") ? Which::kAll : Which::kAt;
  if (m.which == Which::kAll) return true;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), m.at);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

Parsed parse_of_responses(std::string_view value, bool result_code) {
  auto m = std::make_unique<OfResponses>();
  m->result_code = result_code;
  const size_t comma = value.find(',');
  const auto wanted =
      parse_wanted(value.substr(0, comma), result_code ? result_codes() : operations());
  if (!wanted) {
    return fail("'" + std::string(strip(value.substr(0, comma))) + "' is no LDAP " +
                (result_code ? "result code" : "operation"));
  }
  m->wanted = *wanted;
  if (comma != std::string_view::npos && !parse_which(value.substr(comma + 1), *m))
    return fail("the response is 'any', 'all' or a number");
  return m;
}

Parsed parse_operation(std::string_view value) { return parse_of_responses(value, false); }
Parsed parse_result_code(std::string_view value) { return parse_of_responses(value, true); }

constexpr std::array kMatchers = {
    MatcherDef{"ldap.responses.operation", "", kNever, kComplete, parse_operation,
               "operation of responses: NAME or number, then which one: any, all, 0, -1"},
    MatcherDef{"ldap.responses.result_code", "", kNever, kComplete, parse_result_code,
               "result code of responses: NAME or number, then which one: any, all, 0, -1"},
};

// ---------------------------------------------------------------- events, detection, settings

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"too_many_transactions", "too_many_transactions"},
    {"invalid_data", "invalid_data"},
    {"request_not_found", "request_not_found"},
    {"incomplete_data", "incomplete_data"},
}};

constexpr std::array kLoggers = {LoggerDef{.event_type = "ldap",
                                           .to_server_progress = kComplete,
                                           .to_client_progress = kComplete,
                                           .direction = Direction::kToServer,
                                           .log = log_ldap}};

ProbeVerdict probe(Direction d, Bytes data) {
  uint32_t id = 0;
  Op op{};
  switch (peek_message(data, id, op)) {
    case FrameStatus::kBad:
      return ProbeVerdict::kNo;
    case FrameStatus::kMoreData:
      return ProbeVerdict::kMoreData;
    case FrameStatus::kOk:
      break;
  }
  size_t size = 0;
  if (find_message(data, size) != FrameStatus::kOk) return ProbeVerdict::kNo;
  if (data.size() < size) return ProbeVerdict::kMoreData;
  if (Message m; !parse_message(data.first(size), m)) return ProbeVerdict::kNo;
  return is_request(op) == (d == Direction::kToServer) ? ProbeVerdict::kYes
                                                       : ProbeVerdict::kReversed;
}

constexpr std::array<uint16_t, 2> kPorts = {389, 3268};

std::shared_ptr<const void> configure(const Settings& s) {
  auto config = std::make_shared<Config>();
  config->transactions_max = static_cast<size_t>(std::clamp<int64_t>(
      s.integer("app-layer.protocols.ldap.max-tx", kMaxTransactions), 1, 1 << 14));
  return config;
}

std::unique_ptr<applayer::Parser> make(const void* config) {
  static const Config kDefault;
  return std::make_unique<LdapParser>(config != nullptr ? *static_cast<const Config*>(config)
                                                        : kDefault);
}

constexpr std::string_view kFrames[] = {"pdu"};  // by Frame

}  // namespace

const ProtocolDef kLdapProtocol = {
    .id = AppProto::kLdap,
    .name = "ldap",
    .rule_alias = {},
    .probe =
        {.tcp = true, .udp = true, .patterns = {}, .probe = probe, .ports = kPorts, .min_bytes = 2},
    .complete = {kComplete, kComplete},
    .configure = configure,
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = log_ldap,
    .frames = kFrames,
};

}  // namespace vong::ldap
