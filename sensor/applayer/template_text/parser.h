// Messages of text behind their length: "12:Hello World!". A transaction is a request and its
// answer.
#pragma once

#include <optional>
#include <string>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::template_text {

enum Event : applayer::EventId { kTooManyTransactions, kEventCount };

struct Transaction : applayer::Transaction {
  std::optional<std::string> message[kDirections];  // request, answer
};

struct Message {
  enum class Status : uint8_t { kWhole, kMoreData, kWrong };
  Status status = Status::kWrong;
  size_t needed = 0;  // with kMoreData, once the length is known: header and text
  size_t header = 0;  // digits and colon
  size_t size = 0;    // of the text behind them
};
// The message at the begin of `data`.
[[nodiscard]] Message read_message(Bytes data);

class TemplateParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  // The length of what was lost is not known.
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }
  void end() override;

 private:
  [[nodiscard]] bool take(Direction d, std::string_view text);
};

extern const applayer::ProtocolDef kTemplateProtocol;

}  // namespace vong::template_text
