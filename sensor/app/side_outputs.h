// What a run writes beside its event outputs: stats, stored files and certificates, captures of packets.
#pragma once

#include <memory>
#include <string>

#include "sensor/app/stats_board.h"
#include "sensor/app/worker.h"
#include "telemetry/registry.h"

namespace vong::sensor {

// Opened before files are restricted; attached to every worker; stopped after the workers' last packet.
struct SideOutputs {
  std::unique_ptr<StatsBoard> stats;                  // never null
  std::unique_ptr<emit::FileStore> files;             // null: none
  std::unique_ptr<emit::CertificateStore> certificates;
  std::unique_ptr<evidence::PcapLog> packets;

  [[nodiscard]] static Result<SideOutputs> open(const Plan& plan, const std::string& folder, Output& output, size_t workers);
  void attach(Worker& worker);
  void start(Timestamp now) {
    stats->set_start(now);
    if (packets != nullptr) packets->start();
  }
  void stop() {
    if (packets != nullptr) packets->stop();
  }
};

void add_output_metrics(telemetry::Registry& registry, const SideOutputs& side, const Output& output);

}  // namespace vong::sensor
