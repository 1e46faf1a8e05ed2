#include "sensor/applayer/smb/parser.h"

#include <algorithm>

namespace vong::smb {

using applayer::Input;
using applayer::ParseResult;

namespace {

size_t side_index(Direction d) { return static_cast<size_t>(index(d)); }

enum class Magic : uint8_t { kNone, kVersion1, kVersion2, kTransform, kCompressed };

Magic magic_of(Bytes record) {
  if (record.size() < 4 || record[1] != 'S' || record[2] != 'M' || record[3] != 'B')
    return Magic::kNone;
  switch (record[0]) {
    case 0xff:
      return Magic::kVersion1;
    case 0xfe:
      return Magic::kVersion2;
    case 0xfd:
      return Magic::kTransform;
    case 0xfc:
      return Magic::kCompressed;
    default:
      return Magic::kNone;
  }
}

bool known_nbss_type(uint8_t type) {
  return type == kNbssMessage || (type >= kNbssRequest && type <= kNbssKeepAlive);
}

uint64_t record_size(Bytes header) {
  return uint64_t{header[1]} << 16 | uint64_t{header[2]} << 8 | header[3];
}

}  // namespace

SmbParser::SmbParser(const Config& config)
    : config_(config),
      names_(config.guids_max),
      reads_(config.offsets_max),
      creates_(config.names_max),
      pipe_reads_(config.names_max),
      trees_(config.trees_max),
      fragments_(config.fragments_max) {}

// ---------------------------------------------------------------- framing

ParseResult SmbParser::parse(Direction d, const Input& in) {
  Bytes data = in.data;
  Side& side = sides_[side_index(d)];
  if (d == Direction::kToClient && !data.empty()) {
    answered_ = true;
    one_sided_ = false;
  }
  const auto consumed = [&] { return in.data.size() - data.size(); };
  while (!data.empty()) {
    if (const size_t n = take_pending(d, data); n > 0) {
      data = data.subspan(n);
      continue;
    }
    if (side.search) {
      const size_t n = find_record(d, data);
      data = data.subspan(n);
      if (side.search) break;
      continue;
    }
    if (data.size() < kNbssHeaderBytes) return ParseResult::ok(consumed(), kNbssHeaderBytes);
    const uint64_t bytes = record_size(data);
    if (frames != nullptr) note_frames(d, in.offset + consumed(), data, bytes);
    if (!known_nbss_type(data[0])) {
      event(kMalformedData);
      return ParseResult::error();
    }
    if (data[0] != kNbssMessage) {
      side.skip = kNbssHeaderBytes + bytes;
      continue;
    }
    const Bytes body = data.subspan(kNbssHeaderBytes);
    if (body.size() >= 4 && magic_of(body) == Magic::kNone) {
      event(kMalformedData);
      return ParseResult::error();
    }
    if (body.size() >= bytes) {
      data = data.subspan(kNbssHeaderBytes + bytes);
      record(d, body.first(bytes));
      if (failed_) return ParseResult::error();
      continue;
    }
    // Not whole yet: parts of files are taken as they come, all else must be whole.
    if (body.size() >= kStreamRecordBytes && stream_record(d, body, bytes)) {
      data = {};
      if (failed_) return ParseResult::error();
      break;
    }
    if (bytes <= kMaxRecordBytes) return ParseResult::ok(consumed(), kNbssHeaderBytes + bytes);
    if (body.size() < kStreamRecordBytes)
      return ParseResult::ok(consumed(), kNbssHeaderBytes + kStreamRecordBytes);
    event(kRecordOverflow);
    side.skip = kNbssHeaderBytes + bytes;
  }
  return ParseResult::ok(consumed(), 0);
}

// Once for each record, as soon as the header of what it carries is there.
void SmbParser::note_frames(Direction d, uint64_t offset, Bytes data, uint64_t bytes) {
  Side& side = sides_[side_index(d)];
  const Bytes body = data.subspan(kNbssHeaderBytes, std::min<uint64_t>(bytes, data.size() - kNbssHeaderBytes));
  if (offset < side.framed_until || (body.size() < kHeader2Bytes && body.size() < bytes)) return;
  side.framed_until = offset + kNbssHeaderBytes + bytes;
  const auto add = [&](uint8_t type, uint64_t at, uint64_t size) { frames->add(d, type, at, static_cast<int64_t>(size)); };
  add(kFrameNbssPdu, offset, kNbssHeaderBytes + bytes);
  add(kFrameNbssHdr, offset, kNbssHeaderBytes);
  add(kFrameNbssData, offset + kNbssHeaderBytes, bytes);
  if (data[0] != kNbssMessage) return;
  const auto unit = [&](uint8_t pdu, uint64_t at, uint64_t size, uint64_t header) {
    add(pdu, at, size);
    if (size < header) return;
    add(static_cast<uint8_t>(pdu + 1), at, header);
    if (size > header) add(static_cast<uint8_t>(pdu + 2), at + header, size - header);
  };
  const uint64_t at = offset + kNbssHeaderBytes;
  switch (magic_of(body)) {
    case Magic::kVersion1: return unit(kFrameSmb1Pdu, at, bytes, kHeader1Bytes);
    case Magic::kTransform: return unit(kFrameSmb3Pdu, at, bytes, kTransformHeaderBytes);
    case Magic::kVersion2: break;
    default: return;
  }
  uint64_t done = 0;
  for (size_t n = 0; n < kMaxCompoundsPerRecord; ++n) {
    const auto h = done < body.size() ? parse_header2(body.subspan(done)) : std::nullopt;
    const bool chained = h && h->next >= kHeader2Bytes && h->next < bytes - done;
    unit(kFrameSmb2Pdu, at + done, chained ? h->next : bytes - done, kHeader2Bytes);
    if (!chained) return;
    done += h->next;
  }
}

// What is under way already: returns how many bytes belonged to it.
size_t SmbParser::take_pending(Direction d, Bytes data) {
  Side& side = sides_[side_index(d)];
  if (side.skip > 0) {
    const size_t n = std::min<uint64_t>(side.skip, data.size());
    side.skip -= n;
    return n;
  }
  if (side.file_left > 0) {
    const size_t n = std::min<uint64_t>(side.file_left, data.size());
    side.file_left -= n;
    file_bytes(d, data.first(n));
    if (side.file_left == 0) {
      side.skip = side.record_left;
      side.record_left = 0;
      side.file_tx.reset();
    }
    return n;
  }
  return 0;
}

// The transaction whose file is coming, unless it is gone.
Transaction* SmbParser::pending_file(Side& s) {
  if (!s.file_tx) return nullptr;
  for (const auto& tx : transactions) {
    if (tx->id == *s.file_tx) return static_cast<Transaction*>(tx.get());
    if (tx->id > *s.file_tx) break;
  }
  s.file_tx.reset();
  return nullptr;
}

void SmbParser::file_bytes(Direction d, Bytes data) {
  Transaction* tx = pending_file(sides_[side_index(d)]);
  if (tx == nullptr) return;
  tx->as<FileTransfer>()->stream.more(data);
  tx->touch();
}

// After a gap: bytes up to the next place that looks like a record; all but the last few when there
// is none.
size_t SmbParser::find_record(Direction d, Bytes data) {
  constexpr size_t kNeeded = kNbssHeaderBytes + 4;
  for (size_t at = 0; at + kNeeded <= data.size(); ++at) {
    if (data[at] != kNbssMessage || magic_of(data.subspan(at + kNbssHeaderBytes)) == Magic::kNone)
      continue;
    sides_[side_index(d)].search = false;
    return at;
  }
  return data.size() < kNeeded ? 0 : data.size() - kNeeded + 1;
}

bool SmbParser::gap(Direction d, uint64_t size) {
  Side& side = sides_[side_index(d)];
  side.first_after_gap = true;
  uint64_t n = std::min(side.skip, size);
  side.skip -= n;
  size -= n;
  n = std::min(side.file_left, size);
  if (n > 0) {
    if (Transaction* tx = pending_file(side)) {
      tx->as<FileTransfer>()->stream.lost(n);
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
  if (size > 0) side.search = true;
  return true;
}

// What was asked before a gap will not be answered any more, nor what was sent be gone on with.
void SmbParser::after_gap(Direction d) {
  sides_[side_index(d)].first_after_gap = false;
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.as<FileTransfer>() == nullptr) tx.finish(d);
  }
}

// The begin of a record that is not whole. True: it was a part of a file, which is now under way.
bool SmbParser::stream_record(Direction d, Bytes body, uint64_t record_bytes) {
  Side& side = sides_[side_index(d)];
  uint64_t size = 0;
  size_t data_at = 0, there = 0;
  const bool to_server = d == Direction::kToServer;
  if (magic_of(body) == Magic::kVersion2) {
    const auto h = parse_header2(body);
    if (!h || h->next != 0 || h->is_request() != to_server) return false;
    if (to_server && h->command == k2Write) {
      const auto w = parse_write2(body);
      if (!w) return false;
      size = w->size, data_at = w->data_at, there = w->data.size();
    } else if (!to_server && h->command == k2Read) {
      const auto r = parse_read_answer2(body);
      if (!r) return false;
      size = r->size, data_at = r->data_at, there = r->data.size();
    }
  } else if (magic_of(body) == Magic::kVersion1) {
    const auto h = parse_header1(body);
    if (!h || h->is_request() != to_server) return false;
    const auto b = parse_block1(body, kHeader1Bytes);
    if (!b) return false;
    if (to_server && h->command == k1WriteAndx) {
      const auto w = parse_write1(body, h->command, *b);
      if (!w) return false;
      size = w->size, data_at = w->data_at, there = w->data.size();
    } else if (!to_server && h->command == k1ReadAndx) {
      const auto r = parse_read_answer1(body, *b);
      if (!r) return false;
      size = r->size, data_at = r->data_at, there = r->data.size();
    }
  }
  // Units of DCERPC on pipes are small and must be whole; a part that the record cannot hold is
  // none.
  if (size == 0 || there == 0 || data_at + size > record_bytes) return false;
  if (record_bytes <= kMaxRecordBytes && formats::dcerpc::parse_header(body.subspan(data_at)))
    return false;
  side.file_tx.reset();
  record(d, body);
  if (data_at + there < body.size()) {  // all of the part is there, the rest of the record is not
    side.skip = record_bytes - body.size();
    return true;
  }
  side.file_left = size - there;
  side.record_left = record_bytes - data_at - size;
  if (side.file_left == 0) {
    side.skip = side.record_left;
    side.record_left = 0;
  }
  return true;
}

void SmbParser::record(Direction d, Bytes record) {
  if (sides_[side_index(d)].first_after_gap) after_gap(d);
  switch (magic_of(record)) {
    case Magic::kVersion1:
      record1(d, record);
      break;
    case Magic::kVersion2:
      record2(d, record);
      break;
    case Magic::kTransform:   // encrypted
    case Magic::kCompressed:  // not opened
      break;
    case Magic::kNone:
      if (!record.empty()) event(kMalformedData);
      break;
  }
}

void SmbParser::end() {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (FileTransfer* f = tx.as<FileTransfer>()) f->stream.abandon();
    tx.finish(Direction::kToServer);
    tx.finish(Direction::kToClient);
  }
}

// ---------------------------------------------------------------- transactions

// The event belongs to what came last; with no transaction there is nobody to tell.
void SmbParser::event(Event e) {
  if (!transactions.empty()) transactions.back()->add_event(e);
}

Transaction& SmbParser::make(const CommonHeader& h) {
  const size_t most = config_.transactions_max + (one_sided_ ? kMaxTransactions : 0);
  if (transactions.size() > most && !failed_) {
    if (config_.one_sided && !answered_ && !one_sided_) {
      one_sided();
    } else {
      failed_ = true;
      event(kTooManyTransactions);
    }
  }
  auto made = std::make_unique<Transaction>();
  made->session = &session_;
  made->version = h.version;
  made->command = h.command;
  made->key = h.key;
  // A request's end is no reason to look at the raw stream at once; an answer's is (measured on the reference).
  made->told_complete = {true, false};
  if (one_sided_) made->finish(Direction::kToClient);
  return add(std::move(made));
}

// Where connections of which one side is never seen are followed, requests that pile up need no answer.
void SmbParser::one_sided() {
  one_sided_ = true;
  for (const auto& each : transactions) static_cast<Transaction&>(*each).finish(Direction::kToClient);
}

Transaction& SmbParser::make_generic(const CommonHeader& h) {
  Transaction& tx = make(h);
  tx.finish(Direction::kToServer);
  return tx;
}

// The oldest transaction without an answer that this one answers. Files and calls on pipes are not
// answered record by record.
Transaction* SmbParser::find(const CommonHeader& h, bool (*fits)(const Transaction&)) {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    if (tx.version != h.version || tx.command != h.command || tx.done(Direction::kToClient) ||
        tx.key.session != h.key.session || tx.key.message != h.key.message ||
        (tx.key.tree != h.key.tree && !h.later) || tx.as<PipeCall>() != nullptr ||
        tx.as<FileTransfer>() != nullptr)
      continue;
    if (fits == nullptr || fits(tx)) return &tx;
  }
  return nullptr;
}

Transaction* SmbParser::find_file(const std::string& file_id, Direction d) {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    const FileTransfer* f = tx.as<FileTransfer>();
    if (f != nullptr && f->direction == d && !f->stream.closed() && f->file_id == file_id)
      return &tx;
  }
  return nullptr;
}

void SmbParser::set_status(Transaction& tx, const CommonHeader& h) {
  tx.nt_status = h.nt_status;
  tx.dos_error = h.dos_error;
}

// Where the reference knows NT's statuses only: no error of DOS is success there.
void SmbParser::set_nt_status(Transaction& tx, const CommonHeader& h) {
  set_status(tx, h);
  if (!h.dos_error || !h.ok()) return;
  tx.nt_status = 0;
  tx.dos_error.reset();
}

void SmbParser::answer_generic(const CommonHeader& h) {
  constexpr uint32_t kPending = 0x103;
  Transaction* tx = find(h);
  if (tx == nullptr) return;
  set_status(*tx, h);
  if (h.nt_status != kPending) tx->finish(Direction::kToClient);
}

std::string SmbParser::name_of_file(const std::string& file_id) {
  const std::string* name = names_.find(file_id);
  return name != nullptr ? *name : std::string();
}

SmbParser::Tree* SmbParser::tree_of(const CommonHeader& h) {
  return trees_.find({h.version == 1 ? 0 : h.key.session, 0, h.key.tree});
}

void SmbParser::logon(SessionSetup& to, Transaction& tx, Bytes blob) {
  formats::LogonToken token = formats::parse_logon_token(blob);
  to.ntlm = std::move(token.ntlm);
  to.kerberos = std::move(token.kerberos);
  if (token.malformed_ntlm) tx.add_event(kMalformedNtlmsspRequest);
}

}  // namespace vong::smb
