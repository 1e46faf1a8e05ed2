#include "sensor/applayer/modbus/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/modbus/limits.h"

namespace vong::modbus {

using applayer::Input;
using applayer::ParseResult;

namespace {

void add_events(Transaction& tx, const Message& m) {
  if ((m.problems & kDataValue) != 0) tx.add_event(kInvalidValue);
  if ((m.problems & kDataLength) != 0) tx.add_event(kInvalidLength);
  if ((m.problems & kExceptionCode) != 0) tx.add_event(kInvalidExceptionCode);
  if ((m.problems & kFunctionCode) != 0) tx.add_event(kInvalidFunctionCode);
  if ((m.problems & kProtocolId) != 0) tx.add_event(kInvalidProtocolId);
}

// Whether an answer can be the one to this request.
bool answers(const Message& response, const Message& request) {
  if (response.function != request.function || response.unit != request.unit) return false;
  if (response.is_exception) return true;
  if (response.subfunction != request.subfunction) return false;
  if (response.write) return response.write == request.write && response.value == request.value;
  if (!request.read) return true;
  const size_t quantity = request.read->second;
  const bool bits = request.function == 1 || request.function == 2;
  return response.data.size() == (bits ? (quantity + 7) / 8 : quantity * 2);
}

void complete(Transaction& tx) {
  tx.progress = {1, 1};
  tx.updated = {true, true};
}

}  // namespace

ParseResult ModbusParser::parse(Direction d, const Input& in) {
  ByteReader reader(in.data);
  size_t consumed = 0;
  while (reader.remaining() >= kHeaderBytes) {
    const uint16_t transaction = reader.u16(), protocol = reader.u16();
    const size_t length = reader.u16();
    if (length < kMinLength || length > kMaxLength) {
      if (!transactions.empty()) transactions.back()->add_event(kInvalidLength);
      return ParseResult::error();
    }
    if (reader.remaining() < length) return ParseResult::ok(consumed, kHeaderBytes + length);
    const bool request = d == Direction::kToServer;
    Message m = parse_message(transaction, protocol, reader.bytes(length), request);
    request ? take_request(std::move(m)) : take_response(std::move(m));
    consumed = reader.position();
  }
  return ParseResult::ok(consumed, consumed < in.data.size() ? kHeaderBytes : 0);
}

void ModbusParser::take_request(Message m) {
  if (transactions.size() >= kMaxTransactions) {
    transactions.back()->add_event(kFlooded);
    return;
  }
  auto tx = std::make_unique<Transaction>();
  add_events(*tx, m);
  tx->request = std::move(m);
  add(std::move(tx));
}

void ModbusParser::take_response(Message m) {
  Transaction* tx = nullptr;
  for (const auto& each : transactions) {
    auto& open = static_cast<Transaction&>(*each);
    if (open.response || !open.request || open.request->transaction != m.transaction) continue;
    tx = &open;
    break;
  }
  if (tx == nullptr) {
    if (transactions.size() >= kMaxTransactions) return;
    tx = &add(std::make_unique<Transaction>());
    tx->add_event(kUnsolicitedResponse);
  } else if (!answers(m, *tx->request)) {
    tx->add_event(kValueMismatch);
  }
  add_events(*tx, m);
  tx->response = std::move(m);
  complete(*tx);
}

void ModbusParser::end() {
  for (const auto& tx : transactions) {
    if (tx->progress[0] == 0) complete(static_cast<Transaction&>(*tx));
  }
}

}  // namespace vong::modbus
