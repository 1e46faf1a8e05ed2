#include "sensor/applayer/krb5/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "sensor/applayer/krb5/limits.h"

namespace vong::krb5 {

using applayer::Input;
using applayer::ParseResult;

bool is_weak(int32_t encryption) {
  constexpr std::array<int32_t, 6> kStrong = {17, 18, 19, 20, 25, 26};
  return std::ranges::find(kStrong, encryption) == kStrong.end();
}

ParseResult Krb5Parser::parse(Direction d, const Input& in) {
  constexpr size_t kMarkBytes = 4;
  if (in.datagram) {
    (void)message(d, in.data);
    return ParseResult::ok(in.data.size());
  }
  Bytes data = in.data;
  uint64_t& skip = skip_[static_cast<size_t>(index(d))];
  const auto consumed = [&] { return in.data.size() - data.size(); };
  while (!data.empty()) {
    if (skip > 0) {
      const size_t n = std::min<uint64_t>(skip, data.size());
      skip -= n;
      data = data.subspan(n);
      continue;
    }
    if (data.size() < kMarkBytes) return ParseResult::ok(consumed(), kMarkBytes);
    ByteReader mark(data);
    const uint64_t bytes = mark.u32() & 0x7fffffff;
    if (bytes > kMaxRecordBytes) {
      skip = kMarkBytes + bytes;
      continue;
    }
    if (data.size() < kMarkBytes + bytes) return ParseResult::ok(consumed(), kMarkBytes + bytes);
    if (!message(d, data.subspan(kMarkBytes, bytes))) return ParseResult::error();
    data = data.subspan(kMarkBytes + bytes);
  }
  return ParseResult::ok(consumed());
}

bool Krb5Parser::gap(Direction, uint64_t) { return false; }

bool Krb5Parser::message(Direction d, Bytes data) {
  auto m = kerberos::parse(data);
  if (!m) {
    if (!transactions.empty()) transactions.back()->add_event(kMalformedData);
    return false;
  }
  const bool request =
      m->type == kerberos::kAsReq || m->type == kerberos::kTgsReq || m->type == kerberos::kApReq;
  const uint8_t before = last_request_;
  last_request_ = request ? m->type : 0;
  // Application messages carry no exchange with the key distribution centre.
  if (m->type == kerberos::kApReq || m->type == kerberos::kApRep) return true;
  if (transactions.size() >= kMaxTransactions) return true;
  auto tx = std::make_unique<Transaction>();
  if (m->type == kerberos::kError) tx->failed_request = before;
  if (m->encryption && is_weak(*m->encryption)) tx->add_event(kWeakEncryption);
  tx->message = std::move(*m);
  tx->progress = {kFinished, kFinished};
  tx->has_direction = {d == Direction::kToServer, d == Direction::kToClient};
  add(std::move(tx));
  return true;
}

}  // namespace vong::krb5
