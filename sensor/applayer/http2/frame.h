// Frames of HTTP/2 (RFC 9113 sections 4.1 and 6).
//
//   Length (24) | Type (8) | Flags (8) | R (1) Stream Identifier (31) | payload of Length bytes
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/bytes.h"

namespace vong::http2 {

inline constexpr size_t kFrameHeaderBytes = 9;
inline constexpr std::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum class FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};

enum FrameFlag : uint8_t {
  kAck = 0x01,        // SETTINGS, PING
  kEndStream = 0x01,  // DATA, HEADERS
  kEndHeaders = 0x04,
  kPadded = 0x08,
  kHasPriority = 0x20,
};

struct FrameHeader {
  uint32_t length = 0;
  FrameType type = FrameType::kData;
  uint8_t flags = 0;
  bool reserved = false;
  uint32_t stream_id = 0;
};
// `bytes` holds at least kFrameHeaderBytes.
[[nodiscard]] FrameHeader read_frame_header(Bytes bytes);

struct Setting {
  uint16_t id = 0;
  uint32_t value = 0;
};
enum SettingId : uint16_t {
  kHeaderTableSize = 1,
  kEnablePush,
  kMaxConcurrentStreams,
  kInitialWindowSize,
  kMaxFrameSize,
  kMaxHeaderListSize,
  kEnableConnectProtocol = 8,
  kNoRfc7540Priorities,
};

// Whole settings; a rest of fewer than six bytes is ignored.
[[nodiscard]] std::vector<Setting> read_settings(Bytes payload, size_t max);

// Takes padding off a DATA, HEADERS or PUSH_PROMISE payload. Nothing: it is longer than the
// payload.
[[nodiscard]] std::optional<Bytes> without_padding(Bytes payload, uint8_t flags);

// Names as rules write them (with or without underscores, any case) and as records do.
struct NamedValue {
  std::string_view name;
  uint32_t value;
};
[[nodiscard]] std::span<const NamedValue> frame_type_names();
[[nodiscard]] std::span<const NamedValue> error_code_names();
[[nodiscard]] std::span<const NamedValue> setting_names();
// "SETTINGS_MAX_FRAME_SIZE" and "settingsmaxframesize" are the same name.
[[nodiscard]] std::optional<uint32_t> value_named(std::span<const NamedValue> names,
                                                  std::string_view name);
// "SETTINGSMAXFRAMESIZE": how records spell it; empty for an unknown value.
[[nodiscard]] std::string record_name(std::span<const NamedValue> names, uint32_t value);

}  // namespace vong::http2
