#include "sensor/applayer/tftp/parser.h"

#include <array>
#include <optional>

#include "base/byte_reader.h"
#include "base/strings.h"

namespace vong::tftp {

using applayer::AppProto;
using applayer::Input;
using applayer::LogContext;
using applayer::LoggerDef;
using applayer::ParseResult;
using applayer::ProbeVerdict;
using applayer::ProtocolDef;
using Tx = applayer::Transaction;

namespace {

constexpr size_t kMinBytes = 4;
constexpr std::array<std::string_view, 6> kNames = {"unknown", "read", "write",
                                                    "data",    "ack",  "error"};

// Text up to the next zero, which must be there.
std::optional<std::string_view> read_text(ByteReader& in) {
  const std::string_view rest = as_text(in.peek());
  const size_t zero = rest.find('\0');
  if (zero == std::string_view::npos) return std::nullopt;
  in.skip(zero + 1);
  return rest.substr(0, zero);
}

bool read_request(Bytes data, Transaction& tx) {
  ByteReader in(data);
  if (in.u8() != 0) return false;
  tx.opcode = in.u8();
  const auto file = read_text(in);
  if (!file) return false;
  // The zero behind the mode is missing in the wild.
  const std::string_view rest = as_text(in.peek());
  tx.file = *file;
  tx.mode = to_lower(rest.substr(0, rest.find('\0')));
  return tx.opcode >= 1 && tx.opcode < kNames.size() &&
         (tx.mode == "netascii" || tx.mode == "octet" || tx.mode == "mail");
}

bool log_tftp(const Tx& base, const LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  out.open_object("tftp");
  out.field("packet", kNames[tx.opcode]);
  out.field("file", tx.file);
  out.field("mode", tx.mode);
  out.close_object();
  return true;
}

constexpr std::array kLoggers = {LoggerDef{.event_type = "tftp",
                                           .to_server_progress = 1,
                                           .direction = Direction::kToServer,
                                           .log = log_tftp}};

ProbeVerdict probe(Direction, Bytes data) {
  return data.size() >= kMinBytes && data[0] == 0 ? ProbeVerdict::kYes : ProbeVerdict::kNo;
}

std::unique_ptr<applayer::Parser> make(const void*) { return std::make_unique<TftpParser>(); }

constexpr std::array<uint16_t, 1> kPorts = {69};

}  // namespace

ParseResult TftpParser::parse(Direction d, const Input& in) {
  auto tx = std::make_unique<Transaction>();
  if (d == Direction::kToServer && transactions.size() < kMaxTransactions &&
      read_request(in.data, *tx)) {
    tx->has_direction[static_cast<size_t>(index(Direction::kToClient))] = false;
    tx->progress = {1, 1};
    add(std::move(tx));
  }
  return ParseResult::ok(in.data.size());
}

const ProtocolDef kTftpProtocol = {
    .id = AppProto::kTftp,
    .name = "tftp",
    .rule_alias = {},
    .probe = {.tcp = false,
              .udp = true,
              .patterns = {},
              .probe = probe,
              .ports = kPorts,
              .min_bytes = kMinBytes},
    .complete = {1, 1},
    .make = make,
    .buffers = {},
    .numbers = {},
    .matchers = {},
    .events = {},
    .loggers = kLoggers,
    .alert_record = log_tftp,
    .unidirectional = true,
};

}  // namespace vong::tftp
