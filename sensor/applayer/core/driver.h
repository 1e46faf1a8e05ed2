// The driver: between reassembly and the parsers. Finds out which protocol a flow speaks, feeds its parser, follows upgrades, removes
// finished transactions. One Driver per worker; per-flow state stands in FlowSlot::kAppLayer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "sensor/applayer/core/protocol.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"
#include "sensor/reassembly/stream_consumer.h"

namespace vong::applayer {

// Events of the driver itself, by the reference's names (anomaly layer "proto_detect"/"proto_parser", app-layer-event:applayer_...).
enum class DriverEvent : uint8_t {
  kMismatchProtocolBothDirections, kWrongDirectionFirstData, kDetectProtocolOnlyOneDirection, kProtoDetectionSkipped,
  kNoTlsAfterStarttls, kUnexpectedProtocol, kCount
};
[[nodiscard]] std::string_view name_of(DriverEvent e);   // "applayer_mismatch_protocol_both_directions"

struct FlowAppState : flow::FlowState {
  AppProto proto = AppProto::kUnknown;            // of the flow: what EVE's app_proto says
  std::array<AppProto, kDirections> proto_of{};   // EVE's app_proto_ts, app_proto_tc when they differ
  AppProto proto_original = AppProto::kUnknown;   // before an upgrade: app_proto_orig
  AppProto proto_expected = AppProto::kUnknown;   // asked for by STARTTLS and the like
  const ProtocolDef* def = nullptr;
  std::unique_ptr<Parser> parser;
  uint32_t driver_events = 0;                     // bit per DriverEvent
  uint32_t driver_events_logged = 0;
  std::array<bool, kDirections> finished{};       // the parser wants no more of this direction
  bool failed = false;                            // parser error: no more calls
};

// The flow's application state; null while there is none.
[[nodiscard]] inline FlowAppState* app_state(const flow::Flow& f) {
  return static_cast<FlowAppState*>(f.slot(flow::FlowSlot::kAppLayer));
}

class DriverConfig;  // protocols that are on, their configuration objects; immutable, shared by workers
[[nodiscard]] std::shared_ptr<const DriverConfig> make_driver_config(const Settings& settings);

class Driver : public reassembly::StreamConsumer {
 public:
  explicit Driver(std::shared_ptr<const DriverConfig> config);
  ~Driver() override;

  [[nodiscard]] size_t on_data(flow::Flow& f, Packet& p, Direction d, const reassembly::StreamChunk& chunk) override;
  void on_gap(flow::Flow& f, Packet& p, Direction d, uint64_t offset, uint64_t size) override;
  [[nodiscard]] bool wants(const flow::Flow& f, Direction d) const override;

  // A UDP datagram with payload.
  void on_datagram(flow::Flow& f, Packet& p);
  // The flow is over: open transactions are finished.
  void on_flow_end(flow::Flow& f, Packet& pseudo);
  // Removes transactions that detection and logging are done with (`inspected` in both directions and all loggers served, or the
  // flow's end). Called after detection and logging of a packet.
  void collect(flow::Flow& f);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vong::applayer
