#include "sensor/applayer/ftp/parser.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/strings.h"
#include "sensor/applayer/ftp/limits.h"

namespace vong::ftp {

using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr std::array<std::string_view, 47> kCommands = {
    "ABOR", "ACCT", "ALLO", "APPE", "AUTH TLS", "CDUP", "CHMOD", "CWD",  "DELE", "EPRT",
    "EPSV", "HELP", "IDLE", "LIST", "MAIL",     "MDTM", "MKD",   "MLFL", "MLSD", "MLST",
    "MODE", "MRCP", "MRSQ", "MSAM", "MSND",     "MSOM", "NLST",  "NOOP", "PASS", "PASV",
    "PORT", "PWD",  "QUIT", "REIN", "REST",     "RETR", "RMD",   "RNFR", "RNTO", "SITE",
    "SIZE", "SMNT", "STAT", "STOR", "STOU",     "STRU", "SYST"};
constexpr std::array<std::string_view, 3> kMoreCommands = {"TYPE", "UMASK", "USER"};

size_t find_ignore_case(std::string_view text, std::string_view what) {
  const auto it = std::search(text.begin(), text.end(), what.begin(), what.end(),
                              [](char a, char b) { return ascii_lower(a) == ascii_lower(b); });
  return it == text.end() ? std::string_view::npos : static_cast<size_t>(it - text.begin());
}

// Commands stand at the begin of their line; looking further than this only costs time.
constexpr size_t kCommandWindowBytes = 64;

bool is_reply_code(std::string_view text) {
  return text.size() >= 3 && is_digit(text[0]) && is_digit(text[1]) && is_digit(text[2]);
}

}  // namespace

std::string_view find_command(std::string_view line) {
  line = line.substr(0, kCommandWindowBytes);
  std::string_view best;
  size_t best_end = std::string_view::npos;
  const auto consider = [&](std::string_view c) {
    const size_t at = find_ignore_case(line, c);
    if (at == std::string_view::npos || at + c.size() >= best_end) return;
    best = c;
    best_end = at + c.size();
  };
  for (const std::string_view c : kCommands) consider(c);
  for (const std::string_view c : kMoreCommands) consider(c);
  return best;
}

HostPort parse_host_port(std::string_view text) {
  std::array<uint32_t, 6> n{};
  size_t at = 0;
  while (at < text.size() && !is_digit(text[at])) ++at;
  for (size_t i = 0; i < n.size(); ++i) {
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), n[i]);
    if (error != std::errc() || n[i] > 255) return {};
    at = static_cast<size_t>(end - text.data());
    if (i + 1 == n.size()) break;
    if (at >= text.size() || text[at] != ',') return {};
    ++at;
  }
  return {n[0] << 24 | n[1] << 16 | n[2] << 8 | n[3], static_cast<uint16_t>(n[4] << 8 | n[5])};
}

uint16_t parse_extended_port(std::string_view text) {
  // The last field between bars.
  const size_t close = text.rfind('|');
  if (close == std::string_view::npos || close == 0) return 0;
  const size_t open = text.rfind('|', close - 1);
  if (open == std::string_view::npos) return 0;
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data() + open + 1, text.data() + close, port);
  return error == std::errc() && end == text.data() + close ? port : uint16_t{0};
}

std::string_view Transaction::argument() const {
  if (command.empty() || line.size() <= command.size() + 1) return {};
  return std::string_view(line).substr(command.size() + 1);
}

// ---------------------------------------------------------------- control connection

ParseResult FtpParser::parse(Direction d, const Input& in) {
  std::string_view data = as_text(in.data);
  const bool client = d == Direction::kToServer;
  while (!data.empty()) {
    size_t newline = data.find('\n');
    bool truncated = false;
    if (newline == std::string_view::npos) {
      if (!discard_[index(d)] && data.size() < config_.line_bytes_max && !in.end) break;
      newline = data.size();
      truncated = data.size() >= config_.line_bytes_max;
    }
    std::string_view line = data.substr(0, newline);
    const bool whole = newline < data.size();
    data.remove_prefix(std::min(newline + 1, data.size()));
    if (discard_[index(d)]) {
      discard_[index(d)] = !whole;
      continue;
    }
    if (truncated && !whole) discard_[index(d)] = true;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > config_.line_bytes_max || truncated) {
      line = line.substr(0, config_.line_bytes_max);
      truncated = true;
    }
    const Line r = client ? command_line(line, truncated, in) : reply_line(line, truncated);
    if (r == Line::kError) return ParseResult::error();
    if (r == Line::kUpgrade)
      return ParseResult::upgrade(in.data.size() - data.size(), applayer::AppProto::kTls);
  }
  return ParseResult::ok(in.data.size() - data.size());
}

FtpParser::Line FtpParser::command_line(std::string_view line, bool truncated, const Input& in) {
  if (open_commands_ >= config_.transactions_max || transactions.size() >= kMaxTransactions) {
    if (!transactions.empty()) transactions.back()->add_event(kTooManyTransactions);
    return Line::kError;
  }
  ++open_commands_;
  auto made = std::make_unique<Transaction>();
  Transaction& tx = *made;
  tx.command = command_ = find_command(line);
  tx.line = line;
  tx.command_truncated = truncated;
  if (truncated) tx.add_event(kRequestCommandTooLong);
  add(std::move(made));
  if (command_ == "PORT" || command_ == "EPRT") address_command(tx, in);
  if (command_ != "RETR" && command_ != "STOR") return Line::kOk;
  if (dynamic_port_ == 0) return Line::kError;  // no data connection was agreed on
  auto transfer = std::make_shared<Transfer>();
  transfer->command = command_;
  transfer->filename = strip(tx.argument()).substr(0, kMaxFilenameBytes);
  expected_flows.push_back({applayer::AppProto::kFtpData, dynamic_port_, std::move(transfer)});
  dynamic_port_ = 0;
  active_ = false;
  return Line::kOk;
}

void FtpParser::address_command(Transaction& tx, const Input& in) {
  if (tx.command == "EPRT") {
    announced_port_ = parse_extended_port(tx.argument());
    return;
  }
  const HostPort to = parse_host_port(tx.argument());
  announced_port_ = to.port;
  tx.bounce = to.port != 0 && in.client.is_v4() && to.ipv4 != in.client.v4_host_order();
}

// Commands are answered in order: those that wait are the last ones of the list. When none waits,
// the newest; null when there is none.
Transaction* FtpParser::oldest_open() {
  if (transactions.empty()) return nullptr;
  const size_t open = std::min(std::max<size_t>(open_commands_, 1), transactions.size());
  return static_cast<Transaction*>(transactions[transactions.size() - open].get());
}

FtpParser::Line FtpParser::reply_line(std::string_view line, bool truncated) {
  Transaction* tx = oldest_open();
  if (tx == nullptr) {
    auto made = std::make_unique<Transaction>();
    tx = made.get();
    tx->has_direction[static_cast<size_t>(index(Direction::kToServer))] = false;  // nobody asked
    add(std::move(made));
    ++open_commands_;
  }
  tx->updated[static_cast<size_t>(index(Direction::kToClient))] = true;
  bool upgrade = false;
  if (command_ == "AUTH TLS") {
    upgrade = line.starts_with("234 ");
  } else if ((command_ == "PORT" || command_ == "EPRT") && announced_port_ != 0) {
    dynamic_port_ = tx->dynamic_port = announced_port_;
    active_ = tx->active = true;
  } else if (command_ == "PASV" && line.starts_with("227 ")) {
    const size_t open = line.find('(');
    tx->dynamic_port = parse_host_port(line.substr(open == std::string_view::npos ? 4 : open)).port;
    passive_port(*tx);
  } else if (command_ == "EPSV" && line.starts_with("229 ")) {
    tx->dynamic_port = parse_extended_port(line);
    passive_port(*tx);
  }
  if (truncated) {
    tx->reply_truncated = true;
    tx->add_event(kResponseCommandTooLong);
  }
  if (!line.empty() && tx->replies.size() < kMaxReplyLines) {
    const bool coded = is_reply_code(line) && (line.size() == 3 || line[3] == ' ');
    tx->replies.push_back(
        {std::string(coded ? line.substr(0, 3) : std::string_view()),
         std::string(coded ? line.substr(std::min<size_t>(4, line.size())) : line)});
  }
  // A preliminary reply (1yz) leaves the command open.
  if (!(is_reply_code(line) && line[0] == '1')) finish(*tx);
  return upgrade ? Line::kUpgrade : Line::kOk;
}

// The client will connect there, whatever for: a file's transfer tells more when it is asked for.
void FtpParser::passive_port(const Transaction& tx) {
  active_ = false;
  if (tx.dynamic_port == 0) return;
  dynamic_port_ = tx.dynamic_port;
  expected_flows.push_back({applayer::AppProto::kFtpData, dynamic_port_, std::make_shared<Transfer>()});
}

void FtpParser::finish(Transaction& tx) {
  if (tx.done) return;
  tx.done = true;
  if (open_commands_ > 0) --open_commands_;
  tx.progress = {kFinished, kFinished};
  tx.updated = {true, true};
}

bool FtpParser::gap(Direction, uint64_t) { return false; }

void FtpParser::end() {
  for (const auto& tx : transactions) {
    tx->progress = {kFinished, kFinished};
    tx->updated = {true, true};
  }
}

// ---------------------------------------------------------------- data connection

void FtpDataParser::expected_as(const std::shared_ptr<const void>& data) {
  transfer_ = *static_cast<const Transfer*>(data.get());
}

DataTransaction& FtpDataParser::tx() {
  if (tx_ == nullptr) {
    auto made = std::make_unique<DataTransaction>(config_.files);
    tx_ = made.get();
    tx_->transfer = transfer_;
    add(std::move(made));
  }
  return *tx_;
}

ParseResult FtpDataParser::parse(Direction d, const Input& in) {
  if (over()) return ParseResult::done(in.data.size());
  if (transfer_.command.empty()) {  // a listing or the like: no file
    tx().progress = {kFinished, kFinished};
    return ParseResult::done(in.data.size());
  }
  applayer::FileContainer& files = *tx().files(d);
  if (!in.data.empty()) {
    if (files.files().empty()) files.open(transfer_.filename, 0);
    files.append(in.data);
    tx().updated[static_cast<size_t>(index(d))] = true;
  }
  if (in.end) {
    if (files.has_open()) files.close();
    tx().progress[static_cast<size_t>(index(d))] = kFinished;
    tx().updated[static_cast<size_t>(index(d))] = true;
  }
  return ParseResult::ok(in.data.size());
}

bool FtpDataParser::gap(Direction d, uint64_t size) {
  if (over() || transfer_.command.empty()) return true;
  applayer::FileContainer& files = *tx().files(d);
  if (files.files().empty()) files.open(transfer_.filename, 0);
  files.gap(size);
  return true;
}

void FtpDataParser::end() {
  if (tx_ == nullptr || over()) return;
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    if (tx_->files(d)->has_open()) tx_->files(d)->close(applayer::FileState::kTruncated);
  }
  tx_->progress = {kFinished, kFinished};
  tx_->updated = {true, true};
}

}  // namespace vong::ftp
