#include "sensor/app/live_sources.h"

#include <fmt/format.h>

#include "sensor/capture/af_packet.h"
#include "sensor/capture/pcap_live.h"

namespace vong::sensor {
namespace {

// The entry of that section (af-packet, pcap) that speaks of this interface, else the one named "default"; "" when there is none.
std::string section_of(const std::string& section, const std::string& interface, const Settings& settings) {
  std::string fallback;
  for (const auto& i : settings.children(section)) {
    const std::string path = section + "." + i;
    const auto name = settings.text(path + ".interface", "");
    if (name == interface) return path;
    if (name == "default") fallback = path;
  }
  return fallback;
}

capture::AfPacketOptions::Cluster cluster_type(std::string_view text) {
  using Cluster = capture::AfPacketOptions::Cluster;
  if (text == "cluster_cpu") return Cluster::kCpu;
  if (text == "cluster_qm") return Cluster::kQueue;
  if (text == "cluster_round_robin") return Cluster::kRoundRobin;
  if (text == "cluster_rollover") return Cluster::kRollover;
  return Cluster::kFlow;
}

capture::AfPacketOptions af_packet_options(const std::string& interface, uint16_t index, const Settings& settings) {
  capture::AfPacketOptions options;
  options.interface = interface;
  options.interface_index = index;
  // Interfaces without an id of their own must not share one: the kernel would mix their packets.
  options.cluster_id = static_cast<uint16_t>(99 + index);
  options.bpf_filter = settings.text("capture.filter", "");
  const std::string path = section_of("af-packet", interface, settings);
  if (path.empty()) return options;
  options.cluster_id = static_cast<uint16_t>(settings.integer(path + ".cluster-id", options.cluster_id));
  options.cluster = cluster_type(settings.text(path + ".cluster-type", "cluster_flow"));
  options.fragments_with_flow = settings.flag(path + ".defrag", true);
  if (options.bpf_filter.empty()) options.bpf_filter = settings.text(path + ".bpf-filter", "");
  options.block_bytes = static_cast<uint32_t>(settings.size_bytes(path + ".block-size", options.block_bytes));
  options.block_count = static_cast<uint32_t>(settings.integer(path + ".block-count", options.block_count));
  options.hardware_timestamps = settings.flag(path + ".hardware-timestamps", false);
  options.block_timeout_ms = static_cast<uint32_t>(settings.integer(path + ".block-timeout", options.block_timeout_ms));
  options.promiscuous = !settings.flag(path + ".disable-promisc", false);
  return options;
}

}  // namespace

Result<std::unique_ptr<capture::PacketSource>> open_live_source(const std::string& interface, uint16_t interface_index, int worker,
                                                               int workers, const Settings& settings) {
  if (settings.text("capture.method", "af-packet") == "pcap") {
    if (worker > 0) return fail(fmt::format("{}: libpcap serves one worker an interface, not {}", interface, workers));
    capture::PcapLiveOptions options;
    options.interface = interface;
    options.interface_index = interface_index;
    const std::string path = section_of("pcap", interface, settings);
    options.bpf_filter = settings.text("capture.filter", "");
    if (path.empty()) return capture::open_pcap_live(options);
    if (options.bpf_filter.empty()) options.bpf_filter = settings.text(path + ".bpf-filter", "");
    options.snap_length = static_cast<int>(settings.size_bytes(path + ".snaplen", static_cast<uint64_t>(options.snap_length)));
    options.buffer_bytes = static_cast<int>(settings.size_bytes(path + ".buffer-size", static_cast<uint64_t>(options.buffer_bytes)));
    options.promiscuous = settings.flag(path + ".promisc", true);
    return capture::open_pcap_live(options);
  }
  auto options = af_packet_options(interface, interface_index, settings);
  options.fanout = workers > 1;
  options.count_card_drops = worker == 0;
  return capture::open_af_packet(options);
}

}  // namespace vong::sensor
