#include "sensor/outputs/target_config.h"

#include <charconv>
#include <filesystem>

#include "fmt/format.h"

namespace vong::outputs {
namespace {

Result<uint32_t> octal(std::string_view text) {
  uint32_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || mode > 0777) return fail("is not a file mode like 640");
  return mode;
}

std::string of_worker(const std::string& path, uint32_t worker) {
  const std::filesystem::path p(path);
  return (p.parent_path() / fmt::format("{}.{}{}", p.stem().string(), worker, p.extension().string())).string();
}

}  // namespace

Result<TargetConfig> TargetConfig::from(const Settings& settings, const std::string& path) {
  TargetConfig out;
  const auto type = settings.text(path + ".filetype", "regular");
  if (type == "unix_dgram") out.type = Type::kDatagram;
  else if (type == "unix_stream") out.type = Type::kStream;
  else if (type == "syslog") out.type = Type::kSyslog;
  else if (type != "regular" && type != "file") return fail(fmt::format("{}.filetype '{}' is not regular, syslog, unix_dgram or unix_stream", path, type));
  out.append = settings.flag(path + ".append", true);
  if (const auto text = settings.get(path + ".filemode"); text && !text->empty()) {
    auto mode = octal(*text);
    if (!mode) return fail(fmt::format("{}.filemode '{}' {}", path, *text, mode.error().message));
    out.mode = *mode;
  }
  if (const auto text = settings.get(path + ".rotate-interval"); text && !text->empty()) {
    const auto interval = RotateInterval::parse(*text);
    if (!interval) return fail(fmt::format("{}.rotate-interval '{}' is not minute, hour, day or a time like 30m", path, *text));
    out.rotate = *interval;
  }
  out.threaded = settings.flag(path + ".threaded", false);
  out.prefix = settings.text(path + ".prefix", "");
  out.syslog.identity = settings.text(path + ".identity", out.syslog.identity);
  if (const auto name = settings.get(path + ".facility"); name && out.type == Type::kSyslog) {
    const auto facility = SyslogOptions::facility_by_name(*name);
    if (!facility) return fail(fmt::format("{}.facility '{}' is not known", path, *name));
    out.syslog.facility = *facility;
  }
  if (const auto name = settings.get(path + ".level"); name && out.type == Type::kSyslog) {
    const auto level = SyslogOptions::level_by_name(*name);
    if (!level) return fail(fmt::format("{}.level '{}' is not known", path, *name));
    out.syslog.level = *level;
  }
  return out;
}

Result<std::unique_ptr<LogTarget>> open_target(const TargetConfig& config, const std::string& path, bool waits, Timestamp now, uint32_t worker) {
  const auto as_target = [](auto opened) -> Result<std::unique_ptr<LogTarget>> {
    if (!opened) return std::unexpected(opened.error());
    return std::unique_ptr<LogTarget>(std::move(*opened));
  };
  switch (config.type) {
    case TargetConfig::Type::kDatagram: return as_target(LogSocket::open(LogSocket::Kind::kDatagram, path, waits));
    case TargetConfig::Type::kStream: return as_target(LogSocket::open(LogSocket::Kind::kStream, path, waits));
    case TargetConfig::Type::kSyslog: return as_target(LogSyslog::open(config.syslog, waits, now));
    case TargetConfig::Type::kFile: break;
  }
  return as_target(LogFile::open({worker == 0 || path == "-" ? path : of_worker(path, worker), config.append, config.mode, config.rotate}, now));
}

}  // namespace vong::outputs
