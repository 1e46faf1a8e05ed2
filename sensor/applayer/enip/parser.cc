#include "sensor/applayer/enip/parser.h"

#include "sensor/applayer/enip/limits.h"

namespace vong::enip {

using applayer::Input;
using applayer::ParseResult;

namespace {

bool has_answer(uint16_t command) {
  return command != kNop && command != kUnregisterSession && command != kIndicateStatus &&
         command != kCancel && command != kSendUnitData;
}

void advance(Transaction& tx, Direction d) {
  const auto i = static_cast<size_t>(index(d));
  tx.progress[i] = 1;
  tx.updated[i] = true;
}

}  // namespace

ParseResult EnipParser::parse(Direction d, const Input& in) {
  Bytes data = in.data;
  size_t consumed = 0;
  while (data.size() >= kHeaderBytes) {
    const size_t size = kHeaderBytes + (data[2] | static_cast<size_t>(data[3]) << 8);
    if (data.size() < size) {
      if (in.datagram) return ParseResult::error();
      return ParseResult::ok(consumed, size);
    }
    if (frames != nullptr) {
      const uint64_t at = in.offset + consumed;
      frames->add(d, kFramePdu, at, static_cast<int64_t>(size));
      frames->add(d, kFrameHeader, at, kHeaderBytes);
      if (size > kHeaderBytes)
        frames->add(d, kFrameData, at + kHeaderBytes, static_cast<int64_t>(size - kHeaderBytes));
    }
    if (!message(d, data.first(size))) return ParseResult::error();
    consumed += size;
    data = data.subspan(size);
  }
  return ParseResult::ok(consumed, data.empty() ? 0 : kHeaderBytes);
}

bool EnipParser::message(Direction d, Bytes bytes) {
  Message m;
  const bool response = d == Direction::kToClient;
  if (!parse_header(bytes, m.header) || command_name(m.header.command).empty()) {
    if (!transactions.empty()) transactions.back()->add_event(kInvalidPdu);
    return false;
  }
  Transaction* tx = transaction_of(d, m.header);
  if (tx == nullptr) return true;
  if (!parse_payload(bytes.subspan(kHeaderBytes), response, m)) tx->add_event(kInvalidPdu);
  const bool alone = !has_answer(m.header.command);
  (response ? tx->response : tx->request) = std::move(m);
  advance(*tx, d);
  if (alone || response) {
    advance(*tx, opposite(d));
    if (alone) tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  }
  return true;
}

// The request that a response belongs to, or a new transaction; null at the cap.
Transaction* EnipParser::transaction_of(Direction d, const Header& header) {
  if (d == Direction::kToClient && has_answer(header.command)) {
    for (const auto& each : transactions) {
      auto& tx = static_cast<Transaction&>(*each);
      if (tx.response || !tx.request || tx.progress[1] != 0) continue;
      const Header& asked = tx.request->header;
      // A session's number is the server's to give.
      const bool same_session =
          asked.session == header.session || header.command == kRegisterSession;
      if (asked.command == header.command && asked.context == header.context && same_session)
        return &tx;
    }
  }
  if (transactions.size() >= kMaxTransactions) {
    transactions.back()->add_event(kTooManyTransactions);
    return nullptr;
  }
  return &add(std::make_unique<Transaction>());
}

void EnipParser::end() {
  for (const auto& tx : transactions) {
    for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
      if (tx->progress[static_cast<size_t>(index(d))] == 0)
        advance(static_cast<Transaction&>(*tx), d);
    }
  }
}

}  // namespace vong::enip
