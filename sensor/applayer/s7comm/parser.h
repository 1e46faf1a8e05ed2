// S7comm, how Siemens controllers of the families 300, 400, 1200 and 1500 are spoken to: TPKT (RFC
// 1006), ISO 8073 class 0, then units of magic(1) kind(1) zero(2) reference(2) size of
// parameters(2) size of data(2), of answers error class(1) and code(1), all big-endian. What is
// known of it is known by observation: Siemens has not published it. A job and its answer, which
// carries the same reference, are one transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bounded_map.h"
#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/s7comm/limits.h"

namespace vong::s7comm {

enum Event : applayer::EventId { kMalformedData, kUnitTooLong, kUnexpectedAnswer, kEventCount };

enum class Kind : uint8_t { kJob = 1, kAck = 2, kAckData = 3, kUserData = 7 };

// One variable that is read or written.
struct Item {
  uint8_t area = 0;      // 0x81 inputs, 0x82 outputs, 0x83 flags, 0x84 data block, ...
  uint16_t block = 0;    // number of the data block
  uint32_t address = 0;  // in bits
  uint16_t count = 0;    // elements
};

struct Transaction : applayer::Transaction {
  Direction direction = Direction::kToServer;  // of the job
  Kind kind = Kind::kJob;
  bool extended = false;  // the later protocol with magic 0x72: nothing more is known of it
  uint16_t reference = 0;
  std::optional<uint8_t> function, group;  // group: of user data, its function group
  std::vector<Item> items;
  uint32_t item_count = 0;
  std::string name;  // of the block that goes up or down, or of the service that is started
  std::optional<uint8_t> error_class, error_code;
  bool answered = false;
};

enum Progress : uint8_t { kOpen, kFinished };

class S7commParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  // One TPDU (ISO 8073 13): false when it is none.
  bool transport_unit(Direction d, Bytes bytes);
  void unit(Direction d, Bytes bytes);
  void job(Transaction& tx, Bytes parameters);
  void answer(Direction d, uint16_t reference, Bytes errors);
  Transaction* make(Direction d);
  void finish(Transaction& tx);
  void event(Event e);

  std::string parts_[kDirections];  // of a unit that is not whole
  bool too_long_[kDirections] = {};
  BoundedMap<uint32_t, Transaction*> open_{kMaxOpenJobs};  // jobs without answer, by direction and reference
};

extern const applayer::ProtocolDef kS7commProtocol;

}  // namespace vong::s7comm
