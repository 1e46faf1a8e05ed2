#include "sensor/applayer/ldap/parser.h"

namespace vong::ldap {

using applayer::AppProto;
using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr auto kClient = static_cast<size_t>(index(Direction::kToServer));
constexpr auto kServer = static_cast<size_t>(index(Direction::kToClient));

bool has_no_response(Op op) { return op == Op::kUnbindRequest || op == Op::kAbandonRequest; }

}  // namespace

Transaction& LdapParser::make() { return add(std::make_unique<Transaction>()); }

void LdapParser::complete(Transaction& tx) {
  tx.progress = {kComplete, kComplete};
  tx.updated = {true, true};
  open_.erase(tx.id);
  if (!tx.request) return;
  const auto it = by_message_id_.find(tx.request->id);
  if (it != by_message_id_.end() && it->second == &tx) by_message_id_.erase(it);
}

void LdapParser::invalid(Event e) {
  if (!transactions.empty()) transactions.back()->add_event(e);
}

void LdapParser::request(Message m) {
  Transaction& tx = make();
  const Op op = m.op;
  const uint32_t id = m.id;
  tx.request = std::move(m);
  tx.progress[kClient] = kComplete;
  if (has_no_response(op)) return complete(tx);
  open_.emplace(tx.id, &tx);
  by_message_id_.insert_or_assign(id, &tx);
  if (open_.size() > config_.transactions_max) {
    Transaction& oldest = *open_.begin()->second;
    oldest.add_event(kTooManyTransactions);
    complete(oldest);
  }
}

// Numbers of transactions in frames count from 1, as the reference's do here.
bool LdapParser::response(Message m) {
  const auto it = by_message_id_.find(m.id);
  Transaction* tx = it != by_message_id_.end() ? it->second : nullptr;
  const bool notification = m.id == 0 && m.op == Op::kExtendedResponse;
  if (tx == nullptr) {
    tx = &make();
    tx->has_direction[kClient] = false;
    if (!notification) tx->add_event(kRequestNotFound);
  }
  if (frames != nullptr) frames->set_tx(Direction::kToClient, kFramePdu, tx->id + 1);
  const bool final = is_final(m.op) || !tx->request;
  const bool granted = m.has_result && m.result_code == kSuccess;
  const bool asked = tx->request.has_value();
  if (asked && m.op == Op::kBindResponse && granted && tx->request->sasl) sasl_ = true;
  const bool start_tls = asked && m.op == Op::kExtendedResponse && granted &&
                         tx->request->op == Op::kExtendedRequest &&
                         tx->request->name == kStartTlsOid;
  ++tx->responses_count;
  tx->response_bytes += m.size;
  if (tx->responses.size() < kMaxResponses && tx->response_bytes <= kMaxResponseBytes)
    tx->responses.push_back(std::move(m));
  tx->updated[kServer] = true;
  if (final) complete(*tx);
  return start_tls;
}

// RFC 4513 section 5.2: a layer of SASL puts the size before sealed bytes, which never looks like
// the begin of a message.
bool LdapParser::wrapped(Bytes data) const { return sasl_ && !data.empty() && data.front() == 0; }

ParseResult LdapParser::parse(Direction d, const Input& in) {
  size_t at = 0;
  while (at < in.data.size()) {
    const Bytes rest = in.data.subspan(at);
    if (wrapped(rest)) return ParseResult::done(at);
    size_t size = 0;
    const FrameStatus status = find_message(rest, size);
    if (status == FrameStatus::kMoreData || (status == FrameStatus::kOk && size > rest.size())) {
      if (!in.datagram) return ParseResult::ok(at, size);
      invalid(kIncompleteData);
      return ParseResult::ok(in.data.size());
    }
    Message m;
    if (status == FrameStatus::kBad || !parse_message(rest.first(size), m)) {
      invalid(kInvalidData);
      return in.datagram ? ParseResult::ok(in.data.size()) : ParseResult::error();
    }
    if (frames != nullptr) frames->add(d, kFramePdu, in.offset + at, static_cast<int64_t>(size));
    at += size;
    if (is_request(m.op) == (d == Direction::kToServer)) {
      if (is_request(m.op))
        request(std::move(m));
      else if (response(std::move(m)) && !in.datagram)
        return ParseResult::upgrade(at, AppProto::kTls);
    } else {
      invalid(kInvalidData);
    }
  }
  return ParseResult::ok(at);
}

void LdapParser::end() {
  while (!open_.empty()) complete(*open_.begin()->second);
}

}  // namespace vong::ldap
