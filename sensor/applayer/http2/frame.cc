#include "sensor/applayer/http2/frame.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/strings.h"

namespace vong::http2 {
namespace {

constexpr auto kFrameTypes = std::to_array<NamedValue>({
    {"DATA", 0},
    {"HEADERS", 1},
    {"PRIORITY", 2},
    {"RST_STREAM", 3},
    {"SETTINGS", 4},
    {"PUSH_PROMISE", 5},
    {"PING", 6},
    {"GOAWAY", 7},
    {"WINDOW_UPDATE", 8},
    {"CONTINUATION", 9},
});
constexpr auto kErrorCodes = std::to_array<NamedValue>({
    {"NO_ERROR", 0},
    {"PROTOCOL_ERROR", 1},
    {"INTERNAL_ERROR", 2},
    {"FLOW_CONTROL_ERROR", 3},
    {"SETTINGS_TIMEOUT", 4},
    {"STREAM_CLOSED", 5},
    {"FRAME_SIZE_ERROR", 6},
    {"REFUSED_STREAM", 7},
    {"CANCEL", 8},
    {"COMPRESSION_ERROR", 9},
    {"CONNECT_ERROR", 10},
    {"ENHANCE_YOUR_CALM", 11},
    {"INADEQUATE_SECURITY", 12},
    {"HTTP_1_1_REQUIRED", 13},
});
constexpr auto kSettings = std::to_array<NamedValue>({
    {"SETTINGS_HEADER_TABLE_SIZE", kHeaderTableSize},
    {"SETTINGS_ENABLE_PUSH", kEnablePush},
    {"SETTINGS_MAX_CONCURRENT_STREAMS", kMaxConcurrentStreams},
    {"SETTINGS_INITIAL_WINDOW_SIZE", kInitialWindowSize},
    {"SETTINGS_MAX_FRAME_SIZE", kMaxFrameSize},
    {"SETTINGS_MAX_HEADER_LIST_SIZE", kMaxHeaderListSize},
    {"SETTINGS_ENABLE_CONNECT_PROTOCOL", kEnableConnectProtocol},
    {"SETTINGS_NO_RFC7540_PRIORITIES", kNoRfc7540Priorities},
});

std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '_') out.push_back(c);
  }
  return out;
}

}  // namespace

FrameHeader read_frame_header(Bytes bytes) {
  ByteReader in(bytes);
  FrameHeader h;
  h.length = in.u24();
  h.type = static_cast<FrameType>(in.u8());
  h.flags = in.u8();
  const uint32_t id = in.u32();
  h.reserved = (id >> 31) != 0;
  h.stream_id = id & 0x7fff'ffff;
  return h;
}

std::vector<Setting> read_settings(Bytes payload, size_t max) {
  std::vector<Setting> out;
  ByteReader in(payload);
  while (in.remaining() >= 6 && out.size() < max) {
    const uint16_t id = in.u16();
    out.push_back({id, in.u32()});
  }
  return out;
}

std::optional<Bytes> without_padding(Bytes payload, uint8_t flags) {
  if ((flags & kPadded) == 0) return payload;
  if (payload.empty() || payload[0] > payload.size() - 1) return std::nullopt;
  return payload.subspan(1, payload.size() - 1 - payload[0]);
}

std::span<const NamedValue> frame_type_names() { return kFrameTypes; }
std::span<const NamedValue> error_code_names() { return kErrorCodes; }
std::span<const NamedValue> setting_names() { return kSettings; }

std::optional<uint32_t> value_named(std::span<const NamedValue> names, std::string_view name) {
  const std::string wanted = plain(name);
  const auto it = std::ranges::find_if(
      names, [&](const NamedValue& n) { return equals_ignore_case(plain(n.name), wanted); });
  if (it == names.end()) return std::nullopt;
  return it->value;
}

std::string record_name(std::span<const NamedValue> names, uint32_t value) {
  const auto it = std::ranges::find(names, value, &NamedValue::value);
  return it == names.end() ? std::string() : plain(it->name);
}

}  // namespace vong::http2
