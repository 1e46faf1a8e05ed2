// Keywords of TLS that are not buffers: versions, states, validity, and the older forms of subject,
// issuer and fingerprint.
#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/tls/parser.h"

namespace vong::tls {

using applayer::BufferDef;
using applayer::MatcherDef;
using applayer::TransactionMatcher;
using Tx = applayer::Transaction;
using Parsed = Result<std::unique_ptr<TransactionMatcher>>;

namespace {

constexpr uint8_t kNever = BufferDef::kNotHere;

const Transaction& of(const Tx& tx) { return static_cast<const Transaction&>(tx); }
const Side& side_of(const Tx& tx, Direction d) {
  return of(tx).sides[static_cast<size_t>(index(d))];
}

std::string_view unquoted(std::string_view v) {
  v = strip(v);
  if (v.size() >= 2 && v.front() == '"' && v.back() == '"') v = strip(v.substr(1, v.size() - 2));
  return v;
}

// ---------------------------------------------------------------- versions

// What a side speaks as far as it is known; drafts of TLS 1.3 count as such.
uint16_t spoken(const Tx& tx, Direction d) {
  const uint16_t v = side_of(tx, d).version;
  return v >> 8 == 0x7f ? uint16_t{0x0304} : v;
}

struct Version : TransactionMatcher {
  uint16_t wanted = 0;
  bool raw = false, negated = false;
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    const uint16_t v = raw ? side_of(tx, d).version : spoken(tx, d);
    return (v == wanted) != negated;
  }
};

Parsed parse_version(std::string_view value) {
  value = unquoted(value);
  auto m = std::make_unique<Version>();
  if (value.starts_with('!')) {
    m->negated = true;
    value = strip(value.substr(1));
  }
  static constexpr std::pair<std::string_view, uint16_t> kNames[] = {
      {"1.0", 0x0301}, {"1.1", 0x0302}, {"1.2", 0x0303}, {"1.3", 0x0304}};
  for (const auto& [name, number] : kNames) {
    if (value == name) {
      m->wanted = number;
      return m;
    }
  }
  if (value.size() == 6 && value.starts_with("0x")) {
    const auto [end, error] =
        std::from_chars(value.data() + 2, value.data() + value.size(), m->wanted, 16);
    m->raw = true;
    if (error == std::errc() && end == value.data() + value.size()) return m;
  }
  return fail("tls.version takes 1.0, 1.1, 1.2, 1.3 or a number like 0x7f12");
}

struct Versions : TransactionMatcher {
  std::vector<std::pair<uint16_t, bool>> wanted;  // version, negated
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    const uint16_t v = spoken(tx, d);
    if (v == 0) return false;
    bool any = false, positive = false;
    for (const auto& [number, negated] : wanted) {
      if (negated && v == number) return false;
      positive = positive || !negated;
      any = any || (!negated && v == number);
    }
    return any || !positive;
  }
};

Parsed parse_versions(std::string_view value) {
  static constexpr std::pair<std::string_view, uint16_t> kNames[] = {
      {"sslv2", 0x0200},  {"sslv3", 0x0300},  {"tls1.0", 0x0301},
      {"tls1.1", 0x0302}, {"tls1.2", 0x0303}, {"tls1.3", 0x0304}};
  auto m = std::make_unique<Versions>();
  for (std::string_view part : split(unquoted(value), ',')) {
    part = strip(part);
    const bool negated = part.starts_with('!');
    if (negated) part = strip(part.substr(1));
    const auto* it = std::find_if(std::begin(kNames), std::end(kNames),
                                  [&](const auto& n) { return equals_ignore_case(n.first, part); });
    if (it == std::end(kNames))
      return fail("ssl_version knows sslv2, sslv3, tls1.0, tls1.1, tls1.2 and tls1.3");
    m->wanted.emplace_back(it->second, negated);
  }
  return m;
}

// ---------------------------------------------------------------- states

enum State : uint8_t {
  kClientHelloState = 1,
  kServerHelloState = 2,
  kClientKeyState = 4,
  kServerKeyState = 8,
  kUnknownState = 16
};

uint8_t states(const Transaction& tx) {
  uint8_t s = 0;
  if (tx.client().has_hello) s |= kClientHelloState;
  if (tx.server().has_hello) s |= kServerHelloState;
  if (tx.client_key_exchange) s |= kClientKeyState;
  if (tx.server_key_exchange) s |= kServerKeyState;
  return s == 0 ? uint8_t{kUnknownState} : s;
}

struct States : TransactionMatcher {
  uint8_t any = 0, none = 0;
  [[nodiscard]] bool match(const Tx& tx, Direction) const override {
    const uint8_t s = states(of(tx));
    if ((s & none) != 0) return false;
    return any == 0 || (s & any) != 0;
  }
};

Parsed parse_states(std::string_view value) {
  static constexpr std::pair<std::string_view, uint8_t> kNames[] = {
      {"client_hello", kClientHelloState},
      {"server_hello", kServerHelloState},
      {"client_keyx", kClientKeyState},
      {"server_keyx", kServerKeyState},
      {"unknown", kUnknownState}};
  auto m = std::make_unique<States>();
  std::string list(unquoted(value));
  std::replace(list.begin(), list.end(), ',', '|');
  for (std::string_view part : split(list, '|')) {
    part = strip(part);
    const bool negated = part.starts_with('!');
    if (negated) part = strip(part.substr(1));
    const auto* it = std::find_if(std::begin(kNames), std::end(kNames),
                                  [&](const auto& n) { return equals_ignore_case(n.first, part); });
    if (it == std::end(kNames))
      return fail(
          "ssl_state knows client_hello, server_hello, client_keyx, server_keyx and unknown");
    (negated ? m->none : m->any) |= it->second;
  }
  return m;
}

// ---------------------------------------------------------------- validity

int64_t seconds(Timestamp t) { return to_ns(t) / 1'000'000'000; }

struct Validity : TransactionMatcher {
  bool want_expired = false;
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    const Side& s = side_of(tx, d);
    if (s.leaf == nullptr) return false;
    const int64_t now = seconds(of(tx).now);
    return want_expired ? s.leaf->not_after_s < now
                        : s.leaf->not_before_s <= now && now <= s.leaf->not_after_s;
  }
};

template <bool kExpired>
Parsed parse_validity(std::string_view value) {
  if (!strip(value).empty()) return fail("this keyword takes no value");
  auto m = std::make_unique<Validity>();
  m->want_expired = kExpired;
  return m;
}

// Seconds since the epoch, or a date: YYYY, YYYY-MM, YYYY-MM-DD, with " HH", " HH:MM", " HH:MM:SS"
// (or T).
std::optional<int64_t> date(std::string_view text) {
  text = strip(text);
  if (text.empty()) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && text.size() > 4) return number;
  std::string full(text);
  static constexpr std::string_view kRest = "0000-01-01T00:00:00";
  if (full.size() > kRest.size()) return std::nullopt;
  if (full.size() > 10 && full[10] == ' ') full[10] = 'T';
  full += kRest.substr(full.size());
  const auto t = parse_eve_time(full + "Z");
  if (!t) return std::nullopt;
  return seconds(*t);
}

template <int64_t Certificate::*kField>
struct Date : TransactionMatcher {
  char op = '=';  // = < > r (between)
  int64_t low = 0, high = 0;
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    const Side& s = side_of(tx, d);
    if (s.leaf == nullptr) return false;
    const int64_t v = (*s.leaf).*kField;
    switch (op) {
      case '<':
        return v <= low;
      case '>':
        return v >= low;
      case 'r':
        return v >= low && v <= high;
      default:
        return v == low;
    }
  }
};

template <int64_t Certificate::*kField>
Parsed parse_date(std::string_view value) {
  auto m = std::make_unique<Date<kField>>();
  value = unquoted(value);
  std::optional<int64_t> low, high;
  if (const size_t between = value.find("<>"); between != std::string_view::npos) {
    m->op = 'r';
    low = date(value.substr(0, between));
    high = date(value.substr(between + 2));
    if (!high || (low && *low > *high)) low.reset();
  } else {
    if (value.starts_with('<') || value.starts_with('>')) {
      m->op = value.front();
      value.remove_prefix(1);
    }
    low = date(value);
  }
  if (!low)
    return fail(
        "expected a date like 2015-10-01 or 2015-10-01 10:00:00, with < or > before it or <> "
        "between two");
  m->low = *low;
  m->high = high.value_or(0);
  return m;
}

// ---------------------------------------------------------------- older forms of buffers

template <std::string Certificate::*kField>
struct LeafContains : TransactionMatcher {
  std::string wanted;
  bool negated = false;
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    const Side& s = side_of(tx, d);
    if (s.leaf == nullptr) return false;
    return (((*s.leaf).*kField).find(wanted) != std::string::npos) != negated;
  }
};

template <typename M>
Parsed parse_text(std::string_view value, bool lower) {
  auto m = std::make_unique<M>();
  value = strip(value);
  if (value.starts_with('!')) {
    m->negated = true;
    value.remove_prefix(1);
  }
  value = unquoted(value);
  if (value.empty()) return fail("expected a text");
  m->wanted = lower ? to_lower(value) : std::string(value);
  return m;
}

template <std::string Certificate::*kField>
Parsed parse_leaf(std::string_view value) {
  return parse_text<LeafContains<kField>>(value, false);
}

struct Fingerprint : TransactionMatcher {
  std::string wanted;
  bool negated = false;
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    const std::string& f = side_of(tx, d).fingerprint;
    return !f.empty() && (f == wanted) != negated;
  }
};

Parsed parse_fingerprint(std::string_view value) { return parse_text<Fingerprint>(value, true); }

// Storing certificates is an action; as a condition it is met by any certificate.
struct HasCertificate : TransactionMatcher {
  [[nodiscard]] bool match(const Tx& tx, Direction d) const override {
    return !side_of(tx, d).chain.empty();
  }
};

Parsed parse_store(std::string_view) { return std::make_unique<HasCertificate>(); }

constexpr std::array kMatchers = {
    MatcherDef{"tls.version", "", kClientHelloDone, kServerHelloSeen, parse_version,
               "version of the hello: 1.0 to 1.3 or 0x...."},
    MatcherDef{"ssl_version", "", kClientHelloDone, kServerHelloSeen, parse_versions,
               "one of a list of versions: sslv3,tls1.0,!tls1.2"},
    MatcherDef{"ssl_state", "", kClientStart, kServerStart, parse_states,
               "how far the handshake is: client_hello, server_hello ..."},
    MatcherDef{"tls_cert_expired", "", kClientCertDone, kServerCertDone, parse_validity<true>,
               "the certificate is past its end"},
    MatcherDef{"tls_cert_valid", "", kClientCertDone, kServerCertDone, parse_validity<false>,
               "the certificate is within its dates"},
    MatcherDef{"tls_cert_notbefore", "", kClientCertDone, kServerCertDone,
               parse_date<&Certificate::not_before_s>, "begin of the certificate's validity"},
    MatcherDef{"tls_cert_notafter", "", kClientCertDone, kServerCertDone,
               parse_date<&Certificate::not_after_s>, "end of the certificate's validity"},
    MatcherDef{"tls.subject", "", kClientCertDone, kServerCertDone,
               parse_leaf<&Certificate::subject>,
               "text in the certificate's subject (older form of tls.cert_subject)"},
    MatcherDef{"tls.issuerdn", "", kClientCertDone, kServerCertDone,
               parse_leaf<&Certificate::issuer>,
               "text in the certificate's issuer (older form of tls.cert_issuer)"},
    MatcherDef{"tls.fingerprint", "", kClientCertDone, kServerCertDone, parse_fingerprint,
               "SHA-1 of the certificate (older form of tls.cert_fingerprint)"},
    MatcherDef{"tls.store", "tlsstore", kClientCertDone, kServerCertDone, parse_store,
               "marks the certificate for storing"},
};

}  // namespace

std::span<const MatcherDef> matchers() { return kMatchers; }

}  // namespace vong::tls
