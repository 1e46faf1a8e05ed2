#include "sensor/applayer/s7comm/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/s7comm/functions.h"
#include "sensor/applayer/s7comm/limits.h"

namespace vong::s7comm {

using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr size_t kTpktBytes = 4;
constexpr uint8_t kTpktVersion = 3, kData = 0xf0, kLastPart = 0x80, kMagic = 0x32,
                  kExtendedMagic = 0x72;

uint32_t key_of(Direction d, uint16_t reference) {
  return static_cast<uint32_t>(index(d)) << 16 | reference;
}

// The length before a name is in one byte; the name is what is there of it.
std::string counted_text(ByteReader& in) {
  const size_t size = in.u8();
  return std::string(as_text(in.bytes(std::min<size_t>(size, in.remaining()))));
}

Item read_item(ByteReader& in) {
  Item item;
  in.skip(1);
  ByteReader spec(in.bytes(in.u8()));
  spec.skip(2);  // syntax, size of an element
  item.count = spec.u16();
  item.block = spec.u16();
  item.area = spec.u8();
  item.address = spec.u24();
  return item;
}

}  // namespace

ParseResult S7commParser::parse(Direction d, const Input& in) {
  Bytes data = in.data;
  size_t consumed = 0;
  while (data.size() >= kTpktBytes) {
    const size_t size = size_t{data[2]} << 8 | data[3];
    if (data[0] != kTpktVersion || size < kTpktBytes + 2) {
      event(kMalformedData);
      return ParseResult::error();
    }
    if (data.size() < size) return ParseResult::ok(consumed, size);
    if (!transport_unit(d, data.subspan(kTpktBytes, size - kTpktBytes))) {
      event(kMalformedData);
      return ParseResult::error();
    }
    consumed += size;
    data = data.subspan(size);
  }
  return ParseResult::ok(consumed, data.empty() ? 0 : kTpktBytes);
}

bool S7commParser::transport_unit(Direction d, Bytes bytes) {
  const size_t header = size_t{bytes[0]} + 1;
  if (header < 2 || header > bytes.size()) return false;
  if (bytes[1] != kData) return true;  // connections begin and end
  if (header < 3) return false;
  const auto i = static_cast<size_t>(index(d));
  std::string& parts = parts_[i];
  const Bytes part = bytes.subspan(header);
  if (parts.size() + part.size() > kMaxUnitBytes) {
    if (!too_long_[i]) event(kUnitTooLong);
    too_long_[i] = true;
  }
  const bool last = (bytes[2] & kLastPart) != 0;
  if (!too_long_[i] && (!last || !parts.empty())) parts.append(as_text(part));
  if (!last) return true;
  if (!too_long_[i]) unit(d, parts.empty() ? part : as_bytes(parts));
  parts.clear();
  too_long_[i] = false;
  return true;
}

void S7commParser::unit(Direction d, Bytes bytes) {
  if (bytes.empty()) return;  // keeps the connection alive
  if (bytes[0] == kExtendedMagic) {
    if (Transaction* tx = make(d)) {
      tx->extended = true;
      finish(*tx);
    }
    return;
  }
  ByteReader in(bytes);
  const uint8_t magic = in.u8(), kind = in.u8();
  in.skip(2);
  const uint16_t reference = in.u16();
  const size_t parameters = in.u16();
  in.skip(2);  // size of the data
  const bool is_answer =
      kind == static_cast<uint8_t>(Kind::kAck) || kind == static_cast<uint8_t>(Kind::kAckData);
  const Bytes errors = in.bytes(is_answer ? 2 : 0);
  const Bytes rest = in.rest();
  const bool known = is_answer || kind == static_cast<uint8_t>(Kind::kJob) ||
                     kind == static_cast<uint8_t>(Kind::kUserData);
  if (!in.ok() || magic != kMagic || !known || parameters > rest.size())
    return event(kMalformedData);
  if (is_answer) return answer(d, reference, errors);
  Transaction* tx = make(d);
  if (tx == nullptr) return;
  tx->kind = static_cast<Kind>(kind);
  tx->reference = reference;
  job(*tx, rest.first(parameters));
  if (tx->kind == Kind::kUserData)
    return finish(*tx);  // its answer is user data too, with a sequence number of its own
  const uint32_t key = key_of(d, reference);
  if (const auto same = open_.take(key))
    finish(**same);  // the reference is used again: nobody will answer
  if (const auto oldest = open_.put(key, tx)) finish(**oldest);
}

void S7commParser::job(Transaction& tx, Bytes parameters) {
  ByteReader in(parameters);
  if (tx.kind == Kind::kUserData) {
    in.skip(5);  // head(3), length(1), method(1)
    tx.group = static_cast<uint8_t>(in.u8() & 0x0f);
    tx.function = in.u8();
    if (!in.ok()) tx.add_event(kMalformedData);
    return;
  }
  if (parameters.empty()) return;
  const uint8_t function = in.u8();
  tx.function = function;
  switch (function) {
    case kReadVariables:
    case kWriteVariables:
      tx.item_count = in.u8();
      for (uint32_t i = 0; i < tx.item_count && i < kMaxItems && in.ok() && !in.empty(); ++i) {
        const Item item = read_item(in);
        if (in.ok()) tx.items.push_back(item);
      }
      break;
    case kRequestDownload:
    case kDownloadBlock:
    case kDownloadEnded:
    case kStartUpload:
      in.skip(7);  // status(1), two unknown(2), number of the transfer(4)
      tx.name = counted_text(in);
      break;
    case kControl:
      in.skip(7);         // unknown
      in.skip(in.u16());  // what the service works on
      tx.name = counted_text(in);
      break;
    case kStop:
      in.skip(5);
      tx.name = counted_text(in);
      break;
    default:
      return;
  }
  if (!in.ok()) tx.add_event(kMalformedData);
}

void S7commParser::answer(Direction d, uint16_t reference, Bytes errors) {
  const auto job = open_.take(key_of(opposite(d), reference));
  if (!job) return event(kUnexpectedAnswer);
  Transaction& tx = **job;
  tx.answered = true;
  tx.error_class = errors[0];
  tx.error_code = errors[1];
  finish(tx);
}

Transaction* S7commParser::make(Direction d) {
  if (transactions.size() >= kMaxTransactions) return nullptr;
  auto made = std::make_unique<Transaction>();
  made->direction = d;
  Transaction& tx = add(std::move(made));
  tx.progress[static_cast<size_t>(index(d))] = kFinished;
  return &tx;
}

void S7commParser::finish(Transaction& tx) {
  tx.progress = {kFinished, kFinished};
  tx.updated = {true, true};
}

void S7commParser::end() {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.progress != std::array<uint8_t, kDirections>{kFinished, kFinished}) finish(tx);
  }
}

// Belongs to what came last; with nothing there is nobody to tell.
void S7commParser::event(Event e) {
  if (!transactions.empty()) transactions.back()->add_event(e);
}

}  // namespace vong::s7comm
