// A DNS message (RFC 1035 section 4; RFC 6891 OPT, 2782 SRV, 4255 SSHFP), parsed from the bytes of
// one datagram or of one length-prefixed TCP message. Multicast DNS (RFC 6762) and LLMNR (RFC 4795)
// share the format.
//
//    0  1  2  3  4  5  6  7  8  9  0  1  2  3  4  5
//   |                      ID                       |
//   |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |
//   |  QDCOUNT  |  ANCOUNT  |  NSCOUNT  |  ARCOUNT  |   16 bits each
//
// Names are copied out (compression makes them discontiguous), so a message outlives the packet it
// came from.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::dns {

enum NameFlag : uint8_t {
  kNameTruncated = 1,     // longer than kMaxNameBytes
  kNameInfiniteLoop = 2,  // a pointer to itself
  kNameTooManyLabels = 4,
};

// Labels joined by dots, no dot at the end; the root is empty. Bytes as they came: dots and NULs
// inside labels included.
struct Name {
  std::string value;
  uint8_t flags = 0;
};

enum RecordType : uint16_t {
  kTypeA = 1,
  kTypeNs = 2,
  kTypeCname = 5,
  kTypeSoa = 6,
  kTypeNull = 10,
  kTypePtr = 12,
  kTypeMx = 15,
  kTypeTxt = 16,
  kTypeAaaa = 28,
  kTypeSrv = 33,
  kTypeOpt = 41,
  kTypeSshfp = 44,
};

struct Query {
  Name name;
  uint16_t type = 0, rr_class = 0;
};

struct Option {  // of OPT
  uint16_t code = 0;
  std::string data;
};

struct Record {
  Name name;
  uint16_t type = 0, rr_class = 0;
  uint32_t ttl = 0;
  Name target;   // CNAME, NS, PTR, MX, SRV; SOA: mname
  Name mailbox;  // SOA: rname
  // SOA: serial, refresh, retry, expire, minimum. SRV: priority, weight, port. SSHFP: algorithm,
  // kind of fingerprint.
  std::array<uint32_t, 5> numbers{};
  std::string data;                // A, AAAA, NULL, SSHFP's fingerprint
  std::vector<std::string> texts;  // TXT
  std::vector<Option> options;     // OPT
};

struct Message {
  uint16_t id = 0, flags = 0;
  std::vector<Query> queries;
  std::vector<Record> answers, authorities, additionals;
  bool invalid_authorities = false,
       invalid_additionals = false;  // that section could not be read; what was before it stands
  uint8_t name_flags = 0;            // of all names together

  [[nodiscard]] bool is_response() const { return (flags & 0x8000) != 0; }
  [[nodiscard]] uint8_t opcode() const { return static_cast<uint8_t>(flags >> 11 & 0xf); }
  [[nodiscard]] uint8_t rcode() const { return static_cast<uint8_t>(flags & 0xf); }
  [[nodiscard]] bool z() const { return (flags & 0x0040) != 0; }
};

struct Header {
  uint16_t id = 0, flags = 0;
  std::array<uint16_t, 4> counts{};  // queries, answers, authorities, additionals
};

enum class ParseStatus : uint8_t {
  kOk,
  kBadHeader,  // too short for a header, or for the records that the header announces
  kMalformed,  // queries or answers cannot be read
};

// Reads the header alone; false when there are fewer than 12 bytes. `plausible` says whether
// `total` bytes could hold the announced records (at least two bytes each).
[[nodiscard]] bool parse_header(Bytes message, Header& out);
[[nodiscard]] bool plausible(const Header& header, size_t total);

[[nodiscard]] ParseStatus parse_message(Bytes message, Message& out);

// Registry names (IANA "Domain Name System Parameters"); the number as text for what has no name.
[[nodiscard]] std::string record_type_name(uint16_t type);
[[nodiscard]] std::string rcode_name(uint8_t rcode);

struct NamedNumber {
  std::string_view name;
  uint16_t value;
};
[[nodiscard]] const std::vector<NamedNumber>& record_types();
[[nodiscard]] const std::vector<NamedNumber>& rcodes();

}  // namespace vong::dns
