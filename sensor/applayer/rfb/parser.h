// RFB, the protocol of VNC (RFC 6143 section 7), until the desktop is there: versions, security
// handshake, initialisation. A flow is one transaction.
#pragma once

#include <optional>
#include <string>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::rfb {

// Names in protocol.cc.
enum Frame : uint8_t { kFramePdu };
enum Event : applayer::EventId {
  kUnimplementedSecurityType,
  kUnknownSecurityResult,
  kMalformedMessage,
  kConfusedState,
  kEventCount
};

enum SecurityType : uint32_t { kInvalid = 0, kNone = 1, kVnc = 2 };

struct Version {
  std::string major, minor;  // three digits each, as sent
};

struct PixelFormat {
  uint8_t bits_per_pixel = 0, depth = 0;
  bool big_endian = false, true_color = false;
  uint16_t red_max = 0, green_max = 0, blue_max = 0;
  uint8_t red_shift = 0, green_shift = 0, blue_shift = 0;
};

struct Framebuffer {
  uint16_t width = 0, height = 0;
  PixelFormat pixels;
  std::string name;
};

struct Transaction : applayer::Transaction {
  std::optional<Version> server, client;
  std::optional<uint32_t> security_type, security_result;
  std::string challenge, response;
  std::optional<bool> shared;
  std::optional<Framebuffer> framebuffer;
};

class RfbParser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override;
  void end() override;

 private:
  enum class State : uint8_t {
    kServerVersion,
    kClientVersion,
    kSecurityTypes,   // server: those that it offers
    kSecurityType33,  // server of version 3.3: the one that it wants
    kSecurityChoice,  // client
    kChallenge,       // server
    kResponse,        // client
    kSecurityResult,  // server
    kFailureReason,   // server
    kClientInit,      // client
    kServerInit,      // server
    kOver             // nothing that anybody looks at
  };
  // How many bytes a step took; nothing: it needs more (needed_ says how many).
  using Step = std::optional<size_t>;

  [[nodiscard]] static Direction sender(State s);
  [[nodiscard]] Step step(Bytes data);
  Step version(Bytes data, std::optional<Version>& into, State next);
  Step security_types(Bytes data);
  Step server_init(Bytes data);
  Step failure_reason(Bytes data);
  void choose(uint32_t type);
  void take_result(uint32_t result);
  void finish();
  bool have(Bytes data, size_t size);
  Transaction& tx();

  State state_ = State::kServerVersion;
  Transaction* tx_ = nullptr;
  size_t needed_ = 0;
};

extern const applayer::ProtocolDef kRfbProtocol;

}  // namespace vong::rfb
