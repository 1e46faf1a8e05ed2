// DNP3 over TCP (IEEE 1815): link frames, transport segments, application messages. Every message
// is a transaction of its own, in one direction.
//
// Transport header, one byte: FIN 0x80, FIR 0x40, sequence 0x3f. Application header: control (FIR
// 0x80, FIN 0x40, CON 0x20, UNS 0x10, sequence 0x0f), function code, of responses internal
// indications (2). Objects follow.
#pragma once

#include <string>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/dnp3/frame.h"
#include "sensor/applayer/dnp3/limits.h"
#include "sensor/applayer/dnp3/objects.h"

namespace vong::dnp3 {

enum Event : applayer::EventId {
  kFlooded,
  kLenTooSmall,
  kBadLinkCrc,
  kBadTransportCrc,
  kMalformed,
  kUnknownObject,
  kTooManyPoints,
  kTooManyObjects,
  kTooLongReassembly,
  kEventCount
};

enum FunctionCode : uint8_t {
  kConfirm = 0,
  kRead = 1,
  kResponse = 129,
  kUnsolicitedResponse = 130
};

struct Config {
  size_t transactions_max = kMaxTransactions;
  size_t points_max = kMaxPoints, objects_max = kMaxObjects;
};

struct Transaction : applayer::Transaction {
  bool is_request = true;
  LinkHeader link;        // of the first segment
  uint8_t transport = 0;  // header of the last segment
  uint8_t control = 0, function = 0;
  uint16_t indications = 0;  // of responses: first byte high
  std::string message;       // from the application header on
  bool done = false;         // the last segment was seen
  bool complete = false;     // and every object could be decoded
  std::vector<Object> objects;

  [[nodiscard]] size_t header_bytes() const { return is_request ? 2 : 4; }
  [[nodiscard]] Bytes object_bytes() const {
    const Bytes all = as_bytes(message);
    return all.subspan(std::min(all.size(), header_bytes()));
  }
};

class Dnp3Parser : public applayer::Parser {
 public:
  explicit Dnp3Parser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  void user_data(Direction d, const LinkHeader& link, Bytes blocks);
  Transaction* begin_message(Direction d, const LinkHeader& link, std::string_view segment);
  Transaction* continued(Direction d, const LinkHeader& link, uint8_t transport);
  void finish(Transaction& tx);
  void close(Transaction& tx);
  void raise(Event e);

  const Config& config_;
  bool flooded_ = false;
  std::string scratch_;
};

[[nodiscard]] applayer::ProbeVerdict probe(Direction d, Bytes data);
void write_message(const Transaction& tx, JsonWriter& out);
// "need_time" ... in the order of their bits, highest first.
[[nodiscard]] std::span<const applayer::NumberDef::Value> indications();

extern const applayer::ProtocolDef kDnp3Protocol;

}  // namespace vong::dnp3
