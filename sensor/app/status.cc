#include "sensor/app/status.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "app_common/program.h"
#include "base/files.h"
#include "base/json_writer.h"

namespace vong::sensor {
namespace {

namespace fs = std::filesystem;
using ledger::Kind;

Result<> write_whole(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return fail(fmt::format("cannot write {}: {}", temporary, std::strerror(errno)));
  const bool written = write_all(fd, text);
  ::close(fd);
  if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  const int why = errno;
  ::unlink(temporary.c_str());
  return fail(fmt::format("cannot write {}: {}", path, std::strerror(why)));
}

void write_capture(JsonWriter& out, const capture::CaptureStats& c) {
  out.field("packets", c.received);
  out.field("bytes", c.bytes);
  out.field("kernel_drops", c.kernel_drops);
  out.field("interface_drops", c.interface_drops);
  out.field("truncated", c.truncated);
}

void write_workers(JsonWriter& out, const StatusInput& in) {
  std::map<std::string, capture::CaptureStats> interfaces;
  out.open_array("workers");
  for (size_t i = 0; i < in.workers.size(); ++i) {
    const WorkerStatus& w = in.workers[i];
    out.open_object();
    out.field("worker", i);
    out.field("interface", w.interface);
    out.key("load");
    out.real(static_cast<double>(static_cast<int64_t>(w.load * 1000)) / 1000);
    write_capture(out, w.capture);
    out.close_object();
    interfaces[w.interface] += w.capture;
  }
  out.close_array();
  out.open_array("interfaces");
  for (const auto& [name, sum] : interfaces) {
    out.open_object();
    out.field("name", name);
    write_capture(out, sum);
    out.close_object();
  }
  out.close_array();
}

void write_loss(JsonWriter& out, Kind kind, const ledger::Totals& totals) {
  out.open_object(name_of(kind));
  for (size_t r = 0; r < ledger::kReasons; ++r) {
    const auto reason = static_cast<ledger::Reason>(r);
    if (kind_of(reason) != kind) continue;
    if (const uint64_t n = totals.sum(reason); n != 0) out.field(name_of(reason), n);
  }
  out.close_object();
}

void write_rules(JsonWriter& out, const StatusInput& in) {
  out.open_object("rules");
  out.field("hash", in.rules->rules->hash());
  out.field("since", in.rules->since);
  out.field("loaded", in.rules->counts.loaded);
  out.field("failed", in.rules->counts.failed);
  out.field("skipped", in.rules->counts.skipped);
  out.field("reloads", in.reloads_done);
  out.field("reloads_refused", in.reloads_refused);
  out.close_object();
}

}  // namespace

ClockState clock_state() {
  timex t{};
  ClockState out;
  const int state = ::adjtimex(&t);
  if (state < 0) return out;
  out.synchronised = state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
  out.offset_us = (t.status & STA_NANO) != 0 ? t.offset / 1000 : t.offset;
  out.error_us = t.maxerror;
  return out;
}

StatusBoard::StatusBoard(const Settings& settings, const std::string& folder)
    : enabled_(settings.flag("status.enabled", true)),
      interval_(std::chrono::seconds(
          std::clamp<int64_t>(settings.integer("status.interval", 60), 1, 86'400))),
      sensor_(settings.text("sensor-name", "")),
      agency_(settings.text("agency", "")) {
  if (folder != "-") paths_.push_back((fs::path(folder) / "status.json").string());
  if (const auto spool = settings.text("kafka.spool.dir", ""); !spool.empty())
    paths_.push_back((fs::path(spool) / "status.json").string());
}

void StatusBoard::write(const StatusInput& input) {
  last_ = input.now;
  const std::string text = status_json(input, sensor_, agency_, interval_) + "\n";
  for (const std::string& path : paths_) {
    if (auto written = write_whole(path, text); !written)
      spdlog::error("status: {}", written.error().message);
  }
}

std::string status_json(const StatusInput& in, const std::string& sensor, const std::string& agency,
                        Duration interval) {
  std::string text;
  JsonWriter out(text);
  out.open_object();
  out.field("format", 1);
  out.field("timestamp", in.now);
  out.field("sensor", sensor);
  out.field("agency", agency);
  out.field("version", app::version());
  out.field("start", in.start);
  out.field("uptime_seconds",
            std::chrono::duration_cast<std::chrono::seconds>(in.now - in.start).count());
  out.field("interval_seconds", std::chrono::duration_cast<std::chrono::seconds>(interval).count());
  write_rules(out, in);
  out.open_object("clock");
  out.field("synchronised", in.clock.synchronised);
  out.field("offset_us", in.clock.offset_us);
  out.field("error_us", in.clock.error_us);
  out.close_object();
  write_workers(out, in);
  out.open_object("loss");
  write_loss(out, Kind::kDropped, in.totals);
  write_loss(out, Kind::kNotInspected, in.totals);
  out.close_object();
  out.field("overload", in.overload_step);
  if (in.spool_bytes_max != 0) {
    out.open_object("spool");
    out.field("bytes", in.spool_bytes);
    out.field("bytes_max", in.spool_bytes_max);
    if (in.forwarding) {
      out.field("unsent_events", in.totals[ledger::Hop::kKafka].held);
      out.field("oldest_unsent_seconds",
                static_cast<int64_t>(in.forwarding->oldest_unsent_seconds));
      out.field("connected", in.forwarding->connected);
    }
    out.close_object();
  }
  out.open_object("memory");
  out.field("bytes", in.memory.now_bytes);
  out.field("peak_bytes", in.memory.peak_bytes);
  out.close_object();
  out.close_object();
  return text;
}

}  // namespace vong::sensor
