// Which buffers rules may look into, by name: those of the packet (defined here) and those of application protocols (from
// their tables). A buffer use is a buffer with its chain of transforms: the unit of pattern sets and of caching.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/string_map.h"
#include "base/strings.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/detect/transform.h"
#include "sensor/packet/packet.h"

namespace vong::detect {

using applayer::AppProto;
inline constexpr size_t kAppProtoCount = static_cast<size_t>(AppProto::kCount);

// A buffer that every packet of some kind has.
struct PacketBufferDef {
  std::string_view name;
  std::string_view alias;
  Bytes (*get)(const Packet& p);          // empty data(): the packet has none
  std::string_view help;
  bool addresses = false;                 // 4 or 16 raw bytes: for data sets of addresses only
};
[[nodiscard]] std::span<const PacketBufferDef> packet_buffers();

// All protocols' definitions of one name.
struct BufferName {
  std::string_view name;
  const PacketBufferDef* packet = nullptr;
  std::array<const applayer::BufferDef*, kAppProtoCount> by_proto{};
  bool to_server = false, to_client = false;   // some protocol has it in this direction
  bool multi = false;
  bool base64 = false;                         // base64_data
  bool frame = false;                          // frames of one name: by_frame says which of a protocol's
  std::array<int16_t, kAppProtoCount> by_frame{};   // number of the frame, -1: the protocol has none of it; only with `frame`
  [[nodiscard]] const applayer::BufferDef* def(AppProto p) const { return by_proto[static_cast<size_t>(p)]; }
  [[nodiscard]] bool is_app() const { return to_server || to_client; }
};
struct NumberName {
  std::string_view name;
  std::array<const applayer::NumberDef*, kAppProtoCount> by_proto{};
  bool to_server = false, to_client = false;
  const applayer::NumberDef* first = nullptr;
};
struct MatcherName {
  std::string_view name;
  std::array<const applayer::MatcherDef*, kAppProtoCount> by_proto{};
  bool to_server = false, to_client = false;
  const applayer::MatcherDef* first = nullptr;
};

// Everything rules can name, collected from `protocols` once per program (or per test with a table of its own).
class Catalog {
 public:
  explicit Catalog(std::span<const applayer::ProtocolDef* const> protocols);
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  [[nodiscard]] const BufferName* buffer(std::string_view keyword) const;       // sticky spelling or its alias
  [[nodiscard]] const BufferName* modifier(std::string_view keyword) const;     // legacy content modifier
  [[nodiscard]] const BufferName* pcre_flag(char flag) const;
  [[nodiscard]] const BufferName* frame(std::string_view name) const;           // "pdu", "command_line"
  [[nodiscard]] const NumberName* number(std::string_view keyword) const;
  [[nodiscard]] const MatcherName* matcher(std::string_view keyword) const;
  [[nodiscard]] const applayer::ProtocolDef* protocol(std::string_view name) const;
  [[nodiscard]] const applayer::ProtocolDef* protocol(AppProto id) const { return by_id_[static_cast<size_t>(id)]; }
  [[nodiscard]] std::span<const applayer::ProtocolDef* const> protocols() const { return protocols_; }
  // For the generated reference and for "did you mean".
  [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }
  [[nodiscard]] std::span<const std::unique_ptr<BufferName>> buffers() const { return buffers_; }

  // Of the program's protocols.
  [[nodiscard]] static const Catalog& standard();

 private:
  std::span<const applayer::ProtocolDef* const> protocols_;
  std::vector<std::unique_ptr<BufferName>> buffers_;
  std::vector<std::unique_ptr<NumberName>> numbers_;
  std::vector<std::unique_ptr<MatcherName>> matchers_;
  StringMap<BufferName*> buffer_by_name_, modifier_by_name_, frame_by_name_;
  StringMap<NumberName*> number_by_name_;
  StringMap<MatcherName*> matcher_by_name_;
  std::array<BufferName*, 128> by_pcre_flag_{};
  std::array<const applayer::ProtocolDef*, kAppProtoCount> by_id_{};
  StringMap<const applayer::ProtocolDef*> protocol_by_name_;
  std::vector<std::string_view> names_;
  std::vector<std::unique_ptr<const applayer::BufferDef>> file_buffers_;   // file.name, file.magic of protocols that carry files
};

// A buffer with transforms; one object per difference in a rule set.
struct BufferUse {
  uint32_t index = 0;                                // in the rule set
  const BufferName* buffer = nullptr;
  std::vector<const Transform*> transforms;          // in order; owned by the rule set
  std::string label;                                 // "dns.query/dotprefix"
};

}  // namespace vong::detect
