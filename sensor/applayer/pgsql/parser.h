// PostgreSQL as a protocol of flows. A transaction is a request with what the server says until the
// next one may come.
#pragma once

#include <deque>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/pgsql/limits.h"
#include "sensor/applayer/pgsql/message.h"

namespace vong::pgsql {

enum Progress : uint8_t { kInProgress, kComplete };

enum Event : applayer::EventId {
  kInvalidLength,
  kMalformedRequest,
  kMalformedResponse,
  kTooManyTransactions,
  kEventCount
};

struct Config {
  size_t transactions_max = kMaxTransactions;
};

struct Transaction : applayer::Transaction {
  enum class Kind : uint8_t { kNone, kStartup, kSsl, kPassword, kQuery, kCopyIn };
  Kind kind = Kind::kNone;  // kNone: the server spoke unasked
  std::optional<Request> request;
  std::optional<Response> response;
  size_t held_bytes = 0;
};

class PgsqlParser : public applayer::Parser {
 public:
  explicit PgsqlParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  enum class Step : uint8_t { kOk, kError, kTls };
  struct Side {
    uint64_t skip = 0;  // bytes of a message that are not needed
  };

  applayer::ParseResult client(const applayer::Input& in);
  applayer::ParseResult server(const applayer::Input& in);
  Step frontend(uint8_t type, uint32_t length, Bytes body);
  Step backend(uint8_t type, uint32_t length, Bytes body);
  void authentication(Bytes body);
  void password(Bytes body);
  void copy_data_in(uint64_t bytes);
  Transaction& begin(Transaction::Kind kind, Request r);
  Transaction& answered();
  Response& response();
  void complete(Transaction& tx);
  void event(Direction d, Event e);

  const Config& config_;
  Side sides_[kDirections];
  std::deque<Transaction*> open_;  // without their full answer, oldest first
  size_t held_bytes_ = 0;
  bool ssl_pending_ = false;
  enum class Asked : uint8_t { kPassword, kSasl, kSaslMore } asked_ = Asked::kPassword;
};

extern const applayer::ProtocolDef kPgsqlProtocol;

[[nodiscard]] bool log_pgsql(const applayer::Transaction& tx, const applayer::LogContext& context,
                             JsonWriter& out);

}  // namespace vong::pgsql
