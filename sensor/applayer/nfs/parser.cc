#include "sensor/applayer/nfs/parser.h"

#include <algorithm>

namespace vong::nfs {

using applayer::FileStream;
using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr size_t kMarkBytes = 4;
constexpr size_t kFramedBytes = 512;   // of a record that comes in pieces: enough for its headers
constexpr uint32_t kRead2 = 6, kRead3 = 6, kWrite3 = 7, kCommit3 = 21;
constexpr uint32_t kClose4 = 4, kCommit4 = 5, kRead4 = 25, kWrite4 = 38;

size_t way(Direction d) { return static_cast<size_t>(index(d)); }

bool is_read(uint32_t version, uint32_t procedure) {
  return version == 4 ? procedure == kRead4 : procedure == (version == 2 ? kRead2 : kRead3);
}

bool is_write(uint32_t version, uint32_t procedure) {
  return (version == 4 && procedure == kWrite4) || (version == 3 && procedure == kWrite3);
}

// The begin of a record that could be one: after a gap.
bool plausible(Direction d, Bytes data) {
  ByteReader in(data);
  const uint32_t mark = in.u32();
  in.skip(4);
  const uint32_t type = in.u32(), next = in.u32(), program = in.u32();
  if (!in.ok() || (mark & 0x7fffffff) < 24) return false;
  return d == Direction::kToServer ? type == 0 && next == 2 && program == kNfsProgram
                                   : type == 1 && next <= 1;
}

}  // namespace

NfsParser::NfsParser(const Config& config)
    : config_(config), calls_(kMaxCalls), names_(kMaxNames), headers_(kMaxCalls) {}

// ---------------------------------------------------------------- framing

ParseResult NfsParser::parse(Direction d, const Input& in) {
  if (in.datagram) {
    datagrams_ = true;
    if (frames != nullptr) note_frames(d, in.offset, 0, in.data, in.data.size());
    return record(d, in.data) ? ParseResult::ok(in.data.size()) : ParseResult::error();
  }
  Bytes data = in.data;
  Side& side = sides_[way(d)];
  const auto consumed = [&] { return in.data.size() - data.size(); };
  while (!data.empty()) {
    if (const size_t n = take_pending(d, data); n > 0) {
      data = data.subspan(n);
      continue;
    }
    if (side.search) {
      constexpr size_t kNeeded = 20;
      if (data.size() < kNeeded) return ParseResult::ok(consumed(), kNeeded);
      if (plausible(d, data))
        side.search = false;
      else
        data = data.subspan(1);
      continue;
    }
    if (data.size() < kMarkBytes) return ParseResult::ok(consumed(), kMarkBytes);
    ByteReader mark(data);
    const uint64_t bytes = mark.u32() & 0x7fffffff;
    const Bytes body = data.subspan(kMarkBytes);
    // As soon as the credentials can be there.
    if (const uint64_t at = in.offset + consumed(); frames != nullptr && at >= side.framed_until && body.size() >= std::min<uint64_t>(bytes, kFramedBytes)) {
      side.framed_until = at + kMarkBytes + bytes;
      note_frames(d, at, kMarkBytes, body.first(std::min<uint64_t>(body.size(), bytes)), bytes);
    }
    if (body.size() >= bytes) {
      data = data.subspan(kMarkBytes + bytes);
      if (!record(d, body.first(bytes))) return ParseResult::error();
      continue;
    }
    if (body.size() >= kStreamRecordBytes && stream_record(d, body, bytes))
      return ParseResult::ok(in.data.size());
    if (bytes <= kMaxRecordBytes) return ParseResult::ok(consumed(), kMarkBytes + bytes);
    if (body.size() < kStreamRecordBytes)
      return ParseResult::ok(consumed(), kMarkBytes + kStreamRecordBytes);
    side.skip = kMarkBytes + bytes;
  }
  return ParseResult::ok(consumed());
}

size_t NfsParser::take_pending(Direction d, Bytes data) {
  Side& side = sides_[way(d)];
  if (side.skip > 0) {
    const size_t n = std::min<uint64_t>(side.skip, data.size());
    side.skip -= n;
    return n;
  }
  if (side.file_left == 0) return 0;
  const size_t n = std::min<uint64_t>(side.file_left, data.size());
  side.file_left -= n;
  if (Transaction* tx = pending_file(side)) {
    tx->file->stream.more(data.first(n));
    tx->touch();
    if (side.file_left == 0 && tx->file->last) close_file(tx->handle, d, tx->file->last_xid);
  }
  if (side.file_left == 0) {
    side.skip = side.record_left;
    side.record_left = 0;
    side.file_tx.reset();
  }
  return n;
}

Transaction* NfsParser::pending_file(Side& s) {
  if (!s.file_tx) return nullptr;
  for (const auto& tx : transactions) {
    if (tx->id != *s.file_tx) continue;
    auto& found = static_cast<Transaction&>(*tx);
    return found.file ? &found : nullptr;
  }
  return nullptr;
}

// Records of reads and writes that are not whole yet: what is there is taken, the rest follows.
// Others wait.
bool NfsParser::stream_record(Direction d, Bytes body, uint64_t record_bytes) {
  ByteReader in(body);
  std::optional<Part> part;
  if (d == Direction::kToServer) {
    const auto c = read_call(in);
    if (!c || c->program != kNfsProgram || !is_write(c->version, c->procedure) || c->version != 3)
      return false;
    const auto a = arguments3(in, c->procedure);
    if (a) part = a->write;
  } else {
    const auto r = read_reply(in);
    const OpenCall* open = r && !r->denied ? calls_.find(r->xid) : nullptr;
    if (open == nullptr || !is_read(open->version, open->procedure) || open->version == 4)
      return false;
    Results results;
    if (open->version == 2)
      results2(in, *open, results);
    else
      results3(in, *open, results);
    part = results.read;
  }
  if (!part || part->data.empty() || part->data.size() >= part->size) return false;
  const uint64_t data_at = static_cast<uint64_t>(part->data.data() - body.data());
  if (data_at + part->size > record_bytes) return false;
  Side& side = sides_[way(d)];
  side.file_tx.reset();
  if (!record(d, body)) return false;
  side.file_left = part->size - part->data.size();
  side.record_left = record_bytes - data_at - part->size;
  return true;
}

bool NfsParser::gap(Direction d, uint64_t size) {
  Side& side = sides_[way(d)];
  uint64_t n = std::min(side.skip, size);
  side.skip -= n;
  size -= n;
  n = std::min(side.file_left, size);
  if (n > 0) {
    if (Transaction* tx = pending_file(side)) {
      tx->file->stream.lost(n);
      tx->touch();
    }
    side.file_left -= n;
    size -= n;
    if (side.file_left == 0) {
      n = std::min(side.record_left, size);
      side.skip = side.record_left - n;
      side.record_left = 0;
      size -= n;
    }
  }
  if (size == 0) return true;
  side.search = true;
  // What was asked before will not be answered any more.
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (!tx.file) tx.finish(d);
  }
  return true;
}

void NfsParser::end() {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.file) tx.file->stream.abandon();
    // Without an answer nothing is logged of datagrams; a stream that ended is told as far as it
    // went.
    if (!datagrams_) tx.answered = true;
    tx.finish(Direction::kToServer);
    tx.finish(Direction::kToClient);
  }
}

// ---------------------------------------------------------------- transactions

void NfsParser::event(Event e) {
  if (!transactions.empty()) transactions.back()->add_event(e);
}

bool NfsParser::record(Direction d, Bytes record) {
  return d == Direction::kToServer ? call(record) : reply(record);
}

Transaction& NfsParser::make(const Call& c, uint32_t procedure) {
  if (transactions.size() >= config_.transactions_max) {
    for (const auto& each : transactions) {
      auto& old = static_cast<Transaction&>(*each);
      if (old.done(Direction::kToServer) && old.done(Direction::kToClient)) continue;
      if (old.file) old.file->stream.abandon();
      old.finish(Direction::kToServer);
      old.finish(Direction::kToClient);
      break;
    }
  }
  auto made = std::make_unique<Transaction>();
  made->xid = c.xid;
  made->version = c.version;
  made->procedure = procedure;
  made->credentials = c.credentials;
  return add(std::move(made));
}

Transaction* NfsParser::find(uint32_t xid) {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.xid == xid && !tx.file && !tx.done(Direction::kToClient)) return &tx;
  }
  return nullptr;
}

Transaction* NfsParser::find_file(const std::string& handle, Direction d) {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.file && tx.file->direction == d && !tx.file->stream.closed() && tx.handle == handle)
      return &tx;
  }
  return nullptr;
}

void NfsParser::name_handle(Bytes handle, const std::string& name) {
  if (!handle.empty() && handle.size() <= kMaxHandleBytes)
    names_.put(std::string(as_text(handle)), name);
}

std::string NfsParser::name_of(const std::string& handle) {
  const std::string* name = names_.find(handle);
  return name != nullptr ? *name : std::string();
}

bool NfsParser::call(Bytes record) {
  ByteReader in(record);
  const auto c = read_call(in);
  if (!c) {
    event(kMalformedData);
    return false;
  }
  if (c->program != kNfsProgram) return true;
  if (c->version < 2 || c->version > 4) {
    event(kNonExistingVersion);
    return true;
  }
  auto a = c->version == 2   ? arguments2(in, c->procedure)
           : c->version == 3 ? arguments3(in, c->procedure)
                             : arguments4(in);
  if (!a) {
    event(kMalformedData);
    return true;
  }
  if (a->name.empty() && !a->handle.empty()) a->name = name_of(a->handle);
  calls_.put(c->xid, {c->version, a->procedure, a->name, a->handle, a->offset});
  if (a->write) {
    Call write = *c;
    write.procedure = a->procedure;
    file_part(Direction::kToServer, write, *a->write);
    return true;
  }
  if (is_read(c->version, a->procedure)) {
    Call read = *c;
    read.procedure = a->procedure;
    headers_.put(c->xid, std::move(read));
    return true;
  }
  const bool commits = (c->version == 3 && a->procedure == kCommit3) ||
                       (c->version == 4 && (a->procedure == kCommit4 || a->procedure == kClose4));
  if (commits) close_file(a->handle, Direction::kToServer, c->xid);
  if (c->version == 4 && a->procedure == kClose4)
    close_file(a->handle, Direction::kToClient, c->xid);
  Transaction& tx = make(*c, a->procedure);
  tx.name = std::move(a->name);
  tx.handle = std::move(a->handle);
  tx.new_name = std::move(a->new_name);
  tx.has_rename = a->rename;
  tx.finish(Direction::kToServer);
  return true;
}

bool NfsParser::reply(Bytes record) {
  ByteReader in(record);
  const auto r = read_reply(in);
  if (!r) {
    event(kMalformedData);
    return false;
  }
  const auto open = calls_.take(r->xid);
  if (!open) return true;
  Results results;
  if (!r->denied && r->accept_state == 0) {
    if (open->version == 2)
      results2(in, *open, results);
    else if (open->version == 3)
      results3(in, *open, results);
    else
      results4(in, *open, results);
  }
  const auto header = headers_.take(r->xid);
  if (results.read && header) {
    results.read->handle = open->handle;
    results.read->offset = open->offset;
    file_part(Direction::kToClient, *header, *results.read);
    Transaction* tx = find_file(open->handle, Direction::kToClient);
    if (tx != nullptr) {
      tx->denied = r->denied;
      tx->status = results.status;
      tx->file->last = tx->file->last || results.end_of_file;
      if (results.end_of_file && results.read->data.size() == results.read->size)
        close_file(open->handle, Direction::kToClient, r->xid);
    }
    return true;
  }
  Transaction* tx = find(r->xid);
  if (tx == nullptr && header) {  // a READ that was refused
    tx = &make(*header, header->procedure);
    tx->name = open->name;
    tx->handle = open->handle;
    tx->finish(Direction::kToServer);
  }
  if (tx == nullptr) {
    if (is_write(open->version, open->procedure)) {
      if (Transaction* file = find_file(open->handle, Direction::kToServer)) {
        file->denied = r->denied;
        file->status = results.status;
      }
    }
    return true;
  }
  tx->denied = r->denied;
  tx->status = results.status;
  tx->answered = true;
  tx->finish(Direction::kToClient);
  return true;
}

// ---------------------------------------------------------------- files

void NfsParser::file_part(Direction d, const Call& c, const Part& part) {
  Transaction* tx = find_file(part.handle, d);
  if (tx == nullptr) {
    tx = &make(c, c.procedure);
    tx->handle = part.handle;
    tx->name = name_of(part.handle);
    tx->file.emplace(config_.files, d, tx->name, files_made_++);
  }
  ++tx->file->chunks;
  tx->file->last_xid = c.xid;
  (void)tx->file->stream.part(part.offset, part.size, part.data,
                              {kMaxQueuedBytes, kMaxQueuedParts});
  if (part.data.size() < part.size) sides_[way(d)].file_tx = tx->id;
  tx->touch();
}

void NfsParser::close_file(const std::string& handle, Direction d, uint32_t xid) {
  Transaction* tx = find_file(handle, d);
  if (tx == nullptr) return;
  tx->file->stream.close();
  tx->file->last = true;
  tx->file->last_xid = xid;
  tx->answered = true;
  tx->finish(Direction::kToServer);
  tx->finish(Direction::kToClient);
}

}  // namespace vong::nfs
