#include "sensor/applayer/dnp3/parser.h"

#include <algorithm>

namespace vong::dnp3 {

using applayer::Input;
using applayer::ParseResult;
using applayer::ProbeVerdict;

namespace {

constexpr uint8_t kFirst = 0x40, kLast = 0x80, kSequence = 0x3f;  // of the transport header
constexpr std::string_view kBanner = "DNP3";

bool is_banner(Bytes data) {
  const Bytes head = data.first(std::min(data.size(), kMaxBannerBytes));
  return as_text(head).find(kBanner) != std::string_view::npos &&
         std::ranges::all_of(head, [](uint8_t b) {
           return (b >= 0x20 && b < 0x7f) || b == '\r' || b == '\n' || b == '\t';
         });
}

}  // namespace

ProbeVerdict probe(Direction d, Bytes data) {
  const bool to_server = d == Direction::kToServer;
  if (is_banner(data)) return to_server ? ProbeVerdict::kReversed : ProbeVerdict::kYes;
  if (data.size() >= 2 && !has_start_bytes(data)) return ProbeVerdict::kNo;
  if (data.size() < kLinkHeaderBytes) return ProbeVerdict::kMoreData;
  const LinkHeader h = read_link_header(data);
  if (h.length < kLinkMinLength) return ProbeVerdict::kNo;
  return h.from_master() == to_server ? ProbeVerdict::kYes : ProbeVerdict::kReversed;
}

// Without a message there is nothing that an event could stand at.
void Dnp3Parser::raise(Event e) {
  if (!transactions.empty()) transactions.back()->add_event(e);
}

ParseResult Dnp3Parser::parse(Direction d, const Input& in) {
  if (in.offset == 0 && !has_start_bytes(in.data) && is_banner(in.data))
    return ParseResult::ok(in.data.size());
  Bytes data = in.data;
  size_t consumed = 0;
  while (data.size() >= kLinkHeaderBytes) {
    if (!has_start_bytes(data)) return ParseResult::error();
    if (!header_checksum_ok(data)) {
      raise(kBadLinkCrc);
      return ParseResult::error();
    }
    const LinkHeader link = read_link_header(data);
    const size_t size = frame_bytes(link.length);
    if (size == 0) {
      raise(kLenTooSmall);
      return ParseResult::error();
    }
    if (data.size() < size) return ParseResult::ok(consumed, size);
    if (link.carries_user_data())
      user_data(d, link, data.subspan(kLinkHeaderBytes, size - kLinkHeaderBytes));
    consumed += size;
    data = data.subspan(size);
  }
  return ParseResult::ok(consumed, data.empty() ? 0 : kLinkHeaderBytes);
}

void Dnp3Parser::user_data(Direction d, const LinkHeader& link, Bytes blocks) {
  const size_t header_bytes = d == Direction::kToServer ? 2 : 4;
  scratch_.clear();
  const bool whole = unpack_user_data(blocks, scratch_);
  const auto transport = static_cast<uint8_t>(scratch_.empty() ? 0 : scratch_[0]);
  if (link.length < kLinkMinLength + 1 + ((transport & kFirst) != 0 ? header_bytes : 0)) {
    raise(kLenTooSmall);
    return;
  }
  if (!whole) {
    raise(kBadTransportCrc);
    return;
  }
  const std::string_view segment = std::string_view(scratch_).substr(1);
  Transaction* tx =
      (transport & kFirst) != 0 ? begin_message(d, link, segment) : continued(d, link, transport);
  if (tx == nullptr) return;
  tx->transport = transport;
  if (tx->message.size() + segment.size() > kMaxMessageBytes) {
    tx->add_event(kTooLongReassembly);
    tx->done = true;
    close(*tx);
    return;
  }
  tx->message.append(segment);
  if ((transport & kLast) != 0) finish(*tx);
}

Transaction* Dnp3Parser::begin_message(Direction d, const LinkHeader& link,
                                       std::string_view segment) {
  const auto function = static_cast<uint8_t>(segment[1]);
  // Confirmations tell nothing that the answer did not.
  if (d == Direction::kToServer && function == kConfirm) return nullptr;
  const bool full = transactions.size() >= config_.transactions_max;
  if (!full) flooded_ = false;
  if (flooded_) return nullptr;
  auto made = std::make_unique<Transaction>();
  made->is_request = d == Direction::kToServer;
  made->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  made->link = link;
  made->control = static_cast<uint8_t>(segment[0]);
  made->function = function;
  if (!made->is_request) {
    made->indications = static_cast<uint16_t>(static_cast<uint8_t>(segment[2]) << 8 |
                                              static_cast<uint8_t>(segment[3]));
  }
  Transaction& tx = add(std::move(made));
  if (full) {
    flooded_ = true;
    tx.add_event(kFlooded);
  }
  return &tx;
}

// The open message that this segment goes on with.
Transaction* Dnp3Parser::continued(Direction d, const LinkHeader& link, uint8_t transport) {
  for (auto it = transactions.rbegin(); it != transactions.rend(); ++it) {
    auto& tx = static_cast<Transaction&>(**it);
    if (!tx.done && tx.is_request == (d == Direction::kToServer) && tx.link.source == link.source &&
        tx.link.destination == link.destination &&
        ((tx.transport + 1) & kSequence) == (transport & kSequence))
      return &tx;
  }
  return nullptr;
}

void Dnp3Parser::finish(Transaction& tx) {
  tx.done = true;
  switch (decode_objects(tx.object_bytes(), config_.points_max, config_.objects_max, tx.objects)) {
    case DecodeResult::kOk:
      tx.complete = true;
      break;
    case DecodeResult::kMalformed:
      tx.add_event(kMalformed);
      break;
    case DecodeResult::kUnknownObject:
      tx.add_event(kUnknownObject);
      break;
    case DecodeResult::kTooManyPoints:
      tx.add_event(kTooManyPoints);
      break;
    case DecodeResult::kTooManyObjects:
      tx.add_event(kTooManyObjects);
      break;
  }
  close(tx);
}

void Dnp3Parser::close(Transaction& tx) {
  tx.progress = {1, 1};
  tx.updated = {true, true};
}

void Dnp3Parser::end() {
  for (const auto& tx : transactions) {
    if (tx->progress[0] == 0) close(static_cast<Transaction&>(*tx));
  }
}

}  // namespace vong::dnp3
