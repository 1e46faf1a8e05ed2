// Kerberos (RFC 4120) on UDP and TCP. Each message is a transaction of its own.
#pragma once

#include <array>
#include <memory>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/formats/kerberos.h"

namespace vong::krb5 {

namespace kerberos = formats::kerberos;

enum Progress : uint8_t { kInProgress, kFinished };

enum Event : applayer::EventId { kMalformedData, kWeakEncryption, kEventCount };

struct Transaction : applayer::Transaction {
  kerberos::Message message;
  uint8_t failed_request = 0;  // of an error: the type of the request before it; 0: none was seen
};

class Krb5Parser : public applayer::Parser {
 public:
  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;

 private:
  bool message(Direction d, Bytes data);

  std::array<uint64_t, kDirections> skip_{};  // bytes of a message that is too long
  uint8_t last_request_ = 0;
};

// AES and Camellia are not weak, all else is.
[[nodiscard]] bool is_weak(int32_t encryption);

extern const applayer::ProtocolDef kKrb5Protocol;

}  // namespace vong::krb5
