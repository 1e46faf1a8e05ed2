// SSH until it is encrypted: banners (RFC 4253 section 4.2), packets, key exchange offers and their
// fingerprint HASSH (github.com/salesforce/hassh). A flow is one transaction.
//
// Packet (section 6): length(4) padding_length(1) message_code(1) ... ; length counts from
// padding_length on.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::ssh {

// Of each direction. A session is logged at kLogged: once both banners are known, or, when
// fingerprints are wanted, both key exchanges.
enum Progress : uint8_t { kStart, kBannerDone, kKeyExchangeSeen, kLogged, kFinished };

enum Event : applayer::EventId {
  kInvalidBanner,
  kLongBanner,
  kInvalidRecord,
  kLongKexRecord,
  kEventCount
};

struct Config {
  bool hassh = false;  // fingerprints appear in records
  enum class Encrypted : uint8_t { kTrack, kBypass, kFull } encrypted = Encrypted::kTrack;
};

struct Side {
  std::string protocol, software;  // "2.0", "OpenSSH_9.2p1"
  std::string hassh_string;        // "kex;ciphers;macs;compression"
  std::string hassh;               // its MD5
};

// Of records in the clear: the six bytes up to the message's code, what follows, the whole.
enum FrameKind : uint8_t { kFrameRecordHeader, kFrameRecordData, kFrameRecordPdu };

struct Transaction : applayer::Transaction {
  bool log_hassh = false;
  std::array<Side, kDirections> sides;  // by the direction of what they sent: [0] the client's
};

class SshParser : public applayer::Parser {
 public:
  explicit SshParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

 private:
  struct Stream {
    bool banner_done = false, banner_rest = false;  // rest: of a banner that was too long
    bool encrypted = false;                         // after NEWKEYS
    uint64_t record_left = 0;                       // bytes of a packet that nobody needs
  };

  Transaction& tx();
  applayer::ParseResult banner(Direction d, Bytes data, bool end);
  applayer::ParseResult records(Direction d, Bytes data, size_t consumed);
  void take_banner(Direction d, std::string_view line);
  void key_exchange(Direction d, Bytes payload);
  void advance(Direction d, uint8_t progress);
  void note_frames(Direction d, size_t consumed, uint32_t length);

  const Config& config_;
  // The driver takes the one transaction away once it is complete, inspected and logged.
  [[nodiscard]] bool over() const { return tx_ != nullptr && transactions.empty(); }

  Transaction* tx_ = nullptr;
  Stream streams_[kDirections];
  uint64_t offset_ = 0;  // in its direction, of the first byte that parse() was given
};

extern const applayer::ProtocolDef kSshProtocol;

}  // namespace vong::ssh
