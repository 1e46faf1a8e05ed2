#include "sensor/applayer/pop3/parser.h"

#include <algorithm>

#include "base/strings.h"

namespace vong::pop3 {

using applayer::AppProto;
using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr auto kClientSide = static_cast<size_t>(index(Direction::kToServer));
constexpr auto kServerSide = static_cast<size_t>(index(Direction::kToClient));

constexpr CommandRule kCommands[] = {
    {"APOP", 2, 2, false, false}, {"AUTH", 1, 2, false, true},
    {"CAPA", 0, 0, true, false},  {"DELE", 1, 1, false, false},
    {"LANG", 0, 1, false, true},  {"LIST", 0, 1, false, true},
    {"NOOP", 0, 0, false, false}, {"PASS", 1, UINT8_MAX, false, false},
    {"QUIT", 0, 0, false, false}, {"RETR", 1, 1, true, false},
    {"RSET", 0, 0, false, false}, {"STAT", 0, 0, false, false},
    {"STLS", 0, 0, false, false}, {"TOP", 2, 2, true, false},
    {"UIDL", 0, 1, false, true},  {"USER", 1, 1, false, false},
    {"UTF8", 0, 1, false, false},
};

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

bool is_multiline(const std::optional<Request>& r) {
  const CommandRule* rule = r ? find_command(r->command) : nullptr;
  if (rule == nullptr) return false;
  return rule->multiline || (rule->multiline_without_arguments && r->arguments.empty());
}

// "+OK text" or "-ERR text". Nothing: it is neither.
std::optional<Response> parse_status(std::string_view line) {
  Response r;
  if (line.starts_with("+OK")) {
    r.success = true;
    line.remove_prefix(3);
  } else if (line.starts_with("-ERR")) {
    line.remove_prefix(4);
  } else {
    return std::nullopt;
  }
  if (line.starts_with(' ')) line.remove_prefix(1);
  r.header = line;
  return r;
}

}  // namespace

const CommandRule* find_command(std::string_view name) {
  for (const CommandRule& c : kCommands) {
    if (c.name == name) return &c;
  }
  return nullptr;
}

Transaction& Pop3Parser::make() { return add(std::make_unique<Transaction>()); }

void Pop3Parser::complete(Transaction& tx) {
  tx.progress = {kComplete, kComplete};
  tx.updated = {true, true};
  if (multiline_ == &tx) multiline_ = nullptr;
  if (tx.mail != nullptr) tx.mail->finish(false);  // broken off, when it was not finished before
  const auto it = std::ranges::find(open_, &tx);
  if (it != open_.end()) open_.erase(it);
}

void Pop3Parser::command(std::string_view line, bool cut) {
  Transaction& tx = make();
  Request r;
  for (const std::string_view part : split(line, ' ')) {
    if (part.empty()) continue;
    if (r.command.empty())
      r.command = upper(part);
    else if (r.arguments.size() < kMaxArguments)
      r.arguments.emplace_back(part);
  }
  const CommandRule* rule = find_command(r.command);
  if (cut) tx.add_event(kCommandTooLong);
  if (rule == nullptr) {
    tx.add_event(kUnknownCommand);
  } else if (r.arguments.size() < rule->arguments_min || r.arguments.size() > rule->arguments_max) {
    tx.add_event(kIncorrectArgumentCount);
  }
  tx.request = std::move(r);
  tx.progress[kClientSide] = kComplete;
  open_.push_back(&tx);
  if (open_.size() > config_.transactions_max) {
    Transaction& oldest = *open_.front();
    oldest.add_event(kTooManyTransactions);
    complete(oldest);
  }
}

void Pop3Parser::data_line(std::string_view line) {
  Transaction& tx = *multiline_;
  tx.updated[kServerSide] = true;
  if (line == ".") return complete(tx);
  auto& data = tx.response->data;
  tx.data_bytes += line.size();
  if (data.size() < kMaxDataLines && tx.data_bytes <= kMaxDataBytes) data.emplace_back(line);
}

// A line of a mail without its line feed; not `whole`: more of it may come. How much of it was taken.
size_t Pop3Parser::mail_line(std::string_view line, bool whole) {
  smtp::CarriedMail& mail = *multiline_->mail;
  if (line.size() > kMaxLineBytes) {
    line = line.substr(0, kMaxLineBytes);
    whole = false;
  }
  const size_t taken = line.size() + (whole ? 1 : 0);
  const bool cr = whole && line.ends_with('\r');
  if (cr) line.remove_suffix(1);
  const bool begins = !in_piece_;
  in_piece_ = !whole;
  if (begins && whole && line == ".") {
    mail.finish(true);
    data_line(line);
    return taken;
  }
  mail.line(line, !whole ? "" : cr ? "\r\n" : "\n");
  if (begins) {
    data_line(line);
  } else {
    multiline_->updated[kServerSide] = true;
  }
  return taken;
}

Pop3Parser::Step Pop3Parser::answer(std::string_view line, bool cut) {
  if (multiline_ != nullptr) return data_line(line), Step::kOk;
  // A continuation of AUTH (RFC 5034 section 4): the client goes on, the answer follows.
  if (!open_.empty() && (line == "+" || line.starts_with("+ "))) return Step::kOk;
  auto status = parse_status(line);
  if (!status && open_.empty()) return Step::kError;
  if (open_.empty()) {
    Transaction& tx = make();
    tx.has_direction[kClientSide] = false;
    open_.push_back(&tx);
  }
  Transaction& tx = *open_.front();
  if (cut) tx.add_event(kResponseTooLong);
  if (!status) return complete(tx), Step::kOk;
  const bool ok = status->success;
  tx.response = std::move(status);
  if (ok && is_multiline(tx.request)) {
    multiline_ = &tx;
    in_piece_ = false;
    const std::string& command = tx.request->command;
    if (config_.mail->decode_mime && (command == "RETR" || command == "TOP"))
      tx.mail = std::make_unique<smtp::CarriedMail>(*config_.mail, next_file_id_);
    return Step::kOk;
  }
  const bool tls = ok && tx.request && tx.request->command == "STLS";
  complete(tx);
  return tls ? Step::kTls : Step::kOk;
}

ParseResult Pop3Parser::parse(Direction d, const Input& in) {
  bool& discard = discard_[static_cast<size_t>(index(d))];
  const std::string_view data = as_text(in.data);
  size_t at = 0;
  while (at < data.size()) {
    const size_t end = data.find('\n', at);
    const bool whole = end != std::string_view::npos;
    std::string_view line = data.substr(at, whole ? end - at : std::string_view::npos);
    if (discard) {
      at = whole ? end + 1 : data.size();
      discard = !whole;
      continue;
    }
    const bool cut = line.size() > kMaxLineBytes;
    if (!whole && !cut) break;
    if (d == Direction::kToClient && multiline_ != nullptr && multiline_->mail != nullptr) {
      at += mail_line(line, whole);
      continue;
    }
    at = whole ? end + 1 : data.size();
    discard = !whole;
    if (cut) line = line.substr(0, kMaxLineBytes);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (d == Direction::kToServer) {
      if (!line.empty()) command(line, cut);
      continue;
    }
    switch (answer(line, cut)) {
      case Step::kOk:
        break;
      case Step::kError:
        return ParseResult::error();
      case Step::kTls:
        return ParseResult::upgrade(at, AppProto::kTls);
    }
  }
  return ParseResult::ok(at);
}

void Pop3Parser::end() {
  multiline_ = nullptr;
  while (!open_.empty()) complete(*open_.front());
}

}  // namespace vong::pop3
