// The messages with which an RDP session begins (MS-RDPBCGR section 2.2.1): X.224 connection
// request and confirm, MCS connect initial and response, each in a TPKT: 03 00 length(2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace vong::rdp {

inline constexpr size_t kTpktHeaderBytes = 4;

enum class Kind : uint8_t {
  kOther,
  kConnectionRequest,
  kConnectionConfirm,
  kConnectInitial,
  kConnectResponse
};

struct ClientData {
  uint32_t version = 0, keyboard_layout = 0, build = 0, keyboard_type = 0, function_keys = 0;
  uint16_t width = 0, height = 0;
  std::optional<uint16_t> color_depth;
  std::string name;  // UTF-8
  std::optional<uint16_t> product_id, capabilities;
  std::optional<std::string> id;
};

struct Message {
  Kind kind = Kind::kOther;
  std::optional<std::string> cookie;          // of a connection request: the user's name
  std::optional<uint32_t> selected_protocol;  // of a confirm: 0 RDP, else TLS in some form
  std::optional<ClientData> client;           // of a connect initial
  std::vector<std::string> channels;
};

// What stands behind the TPKT header. False: not what it says it is.
[[nodiscard]] bool parse_message(Bytes data, Message& out);

[[nodiscard]] std::string version_name(uint32_t version);
[[nodiscard]] std::string build_name(uint32_t build);
[[nodiscard]] std::string keyboard_layout_name(uint32_t layout);
[[nodiscard]] std::string keyboard_type_name(uint32_t type);
[[nodiscard]] std::vector<std::string_view> capability_names(uint16_t flags);

}  // namespace vong::rdp
