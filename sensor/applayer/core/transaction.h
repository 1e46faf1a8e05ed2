// A transaction: one exchange of an application protocol (an HTTP request with its response, a DNS query with its answer, an SMTP
// mail, a TLS handshake). Parsers derive from it. Detection and logging walk a flow's transactions after each packet.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "sensor/packet/types.h"

namespace vong::applayer {

class FileContainer;  // file.h

// State that detection keeps with a transaction (which rules matched which buffers so far); opaque here.
struct TransactionAttachment {
  virtual ~TransactionAttachment() = default;
};

using EventId = uint16_t;  // index into ProtocolDef::events

inline constexpr size_t kMaxEventsPerTransaction = 255;  // beyond it repeated ones are dropped, as the reference was seen to

class Transaction {
 public:
  virtual ~Transaction() = default;

  uint64_t id = 0;                                  // counts up from 0 in a flow: EVE's tx_id

  // How far each direction has come: protocol-specific numbers that only grow; ProtocolDef::complete says which one is the end. Rules on a buffer are
  // evaluated once its direction has reached the buffer's progress.
  std::array<uint8_t, kDirections> progress{};
  // Set by the parser when something that rules can see changed in this direction since detection last looked (body bytes, progress,
  // an event). Detection clears it. Setting it too often only costs time.
  std::array<bool, kDirections> updated{true, true};
  // Directions in which this transaction can ever carry data (a DNS response without request: to client only).
  std::array<bool, kDirections> has_direction{true, true};

  // app-layer events, each as often as it happens, as the reference reports them.
  void add_event(EventId e);
  [[nodiscard]] const std::vector<EventId>& events() const { return events_; }

  // Files carried in this direction; null when there are none.
  [[nodiscard]] virtual FileContainer* files(Direction) { return nullptr; }
  [[nodiscard]] const FileContainer* files(Direction d) const { return const_cast<Transaction*>(this)->files(d); }

  // Bookkeeping of the driver, detection and emit.
  std::unique_ptr<TransactionAttachment> detect_state;
  std::array<bool, kDirections> inspected{};        // detection is finished with this direction
  uint32_t logged = 0;                              // bit per ProtocolDef::loggers entry that has written its record
  uint32_t events_logged = 0;                       // how many of events() are in anomaly records already
  std::array<bool, kDirections> told_complete{};    // raw inspection knows that this direction is complete
  bool skip_inspection = false;                     // a pass rule or bypass ended inspection

 private:
  std::vector<EventId> events_;
};

}  // namespace vong::applayer
