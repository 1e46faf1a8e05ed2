#include "sensor/applayer/dcerpc/parser.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace vong::dcerpc {

using applayer::Input;
using applayer::ParseResult;

namespace {

size_t way(Direction d) { return static_cast<size_t>(index(d)); }

void add_stub(Transaction::Stub& to, Bytes stub) {
  ++to.fragments;
  to.size += stub.size();
  if (to.data.size() < kMaxStubBytes)
    to.data.append(as_text(stub.first(std::min(stub.size(), kMaxStubBytes - to.data.size()))));
}

bool plausible(const rpc::Header& h) {
  return h.minor <= 1 && h.type <= rpc::kPacketTypeMax && h.auth_bytes < h.fragment_bytes;
}

}  // namespace

void DcerpcParser::note_frames(Direction d, uint64_t offset, size_t size) {
  frames->add(d, kFramePdu, offset, static_cast<int64_t>(size));
  frames->add(d, kFrameHeader, offset, static_cast<int64_t>(rpc::kHeaderBytes));
  if (size > rpc::kHeaderBytes)
    frames->add(d, kFrameData, offset + rpc::kHeaderBytes,
                static_cast<int64_t>(size - rpc::kHeaderBytes));
}

ParseResult DcerpcParser::parse(Direction d, const Input& in) {
  if (in.datagram)
    return datagram(d, in.data) ? ParseResult::ok(in.data.size()) : ParseResult::error();
  Bytes data = in.data;
  const size_t i = way(d);
  const auto consumed = [&] { return in.data.size() - data.size(); };
  while (!data.empty()) {
    if (skip_[i] > 0) {
      const size_t n = std::min<uint64_t>(skip_[i], data.size());
      skip_[i] -= n;
      data = data.subspan(n);
      continue;
    }
    if (data.size() < rpc::kHeaderBytes) return ParseResult::ok(consumed(), rpc::kHeaderBytes);
    const auto h = rpc::parse_header(data);
    if (!h || (search_[i] && !plausible(*h))) {
      if (!search_[i]) return ParseResult::error();
      data = data.subspan(1);
      continue;
    }
    search_[i] = false;
    if (data.size() < h->fragment_bytes) return ParseResult::ok(consumed(), h->fragment_bytes);
    if (frames != nullptr) note_frames(d, in.offset + consumed(), h->fragment_bytes);
    if (!unit(d, data.first(h->fragment_bytes), *h)) return ParseResult::error();
    data = data.subspan(h->fragment_bytes);
  }
  return ParseResult::ok(consumed());
}

// A unit that was not whole yet is presented to nobody again: the next begin is looked for.
bool DcerpcParser::gap(Direction d, uint64_t) {
  search_[way(d)] = true;
  for (const auto& tx : transactions) static_cast<Transaction&>(*tx).finish(d);
  return true;
}

void DcerpcParser::end() {
  for (const auto& tx : transactions) {
    static_cast<Transaction&>(*tx).finish(Direction::kToServer);
    static_cast<Transaction&>(*tx).finish(Direction::kToClient);
  }
}

// ---------------------------------------------------------------- transactions

Transaction& DcerpcParser::add_bounded(std::unique_ptr<Transaction> tx) {
  if (transactions.size() >= config_.transactions_max) {
    for (const auto& each : transactions) {
      auto& old = static_cast<Transaction&>(*each);
      if (old.done(Direction::kToServer) && old.done(Direction::kToClient)) continue;
      old.finish(Direction::kToServer);
      old.finish(Direction::kToClient);
      break;
    }
  }
  tx->session = &session_;
  return add(std::move(tx));
}

Transaction& DcerpcParser::make(uint32_t call_id, const rpc::Header& h) {
  auto tx = std::make_unique<Transaction>();
  tx->call_id = call_id;
  tx->version = h.version;
  tx->minor = h.minor;
  tx->little_endian = h.little_endian;
  return add_bounded(std::move(tx));
}

Transaction* DcerpcParser::find(uint32_t call_id, Direction open) {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.call_id == call_id && !tx.done(open)) return &tx;
  }
  return nullptr;
}

bool DcerpcParser::unit(Direction d, Bytes unit, const rpc::Header& h) {
  if (!plausible(h)) return false;
  const bool client = d == Direction::kToServer;
  switch (h.type) {
    case rpc::kBind:
    case rpc::kAlterContext:
      if (client) bind(unit, h);
      break;
    case rpc::kRequest:
      if (client) request(unit, h);
      break;
    case rpc::kBindAck:
    case rpc::kAlterContextResponse:
      if (!client) ack(unit, h);
      break;
    case rpc::kResponse:
      if (!client) response(unit, h);
      break;
    default:  // faults and the like leave the call without an answer, as in the reference
      break;
  }
  return true;
}

void DcerpcParser::bind(Bytes unit, const rpc::Header& h) {
  auto bound = rpc::parse_bind(unit, h);
  if (h.type == rpc::kBind) session_.interfaces.clear();
  for (rpc::Interface& i : bound) {
    if (session_.interfaces.size() < rpc::kMaxInterfaces)
      session_.interfaces.push_back(std::move(i));
  }
  Transaction& tx = make(h.call_id, h);
  tx.request = h.type;
  tx.finish(Direction::kToServer);
}

void DcerpcParser::request(Bytes unit, const rpc::Header& h) {
  const auto call = rpc::parse_request(unit, h);
  // A call without arguments counts as lost, as in the reference.
  if (!call || call->stub.empty()) return;
  Transaction* tx = h.first() ? nullptr : find(h.call_id, Direction::kToServer);
  if (tx == nullptr) {
    tx = &make(h.call_id, h);
    tx->first_fragment = h.first();
  }
  tx->request = h.type;
  tx->opnum = call->opnum;
  tx->context_id = call->context_id;
  add_stub(tx->stubs[0], call->stub);
  tx->updated = {true, true};
  if (h.last()) tx->finish(Direction::kToServer);
}

void DcerpcParser::ack(Bytes unit, const rpc::Header& h) {
  Transaction* tx = find(h.call_id, Direction::kToClient);
  if (tx == nullptr) tx = &make(h.call_id, h);
  // The results are those of the last interfaces that were offered.
  std::vector<rpc::Interface> offered;
  size_t first = 0;
  while (first < session_.interfaces.size() && session_.interfaces[first].acked) ++first;
  offered.assign(session_.interfaces.begin() + static_cast<std::ptrdiff_t>(first),
                 session_.interfaces.end());
  (void)rpc::apply_ack(unit, h, offered);
  std::copy(offered.begin(), offered.end(),
            session_.interfaces.begin() + static_cast<std::ptrdiff_t>(first));
  tx->response = h.type;
  tx->finish(Direction::kToClient);
}

void DcerpcParser::response(Bytes unit, const rpc::Header& h) {
  const auto call = rpc::parse_response(unit, h);
  if (!call) return;
  Transaction* tx = find(h.call_id, Direction::kToClient);
  // An answer to a call that was lost stays open to the server until the gap there is known.
  if (tx == nullptr) tx = &make(h.call_id, h);
  tx->response = h.type;
  // The reference counts an answer from its header on.
  add_stub(tx->stubs[1], unit.subspan(rpc::kHeaderBytes));
  tx->updated = {true, true};
  if (h.last()) tx->finish(Direction::kToClient);
}

// ---------------------------------------------------------------- connectionless

Transaction* DcerpcParser::find_connectionless(Bytes activity, uint32_t sequence) {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.connectionless && tx.sequence == sequence && tx.activity == as_text(activity) &&
        !tx.done(Direction::kToClient))
      return &tx;
  }
  return nullptr;
}

bool DcerpcParser::datagram(Direction d, Bytes data) {
  constexpr uint8_t kLastFragment = 2, kFragment = 4;
  ByteReader in(data);
  const uint8_t version = in.u8(), type = in.u8(), flags = in.u8();
  in.skip(1);
  const bool little = (in.u8() & 0x10) != 0;
  in.skip(3 + 16);
  const Bytes interface = in.bytes(16), activity = in.bytes(16);
  const auto u16 = [&] { return little ? in.u16_le() : in.u16(); };
  const auto u32 = [&] { return little ? in.u32_le() : in.u32(); };
  in.skip(4);
  const uint32_t interface_version = u32(), sequence = u32();
  const uint16_t opnum = u16();
  in.skip(4);
  const uint16_t size = u16(), fragment = u16();
  in.skip(2);
  const Bytes stub = in.bytes(std::min<size_t>(size, in.remaining()));
  if (!in.ok() || version != 4) return false;
  if (type != rpc::kRequest && type != rpc::kResponse) return true;
  Transaction* tx = find_connectionless(activity, sequence);
  if (tx == nullptr) {
    auto made = std::make_unique<Transaction>();
    made->connectionless = true;
    made->version = version;
    made->little_endian = little;
    made->activity = as_text(activity);
    made->sequence = sequence;
    rpc::Interface i;
    i.uuid = as_text(interface);
    if (little) {
      std::reverse(i.uuid.begin(), i.uuid.begin() + 4);
      std::reverse(i.uuid.begin() + 4, i.uuid.begin() + 6);
      std::reverse(i.uuid.begin() + 6, i.uuid.begin() + 8);
    }
    i.version = static_cast<uint16_t>(interface_version);
    i.minor = static_cast<uint16_t>(interface_version >> 16);
    i.acked = true;
    made->interface = std::move(i);
    tx = &add_bounded(std::move(made));
  }
  const bool call = type == rpc::kRequest;
  if (call) {
    tx->request = type;
    tx->opnum = opnum;
    tx->first_fragment = tx->first_fragment || fragment == 0;
  } else {
    tx->response = type;
    tx->finish(Direction::kToServer);
  }
  add_stub(tx->stubs[call ? 0 : 1], stub);
  tx->updated = {true, true};
  if ((flags & kFragment) == 0 || (flags & kLastFragment) != 0)
    tx->finish(call ? Direction::kToServer : Direction::kToClient);
  (void)d;
  return true;
}

}  // namespace vong::dcerpc
