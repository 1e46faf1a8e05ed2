// IEC 60870-5-104 over TCP: APDUs of 68 length(1) control(4) and, of the kind that carries
// information, an ASDU: type(1) count and SQ bit(1) cause(1) originator(1) address(2), objects with
// addresses of 3 bytes. Numbers are little-endian. Every APDU is a transaction of its own, in one
// direction.
#pragma once

#include <optional>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::iec104 {

// Open transactions of a flow; APDUs are skipped while there are more.
inline constexpr size_t kMaxTransactions = 1024;
inline constexpr size_t kMinLength = 4, kMaxLength = 253;

enum Event : applayer::EventId { kMalformedData, kInvalidLength, kEventCount };

enum class Format : uint8_t { kInformation, kSupervisory, kUnnumbered };

struct Asdu {
  uint8_t type = 0, count = 0, cause = 0, originator = 0;
  bool sequence = false, negative = false, test = false;
  uint16_t address = 0;
  std::optional<uint32_t> object;  // address of the first one
};

struct Transaction : applayer::Transaction {
  Direction direction = Direction::kToServer;
  Format format = Format::kInformation;
  uint8_t function = 0;  // of an unnumbered APDU: its control byte
  std::optional<Asdu> asdu;
};

class Iec104Parser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }

 private:
  void apdu(Direction d, Bytes bytes);
};

extern const applayer::ProtocolDef kIec104Protocol;

}  // namespace vong::iec104
