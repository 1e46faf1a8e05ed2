// IKE as a table.
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/ike/parser.h"

namespace vong::ike {

using applayer::AppProto;
using applayer::BufferDef;
using applayer::BufferScratch;
using applayer::BufferView;
using applayer::EventDef;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::MatcherDef;
using applayer::NumberDef;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }

// ---------------------------------------------------------------- buffers

template <std::string Transaction::*kField>
BufferView text(const Tx& tx, Direction, uint32_t, BufferScratch&) {
  const std::string& s = of(tx).*kField;
  return s.empty() ? BufferView::none() : BufferView::of(s);
}

BufferView vendor(const Tx& tx, Direction, uint32_t i, BufferScratch&) {
  const auto& all = of(tx).vendors;
  return i < all.size() ? BufferView::of(all[i]) : BufferView::none();
}

constexpr BufferDef buffer(std::string_view name, uint8_t client, uint8_t server,
                           applayer::BufferGetter get, std::string_view help, bool multi = false) {
  return {.name = name,
          .alias = {},
          .modifier = {},
          .to_server_progress = client,
          .to_client_progress = server,
          .get = get,
          .multi = multi,
          .help = help};
}

constexpr std::array kBuffers = {
    buffer("ike.init_spi", 1, kNever, text<&Transaction::init_spi>, "the initiator's SPI, in hex"),
    buffer("ike.resp_spi", kNever, 1, text<&Transaction::resp_spi>, "the responder's SPI, in hex"),
    buffer("ike.key_exchange_payload", 1, 1, text<&Transaction::key_exchange>,
           "key exchange payload (version 1)"),
    buffer("ike.nonce_payload", 1, 1, text<&Transaction::nonce>, "nonce payload (version 1)"),
    buffer("ike.vendor", 1, kNever, vendor, "vendor ids of the initiator, in hex (version 1)",
           true),
};

// ---------------------------------------------------------------- numbers

using Get = std::optional<uint64_t> (*)(const Tx&, Direction, uint32_t);

constexpr NumberDef number(std::string_view name, Get get, int bits, std::string_view help) {
  return {.name = name,
          .alias = {},
          .to_server_progress = 1,
          .to_client_progress = 1,
          .get = get,
          .values = {},
          .bits = bits,
          .help = help};
}

std::optional<uint64_t> exchange_type(const Tx& tx, Direction, uint32_t i) {
  if (i > 0) return std::nullopt;
  return of(tx).header.exchange;
}

template <std::string Transaction::*kField>
std::optional<uint64_t> length(const Tx& tx, Direction, uint32_t i) {
  const std::string& s = of(tx).*kField;
  if (i > 0 || s.empty()) return std::nullopt;
  return s.size();
}

constexpr std::array kNumbers = {
    number("ike.exchtype", exchange_type, 8, "exchange type of the header"),
    number("ike.key_exchange_payload_length", length<&Transaction::key_exchange>, 32,
           "bytes of the key exchange payload (version 1)"),
    number("ike.nonce_payload_length", length<&Transaction::nonce>, 32,
           "bytes of the nonce payload (version 1)"),
};

// ---------------------------------------------------------------- ike.chosen_sa_attribute

struct ChosenAttribute : TransactionMatcher {
  uint16_t type = 0;
  uint32_t value = 0;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    for (const Transform& t : of(tx).transforms) {
      for (const Attribute& a : t) {
        if (a.type == type && a.number == value) return true;
      }
    }
    return false;
  }
};

Result<std::unique_ptr<TransactionMatcher>> parse_attribute(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return fail("expected name=number");
  const std::string_view name = strip(text.substr(0, equals)),
                         number = strip(text.substr(equals + 1));
  const auto type = attribute_by_name(name);
  if (!type) return fail("unknown attribute '" + std::string(name) + "'");
  auto m = std::make_unique<ChosenAttribute>();
  m->type = *type;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), m->value);
  if (error != std::errc() || end != number.data() + number.size())
    return fail("'" + std::string(number) + "' is no number of 32 bits");
  return m;
}

constexpr std::array kMatchers = {
    MatcherDef{"ike.chosen_sa_attribute", "", kNever, 1, parse_attribute,
               "attribute of the proposal that the responder chose: alg_enc, alg_hash, alg_auth, "
               "alg_dh, sa_life_type, sa_life_duration, sa_key_length ... = number"},
};

// ---------------------------------------------------------------- events, records, detection

constexpr std::array<EventDef, kEventCount> kEvents = {{
    {"malformed_data", "malformed_data"},
    {"no_encryption", "no_encryption"},
    {"weak_crypto_enc", "weak_crypto_enc"},
    {"weak_crypto_prf", "weak_crypto_prf"},
    {"weak_crypto_dh", "weak_crypto_dh"},
    {"weak_crypto_auth", "weak_crypto_auth"},
    {"weak_crypto_no_dh", "weak_crypto_no_dh"},
    {"weak_crypto_no_auth", "weak_crypto_no_auth"},
    {"invalid_proposal", "invalid_proposal"},
    {"unknown_proposal", "unknown_proposal"},
    {"payload_extra_data", "payload_extra_data"},
    {"multiple_server_proposal", "multiple_server_proposal"},
}};

bool log_ike(const Tx& tx, const LogContext& context, JsonWriter& out) {
  return of(tx).direction == context.direction && write_ike(tx, context, out);
}

constexpr std::array kLoggers = {
    LoggerDef{.event_type = "ike",
              .to_server_progress = 1,
              .direction = Direction::kToServer,
              .log = log_ike},
    LoggerDef{.event_type = "ike",
              .to_client_progress = 1,
              .direction = Direction::kToClient,
              .log = log_ike},
};

ProbeVerdict probe(Direction, Bytes data) {
  Header h;
  if (!parse_header(data, h)) return ProbeVerdict::kNo;
  if (h.major() == 1) return ProbeVerdict::kYes;
  const bool second = h.major() == 2 && h.minor() == 0 && h.exchange >= 34 && h.exchange <= 37 &&
                      h.length == data.size();
  return second ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<IkeParser>(); }

constexpr std::array<uint16_t, 1> kPorts = {500};

}  // namespace

const ProtocolDef kIkeProtocol = {
    .id = AppProto::kIke,
    .name = "ike",
    .rule_alias = "ikev2",
    .probe = {.tcp = false,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = kHeaderBytes},
    .complete = {1, 1},
    .make = make,
    .buffers = kBuffers,
    .numbers = kNumbers,
    .matchers = kMatchers,
    .events = kEvents,
    .loggers = kLoggers,
    .alert_record = write_ike,
    .unidirectional = true,
};

}  // namespace vong::ike
