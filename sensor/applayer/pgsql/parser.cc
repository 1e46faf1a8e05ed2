#include "sensor/applayer/pgsql/parser.h"

#include <algorithm>

#include "base/byte_reader.h"

namespace vong::pgsql {

using applayer::AppProto;
using applayer::Input;
using applayer::ParseResult;
using Kind = Transaction::Kind;

namespace {

constexpr auto kClientSide = static_cast<size_t>(index(Direction::kToServer));
constexpr auto kServerSide = static_cast<size_t>(index(Direction::kToClient));

// How much of a message's body has to be there: of rows and copied data only the begin, the rest is
// counted.
size_t body_needed(Direction d, uint8_t type, uint32_t body) {
  constexpr size_t kCount = 2;
  if (type == 'd') return 0;
  if (d == Direction::kToClient && (type == 'D' || type == 'T'))
    return std::min<size_t>(body, kCount);
  return std::min<size_t>(body, kMaxMessageBytes);
}

}  // namespace

Transaction& PgsqlParser::begin(Kind kind, Request r) {
  auto& tx = add(std::make_unique<Transaction>());
  tx.kind = kind;
  tx.held_bytes = r.query ? r.query->size() : 0;
  tx.request = std::move(r);
  tx.progress[kClientSide] = kComplete;
  open_.push_back(&tx);
  held_bytes_ += tx.held_bytes;
  while (open_.size() > config_.transactions_max || held_bytes_ > kMaxHeldBytes) {
    Transaction& oldest = *open_.front();
    oldest.add_event(kTooManyTransactions);
    complete(oldest);
  }
  return tx;
}

void PgsqlParser::complete(Transaction& tx) {
  tx.progress = {kComplete, kComplete};
  tx.updated = {true, true};
  const auto it = std::ranges::find(open_, &tx);
  if (it == open_.end()) return;
  open_.erase(it);
  held_bytes_ -= std::min(held_bytes_, tx.held_bytes);
}

// The transaction that the server speaks about.
Transaction& PgsqlParser::answered() {
  if (!open_.empty()) return *open_.front();
  auto& tx = add(std::make_unique<Transaction>());
  tx.has_direction[kClientSide] = false;
  tx.progress[kClientSide] = kComplete;
  open_.push_back(&tx);
  return tx;
}

Response& PgsqlParser::response() {
  Transaction& tx = answered();
  tx.updated[kServerSide] = true;
  if (!tx.response) tx.response.emplace();
  return *tx.response;
}

void PgsqlParser::event(Direction d, Event e) {
  if (transactions.empty()) {
    auto& tx = add(std::make_unique<Transaction>());
    tx.has_direction[static_cast<size_t>(index(opposite(d)))] = false;
    tx.progress = {kComplete, kComplete};
  }
  transactions.back()->add_event(e);
}

// ---------------------------------------------------------------- from the client

void PgsqlParser::password(Bytes body) {
  Request r;
  switch (asked_) {
    case Asked::kPassword:
      r.password = text_of(body);
      break;
    case Asked::kSasl:
      if (!parse_sasl_initial(body, r)) event(Direction::kToServer, kMalformedRequest);
      break;
    case Asked::kSaslMore:
      r.sasl_response = as_text(body);
      break;
  }
  begin(Kind::kPassword, std::move(r));
}

void PgsqlParser::copy_data_in(uint64_t bytes) {
  if (open_.empty() || open_.back()->kind != Kind::kCopyIn) {
    Request r;
    r.copy = true;
    begin(Kind::kCopyIn, std::move(r)).progress[kClientSide] = kInProgress;
  }
  Request& r = *open_.back()->request;
  ++r.copy_messages;
  r.copy_bytes += bytes;
}

PgsqlParser::Step PgsqlParser::frontend(uint8_t type, uint32_t length, Bytes body) {
  switch (type) {
    case 'p':
      password(body);
      return Step::kOk;
    case 'Q': {
      Request r;
      r.query = text_of(body);
      begin(Kind::kQuery, std::move(r));
      return Step::kOk;
    }
    case 'd':
      copy_data_in(length - 4);
      return Step::kOk;
    case 'c':
    case 'f':
      if (!open_.empty() && open_.back()->kind == Kind::kCopyIn) {
        Transaction& tx = *open_.back();
        tx.request->message = type == 'c' ? "copy_done" : "copy_fail";
        tx.progress[kClientSide] = kComplete;
        tx.updated[kClientSide] = true;
      }
      return Step::kOk;
    case 'X': {
      Request r;
      r.message = "termination_message";
      complete(begin(Kind::kNone, std::move(r)));
      return Step::kOk;
    }
    default:  // the extended query protocol
      return Step::kOk;
  }
}

ParseResult PgsqlParser::client(const Input& in) {
  uint64_t& skip = sides_[kClientSide].skip;
  size_t at = 0;
  while (at < in.data.size()) {
    const Bytes rest = in.data.subspan(at);
    if (skip > 0) {
      const size_t n = std::min<uint64_t>(skip, rest.size());
      skip -= n;
      at += n;
      continue;
    }
    ByteReader head(rest);
    if (rest.front() == 0) {
      if (rest.size() < kStartupHeaderBytes) return ParseResult::ok(at, kStartupHeaderBytes);
      const auto h = parse_startup_header(rest);
      if (!h || !known_code(h->code))
        return event(Direction::kToServer, h ? kMalformedRequest : kInvalidLength),
               ParseResult::error();
      if (rest.size() < h->length) return ParseResult::ok(at, h->length);
      Request r;
      if (!parse_startup(h->code,
                         rest.subspan(kStartupHeaderBytes, h->length - kStartupHeaderBytes), r))
        return event(Direction::kToServer, kMalformedRequest), ParseResult::error();
      const bool ssl = h->code == kSslCode || h->code == kGssCode;
      ssl_pending_ = ssl_pending_ || ssl;
      Transaction& tx = begin(ssl ? Kind::kSsl : Kind::kStartup, std::move(r));
      if (h->code == kCancelCode) complete(tx);
      at += h->length;
      continue;
    }
    const uint8_t type = head.u8();
    const uint32_t length = head.u32();
    if (!head.ok()) return ParseResult::ok(at, kHeaderBytes);
    if (length < 4 || !is_frontend_type(type))
      return event(Direction::kToServer, length < 4 ? kInvalidLength : kMalformedRequest),
             ParseResult::error();
    const size_t need = body_needed(Direction::kToServer, type, length - 4);
    if (head.remaining() < need) return ParseResult::ok(at, kHeaderBytes + need);
    if (frontend(type, length, head.bytes(need)) == Step::kError) return ParseResult::error();
    at += kHeaderBytes + need;
    skip = length - 4 - need;
  }
  return ParseResult::ok(at);
}

// ---------------------------------------------------------------- from the server

void PgsqlParser::authentication(Bytes body) {
  Response& r = response();
  const std::string before = r.message;
  switch (parse_authentication(body, r)) {
    case Authentication::kOk:
    case Authentication::kFinal:
      return;  // more follows
    case Authentication::kAsks:
      asked_ = r.message == "authentication_sasl" ? Asked::kSasl : Asked::kPassword;
      break;
    case Authentication::kContinues:
      asked_ = Asked::kSaslMore;
      break;
    case Authentication::kBad:
      event(Direction::kToClient, kMalformedResponse);
      return;
  }
  complete(answered());
}

// What answers no request that is known (the extended query protocol's) is read over.
PgsqlParser::Step PgsqlParser::backend(uint8_t type, uint32_t length, Bytes body) {
  if (open_.empty() && transactions_made > 0) return Step::kOk;
  ByteReader in(body);
  switch (type) {
    case 'R':
      authentication(body);
      break;
    case 'K': {
      Response& r = response();
      r.process_id = in.u32();
      r.secret_key = in.u32();
      break;
    }
    case 'S':
      parse_parameter_status(body, response());
      break;
    case 'T':
      response().fields = in.u16();
      break;
    case 'D': {
      // A row's size without the lengths that stand before its columns.
      Response& r = response();
      const uint64_t overhead = 4 + 2 + 4 * uint64_t{in.u16()};
      ++r.rows;
      r.row_bytes += length > overhead ? length - overhead : 0;
      break;
    }
    case 'C':
      if (Response& r = response(); !r.command) r.command = text_of(body);
      break;
    case 'G': {
      Transaction& tx = answered();
      (void)in.u8();
      response().copy_in_columns = in.u16();
      complete(tx);
      break;
    }
    case 'H':
      (void)in.u8();
      response().copy_out_columns = in.u16();
      break;
    case 'd': {
      Response& r = response();
      ++r.copy_rows;
      r.copy_bytes += length - 4;
      break;
    }
    case 'E': {
      parse_error(body, response());
      Transaction& tx = answered();
      if (tx.kind != Kind::kQuery && tx.kind != Kind::kCopyIn) complete(tx);
      break;
    }
    case 'Z':
      if (!open_.empty()) complete(*open_.front());
      break;
    default:
      break;
  }
  return Step::kOk;
}

ParseResult PgsqlParser::server(const Input& in) {
  uint64_t& skip = sides_[kServerSide].skip;
  size_t at = 0;
  while (at < in.data.size()) {
    const Bytes rest = in.data.subspan(at);
    if (skip > 0) {
      const size_t n = std::min<uint64_t>(skip, rest.size());
      skip -= n;
      at += n;
      continue;
    }
    const uint8_t first = rest.front();
    if (ssl_pending_ && (first == 'S' || first == 'N' || first == 'G')) {
      ssl_pending_ = false;
      const bool accepted = first != 'N';
      response().ssl_accepted = accepted;
      complete(answered());
      ++at;
      if (accepted) return ParseResult::upgrade(at, AppProto::kTls);
      continue;
    }
    ByteReader head(rest);
    const uint8_t type = head.u8();
    const uint32_t length = head.u32();
    if (!head.ok()) return ParseResult::ok(at, kHeaderBytes);
    if (length < 4 || !is_backend_type(type))
      return event(Direction::kToClient, length < 4 ? kInvalidLength : kMalformedResponse),
             ParseResult::error();
    const size_t need = body_needed(Direction::kToClient, type, length - 4);
    if (head.remaining() < need) return ParseResult::ok(at, kHeaderBytes + need);
    ssl_pending_ = false;
    if (backend(type, length, head.bytes(need)) == Step::kError) return ParseResult::error();
    at += kHeaderBytes + need;
    skip = length - 4 - need;
  }
  return ParseResult::ok(at);
}

ParseResult PgsqlParser::parse(Direction d, const Input& in) {
  return d == Direction::kToServer ? client(in) : server(in);
}

void PgsqlParser::end() {
  while (!open_.empty()) complete(*open_.front());
}

}  // namespace vong::pgsql
