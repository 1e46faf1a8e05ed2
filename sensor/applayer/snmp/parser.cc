#include "sensor/applayer/snmp/parser.h"

#include "sensor/applayer/snmp/limits.h"

namespace vong::snmp {

using applayer::Input;
using applayer::ParseResult;

// False: not SNMP any more.
bool SnmpParser::message(Direction d, Bytes bytes) {
  if (transactions.size() >= kMaxTransactions) return true;
  auto tx = std::make_unique<Transaction>();
  tx->direction = d;
  if (parse_message(bytes, tx->message) != ParseStatus::kOk) {
    if (!transactions.empty()) transactions.back()->add_event(kMalformedData);
    return false;
  }
  const Message& m = tx->message;
  if (m.unknown_security_model) tx->add_event(kUnknownSecurityModel);
  if (version_ == 0) version_ = m.version;
  if (version_ != m.version) tx->add_event(kVersionMismatch);
  tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  tx->progress = {1, 1};
  add(std::move(tx));
  return true;
}

ParseResult SnmpParser::parse(Direction d, const Input& in) {
  if (in.datagram) {
    if (in.data.empty()) return ParseResult::ok(0);
    return message(d, in.data) ? ParseResult::ok(in.data.size()) : ParseResult::error();
  }
  Bytes data = in.data;
  size_t consumed = 0;
  while (!data.empty()) {
    const auto size = message_bytes(data);
    if (!size) break;
    if (*size == 0 || *size > kMaxMessageBytes) return ParseResult::error();
    if (data.size() < *size) return ParseResult::ok(consumed, *size);
    if (!message(d, data.first(*size))) return ParseResult::error();
    consumed += *size;
    data = data.subspan(*size);
  }
  return ParseResult::ok(consumed);
}

}  // namespace vong::snmp
