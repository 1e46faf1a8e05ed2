// Frames of a record: of RPC (RFC 5531) the message, its fixed header, what is behind it and the caller's credentials; of NFS its
// arguments or results, and the status these begin with. Those of version 4 (RFC 7530) go by names of their own.

#include <algorithm>

#include "sensor/applayer/nfs/parser.h"

namespace vong::nfs {
namespace {

constexpr size_t kCallHeaderBytes = 24;   // to the procedure
constexpr size_t kReplyHeaderBytes = 8;   // number and type
constexpr size_t kStatusBytes = 4;

// Where version 4's list of operations begins: behind tag and minor version (a call) or status and tag (an answer).
size_t operations4(Bytes body, Direction d) {
  ByteReader in(body);
  if (d == Direction::kToClient) in.skip(kStatusBytes);
  (void)read_opaque(in, kMaxNameBytes);
  if (d == Direction::kToServer) in.skip(4);
  return in.ok() ? body.size() - in.remaining() : 0;
}

}  // namespace

// `offset`: of the record with its mark; `there`: of the record as far as it has come, without the mark, `bytes` of it announced.
void NfsParser::note_frames(Direction d, uint64_t offset, size_t mark, Bytes there, uint64_t bytes) {
  const auto add = [&](uint8_t type, uint64_t at, uint64_t size) {
    if (size > 0) frames->add(d, type, offset + at, static_cast<int64_t>(size));
  };
  const bool asks = d == Direction::kToServer;
  const uint64_t all = mark + bytes, header = mark + (asks ? kCallHeaderBytes : kReplyHeaderBytes);
  add(kFrameRpcPdu, 0, all);
  if (all < header) return;
  add(kFrameRpcHdr, 0, header);
  add(kFrameRpcData, header, all - header);
  ByteReader in(there);
  uint32_t version = 0;
  if (asks) {
    const auto c = read_call(in);
    if (!c || c->program != kNfsProgram) return;
    version = c->version;
    ByteReader credentials(there.subspan(kCallHeaderBytes));
    credentials.skip(4);
    add(kFrameRpcCreds, header, std::min<uint64_t>(8 + uint64_t{credentials.u32()}, all - header));
  } else {
    const auto r = read_reply(in);
    const OpenCall* open = r && !r->denied && r->accept_state == 0 ? calls_.find(r->xid) : nullptr;
    if (open == nullptr) return;
    version = open->version;
  }
  const uint64_t body_at = all - (bytes - (there.size() - in.remaining()));
  const Bytes body = there.last(in.remaining());
  const bool four = version == 4;
  add(four ? kFrameNfs4Pdu : kFrameNfsPdu, body_at, all - body_at);
  if (!asks && all - body_at >= kStatusBytes) add(four ? kFrameNfs4Status : kFrameNfsStatus, body_at, kStatusBytes);
  if (!four) return;
  const size_t operations = operations4(body, d);
  if (operations == 0) return;
  add(kFrameNfs4Hdr, body_at, operations);
  add(kFrameNfs4Ops, body_at + operations, all - body_at - operations);
}

}  // namespace vong::nfs
