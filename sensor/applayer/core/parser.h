// What every application parser implements: fed with in-order bytes, it makes transactions. One object per flow; the worker that
// owns the flow is the only caller. No I/O, no clock (time comes with the packet), no logging; state bounded by limits of
// its room; work linear in the bytes fed (a parser that needs more bytes says how many, and is not called before).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"
#include "base/timestamp.h"
#include "sensor/applayer/core/frame.h"
#include "sensor/applayer/core/transaction.h"
#include "sensor/applayer/core/transaction_list.h"
#include "sensor/packet/types.h"

namespace vong::applayer {

enum class AppProto : uint8_t;
struct ProtocolDef;

struct ParseResult {
  enum class Status : uint8_t {
    kOk,        // took `consumed` bytes; the rest comes again with more behind it
    kError,     // not this protocol any more: no further calls in this flow; the reference's "applayer_parser_error"
    kUpgrade,   // the bytes after `consumed` belong to another protocol: `next` (STARTTLS, CONNECT, h2c)
    kDone,      // nothing more to learn from this direction (encrypted from here): no further calls for it
  };
  Status status = Status::kOk;
  size_t consumed = 0;
  size_t needed = 0;        // with kOk and consumed < size: do not call before this many bytes are there (0: any new byte)
  AppProto next{};          // with kUpgrade; kUnknown: detect it anew

  static ParseResult ok(size_t consumed, size_t needed = 0) { return {Status::kOk, consumed, needed, {}}; }
  static ParseResult error() { return {Status::kError, 0, 0, {}}; }
  static ParseResult done(size_t consumed) { return {Status::kDone, consumed, 0, {}}; }
  static ParseResult upgrade(size_t consumed, AppProto next) { return {Status::kUpgrade, consumed, 0, next}; }
};

// Bytes as the driver presents them.
struct Input {
  Bytes data;               // lives during the call
  uint64_t offset = 0;      // stream offset of data[0]; 0 for the first byte of a direction. UDP: always 0
  bool datagram = false;    // one whole UDP datagram: message framing of TCP does not apply
  bool end = false;         // nothing comes behind these bytes (FIN, RST, flow end); data may be empty
  Timestamp ts;             // of the packet that made them available
  uint64_t packet_number = 0;
  uint16_t sport = 0, dport = 0;  // of the flow as it stands (client, server)
  IpAddress client, server;
};

// A flow between the same two hosts that this one announces: its port (of the side that accepts it), what it will speak, and what
// that protocol's parser is to be told.
struct ExpectedFlow {
  AppProto proto{};
  uint16_t port = 0;
  std::shared_ptr<const void> data;
};

class Parser {
 public:
  virtual ~Parser() = default;

  [[nodiscard]] virtual ParseResult parse(Direction d, const Input& in) = 0;
  // `size` bytes of the stream are missing. True: parsing goes on with the bytes behind them (what is known to be body is counted as
  // lost). False: give up on the flow.
  [[nodiscard]] virtual bool gap(Direction d, uint64_t size) = 0;
  // The flow is over (FIN both ways, RST, timeout): finish open transactions so that they are inspected and logged.
  virtual void end() {}
  // STARTTLS and the like: the parser and the protocol that had this flow before.
  virtual void upgraded_from(const Parser&, AppProto) {}

  // This flow was announced by another one, with this data (ExpectedFlow::data).
  virtual void expected_as(const std::shared_ptr<const void>&) {}

  // Announced since the driver last looked; it takes them away.
  std::vector<ExpectedFlow> expected_flows;

  // Open transactions, oldest first, ids rising. The driver removes those that are complete, inspected and logged, from any place.
  TransactionList transactions;
  uint64_t transactions_made = 0;     // the next id
  // Where frames go; null: nobody asks for them. Set by the driver before the first call.
  std::unique_ptr<FrameSet> frames;
  // What follows is encrypted: rules on raw content have nothing to look for in this flow any more (TLS, SSH with their
  // encryption-handling settings).
  bool no_payload_inspection = false;
  // And nothing is looked at in the rest of the flow (encryption-handling: bypass).
  bool bypass_flow = false;
  // What the flow turned out to carry inside its protocol (DNS in HTTP/2): the flow goes by this name and table from now on, with
  // this parser and its transactions. kUnknown: no change.
  AppProto speaks{};

 protected:
  // Appends `tx` with the next id. A parser keeps to its own cap on open transactions.
  template <typename T>
  T& add(std::unique_ptr<T> tx) {
    T& ref = *tx;
    ref.id = transactions_made++;
    transactions.push_back(std::move(tx));
    return ref;
  }
};

}  // namespace vong::applayer
