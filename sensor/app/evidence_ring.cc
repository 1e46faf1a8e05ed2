#include "sensor/app/evidence_ring.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <optional>

#include "app_common/program.h"
#include "sensor/app/settings_from_config.h"
#include "sensor/decode/decoder.h"
#include "sensor/emit/eve_header.h"
#include "sensor/evidence/extract.h"
#include "sensor/flow/flow.h"

namespace vong::sensor {
namespace {

// Seconds since 1970 with a fraction, or EVE's form.
std::optional<int64_t> parse_time_ns(const std::string& text) {
  if (const auto time = parse_eve_time(text)) return to_ns(*time);
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || *end != '\0' || seconds < 0 || seconds > 1e10) return std::nullopt;
  return static_cast<int64_t>(seconds * 1e9);
}

// Frames as the sensor's decoder reads them; fragments are not put together.
class Reader {
 public:
  explicit Reader(uint16_t seed) : seed_(seed), decoder_(decode::Config()) {}

  evidence::FrameReading operator()(const RawPacket& raw) {
    evidence::FrameReading out;
    for (const Packet* p : decoder_.decode(raw)) {
      if (p->ip.version == 0) continue;
      if (p->ip.is_fragment)
        out.fragments.push_back(fmt::format("{} {} {} {}", p->src.to_string(), p->dst.to_string(),
                                            p->ip.id, p->tunnel_depth));
      flow::FlowKey key;
      key.src = p->src;
      key.dst = p->dst;
      key.sport = p->sport;
      key.dport = p->dport;
      key.protocol = p->ip.protocol;
      out.community_ids.push_back(emit::community_id(key, p->icmp.type, p->icmp.code, seed_));
    }
    return out;
  }

 private:
  uint16_t seed_;
  decode::Decoder decoder_;
};

struct ExtractOptions {
  app::CommonFlags common;
  std::string folder, community_id, from, to, out = "-";
  uint64_t flow_id = 0, seed = 0;
};

std::optional<int> parse(int argc, char** argv, ExtractOptions& o) {
  CLI::App cli{"vong-sensor extract: a flow's packets out of the ring on disk, as a pcap file"};
  app::add_common_flags(cli, o.common);
  auto* flow = cli.add_option("--flow", o.flow_id, "EVE's flow_id")->type_name("ID");
  auto* community =
      cli.add_option("--community-id", o.community_id, "EVE's community_id")->type_name("CID");
  flow->excludes(community);
  cli.add_option("--community-id-seed", o.seed, "as in the eve-log section");
  cli.add_option("--from", o.from, "no packets before: EVE's form of time, or seconds since 1970")
      ->type_name("TIME");
  cli.add_option("--to", o.to, "no packets after")->type_name("TIME");
  cli.add_option("--dir", o.folder, "the ring's folder (else evidence.dir of -c)")
      ->type_name("DIR");
  cli.add_option("-o", o.out, "write to FILE; -: standard output")->type_name("FILE");
  if (const auto status = app::parse_command_line(cli, argc, argv, "vong-sensor extract"))
    return status;
  if (o.flow_id == 0 && o.community_id.empty()) {
    std::fprintf(stderr, "vong-sensor extract: name the flow with --flow or --community-id\n");
    return app::kExitUsage;
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<evidence::PacketRing>> open_evidence_ring(const Settings& settings,
                                                                 bool offline) {
  const auto options = evidence::RingOptions::from_settings(settings, offline);
  if (!options) return nullptr;
  return evidence::PacketRing::open(*options);
}

void add_evidence_metrics(telemetry::Registry& r, const evidence::PacketRing& ring) {
  const auto& c = ring.counters();
  r.add("vong_sensor_evidence_packets_total", {}, c.frames);
  r.add("vong_sensor_evidence_lost_packets_total", {{"reason", "queue_full"}},
        [&ring] { return static_cast<double>(ring.lost_in_queues()); });
  r.add("vong_sensor_evidence_lost_packets_total", {{"reason", "disk"}}, c.lost_on_disk);
  r.add("vong_sensor_evidence_bytes", {}, c.bytes);
  r.add("vong_sensor_evidence_oldest_seconds", {}, [&c] {
    const int64_t oldest = c.oldest_ns.value();
    const int64_t now =
        std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    return oldest == 0 ? 0.0 : static_cast<double>(now - oldest) * 1e-9;
  });
}

int run_extract(int argc, char** argv) {
  ExtractOptions o;
  if (const auto status = parse(argc, argv, o)) return *status;
  app::start_log(o.common, "vong-sensor");
  app::Problems problems;
  const Settings settings = settings_from(app::load_config(o.common, problems).root());
  problems.print(stderr);
  if (o.folder.empty()) o.folder = settings.text("evidence.dir", "");
  evidence::Query query;
  query.flow_id = o.flow_id;
  query.community_id = o.community_id;
  const auto from = o.from.empty() ? std::optional(query.from_ns) : parse_time_ns(o.from);
  const auto to = o.to.empty() ? std::optional(query.to_ns) : parse_time_ns(o.to);
  if (problems.errors() > 0 || o.folder.empty() || !from || !to) {
    if (o.folder.empty())
      spdlog::error("no ring: name its folder with --dir, or evidence.dir in the configuration");
    if (!from || !to) spdlog::error("a time is 2026-11-23T08:00:00+0000, or seconds since 1970");
    return app::kExitUsage;
  }
  if (!std::filesystem::is_directory(o.folder)) {
    spdlog::error("{}: there is no ring", o.folder);
    return app::kExitUsage;
  }
  query.from_ns = *from;
  query.to_ns = *to;
  auto reader = std::make_shared<Reader>(static_cast<uint16_t>(o.seed));
  const auto done = evidence::extract(
      o.folder, query, [reader](const RawPacket& raw) { return (*reader)(raw); }, o.out);
  if (!done) {
    spdlog::error("{}", done.error().message);
    return app::kExitFailed;
  }
  if (done->damaged_segments > 0)
    spdlog::warn("{} of {} segments cannot be read", done->damaged_segments, done->segments);
  spdlog::info("{} packets of {} flows from {} segments", done->frames, done->flows.size(),
               done->segments);
  return done->frames > 0 ? app::kExitDone : app::kExitFailed;
}

}  // namespace vong::sensor
