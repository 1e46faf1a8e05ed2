// The driver: between reassembly and the parsers. Finds out which protocol a flow speaks, feeds its
// parser, follows upgrades, removes finished transactions. One Driver per worker; per-flow state
// stands in FlowSlot::kAppLayer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "sensor/applayer/core/protocol.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/exception_policy.h"
#include "sensor/packet/packet.h"
#include "sensor/reassembly/stream_consumer.h"

namespace vong::applayer {

// Events of the driver itself, by the reference's names (anomaly layer
// "proto_detect"/"proto_parser", app-layer-event:applayer_...).
enum class DriverEvent : uint8_t {
  kMismatchProtocolBothDirections,
  kWrongDirectionFirstData,
  kDetectProtocolOnlyOneDirection,
  kProtoDetectionSkipped,
  kNoTlsAfterStarttls,
  kUnexpectedProtocol,
  kCount
};
[[nodiscard]] std::string_view name_of(
    DriverEvent e);  // "applayer_mismatch_protocol_both_directions"

// How far detection of one direction is.
struct DetectionState {
  uint64_t probes_refused = 0;  // bit per entry of the detector's probe list
  uint32_t bytes_seen = 0;
  bool patterns_done = false;  // no pattern can match any more
  bool probes_done = false;    // every probe has said no
  bool completed = false;      // proto_of is final for this direction
};

struct FlowAppState : flow::FlowState {
  AppProto proto = AppProto::kUnknown;  // of the flow: what EVE's app_proto says
  std::array<AppProto, kDirections>
      proto_of{};  // EVE's app_proto_ts, app_proto_tc when they differ
  AppProto proto_original = AppProto::kUnknown;  // before an upgrade: app_proto_orig
  AppProto proto_expected = AppProto::kUnknown;  // asked for by STARTTLS and the like
  std::array<bool, kDirections> finished{};  // the parser wants no more of this direction
  bool failed = false;                       // parser error: no more calls
  const ProtocolDef* def = nullptr;
  std::unique_ptr<Parser> parser;
  uint64_t parent_flow = 0;    // id of the flow that announced this one (FTP's control connection); 0: none
  uint32_t driver_events = 0;  // bit per DriverEvent
  uint32_t driver_events_logged = 0;
  // The first packet's direction turned out to be the wrong way round (a probe saw a response where
  // a request was due): whoever owns the flow table swaps the endpoints after the packet and clears
  // this. The driver itself swaps what stands in this structure.
  bool reverse_wanted = false;

  // The driver's own.
  bool upgrade_pending = false;  // the next bytes belong to proto_expected (kUnknown: find out)
  bool parser_fed = false;
  bool first_data_seen = false;
  Direction first_data = Direction::kToServer;
  bool other_side_first = false;  // its bytes are to be offered first: StreamConsumer::other_side_first
  bool ended = false;             // Parser::end() was called
  uint8_t ends_told = 0;          // bit per direction: the parser knows that no more bytes come this way
  std::array<DetectionState, kDirections> detection;
  std::array<uint32_t, kDirections> needed{};  // the parser is not called with fewer bytes than this
  uint64_t transactions_counted = 0;

  // Made so far by the parser that there is or was last.
  [[nodiscard]] uint64_t transactions() const {
    return parser != nullptr ? parser->transactions_made : transactions_counted;
  }
};
static_assert(sizeof(FlowAppState) <= 104, "there is one for each of hundreds of thousands of flows");

// The flow's application state; null while there is none.
[[nodiscard]] inline FlowAppState* app_state(const flow::Flow& f) {
  return static_cast<FlowAppState*>(f.slot(flow::FlowSlot::kAppLayer));
}

class DriverConfig;  // protocols that are on, their configuration objects; immutable, shared by
                     // workers
[[nodiscard]] std::shared_ptr<const DriverConfig> make_driver_config(
    const Settings& settings);  // all of registry.cc
// The same over a list of one's own (tests, fuzzers). The definitions must outlive the
// configuration.
[[nodiscard]] std::shared_ptr<const DriverConfig> make_driver_config(
    const Settings& settings, std::span<const ProtocolDef* const> protocols);

// What a driver has counted, per protocol: EVE stats app_layer.flow.X, app_layer.tx.X,
// app_layer.error.X.*.
struct ProtocolCounters {
  uint64_t flows = 0, transactions = 0;
  uint64_t errors_parser = 0, errors_gap = 0, errors_unconsumed = 0;
};
struct DriverCounters {
  std::array<ProtocolCounters, static_cast<size_t>(AppProto::kCount)> tcp{}, udp{};
  uint64_t parse_calls = 0,
           parse_bytes = 0;  // bytes as presented: a byte that comes twice counts twice
  uint64_t detection_calls = 0;
  ExceptionCounters exception_error{};  // how often app-layer.error-policy was applied
};

class Driver : public reassembly::StreamConsumer {
 public:
  explicit Driver(std::shared_ptr<const DriverConfig> config);
  ~Driver() override;

  [[nodiscard]] size_t on_data(flow::Flow& f, Packet& p, Direction d,
                               const reassembly::StreamChunk& chunk) override;
  void on_gap(flow::Flow& f, Packet& p, Direction d, uint64_t offset, uint64_t size) override;
  [[nodiscard]] bool other_side_first(const flow::Flow& f, Direction d) override;
  [[nodiscard]] bool wants(const flow::Flow& f, Direction d) const override;

  // For a flow made to stand beside another one whose protocol is known: needs no detection.
  void speak(flow::Flow& f, AppProto proto);
  // A UDP datagram with payload.
  void on_datagram(flow::Flow& f, Packet& p);
  // The flow is over: open transactions are finished.
  void on_flow_end(flow::Flow& f, Packet& pseudo);
  // Removes transactions that detection and logging are done with (`inspected` in both directions
  // and all loggers served, or the flow's end). Called after detection and logging of a packet.
  void collect(flow::Flow& f);

  [[nodiscard]] const DriverCounters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vong::applayer
