// EtherNet/IP encapsulation and CIP messages (ODVA, CIP volumes 1 and 2). Numbers are
// little-endian.
//
//   command(2) length(2) session(4) status(4) context(8) options(4), data
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::enip {

inline constexpr size_t kHeaderBytes = 24;

enum Command : uint16_t {
  kNop = 0x00,
  kListServices = 0x04,
  kListIdentity = 0x63,
  kListInterfaces = 0x64,
  kRegisterSession = 0x65,
  kUnregisterSession = 0x66,
  kSendRrData = 0x6f,
  kSendUnitData = 0x70,
  kIndicateStatus = 0x72,
  kCancel = 0x73
};

struct Header {
  uint16_t command = 0, length = 0;
  uint32_t session = 0, status = 0, options = 0;
  uint64_t context = 0;
};
[[nodiscard]] bool parse_header(Bytes data, Header& out);

enum class SegmentType : uint8_t { kClass, kInstance, kAttribute, kOther };
struct Segment {
  SegmentType type = SegmentType::kOther;
  uint8_t code = 0;  // as on the wire
  uint32_t value = 0;
};

// One CIP service: a request with its path, or a response with its status.
struct Service {
  bool is_response = false;
  uint8_t code = 0;  // without the response bit
  std::vector<Segment> path;
  uint8_t status = 0;
  std::optional<uint16_t> extended_status;
  std::vector<Service> multiple;  // of a multiple service packet; one level

  [[nodiscard]] std::optional<uint32_t> segment(SegmentType type) const;
};

struct Identity {
  uint16_t protocol_version = 0, vendor = 0, device_type = 0, product_code = 0, status = 0;
  uint8_t major = 0, minor = 0, state = 0;
  uint32_t serial = 0;
  std::string name;
};
struct ServiceList {
  uint16_t protocol_version = 0, capabilities = 0;
  std::string name;
};
struct Registration {
  uint16_t protocol_version = 0, options = 0;
};

struct Message {
  Header header;
  std::optional<Registration> registration;
  std::optional<Identity> identity;
  std::optional<ServiceList> services;
  std::optional<Service> cip;
};

// `data` stands behind the header. False: malformed; what was read is there.
[[nodiscard]] bool parse_payload(Bytes data, bool response, Message& out);

[[nodiscard]] std::string_view command_name(uint32_t command);  // "" when unknown
[[nodiscard]] std::string status_name(uint32_t status);
[[nodiscard]] std::string service_name(uint32_t service);
[[nodiscard]] std::string class_name(uint32_t value);
[[nodiscard]] std::string cip_status_name(uint32_t status);
[[nodiscard]] std::string extended_status_name(uint32_t status);  // "" when unknown
[[nodiscard]] std::string vendor_name(uint32_t vendor);
[[nodiscard]] std::string device_type_name(uint32_t type);
[[nodiscard]] std::string_view segment_name(const Segment& s);

}  // namespace vong::enip
