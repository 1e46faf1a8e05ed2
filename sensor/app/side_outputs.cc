#include "sensor/app/side_outputs.h"

#include <filesystem>

namespace vong::sensor {

Result<SideOutputs> SideOutputs::open(const Plan& plan, const std::string& folder, Output& output, size_t workers) {
  SideOutputs side;
  auto stats = StatsBoard::open(plan, folder, output, workers);
  if (!stats) return std::unexpected(stats.error());
  side.stats = std::move(*stats);
  auto files = emit::FileStore::open(plan.settings, folder);
  if (!files) return std::unexpected(files.error());
  side.files = std::move(*files);
  if (folder == "-") return side;
  auto certificates = emit::CertificateStore::open(plan.settings, folder);
  if (!certificates) return std::unexpected(certificates.error());
  side.certificates = std::move(*certificates);
  auto packets = evidence::PcapLogOptions::from(plan.settings, folder, plan.offline);
  if (!packets) return std::unexpected(packets.error());
  if (*packets) side.packets = std::make_unique<evidence::PcapLog>(std::move(**packets));
  return side;
}

void SideOutputs::attach(Worker& worker) {
  worker.emitter().set_file_store(files.get());
  worker.emitter().set_certificate_store(certificates.get());
  if (packets != nullptr) worker.set_pcap_log(packets->add_tap());
}

void add_output_metrics(telemetry::Registry& r, const SideOutputs& side, const Output& output) {
  for (const FileOutput* file : output.files()) {
    r.add("vong_sensor_output_lost_lines_total", {{"output", std::filesystem::path(file->path()).filename().string()}}, [file] { return static_cast<double>(file->lost()); });
  }
  if (side.certificates != nullptr) {
    const emit::CertificateStore& c = *side.certificates;
    r.add("vong_sensor_certificates_total", {{"outcome", "stored"}}, [&c] { return static_cast<double>(c.stored()); });
    r.add("vong_sensor_certificates_total", {{"outcome", "error"}}, [&c] { return static_cast<double>(c.errors()); });
    r.add("vong_sensor_certificates_total", {{"outcome", "full"}}, [&c] { return static_cast<double>(c.full()); });
  }
  if (side.packets == nullptr) return;
  const evidence::PcapLog& log = *side.packets;
  r.add("vong_sensor_pcap_log_packets_total", {}, log.counters().frames);
  r.add("vong_sensor_pcap_log_lost_packets_total", {{"reason", "queue_full"}}, [&log] { return static_cast<double>(log.lost_in_queues()); });
  r.add("vong_sensor_pcap_log_lost_packets_total", {{"reason", "disk"}}, log.counters().lost_on_disk);
}

}  // namespace vong::sensor
