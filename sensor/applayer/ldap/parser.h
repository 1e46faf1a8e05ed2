// LDAP over TCP, CLDAP over UDP. A transaction is a request with all its responses, paired by
// message id; or a notification that the server sends unasked (RFC 4511 section 4.4).
#pragma once

#include <map>

#include "absl/container/flat_hash_map.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/ldap/limits.h"
#include "sensor/applayer/ldap/message.h"

namespace vong::ldap {

// Names in protocol.cc.
enum Frame : uint8_t { kFramePdu };
enum Progress : uint8_t { kInProgress, kComplete };

enum Event : applayer::EventId {
  kTooManyTransactions,
  kInvalidData,
  kRequestNotFound,
  kIncompleteData,
  kEventCount
};

struct Config {
  size_t transactions_max = kMaxTransactions;
};

struct Transaction : applayer::Transaction {
  std::optional<Message> request;
  std::vector<Message> responses;
  uint64_t responses_count = 0;  // with those that were not kept
  size_t response_bytes = 0;
};

class LdapParser : public applayer::Parser {
 public:
  explicit LdapParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  void request(Message m);
  // True: StartTLS was granted.
  [[nodiscard]] bool response(Message m);
  [[nodiscard]] bool wrapped(Bytes data) const;
  Transaction& make();
  void complete(Transaction& tx);
  void invalid(Event e);

  const Config& config_;
  bool sasl_ =
      false;  // a bind with a SASL mechanism succeeded: messages may be wrapped from here on
  std::map<uint64_t, Transaction*> open_;  // by transaction id, oldest first
  absl::flat_hash_map<uint32_t, Transaction*> by_message_id_;
};

extern const applayer::ProtocolDef kLdapProtocol;

[[nodiscard]] bool log_ldap(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);

}  // namespace vong::ldap
