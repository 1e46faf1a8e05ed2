// What detection hands to emit: one record for each rule that matched a packet or a transaction. See detector.h for the order and
// for what was taken out before (pass rules, thresholds, noalert, the queue's cap).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "sensor/applayer/core/transaction.h"
#include "sensor/packet/types.h"

namespace vong::applayer {
struct Frame;
}
namespace vong::detect {

struct CompiledRule;

// What an alert asks for, after rate filters. A passive sensor carries out none of it but reports it.
enum class AlertAction : uint8_t { kAlert, kDrop, kReject, kPass };

// Where one content of the rule was found, for the analyst's question "why did it fire?".
struct MatchedContent {
  std::string_view buffer;   // "http.uri", "payload", "stream"
  uint64_t offset = 0;       // in the buffer; "stream": in Detector::stream_payload()
  uint32_t length = 0;
};

// Lives until the next Detector::inspect; `rule` as long as its rule set, `tx` until the driver's collect().
struct Alert {
  const CompiledRule* rule = nullptr;
  AlertAction action = AlertAction::kAlert;
  Direction direction = Direction::kToServer;    // of the packet at which it fired
  const applayer::Transaction* tx = nullptr;     // null: a packet or stream rule
  uint64_t tx_id = 0;                            // valid when tx is set
  bool tx_guessed = false;                       // the bytes matched, not the transaction: the oldest one that is open
  bool stream_match = false;                     // raw stream bytes matched, not (only) this packet's: EVE logs the stream as payload
  bool state_match = false;                      // transaction state matched
  std::optional<uint64_t> file_id;               // the file that matched, when it was a file rule
  const applayer::Frame* frame = nullptr;        // the frame that matched
  std::span<const MatchedContent> evidence;      // may be empty
  // Names and JSON texts that data sets had for what the rule found: EVE's alert.context.
  std::span<const std::pair<std::string, std::string>> context;

  // EVE's alert.action: a passive sensor lets everything pass; only a reject is told as "blocked", as the reference does.
  [[nodiscard]] std::string_view eve_action() const { return action == AlertAction::kReject ? "blocked" : "allowed"; }
};

}  // namespace vong::detect
