// Version 1: requests and answers, with what is chained behind them (MS-CIFS, MS-SMB).
#include <algorithm>

#include "base/strings.h"
#include "sensor/applayer/smb/parser.h"

namespace vong::smb {
namespace {

constexpr uint32_t kPending = 0x103, kBufferOverflow = 0x80000005;
constexpr uint16_t kCapabilityExtendedSecurityBit = 0x8000;  // of the upper half

template <typename T>
bool holds(const Transaction& tx) {
  return tx.as<T>() != nullptr;
}

// Commands whose requests make no record of their own.
bool is_silent(uint8_t command) {
  return command == k1ReadAndx || command == k1WriteAndx || command == k1Transaction ||
         command == k1Transaction2 || command == k1Write || command == k1WriteAndClose;
}

// Commands that name the one that is chained behind them.
bool is_andx(uint8_t command) {
  switch (command) {
    case 0x24:  // LOCKING_ANDX
    case 0x2d:  // OPEN_ANDX
    case k1ReadAndx:
    case k1WriteAndx:
    case k1SessionSetupAndx:
    case k1LogoffAndx:
    case k1TreeConnectAndx:
    case k1NtCreateAndx:
      return true;
    default:
      return false;
  }
}

// File ids are two bytes and belong to a session.
std::string file_key(uint16_t file, uint64_t session) {
  std::string key;
  key.push_back(static_cast<char>(file & 0xff));
  key.push_back(static_cast<char>(file >> 8));
  for (int i = 0; i < 4; ++i) key.push_back(static_cast<char>(session >> (8 * i)));
  return key;
}

uint16_t file_of(Bytes two) { return static_cast<uint16_t>(two[0] | two[1] << 8); }

}  // namespace

void SmbParser::record1(Direction d, Bytes record) {
  const auto h = parse_header1(record);
  if (!h) return event(kMalformedData);
  const bool request = h->is_request();
  if (request != (d == Direction::kToServer))
    return event(request ? kRequestToClient : kResponseToServer);
  CommonHeader c;
  c.version = 1;
  c.key = {h->session(), h->multiplex, h->tree};
  if (!request) {
    if (h->has_nt_status())
      c.nt_status = h->nt_status;
    else
      c.dos_error = std::pair(h->dos_class, h->dos_code);
  }
  uint8_t command = h->command;
  size_t at = kHeader1Bytes;
  for (size_t n = 0; n < kMaxCommandsPerRecord; ++n) {
    c.command = command;
    if (request)
      request1(*h, c, record, at);
    else
      response1(*h, c, record, at);
    if (failed_ || !is_andx(command)) return;
    const auto b = parse_block1(record, at);
    if (!b || b->words.size() < 4 || b->words[0] == k1NoFurther) return;
    const size_t next = file_of(b->words.subspan(2));
    if (next <= at) return;
    command = b->words[0];
    at = next;
  }
}

// ---------------------------------------------------------------- requests

void SmbParser::request1(const Header1& h, const CommonHeader& c, Bytes record, size_t at) {
  const auto b = parse_block1(record, at);
  if (!b) event(kMalformedData);
  const bool known = b && request1_known(h, c, record, *b);
  if (!known && !is_silent(static_cast<uint8_t>(c.command))) (void)make_generic(c);
}

bool SmbParser::request1_known(const Header1& h, const CommonHeader& c, Bytes record,
                               const Block1& b) {
  ByteReader words(b.words);
  switch (c.command) {
    case k1Negotiate:
      negotiate_request1(c, b);
      return true;
    case k1SessionSetupAndx:
      session_setup_request1(h, c, b);
      return true;
    case k1TreeConnectAndx:
      tree_connect_request1(h, c, b);
      return true;
    case k1TreeDisconnect:
      trees_.erase({0, 0, c.key.tree});
      return false;
    case k1NtCreateAndx:
      create_request1(h, c, b);
      return true;
    case k1Rename: {
      ByteReader in(b.bytes);
      in.skip(1);
      Rename r;
      r.from = read_string1(in, b.bytes_at, h.unicode());
      in.skip(1);
      r.to = read_string1(in, b.bytes_at, h.unicode());
      make_generic(c).data = std::move(r);
      return true;
    }
    case k1Close: {
      const uint16_t file = words.u16_le();
      if (!words.ok()) return false;
      const std::string id = file_key(file, c.key.session);
      close_file(c, id, Direction::kToServer);
      close_file(c, id, Direction::kToClient);
      return false;
    }
    case k1ReadAndx: {
      words.skip(4);
      const uint16_t file = words.u16_le();
      uint64_t offset = words.u32_le();
      uint64_t size = words.u16_le();
      words.skip(2);
      const uint32_t size_high = words.u32_le();
      if (!words.ok()) {
        event(kMalformedData);
        return true;
      }
      words.skip(2);
      if (words.remaining() >= 4) {
        offset |= uint64_t{words.u32_le()} << 32;
        if ((size_high & 0xffff) != 0xffff) size |= uint64_t{size_high & 0xffff} << 16;
      }
      if (too_large(Direction::kToClient, size, true)) return true;
      reads_.put(c.key, {file_key(file, c.key.session), offset});
      return true;
    }
    case k1WriteAndx:
    case k1Write:
    case k1WriteAndClose:
      write1(h, c, record, b);
      return true;
    case k1Transaction:
      return transaction_request1(h, c, record, b);
    case k1Transaction2:
      return transaction2_request1(h, c, record, b);
    default:
      return false;
  }
}

void SmbParser::negotiate_request1(const CommonHeader& c, const Block1& b) {
  Transaction& tx = make_generic(c);
  Negotiate& n = tx.data.emplace<Negotiate>();
  ByteReader in(b.bytes);
  while (!in.empty() && n.dialects.size() < kMaxDialects) {
    if (in.u8() != 2) {
      tx.add_event(kNegotiateMalformedDialects);
      break;
    }
    n.dialects.push_back(read_string1(in, 0, false));
  }
}

void SmbParser::session_setup_request1(const Header1& h, const CommonHeader& c, const Block1& b) {
  Transaction& tx = make_generic(c);
  SessionSetup& s = tx.data.emplace<SessionSetup>();
  ByteReader words(b.words), in(b.bytes);
  NativeHost host;
  if (b.words.size() == 24) {  // with a token
    words.skip(14);
    const uint16_t size = words.u16_le();
    logon(s, tx, in.bytes(std::min<size_t>(size, in.remaining())));
  } else if (b.words.size() == 26) {
    words.skip(14);
    const uint16_t one_byte = words.u16_le(), unicode = words.u16_le();
    in.skip(std::min<size_t>(size_t{one_byte} + unicode, in.remaining()));
    formats::NtlmAuthentication a;
    a.user = read_string1(in, b.bytes_at, h.unicode());
    a.domain = read_string1(in, b.bytes_at, h.unicode());
  } else if (b.words.size() == 20) {
    words.skip(14);
    in.skip(std::min<size_t>(words.u16_le(), in.remaining()));
    (void)read_string1(in, b.bytes_at, h.unicode());
    (void)read_string1(in, b.bytes_at, h.unicode());
  } else {
    return;
  }
  host.os = read_string1(in, b.bytes_at, h.unicode());
  host.lan_manager = read_string1(in, b.bytes_at, h.unicode());
  s.request = std::move(host);
}

void SmbParser::tree_connect_request1(const Header1& h, const CommonHeader& c, const Block1& b) {
  ByteReader words(b.words), in(b.bytes);
  words.skip(6);
  const uint16_t password = words.u16_le();
  in.skip(std::min<size_t>(password, in.remaining()));
  Transaction& tx = make_generic(c);
  TreeConnect& t = tx.data.emplace<TreeConnect>();
  t.share = read_string1(in, b.bytes_at, h.unicode());
  t.request_service = read_string1(in, b.bytes_at, false);
}

void SmbParser::create_request1(const Header1& h, const CommonHeader& c, const Block1& b) {
  constexpr uint32_t kDirectory = 0x1, kDeleteOnClose = 0x1000;
  ByteReader words(b.words), in(b.bytes);
  words.skip(35);  // AndX ... share access
  Create create;
  create.disposition = words.u32_le();
  const uint32_t options = words.u32_le();
  create.directory = (options & kDirectory) != 0;
  create.delete_on_close = (options & kDeleteOnClose) != 0;
  create.name = read_string1(in, b.bytes_at, h.unicode());
  creates_.put(c.key, create.name);
  Transaction& tx = make_generic(c);
  if (!words.ok()) tx.add_event(kMalformedData);
  tx.data = std::move(create);
}

void SmbParser::write1(const Header1&, const CommonHeader& c, Bytes record, const Block1& b) {
  const auto w = parse_write1(record, static_cast<uint8_t>(c.command), b);
  if (!w) return event(kMalformedData);
  if (too_large(Direction::kToServer, w->size, true)) return;
  const std::string id = file_key(w->file, c.key.session);
  file_part(Direction::kToServer, c, {id, w->offset, w->size, w->data}, tree_of(c));
  if (c.command == k1WriteAndClose) close_file(c, id, Direction::kToServer);
}

// TRANS: calls on named pipes.
bool SmbParser::transaction_request1(const Header1&, const CommonHeader& c, Bytes record,
                                     const Block1& b) {
  constexpr uint16_t kTransactNamedPipe = 0x26;
  ByteReader words(b.words);
  words.skip(22);
  const uint16_t size = words.u16_le(), at = words.u16_le();
  const uint8_t setup_words = words.u8();
  words.skip(1);
  const uint16_t function = words.u16_le(), file = words.u16_le();
  if (!words.ok() || setup_words < 2 || function != kTransactNamedPipe || at > record.size())
    return false;
  const Bytes data = record.subspan(at, std::min<size_t>(size, record.size() - at));
  const std::string id = file_key(file, c.key.session);
  if (!is_rpc_pipe(id, data)) return false;
  pipe_write(c, id, data);
  pipe_reads_.put(c.key, id);
  return true;
}

bool SmbParser::transaction2_request1(const Header1& h, const CommonHeader& c, Bytes record,
                                      const Block1& b) {
  constexpr uint16_t kSetPathInfo = 6, kSetFileInfo = 8;
  constexpr uint16_t kDispositionInfo = 0x102, kPassDisposition = 1013, kPassRename = 1010;
  ByteReader words(b.words);
  words.skip(18);
  const uint16_t parameters = words.u16_le(), parameters_at = words.u16_le();
  const uint16_t size = words.u16_le(), at = words.u16_le();
  words.skip(2);
  const uint16_t subcommand = words.u16_le();
  if (!words.ok() || (subcommand != kSetPathInfo && subcommand != kSetFileInfo) ||
      parameters_at > record.size() || at > record.size())
    return false;
  ByteReader p(
      record.subspan(parameters_at, std::min<size_t>(parameters, record.size() - parameters_at)));
  ByteReader data(record.subspan(at, std::min<size_t>(size, record.size() - at)));
  SetInfo s;
  s.subcommand = subcommand;
  if (subcommand == kSetPathInfo) {
    s.level = p.u16_le();
    p.skip(4);
    s.name = read_string1(p, parameters_at, h.unicode());
  } else {
    s.file_id = file_key(p.u16_le(), c.key.session);
    s.level = p.u16_le();
    s.name = name_of_file(s.file_id);
  }
  if (!p.ok()) return false;
  Transaction& tx = make_generic(c);
  if (s.level == kPassRename) {
    Rename r;
    data.skip(8);
    const uint32_t bytes = data.u32_le();
    const Bytes name = data.bytes(std::min<size_t>(bytes, data.remaining()));
    ByteReader text(name);
    r.to = read_string1(text, 0, h.unicode());
    r.from = std::move(s.name);
    r.file_id = std::move(s.file_id);
    tx.data = std::move(r);
    return true;
  }
  if (s.level == kDispositionInfo || s.level == kPassDisposition)
    s.delete_on_close = data.u8() != 0;
  tx.data = std::move(s);
  return true;
}

// ---------------------------------------------------------------- answers

void SmbParser::response1(const Header1& h, const CommonHeader& c, Bytes record, size_t at) {
  const auto b = parse_block1(record, at);
  if (!b && c.ok()) event(kMalformedData);
  if (!response1_known(h, c, record, b.value_or(Block1{}))) answer_generic(c);
}

bool SmbParser::response1_known(const Header1& h, const CommonHeader& c, Bytes record,
                                const Block1& b) {
  switch (c.command) {
    case k1Negotiate:
      return negotiate_response1(h, c, b);
    case k1SessionSetupAndx:
      return session_setup_response1(h, c, b);
    case k1TreeConnectAndx:
      return tree_connect_response1(h, c, b);
    case k1NtCreateAndx:
      return create_response1(h, c, b);
    case k1ReadAndx:
      if (c.ok() || c.nt_status == kBufferOverflow)
        read_answer1(h, c, record, b);
      else if (c.nt_status != kPending)
        if (const auto r = reads_.take(c.key)) pipe_read(c, r->file_id, {});
      return true;
    case k1Transaction:
      return transaction_response1(h, c, record, b);
    default:
      return false;
  }
}

bool SmbParser::negotiate_response1(const Header1&, const CommonHeader& c, const Block1& b) {
  Transaction* tx = find(c, holds<Negotiate>);
  if (tx == nullptr) return false;
  set_status(*tx, c);
  tx->finish(Direction::kToClient);
  if (!c.ok() || b.words.size() < 2) return true;
  Negotiate& n = *tx->as<Negotiate>();
  const uint16_t chosen = file_of(b.words);
  if (chosen < n.dialects.size()) session_.dialect_text = n.dialects[chosen];
  // With extended security the server tells its GUID.
  if (b.words.size() == 34 && b.words.size() >= 23 &&
      (file_of(b.words.subspan(21)) & kCapabilityExtendedSecurityBit) != 0 && b.bytes.size() >= 16)
    n.server_guid = as_text(b.bytes.first(16));
  return true;
}

// The answer gives the user id: it is found by the process and the multiplex id.
bool SmbParser::session_setup_response1(const Header1& h, const CommonHeader& c, const Block1& b) {
  Transaction* tx = find(c, holds<SessionSetup>);
  if (tx == nullptr) {
    for (const auto& each : transactions) {
      auto& t = static_cast<Transaction&>(*each);
      if (t.as<SessionSetup>() != nullptr && !t.done(Direction::kToClient) && t.version == 1 &&
          t.key.message == c.key.message && t.key.session >> 16 == c.key.session >> 16) {
        tx = &t;
        break;
      }
    }
  }
  if (tx == nullptr) return true;
  set_status(*tx, c);
  tx->key = c.key;
  tx->finish(Direction::kToClient);
  ByteReader words(b.words), in(b.bytes);
  if (b.words.size() == 8) {
    words.skip(6);
    in.skip(std::min<size_t>(words.u16_le(), in.remaining()));
  } else if (b.words.size() != 6) {
    return true;
  }
  NativeHost host;
  host.os = read_string1(in, b.bytes_at, h.unicode());
  host.lan_manager = read_string1(in, b.bytes_at, h.unicode());
  tx->as<SessionSetup>()->response = std::move(host);
  return true;
}

bool SmbParser::tree_connect_response1(const Header1&, const CommonHeader& c, const Block1& b) {
  // The tree is given by the answer, the user perhaps by a session setup before it in the chain.
  Transaction* tx = nullptr;
  for (const auto& each : transactions) {
    auto& t = static_cast<Transaction&>(*each);
    if (t.as<TreeConnect>() != nullptr && !t.done(Direction::kToClient) && t.version == 1 &&
        t.key.message == c.key.message) {
      tx = &t;
      break;
    }
  }
  if (tx == nullptr) return true;
  set_status(*tx, c);
  tx->finish(Direction::kToClient);
  if (!c.ok()) return true;
  TreeConnect& t = *tx->as<TreeConnect>();
  ByteReader in(b.bytes);
  t.response_service = read_string1(in, b.bytes_at, false);
  t.is_pipe = t.response_service == "IPC";
  tx->key = c.key;
  trees_.put({0, 0, c.key.tree}, {t.share, t.is_pipe});
  return true;
}

bool SmbParser::create_response1(const Header1&, const CommonHeader& c, const Block1& b) {
  auto name = creates_.take(c.key);
  if (!c.ok()) return false;
  auto answer = parse_create_answer1(b);
  if (!answer) {
    event(kMalformedData);
    return false;
  }
  answer->file_id = file_key(file_of(as_bytes(answer->file_id)), c.key.session);
  if (name) names_.put(answer->file_id, std::move(*name));
  if (Transaction* tx = find(c, holds<Create>)) {
    tx->as<Create>()->answer = std::move(*answer);
    set_nt_status(*tx, c);
    tx->finish(Direction::kToClient);
  }
  return true;
}

void SmbParser::read_answer1(const Header1&, const CommonHeader& c, Bytes record, const Block1& b) {
  const auto r = parse_read_answer1(record, b);
  if (!r) return event(kMalformedData);
  auto request = reads_.take(c.key);
  if (!request || too_large(Direction::kToClient, r->size, false)) return;
  file_part(Direction::kToClient, c,
            {std::move(request->file_id), request->offset, r->size, r->data}, tree_of(c));
}

bool SmbParser::transaction_response1(const Header1&, const CommonHeader& c, Bytes record,
                                      const Block1& b) {
  const auto file_id = pipe_reads_.take(c.key);
  if (!file_id) return false;
  ByteReader words(b.words);
  words.skip(12);
  const uint16_t size = words.u16_le(), at = words.u16_le();
  Bytes data;
  if (words.ok() && at <= record.size())
    data = record.subspan(at, std::min<size_t>(size, record.size() - at));
  pipe_read(c, *file_id, data);
  return true;
}

}  // namespace vong::smb
