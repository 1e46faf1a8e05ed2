// One worker's way from detection results and finished transactions to EVE lines. Order within a
// packet: alerts, the packet's own anomalies, then what its transactions have to say; the flow's
// record comes when it ends.
#pragma once

#include <span>
#include <string>

#include "sensor/detect/detector.h"
#include "sensor/emit/certificate_store.h"
#include "sensor/emit/eve_config.h"
#include "sensor/emit/eve_header.h"
#include "sensor/emit/line_sink.h"

namespace vong::emit {

class Emitter {
 public:
  // `config` and `sink` must outlive the emitter. `names`: the interfaces' names by
  // Packet::interface (in_iface), empty offline.
  // The config's further files get their lines through the same sink, with their number in LineInfo::output.
  Emitter(const EveConfig& config, LineSink& sink, std::vector<std::string> names);

  // The capture file that is being read, for pcap_filename.
  void set_capture_file(std::string path) { capture_file_ = std::move(path); }

  // What rules captured from the packet in work (pktvars): for all its records. The view must live as long.
  // And the stream's bytes that they looked at.
  void set_evidence(std::span<const std::pair<std::string, std::string>> vars, Bytes stream_payload) {
    packet_vars_ = vars;
    stream_payload_ = stream_payload;
  }
  // What follows is not the receiver's reading but that of hosts with these policies; empty: the receiver's. The view must live as long.
  void set_reading(std::span<const std::string_view> policies) { reading_ = policies; }
  // Must outlive the emitter; null: files are not stored.
  void set_file_store(FileStore* store) { store_ = store; }
  // The same for certificates.
  void set_certificate_store(CertificateStore* store) { certificates_ = store; }
  [[nodiscard]] const FileStore* file_store() const { return store_; }
  // `rules`: the set that the alerts' rules belong to.
  void alerts(const Packet& packet, std::span<const detect::Alert> alerts, bool tagged,
              const detect::RuleSet* rules = nullptr);
  // Once for every packet that has a flow, before anything is written about it.
  void note(const Packet& packet) {
    if (wants_macs_) note_macs(packet);
  }
  // decode and stream events of the packet, where the configuration wants them.
  void packet_events(const Packet& packet);
  void arp(const Packet& packet);
  // Overload: records of protocols are not written, but for flows with an alert.
  void shed_records(bool on) { shedding_ = on; }
  [[nodiscard]] uint64_t records_shed() const { return records_shed_; }
  void transactions(const Packet& packet, bool final);
  void flow_end(flow::Flow& flow, flow::FlowEndReason reason, Timestamp now);
  // A record of the sensor's own making: `body` is the JSON of the event type's object ("stats":
  // {...}).
  void own_record(std::string_view event_type, std::string_view body, Timestamp now);

 private:
  // Lines of a further file, under its number.
  class Numbered final : public LineSink {
   public:
    Numbered(LineSink& to, uint8_t output) : to_(to), output_(output) {}
    void line(std::string_view json, const LineInfo& info) override {
      LineInfo numbered = info;
      numbered.output = output_;
      to_.line(json, numbered);
    }

   private:
    LineSink& to_;
    uint8_t output_;
  };

  // Of the first output that is written at all; the others hang behind it until the next call.
  [[nodiscard]] Origin origin(uint16_t interface);
  [[nodiscard]] Origin origin_of(const EveConfig& config, uint16_t interface);
  [[nodiscard]] LineSink& first_sink() { return config_.enabled || further_.empty() ? sink_ : further_.front(); }
  [[nodiscard]] bool writes() const { return config_.enabled || !further_.empty(); }

  const EveConfig& config_;
  LineSink& sink_;
  std::vector<Numbered> further_;
  std::vector<Origin> behind_;   // of further_, while a call lasts
  bool wants_macs_, wants_frames_;
  std::vector<std::string> names_;
  std::string capture_file_;
  std::span<const std::pair<std::string, std::string>> packet_vars_;
  std::span<const std::string_view> reading_;
  Bytes stream_payload_;
  FileStore* store_ = nullptr;
  CertificateStore* certificates_ = nullptr;
  bool shedding_ = false;
  uint64_t records_shed_ = 0;
  uint64_t not_told_ = 0;   // of further files: the same records again
};

}  // namespace vong::emit
