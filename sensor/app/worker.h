// One worker: a packet's whole way from decode to EVE lines, on one thread, with nothing shared but
// immutable rules and configuration. The steps stand in order in worker.cc.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/settings.h"
#include "sensor/app/account.h"
#include "sensor/app/canary.h"
#include "sensor/app/checksum_watch.h"
#include "sensor/app/other_readings.h"
#include "sensor/app/overload.h"
#include "sensor/applayer/core/driver.h"
#include "sensor/decode/decoder.h"
#include "sensor/detect/detector.h"
#include "sensor/emit/emitter.h"
#include "sensor/evidence/packet_ring.h"
#include "sensor/evidence/pcap_log.h"
#include "sensor/flow/flow_table.h"
#include "sensor/packet/types.h"
#include "sensor/reassembly/ip_defrag.h"
#include "sensor/reassembly/tcp_engine.h"

namespace vong::sensor {

class ForwardingProcess;

// What all workers share. Immutable once made, except `shared`, which is thread-safe, and `rules`,
// which a reload replaces.
struct Plan {
  Settings settings;
  emit::EveConfig eve;
  std::shared_ptr<const applayer::DriverConfig> protocols;
  std::shared_ptr<const detect::RuleSet> rules;
  detect::RuleCounts rule_counts;   // of all rules, the tenants' too
  std::vector<std::pair<uint32_t, detect::RuleCounts>> tenant_counts;   // by tenant
  std::vector<std::string> interfaces;  // names by index; empty offline
  bool check_checksums = true;
  bool learn_checksums = false;   // give them up where many are wrong: ChecksumWatch
  bool offline = true;
  ForwardingProcess* forwarding = nullptr;  // null: nobody sends to Kafka from here
  std::vector<rules::Diagnostic> rule_problems;   // of the first load
  std::function<void()> started;   // called once packets are watched; may be empty
  uint64_t flow_seed = 0;  // of the flow table's hash, live: random
};

struct WorkerCounters {
  uint64_t frames = 0, bytes = 0;  // taken from capture
  uint64_t packets = 0;            // with inner ones
  uint64_t invalid = 0;            // a header was unusable
  uint64_t no_flow = 0;            // the flow table gave none (memory cap)
  uint64_t max_packet_bytes = 0;
  uint64_t injected = 0;           // of the frames: handed in besides the source's
  std::array<uint64_t, kPacketEventCount> events{};  // of packets that came to detection
};

class Worker : private decode::PacketSink {
 public:
  // `plan`, `shared` and `sink` must outlive the worker.
  Worker(const Plan& plan, detect::SharedState& shared, emit::LineSink& sink);
  ~Worker() override;

  // One frame, all the way. Time runs with the frames' timestamps.
  void process(const RawPacket& raw);
  // Several, in order. The same as one by one, with the flows' state brought into the cache ahead.
  void process(std::span<const RawPacket> batch);
  // The same for a frame that is not the source's.
  void inject(const RawPacket& raw) {
    ++counters_.injected;
    process(raw);
  }
  // Live, when no packet comes: lets flows time out by the wall clock.
  void tick(Timestamp now);
  // The end of input: every flow ends (reason shutdown).
  void finish();

  void set_rules(std::shared_ptr<const detect::RuleSet> rules) {
    other_readings_.set_rules(rules);
    detector_.set_rules(std::move(rules));
  }
  // Live: how far the worker is behind, 0 to 1; what that changes.
  [[nodiscard]] LoadShedder::Change note_pressure(double pressure, Timestamp now);
  [[nodiscard]] const LoadShedder& shedder() const { return shedder_; }
  // Takes its packets out of the alerts; null: none. Has to outlive the worker.
  void set_canary(Canary* canary) { canary_ = canary; }
  // With the tenants' selector `direct`: whose capture is read.
  void set_tenant(uint32_t tenant) {
    detector_.set_tenant(tenant);
    other_readings_.set_tenant(tenant);
  }
  void set_capture_file(std::string path) { emitter_.set_capture_file(std::move(path)); }

  // Keeps every frame; null: none. Must outlive the worker's last packet.
  void set_recorder(evidence::Recorder* recorder) { recorder_ = recorder; }

  // Keeps the frames that pcap-log asks for; null: none. Must outlive the worker's last packet.
  void set_pcap_log(evidence::PcapLog::Tap* tap) { pcap_log_ = tap; }

  [[nodiscard]] const WorkerCounters& counters() const { return counters_; }
  // The packets' hops of the loss ledger, between two frames. `over`: nothing more comes from the source.
  [[nodiscard]] ledger::Totals packet_totals(const capture::CaptureStats& capture, bool over) const;
  [[nodiscard]] const reassembly::IpDefrag& defragmenter() const { return defragmenter_; }
  [[nodiscard]] const decode::Decoder& decoder() const { return decoder_; }
  [[nodiscard]] const flow::FlowTable& flows() const { return flows_; }
  [[nodiscard]] const reassembly::TcpEngine& tcp() const { return tcp_; }
  [[nodiscard]] const detect::Detector& detector() const { return detector_; }
  [[nodiscard]] const OtherReadingsCounters& other_readings() const { return other_readings_.counters(); }
  [[nodiscard]] const applayer::Driver& driver() const { return driver_; }
  [[nodiscard]] Timestamp first_packet_time() const { return first_; }
  [[nodiscard]] Timestamp last_packet_time() const { return last_; }
  [[nodiscard]] emit::Emitter& emitter() { return emitter_; }
  [[nodiscard]] const emit::Emitter& emitter() const { return emitter_; }

 private:
  void on_packet(Packet& packet) override;
  [[nodiscard]] bool follow(Packet& packet, std::optional<Loss>& loss, bool& encrypted);
  void inspect_once(Packet& packet);
  void inspect_other_readings(Packet& packet);
  void inspect_and_emit(Packet& packet, bool final);
  void inspect_rest_of_stream(Packet& pseudo);
  void turn_if_wanted(flow::Flow& flow, Packet& packet);
  void expire(Timestamp now);
  void end_flow(flow::Flow& flow, flow::FlowEndReason reason);

  const Plan& plan_;
  reassembly::IpDefrag defragmenter_;
  decode::Decoder decoder_;
  flow::FlowTable flows_;
  applayer::Driver driver_;
  reassembly::TcpEngine tcp_;
  detect::Detector detector_;
  emit::Emitter emitter_;
  OtherReadingsInspector other_readings_;
  ExceptionPolicy flow_memcap_policy_;
  void note_for_pcap_log(const Packet& packet, bool alerted);

  evidence::Recorder* recorder_ = nullptr;
  evidence::PcapLog::Tap* pcap_log_ = nullptr;
  bool pcap_wanted_ = false, pcap_passed_ = false;   // of the frame in work
  WorkerCounters counters_;
  ChecksumWatch checksums_{plan_.check_checksums, plan_.learn_checksums};
  PacketAccount account_;
  LoadShedder shedder_;
  Canary* canary_ = nullptr;
  LinkType link_type_ = LinkType::kEthernet;   // of the frames that come
  Timestamp first_{}, last_{};
};

}  // namespace vong::sensor
