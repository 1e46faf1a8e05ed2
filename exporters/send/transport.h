// What a forwarder needs of a receiver: transactions that take records and the position together,
// and the position back after a crash. Implementations carry bytes and know no format. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/timestamp.h"
#include "exporters/send/resume.h"

namespace vong::send {

struct Delivery {
  uint64_t seq = 0;  // the receiver's number
  Timestamp time;    // when the spool took it
  std::string_view key;
  std::string_view value;
  std::string_view ruleset;
};

enum class Step : uint8_t {
  kDone,
  kRetry,      // the same call again after a pause
  kAbort,      // abort(), then the records again in a new transaction
  kReconnect,  // disconnect(), connect(), then on from what is committed
  kRefused,    // as kReconnect, but a person has to act first: say so, and wait longer
  kReject,     // send() only: this record will never be taken; go on without it
};

struct Reply {
  Step step = Step::kDone;
  std::string text;  // one line, for all but kDone
  [[nodiscard]] bool ok() const { return step == Step::kDone; }
};

class Transport {
 public:
  virtual ~Transport() = default;

  // Ready to begin, and every older sender of the same sensor is shut out, when it answers kDone;
  // `committed` is then the newest position that readers of the receiver see.
  [[nodiscard]] virtual Reply connect(Committed& committed) = 0;
  [[nodiscard]] virtual Reply begin() = 0;
  [[nodiscard]] virtual Reply send(const Delivery& delivery) = 0;
  // Records and position become visible together, or not at all. kRetry: the outcome is open, call
  // it again.
  [[nodiscard]] virtual Reply commit(const Committed& position) = 0;
  [[nodiscard]] virtual Reply abort() = 0;
  virtual void disconnect() = 0;
  // There is nothing to send at present; called again and again while it is so. Must not wait.
  virtual void idle() {}
  [[nodiscard]] virtual std::string name() const = 0;  // for messages: "kafka 127.0.0.1:9092"
};

}  // namespace vong::send
