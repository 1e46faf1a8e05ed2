// A protocol as a table: everything that detection, logging and generated references need to know, so that adding a protocol is
// one folder and two lines (the CMake list and registry.cc). All pointers are to static data.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "base/result.h"
#include "base/settings.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/transaction.h"

namespace vong::applayer {

// Order is free; names (ProtocolDef::name) are what rules and EVE use.
enum class AppProto : uint8_t {
  kUnknown = 0, kFailed,        // kFailed: detection gave up
  kHttp1, kHttp2, kDns, kTls, kSmtp, kFtp, kFtpData, kSsh, kSmb, kDcerpc, kQuic, kDoh2,
  kKrb5, kNfs, kLdap, kRdp, kRfb, kTftp, kDhcp, kSnmp, kSip, kNtp, kMqtt, kWebsocket, kTelnet, kImap, kPop3, kIke, kPgsql, kMysql,
  kMdns, kLlmnr, kBittorrentDht, kModbus, kDnp3, kEnip, kS7comm, kIec104, kSdp, kNbns, kJabber, kIrc, kTemplate,
  kCount
};

// ---------------------------------------------------------------- sticky buffers

// A buffer's bytes at this moment. Valid until the parser is called again or the transaction goes.
struct BufferView {
  Bytes data;
  uint64_t offset = 0;        // of data[0] in the whole (bodies and files that are kept as a sliding window)
  bool present = false;       // false: the transaction has no such buffer (now)
  bool complete = true;       // no more bytes will follow: `endswith`, `bsize`, `isdataat:!` are final

  static BufferView of(Bytes b) { return {b, 0, true, true}; }
  static BufferView of(std::string_view s) { return of(as_bytes(s)); }
  static BufferView none() { return {}; }
};

// Room for getters that must put a buffer together (http.header_names, http.request_line): owned by the caller, cleared by it.
using BufferScratch = std::string;

// `i`: which instance, for buffers that occur several times (dns.query, tls.certs, file.data): called with 0, 1, 2 ... until `present` is false.
using BufferGetter = BufferView (*)(const Transaction& tx, Direction d, uint32_t i, BufferScratch& scratch);

struct BufferDef {
  std::string_view name;                   // "http.uri"
  std::string_view alias;                  // other sticky spelling: "dns_query", "ja3_hash", "tls_sni", "file_data"; "" for none
  std::string_view modifier;               // legacy content modifier: "http_uri"; "" for none
  char pcre_flag = 0;                      // 'U'
  // Per direction: the progress from which it can be inspected, or kNotHere.
  static constexpr uint8_t kNotHere = 255;
  uint8_t to_server_progress = kNotHere, to_client_progress = kNotHere;
  BufferGetter get = nullptr;
  bool multi = false;                      // several instances
  bool streaming = false;                  // grows over packets: inspected as it comes
  std::string_view help;                   // one line for the keyword reference
};

// ---------------------------------------------------------------- keywords on transactions that are not buffers

// A numeric field: `dns.opcode:4`, `http.response_len`, `tls.cert_chain_len:>2`, `mqtt.type:CONNECT`: the detect room parses operators,
// ranges, and the names in `values`.
struct NumberDef {
  std::string_view name;
  std::string_view alias;
  uint8_t to_server_progress = BufferDef::kNotHere, to_client_progress = BufferDef::kNotHere;
  // Instance i of the number, nothing when there is none.
  std::optional<uint64_t> (*get)(const Transaction& tx, Direction d, uint32_t i) = nullptr;
  struct Value { std::string_view name; uint64_t value; };
  std::span<const Value> values;           // symbolic values, any letter case
  bool multi = false;
  int bits = 64;                           // rules with larger numbers are refused
  std::string_view help;
};

// Everything else: the protocol parses its option itself.
class TransactionMatcher {
 public:
  virtual ~TransactionMatcher() = default;
  [[nodiscard]] virtual bool match(const Transaction& tx, Direction d) const = 0;
};
struct MatcherDef {
  std::string_view name;                   // "tls.version", "ssh.softwareversion", "tls_cert_expired", "krb5.ticket_encryption"
  std::string_view alias;
  uint8_t to_server_progress = BufferDef::kNotHere, to_client_progress = BufferDef::kNotHere;
  // The option's value as written (empty when there was none) -> a matcher, or what is wrong with it.
  Result<std::unique_ptr<TransactionMatcher>> (*parse)(std::string_view value) = nullptr;
  std::string_view help;
};

// ---------------------------------------------------------------- events and records

struct EventDef {
  std::string_view rule_name;      // as in app-layer-event:http.NAME
  std::string_view eve_name;       // as in anomaly records ("" : the same in upper case, as most protocols of the reference have it)
};

struct LogContext {
  std::string_view record;         // which LoggerDef
  const Settings* options = nullptr;  // of this record type in the eve-log section, paths relative ("extended", "custom.0")
  Direction direction = Direction::kToServer;
};

struct LoggerDef {
  std::string_view event_type;     // "http"
  // The record is written once these progresses are reached in the respective directions (kNotHere: no condition on it), or
  // at the flow's end.
  uint8_t to_server_progress = BufferDef::kNotHere, to_client_progress = BufferDef::kNotHere;
  // Which way the record's src/dest stand: as the flow (client is src) when kToServer.
  Direction direction = Direction::kToServer;
  // Writes the key(s) of the record behind the common header ("http":{...}). False: nothing to log for this transaction (nothing written).
  bool (*log)(const Transaction& tx, const LogContext& context, JsonWriter& out) = nullptr;
  std::string_view config = {};    // its name in the eve-log section where that is another one ("http2" for "http")
};

// ---------------------------------------------------------------- protocol detection

struct ProbePattern {
  std::string_view bytes;          // compared at offset `at`..`at`+`within`
  bool nocase = false;
  uint16_t at = 0, within = 0;     // within 0: exactly at `at`
  Direction direction = Direction::kToServer;
};

enum class ProbeVerdict : uint8_t { kYes, kNo, kMoreData, kReversed /* it is, but client and server are swapped */,
                                     kEitherWay /* it is, of client or server: the ports tell where no handshake did */ };
using ProbeFn = ProbeVerdict (*)(Direction d, Bytes data);

struct ProbeDef {
  bool tcp = true, udp = false;
  std::span<const ProbePattern> patterns;
  // Asked when no pattern decides; `ports` limits it (empty: any port).
  ProbeFn probe = nullptr;
  std::span<const uint16_t> ports;
  uint16_t min_bytes = 0;
  ProbeFn datagram_probe = nullptr;  // for UDP instead of `probe`, where the framing differs (DNS); null: `probe` serves both
  ProbeFn when_expected = nullptr;   // asked first where an upgrade announced this protocol or the other side speaks it
  bool one_side_tells = false;       // the other side need not be recognised: that it was not is no event
};

struct ProtocolDef {
  AppProto id = AppProto::kUnknown;
  std::string_view name;                   // EVE's app_proto and the rules' protocol: "http", "dns", "ftp-data"
  std::string_view rule_alias;             // other spelling in rules ("ssl"? "http1") or ""
  ProbeDef probe;
  std::array<uint8_t, kDirections> complete{};   // progress at which a direction of a transaction is complete
  // Reads its settings (paths from the root: "app-layer.protocols.dns...") once per configuration; the object is shared, immutable and passed to make.
  std::shared_ptr<const void> (*configure)(const Settings& settings) = nullptr;
  std::unique_ptr<Parser> (*make)(const void* config) = nullptr;
  std::span<const BufferDef> buffers;
  std::span<const NumberDef> numbers;
  std::span<const MatcherDef> matchers;
  std::span<const EventDef> events;
  std::span<const LoggerDef> loggers;
  // The transaction's record inside an alert ("http":{...}); often the logger's own function.
  bool (*alert_record)(const Transaction& tx, const LogContext& context, JsonWriter& out) = nullptr;
  // True for protocols whose transactions each go one way only (DNS in the reference): a rule then matches a request or a response.
  bool unidirectional = false;
  // A protocol may widen these (file carrying, gap tolerance).
  bool enabled_by_default = true;
  // Names of the frames that the parser tells apart ("pdu", "hdr", "data"); their numbers are the places in this list. Every protocol on a
  // stream has "stream" besides: each of its bytes once.
  std::span<const std::string_view> frames = {};
  // By direction: a transaction that is complete hands out the raw stream up to its end, whatever the chunk size. Not so where the reference
  // was seen to look at the stream chunk by chunk.
  std::array<bool, kDirections> end_hands_out_stream{true, true};
};

// ---------------------------------------------------------------- registry (registry.cc in sensor/applayer)

// All protocols, in a fixed order.
[[nodiscard]] std::span<const ProtocolDef* const> protocols();
[[nodiscard]] const ProtocolDef* protocol(AppProto id);              // null: known by name only
[[nodiscard]] const ProtocolDef* protocol_by_name(std::string_view name);
[[nodiscard]] std::string_view name_of(AppProto id);                 // "failed" for kFailed, "unknown"

}  // namespace vong::applayer
