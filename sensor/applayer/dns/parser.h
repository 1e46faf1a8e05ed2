// DNS, multicast DNS and LLMNR as protocols of flows. Each message is a transaction of its own,
// going one way: requests and responses are not paired. Over TCP a message stands behind its length
// in two bytes (RFC 1035 section 4.2.2).
#pragma once

#include <string_view>
#include <vector>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/dns/message.h"

namespace vong::dns {

enum class Flavor : uint8_t { kDns, kMdns, kLlmnr };

enum Frame : uint8_t { kFramePdu };

enum Event : applayer::EventId {
  kMalformedData,
  kNotRequest,
  kNotResponse,
  kZFlagSet,
  kInvalidOpcode,
  kInvalidAdditionals,
  kInvalidAuthorities,
  kNameTooLong,
  kInfiniteLoop,
  kTooManyLabels,
  kEventCount
};

struct Transaction : applayer::Transaction {
  Message message;
  Direction direction = Direction::kToServer;  // the way it went

  // Names of queries and records, and the names that records point to: what dns.response.rrname
  // goes through. Made when first asked for.
  [[nodiscard]] const std::vector<std::string_view>& all_names() const;

 private:
  mutable std::vector<std::string_view> all_names_;
  mutable bool have_names_ = false;
};

class DnsParser : public applayer::Parser {
 public:
  explicit DnsParser(Flavor flavor) : flavor_(flavor) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  // The next bytes may stand in the middle of a message: they are probed before they are believed.
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;

 private:
  bool message(Direction d, Bytes bytes, bool datagram);
  void event_on_last(Event e);

  Flavor flavor_;
  bool after_gap_[kDirections] = {false, false};
};

// Is this a DNS message going in direction `d`? kReversed: it is one, but of the other direction.
// TCP: with the length before it.
[[nodiscard]] applayer::ProbeVerdict probe_udp(Direction d, Bytes data);
[[nodiscard]] applayer::ProbeVerdict probe_tcp(Direction d, Bytes data);

extern const applayer::ProtocolDef kDnsProtocol, kMdnsProtocol, kLlmnrProtocol;

// EVE records (record.cc, record_mdns.cc).
[[nodiscard]] bool log_dns(const applayer::Transaction& tx, const applayer::LogContext& context,
                           JsonWriter& out);
[[nodiscard]] bool alert_dns(const applayer::Transaction& tx, const applayer::LogContext& context,
                             JsonWriter& out);
[[nodiscard]] bool log_mdns(const applayer::Transaction& tx, const applayer::LogContext& context,
                            JsonWriter& out);
[[nodiscard]] bool log_llmnr(const applayer::Transaction& tx, const applayer::LogContext& context,
                             JsonWriter& out);

}  // namespace vong::dns
