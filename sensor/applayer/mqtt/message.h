// MQTT control packets: versions 3.1 and 3.1.1 (OASIS MQTT 3.1.1 section 2) and 5 (OASIS MQTT 5.0
// section 2).
//
//    7 6 5 4   3     2 1   0
//   +-------+-----+-----+--------+-------------------+-----------------+---------
//   | type  | DUP | QoS | RETAIN | remaining length  | variable header | payload
//   +-------+-----+-----+--------+ (1 to 4 bytes)    +-----------------+---------
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace vong::mqtt {

enum class Type : uint8_t {
  kUnassigned,
  kConnect,
  kConnack,
  kPublish,
  kPuback,
  kPubrec,
  kPubrel,
  kPubcomp,
  kSubscribe,
  kSuback,
  kUnsubscribe,
  kUnsuback,
  kPingreq,
  kPingresp,
  kDisconnect,
  kAuth
};
inline constexpr size_t kTypeCount = 16;
[[nodiscard]] std::string_view name_of(Type t);  // "CONNECT"

inline constexpr uint8_t kVersion5 = 5;

struct FixedHeader {
  Type type = Type::kUnassigned;
  bool dup = false, retain = false;
  uint8_t qos = 0;
  uint32_t remaining = 0;  // bytes behind this header
  size_t size = 0;         // of this header
};
enum class HeaderStatus : uint8_t { kOk, kMoreData, kBad };
[[nodiscard]] HeaderStatus parse_fixed_header(Bytes data, FixedHeader& out);

struct Property {
  enum class Kind : uint8_t { kNumber, kText, kPair };
  uint8_t id = 0;
  Kind kind = Kind::kNumber;
  uint32_t number = 0;
  std::string name, text;  // name: of a user property
};
[[nodiscard]] std::string_view property_name(uint8_t id);  // "receive_maximum"

struct Topic {
  std::string name;
  uint8_t qos = 0;  // the options byte as it came; SUBSCRIBE only
};

// CONNECT's flags byte.
inline constexpr uint8_t kFlagUsername = 0x80, kFlagPassword = 0x40, kFlagWillRetain = 0x20,
                         kFlagWill = 0x04, kFlagCleanSession = 0x02;

struct Connect {
  std::string protocol;
  uint8_t version = 0, flags = 0;
  uint16_t keep_alive_s = 0;
  std::string client_id, will_topic, will_message, username, password;
  std::vector<Property> will_properties;
};

// One message, whichever its type; fields that a type does not have stay empty.
struct Message {
  FixedHeader header;
  bool truncated = false;      // longer than the limit: nothing but the header was read
  uint64_t skipped_bytes = 0;  // then: its whole size
  bool session_present = false;
  std::optional<uint16_t> id;
  std::optional<uint8_t> reason;
  std::vector<uint8_t> codes;  // SUBACK: QoS granted; UNSUBACK: reasons
  std::vector<Topic> topics;
  std::string topic, payload;  // PUBLISH
  std::vector<Property> properties;
  std::unique_ptr<Connect> connect;

  [[nodiscard]] Type type() const { return header.type; }
};

// `body`: the bytes behind the fixed header, all of them. `version`: of the session, 0 when not
// known; a CONNECT brings its own. False: malformed.
[[nodiscard]] bool parse_body(Bytes body, uint8_t version, Message& m);

}  // namespace vong::mqtt
