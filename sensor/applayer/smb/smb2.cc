// Versions 2 and 3: requests and answers of one record (MS-SMB2).
#include <algorithm>

#include "sensor/applayer/formats/text.h"
#include "sensor/applayer/smb/names.h"
#include "sensor/applayer/smb/parser.h"

namespace vong::smb {
namespace {

constexpr uint32_t kPending = 0x103, kBufferOverflow = 0x80000005;
constexpr uint32_t kPipeTransceive = 0x0011c017;
constexpr uint16_t kDialectAny2 = 0x02ff;

template <typename T>
bool holds(const Transaction& tx) {
  return tx.as<T>() != nullptr;
}

// Reads are answered later, in records that name no tree (async): then what they read is taken as a
// file though it may be a pipe's, as in the reference.
Key read_key(const auto& c) { return {c.key.session, c.key.message, 0}; }

// Commands whose requests make no record of their own.
bool is_silent(uint16_t command) {
  return command == k2Read || command == k2Write || command == k2GetInfo || command == k2SetInfo;
}

}  // namespace

void SmbParser::record2(Direction d, Bytes record) {
  for (size_t n = 0; n < kMaxCompoundsPerRecord && !record.empty(); ++n) {
    const auto h = parse_header2(record);
    if (!h) return event(kMalformedData);
    if (h->next != 0 && (h->next < kHeader2Bytes || h->next > record.size()))
      return event(kMalformedData);
    const Bytes one = h->next != 0 ? record.first(h->next) : record;
    CommonHeader c;
    c.version = 2;
    c.command = h->command;
    c.key = {h->session, h->message, h->tree};
    if (h->is_request()) {
      if (d == Direction::kToServer)
        request2(c, one);
      else
        event(kRequestToClient);
    } else if (d == Direction::kToClient) {
      c.nt_status = h->status;
      c.later = h->is_async();
      response2(c, one);
    } else {
      event(kResponseToServer);
    }
    if (h->next == 0 || failed_) return;
    record = record.subspan(h->next);
  }
}

// ---------------------------------------------------------------- requests

void SmbParser::request2(const CommonHeader& c, Bytes record) {
  if (!request2_known(c, record) && !is_silent(c.command)) (void)make_generic(c);
}

// True: a transaction stands for this request already, or none shall.
bool SmbParser::request2_known(const CommonHeader& c, Bytes record) {
  switch (c.command) {
    case k2Negotiate:
      return negotiate_request2(c, record);
    case k2SessionSetup:
      return session_setup_request2(c, record);
    case k2TreeConnect:
      return tree_connect_request2(c, record);
    case k2TreeDisconnect:
      trees_.erase({c.key.session, 0, c.key.tree});
      return false;
    case k2Create:
      return create_request2(c, record);
    case k2Close:
      return close_request2(c, record);
    case k2Read:
      read_request2(c, record);
      return true;
    case k2Write:
      write2(c, record);
      return true;
    case k2Ioctl:
      return ioctl_request2(c, record);
    case k2SetInfo:
      return set_info_request2(c, record);
    default:
      return false;
  }
}

bool SmbParser::negotiate_request2(const CommonHeader& c, Bytes record) {
  ByteReader in(record);
  in.skip(kHeader2Bytes + 2);
  const uint16_t count = in.u16_le();
  in.skip(8);
  const Bytes guid = in.bytes(16);
  in.skip(8);
  Transaction& tx = make_generic(c);
  Negotiate& n = tx.data.emplace<Negotiate>();
  n.client_guid = as_text(guid);
  for (size_t i = 0; i < std::min<size_t>(count, kMaxDialects); ++i) {
    const uint16_t dialect = in.u16_le();
    if (!in.ok()) break;
    n.dialects.push_back(dialect_offer_name(dialect));
  }
  if (!in.ok()) tx.add_event(kMalformedData);
  return true;
}

bool SmbParser::session_setup_request2(const CommonHeader& c, Bytes record) {
  ByteReader in(record);
  in.skip(kHeader2Bytes + 12);
  const uint16_t at = in.u16_le(), size = in.u16_le();
  in.skip(8);
  Transaction& tx = make_generic(c);
  SessionSetup& s = tx.data.emplace<SessionSetup>();
  if (!in.ok() || at > record.size()) {
    tx.add_event(kMalformedData);
    return true;
  }
  logon(s, tx, record.subspan(at, std::min<size_t>(size, record.size() - at)));
  return true;
}

bool SmbParser::tree_connect_request2(const CommonHeader& c, Bytes record) {
  ByteReader in(record);
  in.skip(kHeader2Bytes + 4);
  const uint16_t at = in.u16_le(), size = in.u16_le();
  if (!in.ok() || at > record.size()) {
    event(kMalformedData);
    return false;
  }
  Transaction& tx = make_generic(c);
  tx.key.tree = 0;  // the answer gives it
  const Bytes path = record.subspan(at, std::min<size_t>(size, record.size() - at));
  tx.data.emplace<TreeConnect>().share =
      formats::without_zeros(path.first(std::min(path.size(), 2 * kMaxNameBytes)));
  return true;
}

bool SmbParser::create_request2(const CommonHeader& c, Bytes record) {
  constexpr uint32_t kDirectory = 0x1, kDeleteOnClose = 0x1000;
  auto request = parse_create_request2(record);
  if (!request) {
    event(kMalformedData);
    return false;
  }
  creates_.put(c.key, request->name);
  Transaction& tx = make_generic(c);
  Create& create = tx.data.emplace<Create>();
  create.name = std::move(request->name);
  create.disposition = request->disposition;
  create.directory = (request->options & kDirectory) != 0;
  create.delete_on_close = (request->options & kDeleteOnClose) != 0;
  return true;
}

bool SmbParser::close_request2(const CommonHeader& c, Bytes record) {
  ByteReader in(record);
  in.skip(kHeader2Bytes + 8);
  const std::string file_id(as_text(in.bytes(kFileIdBytes)));
  if (!in.ok()) {
    event(kMalformedData);
    return false;
  }
  close_file(c, file_id, Direction::kToServer);
  close_file(c, file_id, Direction::kToClient);
  return false;
}

void SmbParser::read_request2(const CommonHeader& c, Bytes record) {
  auto r = parse_read_request2(record);
  if (!r) return event(kMalformedData);
  if (too_large(Direction::kToClient, r->size, true)) return;
  reads_.put(read_key(c), {std::move(r->file_id), r->offset});
}

void SmbParser::write2(const CommonHeader& c, Bytes record) {
  auto w = parse_write2(record);
  if (!w) return event(kMalformedData);
  if (too_large(Direction::kToServer, w->size, true)) return;
  file_part(Direction::kToServer, c, {std::move(w->file_id), w->offset, w->size, w->data},
            tree_of(c));
}

bool SmbParser::ioctl_request2(const CommonHeader& c, Bytes record) {
  auto i = parse_ioctl_request2(record);
  if (!i) {
    event(kMalformedData);
    return false;
  }
  if (i->function == kPipeTransceive && is_rpc_pipe(i->file_id, i->data)) {
    pipe_write(c, i->file_id, i->data);
    pipe_reads_.put(read_key(c), std::move(i->file_id));
    return true;
  }
  Transaction& tx = make_generic(c);
  tx.data.emplace<Ioctl>().function = i->function;
  return true;
}

// In a compound the file may be the one that the request before this one creates.
std::string SmbParser::name_of_chained(const CommonHeader& c, const std::string& file_id) {
  if (const std::string* name = names_.find(file_id)) return *name;
  Key before = c.key;
  --before.message;
  if (const std::string* name = creates_.find(before)) return *name;
  return "<unknown>";
}

bool SmbParser::set_info_request2(const CommonHeader& c, Bytes record) {
  auto s = parse_set_info2(record);
  if (!s) {
    event(kMalformedData);
    return false;
  }
  if (s->rename) {
    Transaction& tx = make_generic(c);
    Rename& r = tx.data.emplace<Rename>();
    r.from = name_of_chained(c, s->file_id);
    r.to = std::move(s->new_name);
    r.file_id = std::move(s->file_id);
    return true;
  }
  Transaction& tx = make_generic(c);
  SetInfo& to = tx.data.emplace<SetInfo>();
  to.name = name_of_chained(c, s->file_id);
  to.file_id = std::move(s->file_id);
  to.info_class = s->info_class;
  to.level = s->level;
  to.delete_on_close = s->delete_on_close;
  return true;
}

// ---------------------------------------------------------------- answers

void SmbParser::response2(const CommonHeader& c, Bytes record) {
  if (!response2_known(c, record)) answer_generic(c);
}

bool SmbParser::response2_known(const CommonHeader& c, Bytes record) {
  switch (c.command) {
    case k2Negotiate:
      return negotiate_response2(c, record);
    case k2SessionSetup:
      return session_setup_response2(c);
    case k2TreeConnect:
      return tree_connect_response2(c, record);
    case k2Create:
      return create_response2(c, record);
    case k2Read:
      if (c.nt_status == kPending) return true;
      if (c.ok() || c.nt_status == kBufferOverflow)
        read_answer2(c, record);
      else if (const auto r = reads_.take(read_key(c)))
        pipe_read(c, r->file_id, {});
      return true;
    case k2Ioctl:
      return ioctl_response2(c, record);
    default:
      return false;
  }
}

bool SmbParser::negotiate_response2(const CommonHeader& c, Bytes record) {
  ByteReader in(record);
  in.skip(kHeader2Bytes + 4);
  const uint16_t dialect = in.u16_le();
  in.skip(2);
  const Bytes guid = in.bytes(16);
  in.skip(8);
  const uint32_t max_read = in.u32_le(), max_write = in.u32_le();
  // A client that began with version 1 is answered with version 2.
  Transaction* tx = nullptr;
  for (const auto& each : transactions) {
    auto& t = static_cast<Transaction&>(*each);
    if (t.as<Negotiate>() != nullptr && !t.done(Direction::kToClient)) {
      tx = &t;
      break;
    }
  }
  if (!in.ok()) {
    if (c.ok()) event(kMalformedData);
  } else {
    session_.dialect = dialect;
    session_.max_read_size = max_read;
    session_.max_write_size = max_write;
    if (dialect == kDialectAny2) session_.dialect_text.clear();
  }
  if (tx == nullptr) return true;
  if (in.ok()) {
    Negotiate& n = *tx->as<Negotiate>();
    n.server_guid = as_text(guid);
    n.max_read_size = max_read;
    n.max_write_size = max_write;
  }
  tx->nt_status = c.nt_status;
  const auto [write_max, read_max] = config_.part_bytes_max;
  if (read_max > 0 && max_read > read_max) tx->add_event(kNegotiateMaxReadSizeTooLarge);
  if (write_max > 0 && max_write > write_max) tx->add_event(kNegotiateMaxWriteSizeTooLarge);
  tx->finish(Direction::kToClient);
  return true;
}

// The first request of a session has no session id yet.
bool SmbParser::session_setup_response2(const CommonHeader& c) {
  Transaction* tx = find(c, holds<SessionSetup>);
  if (tx == nullptr) {
    CommonHeader first = c;
    first.key.session = 0;
    tx = find(first, holds<SessionSetup>);
  }
  if (tx == nullptr) return true;
  set_status(*tx, c);
  if (c.nt_status == kPending) return true;
  tx->key = c.key;
  tx->finish(Direction::kToClient);
  return true;
}

bool SmbParser::tree_connect_response2(const CommonHeader& c, Bytes record) {
  constexpr uint8_t kPipeShare = 2;
  CommonHeader request = c;
  request.key.tree = 0;  // given by this answer
  Transaction* tx = find(request, holds<TreeConnect>);
  if (tx == nullptr) return true;
  set_status(*tx, c);
  if (c.nt_status == kPending) return true;
  tx->finish(Direction::kToClient);
  if (!c.ok()) return true;
  ByteReader in(record);
  in.skip(kHeader2Bytes + 2);
  const uint8_t type = in.u8();
  if (!in.ok()) {
    event(kMalformedData);
    return true;
  }
  TreeConnect& t = *tx->as<TreeConnect>();
  t.share_type = type;
  t.is_pipe = type == kPipeShare;
  tx->key = c.key;
  trees_.put({c.key.session, 0, c.key.tree}, {t.share, t.is_pipe});
  return true;
}

bool SmbParser::create_response2(const CommonHeader& c, Bytes record) {
  if (!c.ok()) {
    if (c.nt_status != kPending) creates_.erase(c.key);
    return false;
  }
  auto answer = parse_create_answer2(record);
  if (!answer) {
    event(kMalformedData);
    return false;
  }
  if (auto name = creates_.take(c.key)) names_.put(answer->file_id, std::move(*name));
  if (Transaction* tx = find(c, holds<Create>)) tx->as<Create>()->answer = std::move(*answer);
  return false;
}

void SmbParser::read_answer2(const CommonHeader& c, Bytes record) {
  const auto r = parse_read_answer2(record);
  if (!r) return event(kMalformedData);
  auto request = reads_.take(read_key(c));
  if (!request || too_large(Direction::kToClient, r->size, false)) return;
  file_part(Direction::kToClient, c,
            {std::move(request->file_id), request->offset, r->size, r->data}, tree_of(c));
}

bool SmbParser::ioctl_response2(const CommonHeader& c, Bytes record) {
  if (c.nt_status == kPending) return false;
  const auto file_id = pipe_reads_.take(read_key(c));
  if (!file_id) return false;
  const auto i = parse_ioctl_answer2(record);
  pipe_read(c, *file_id, i ? i->data : Bytes());
  return true;
}

}  // namespace vong::smb
