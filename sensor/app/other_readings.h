// Looks at what conflicting segments and fragments say to hosts with other policies than the
// receiver's. An alert that only such a reading gives carries `ambiguous` in alert.metadata, with
// the policies under which a host reads so.
//
// How: bytes in another reading are put before a parser and a detector of their own, as a flow that
// stands beside the true one and has its bits, addresses and protocol. The receiver's reading goes
// the same way first: what it gives is not told again. Nothing of the true flow, of hosts, data
// sets or thresholds changes; only alerts come out.
//
// What it does not do: the true parser's state is not split. A stream's reading begins where raw
// inspection stood at the conflict, mostly the beginning of a request or an answer; inside a longer
// unit only rules on raw content can match. Tunnels inside another reading of a datagram stay
// closed.
//
// Cost: nothing without conflicts. With them, bounded for each flow (kMaxReadingBytes at once,
// detect.other-readings.bytes looked at in all, detect.other-readings.alerts alerts) and for
// datagrams by second. One object a worker; parser and detector are made at the first conflict.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sensor/applayer/core/driver.h"
#include "sensor/detect/detector.h"
#include "sensor/emit/emitter.h"
#include "sensor/reassembly/tcp_session.h"

namespace vong::sensor {

struct Plan;

struct OtherReadingsCounters {
  uint64_t streams = 0, datagrams = 0;  // readings looked at
  uint64_t bytes = 0;
  uint64_t alerts = 0;
  uint64_t given_up =
      0;  // looks not taken, alerts not told: a flow's or datagram's share was used up
};

class OtherReadingsInspector {
 public:
  // All three must outlive it.
  OtherReadingsInspector(const Plan& plan, detect::SharedState& shared, emit::Emitter& emitter);
  ~OtherReadingsInspector();

  void set_rules(std::shared_ptr<const detect::RuleSet> rules) { rules_ = std::move(rules); }

  void set_tenant(uint32_t tenant) { tenant_ = tenant; }   // before the first conflict

  // `session` has readings in the packet's direction. Before the detector looks at the packet.
  void inspect_stream(Packet& packet, reassembly::TcpSession& session);
  // After the detector has looked at the receiver's own reading of a datagram.
  void note_datagram(const Packet& packet, const detect::Detector& detector);
  // Another reading of that datagram; `flow`: the receiver's, null when there is none.
  void inspect_datagram(Packet& packet, const flow::Flow* flow);

  [[nodiscard]] const OtherReadingsCounters& counters() const { return counters_; }

 private:
  [[nodiscard]] bool ready();
  struct Beside;  // what stands beside the true flow
  [[nodiscard]] std::unique_ptr<Beside> beside(const flow::Flow& flow) const;
  [[nodiscard]] std::span<const detect::Alert> look(Beside& b, Packet& packet, Bytes data,
                                                    uint64_t from, uint64_t unit, bool over);
  void tell(Packet& packet, std::span<const detect::Alert> alerts, std::vector<uint64_t>& told,
            std::span<const std::string_view> policies, uint32_t& alerts_so_far);

  const Plan& plan_;
  detect::SharedState& shared_;
  emit::Emitter& emitter_;
  std::shared_ptr<const detect::RuleSet> rules_;
  std::unique_ptr<applayer::Driver> driver_;
  std::unique_ptr<detect::Detector> detector_;
  uint32_t tenant_ = 0;
  const uint64_t bytes_max_;
  const uint32_t alerts_max_;
  OtherReadingsCounters counters_;
  std::vector<uint64_t> datagram_told_;  // rules that the receiver's reading or an earlier one gave
  uint64_t datagram_number_ = 0;         // of the frame that completed it
  uint32_t datagram_alerts_ = 0;
};

}  // namespace vong::sensor
