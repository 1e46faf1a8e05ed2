// SIP over UDP and TCP. Every message is a transaction of its own, going one way.
#pragma once

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/sip/message.h"

namespace vong::sip {

enum Event : applayer::EventId { kIncompleteData, kInvalidData, kEventCount };

struct Transaction : applayer::Transaction {
  Message message;
};

class SipParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return false; }

 private:
  enum class Head : uint8_t { kOk, kBad, kMoreData };

  struct Side {
    size_t searched = 0;  // of the bytes in hand, without an end of the headers
    uint64_t skip = 0;    // bytes of a body that is not kept
  };
  applayer::ParseResult datagram(Direction d, std::string_view data);   // offsets of frames are the datagram's
  applayer::ParseResult stream(Direction d, const applayer::Input& in);
  [[nodiscard]] static bool parse_head(Direction d, std::string_view head, Message& m);
  void keep(Direction d, Message m);
  // `message` is a whole one without line ends before it, `head` its start line and headers.
  void note_frames(Direction d, uint64_t offset, std::string_view message, size_t head, size_t body);
  void event(Event e);

  Side sides_[kDirections];
};

// In the order of the table's names.
enum Frame : uint8_t {
  kFramePdu, kFrameRequestLine, kFrameRequestHeaders, kFrameRequestBody, kFrameResponseLine, kFrameResponseHeaders, kFrameResponseBody,
};

extern const applayer::ProtocolDef kSipProtocol;

[[nodiscard]] bool log_sip(const applayer::Transaction& tx, const applayer::LogContext& context,
                           JsonWriter& out);
[[nodiscard]] bool alert_sip(const applayer::Transaction& tx, const applayer::LogContext& context,
                             JsonWriter& out);

}  // namespace vong::sip
