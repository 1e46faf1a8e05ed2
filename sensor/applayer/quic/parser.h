// QUIC: the handshake that stands in the clear or behind keys that everybody knows. Each Initial
// packet (and each other packet whose header is long, until the hello is known) is a transaction
// that goes one way; behind the hellos nothing is looked at.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/quic/crypto.h"
#include "sensor/applayer/quic/frames.h"
#include "sensor/applayer/quic/packet.h"
#include "sensor/applayer/tls/hello.h"

namespace vong::quic {

extern const applayer::ProtocolDef kQuicProtocol;

enum Event : applayer::EventId { kFailedDecrypt, kErrorOnData, kCryptoFragTooLong, kEventCount };

struct Config {
  bool ja4 = false;  // stands in records
};

// A fingerprint of Google's versions: version and names of the tags.
struct Cyu {
  std::string text, hash;
};

struct Transaction : applayer::Transaction {
  bool from_client = false, log_ja4 = false;
  uint32_t version = 0;
  std::string version_bytes;
  bool has_sni = false, has_ua = false;
  std::string sni, ua;
  std::vector<Cyu> cyu;
  // Of a hello: extensions in their order, with the protocols offered or chosen.
  std::vector<uint16_t> extensions;
  std::vector<std::string> alpns;
  std::string ja3, ja3_hash, ja4;  // ja3: JA3S for a server
};

class QuicParser : public applayer::Parser {
 public:
  explicit QuicParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction, uint64_t) override { return true; }  // datagrams have none

 private:
  struct Way {
    CryptoStream crypto;
    bool hello_seen = false;
  };
  Way& way(Direction d) { return ways_[static_cast<size_t>(index(d))]; }

  // False: the rest of the datagram is of no use.
  [[nodiscard]] bool packet(Direction d, const PacketHeader& h, Bytes bytes);
  [[nodiscard]] bool initial(Direction d, const PacketHeader& h, Bytes payload);
  void take_hello(Transaction& tx, Direction d);
  void take_tags(Transaction& tx, const Tags& tags);
  Transaction* make(Direction d, const PacketHeader& h);

  const Config& config_;
  std::array<Way, kDirections> ways_;
  std::optional<InitialKeys> keys_;
  bool retried_ = false;  // the server's one retry has come
};

// "1", "6b3343cf", "Q046".
[[nodiscard]] std::string version_name(uint32_t version);

// record.cc
[[nodiscard]] bool log_quic(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);

}  // namespace vong::quic
