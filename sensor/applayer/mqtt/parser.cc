#include "sensor/applayer/mqtt/parser.h"

#include <algorithm>

namespace vong::mqtt {

using applayer::Input;
using applayer::ParseResult;

namespace {

// CONNECT has no packet id; this stands for it (real ones have 16 bits).
constexpr uint32_t kConnectId = UINT32_MAX;

void set(Transaction& tx, Direction d) {
  tx.progress[static_cast<size_t>(index(d))] = kDone;
  tx.updated[static_cast<size_t>(index(d))] = true;
}

}  // namespace

// An exchange is inspected in the direction that began it; the other one has nothing to wait for.
Transaction& MqttParser::make(Direction d) {
  Transaction& tx = add(std::make_unique<Transaction>(config_));
  tx.version = version_;
  set(tx, opposite(d));
  tx.has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  return tx;
}

void MqttParser::keep(Transaction& tx, Message m, size_t bytes) {
  tx.updated = {true, true};
  if (tx.messages.size() >= kMaxMessagesPerTransaction) return;
  tx.held_bytes += bytes;
  tx.messages.push_back(std::move(m));
}

void MqttParser::wait(Transaction& tx, uint32_t id) {
  tx.waits_for = id;
  held_bytes_ += tx.held_bytes;
  waiting_.emplace(tx.id, &tx);
  by_packet_id_[id].push_back(&tx);
  bound();
}

void MqttParser::complete(Transaction& tx) {
  set(tx, Direction::kToServer);
  set(tx, Direction::kToClient);
  if (!tx.waits_for) return;
  waiting_.erase(tx.id);
  held_bytes_ -= std::min(held_bytes_, tx.held_bytes);
  const auto it = by_packet_id_.find(*tx.waits_for);
  if (it != by_packet_id_.end()) {
    std::erase(it->second, &tx);
    if (it->second.empty()) by_packet_id_.erase(it);
  }
  tx.waits_for.reset();
}

void MqttParser::bound() {
  while (!waiting_.empty() &&
         (waiting_.size() > config_.transactions_max || held_bytes_ > kMaxHeldBytes)) {
    Transaction& oldest = *waiting_.begin()->second;
    oldest.add_event(kTooManyTransactions);
    complete(oldest);
  }
}

// A message that no other one asked for.
void MqttParser::begins(Direction d, Message m, size_t bytes) {
  Transaction& tx = make(d);
  const Type type = m.type();
  const bool introduced = connected_;
  std::optional<uint32_t> wait_for;
  const bool truncated = m.truncated;
  if (type == Type::kConnect && !truncated) {
    if (connected_) tx.add_event(kDoubleConnect);
    version_ = m.connect->version;
    tx.version = version_;
    wait_for = kConnectId;
  } else if (!truncated &&
             (type == Type::kPublish || type == Type::kSubscribe || type == Type::kUnsubscribe)) {
    if (m.header.qos > 2) {
      tx.add_event(kInvalidQosLevel);
    } else if (m.header.qos > 0) {
      if (m.id)
        wait_for = *m.id;
      else
        tx.add_event(kMissingMessageId);
    }
  }
  if (type == Type::kUnassigned)
    tx.add_event(kUnassignedMessageType);
  else if (type != Type::kConnect && !introduced)
    tx.add_event(kUnintroducedMessage);
  keep(tx, std::move(m), bytes);
  if (wait_for)
    wait(tx, *wait_for);
  else
    complete(tx);
}

// A message that belongs to an open exchange. `last`: it completes it.
void MqttParser::answers(Direction d, Message m, size_t bytes, uint32_t id, bool last,
                         Event missing) {
  const auto it = by_packet_id_.find(id);
  Transaction* tx = it != by_packet_id_.end() ? it->second.front() : nullptr;
  if (tx == nullptr) {
    tx = &make(d);
    tx->add_event(missing);
    if (id != kConnectId && !connected_) tx->add_event(kUnintroducedMessage);
    keep(*tx, std::move(m), bytes);
    complete(*tx);
    return;
  }
  if (id == kConnectId)
    connected_ = true;
  else if (!connected_)
    tx->add_event(kUnintroducedMessage);
  const size_t held = tx->held_bytes;
  keep(*tx, std::move(m), bytes);
  held_bytes_ += tx->held_bytes - held;
  if (last) complete(*tx);
}

void MqttParser::take(Direction d, Message m, size_t bytes) {
  const uint32_t id = m.id.value_or(0);
  if (m.truncated) return begins(d, std::move(m), bytes);
  switch (m.type()) {
    case Type::kConnack:
      return answers(d, std::move(m), bytes, kConnectId, true, kMissingConnect);
    case Type::kPubrec:
    case Type::kPubrel:
      return answers(d, std::move(m), bytes, id, false, kMissingPublish);
    case Type::kPuback:
    case Type::kPubcomp:
      return answers(d, std::move(m), bytes, id, true, kMissingPublish);
    case Type::kSuback:
      return answers(d, std::move(m), bytes, id, true, kMissingSubscribe);
    case Type::kUnsuback:
      return answers(d, std::move(m), bytes, id, true, kMissingUnsubscribe);
    default:
      return begins(d, std::move(m), bytes);
  }
}

// A message, its fixed header, and what follows that.
void MqttParser::note_frames(Direction d, uint64_t offset, const FixedHeader& h) {
  frames->add(d, kFramePdu, offset, static_cast<int64_t>(h.size + h.remaining));
  frames->add(d, kFrameHeader, offset, static_cast<int64_t>(h.size));
  frames->add(d, kFrameData, offset + h.size, static_cast<int64_t>(h.remaining));
}

ParseResult MqttParser::parse(Direction d, const Input& in) {
  uint64_t& skip = skip_[static_cast<size_t>(index(d))];
  size_t at = 0;
  while (at < in.data.size()) {
    const Bytes rest = in.data.subspan(at);
    if (skip > 0) {
      const auto n = static_cast<size_t>(std::min<uint64_t>(skip, rest.size()));
      skip -= n;
      at += n;
      continue;
    }
    Message m;
    const HeaderStatus status = parse_fixed_header(rest, m.header);
    if (status == HeaderStatus::kMoreData) return ParseResult::ok(at);
    bool sound = status == HeaderStatus::kOk;
    const size_t size = m.header.size + m.header.remaining;
    if (sound && m.header.remaining > config_.message_bytes_max) {
      m.truncated = true;
      m.skipped_bytes = size;
      skip = size;
      take(d, std::move(m), 0);
      continue;
    }
    if (sound && size > rest.size()) return ParseResult::ok(at, size);
    sound = sound && parse_body(rest.subspan(m.header.size, m.header.remaining), version_, m);
    if (!sound) {
      Transaction& tx = make(d);
      tx.add_event(kMalformedTraffic);
      complete(tx);
      return ParseResult::error();
    }
    if (frames != nullptr) note_frames(d, in.offset + at, m.header);
    take(d, std::move(m), size);
    at += size;
  }
  return ParseResult::ok(at);
}

void MqttParser::end() {
  while (!waiting_.empty()) complete(*waiting_.begin()->second);
}

}  // namespace vong::mqtt
