#include "sensor/evidence/pcap_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/files.h"
#include "fmt/format.h"

namespace vong::evidence {
namespace {

constexpr uint32_t kMicrosecondMagic = 0xa1b2c3d4;   // what every reader knows
constexpr uint64_t kMinLimitBytes = 4096;
constexpr uint64_t kMaxFiles = 1'000'000;
constexpr size_t kFlushBytes = 256 << 10;
constexpr auto kIdle = std::chrono::milliseconds(2);
constexpr auto kFlushEvery = std::chrono::milliseconds(500);
constexpr int64_t kRetryPauseNs = 1'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;

int64_t steady_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

}  // namespace

Result<std::optional<PcapLogOptions>> PcapLogOptions::from(const Settings& settings, const std::string& log_folder, bool offline) {
  for (const auto& i : settings.children("outputs")) {
    const std::string path = "outputs." + i + ".pcap-log";
    if (!settings.has(path) || !settings.flag(path + ".enabled", true)) continue;
    PcapLogOptions out;
    const auto refuse = [&](std::string_view key, std::string_view why) { return fail(fmt::format("{}.{} '{}' {}", path, key, settings.text(path + "." + std::string(key), ""), why)); };
    const auto mode = settings.text(path + ".mode", "normal");
    if (mode != "normal" && mode != "multi") return refuse("mode", "is not normal or multi");
    out.multi = mode == "multi";
    const auto what = settings.text(path + ".conditional", "all");
    if (what == "alerts") out.what = What::kAlerts;
    else if (what == "tag") out.what = What::kTag;
    else if (what != "all") return refuse("conditional", "is not all, alerts or tag");
    if (const auto compression = settings.text(path + ".compression", "none"); compression != "none" && !compression.empty())
      return refuse("compression", "is not written by this sensor: files are not compressed");
    const std::filesystem::path name(std::string(settings.text(path + ".filename", "log.pcap")));
    const std::filesystem::path dir(std::string(settings.text(path + ".dir", "")));
    const auto folder = dir.empty() ? std::filesystem::path(log_folder) : dir.is_absolute() ? dir : std::filesystem::path(log_folder) / dir;
    out.filename = name.is_absolute() ? name.string() : (folder / name).string();
    out.microseconds_in_name = settings.text(path + ".ts-format", "sec") == "usec";
    out.honor_pass = settings.flag(path + ".honor-pass-rules", false);
    // A bare number in the old guide is megabytes, in the shipped file bytes with a unit: what is too small to be bytes is megabytes.
    out.limit_bytes = settings.size_bytes(path + ".limit", out.limit_bytes);
    if (out.limit_bytes < kMinLimitBytes) out.limit_bytes <<= 20;
    out.files_max = std::min<uint64_t>(static_cast<uint64_t>(std::max<int64_t>(settings.integer(path + ".max-files", 0), 0)), kMaxFiles);
    out.may_wait = offline;
    return out;
  }
  return std::nullopt;
}

void PcapLog::Tap::keep(const RawPacket& raw) {
  while (!queue_.put(raw, {}, kMaxFrameBytes)) {
    if (!options_.may_wait) return lost_.add();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

PcapLog::~PcapLog() { stop(); }

PcapLog::Tap* PcapLog::add_tap() {
  taps_.push_back(std::make_unique<Tap>(options_));
  if (options_.multi || sequences_.empty()) sequences_.push_back({.number = options_.multi ? static_cast<uint32_t>(taps_.size()) : 0});
  return taps_.back().get();
}

uint64_t PcapLog::lost_in_queues() const {
  uint64_t lost = 0;
  for (const auto& tap : taps_) lost += tap->lost();
  return lost;
}

void PcapLog::start() {
  thread_ = std::thread([this] { run(); });
}

void PcapLog::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void PcapLog::run() {
  auto flushed = std::chrono::steady_clock::now();
  for (;;) {
    const bool last = stop_.load(std::memory_order_acquire);   // before the look: what came before it is taken
    const bool some = drain();
    const auto now = std::chrono::steady_clock::now();
    if (now - flushed >= kFlushEvery) {
      flushed = now;
      for (Sequence& s : sequences_) flush(s);
    }
    if (last && !some) break;
    if (!some) std::this_thread::sleep_for(kIdle);
  }
  for (Sequence& s : sequences_) close_file(s);
}

bool PcapLog::drain() {
  constexpr int kTurn = 256;
  bool some = false;
  QueuedFrame frame;
  for (size_t t = 0; t < taps_.size(); ++t) {
    for (int i = 0; i < kTurn && taps_[t]->queue().take(frame, frame_); ++i) {
      some = true;
      write(sequences_[options_.multi ? t : 0], frame);
    }
  }
  return some;
}

std::string PcapLog::name_of(const Sequence& s, int64_t time_ns) const {
  const std::string time = options_.microseconds_in_name ? fmt::format("{}.{:06}", time_ns / kSecond, time_ns % kSecond / 1000) : fmt::format("{}", time_ns / kSecond);
  if (!options_.multi) return options_.filename + "." + time;
  std::string name = options_.filename;
  const bool has_time = name.find("%t") != name.npos, has_number = name.find("%n") != name.npos || name.find("%i") != name.npos;
  replace_all(name, "%n", fmt::format("{}", s.number));
  replace_all(name, "%i", fmt::format("{}", s.number));
  replace_all(name, "%t", time);
  if (!has_number) name += fmt::format(".{}", s.number);
  return has_time ? name : name + "." + time;
}

bool PcapLog::open_file(Sequence& s, const QueuedFrame& frame) {
  if (s.retry_at_ns != 0 && steady_ns() < s.retry_at_ns) return false;
  const std::string name = name_of(s, frame.time_ns);
  std::string path = name;
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  constexpr int kSameSecondMax = 10'000;
  for (int i = 1; i < kSameSecondMax; ++i) {   // several in one second, or a file of an earlier run
    s.fd = ::open(path.c_str(), kFlags, 0640);
    if (s.fd >= 0 || errno != EEXIST) break;
    path = fmt::format("{}-{}", name, i);
  }
  if (s.fd < 0) {
    s.retry_at_ns = steady_ns() + kRetryPauseNs;
    return false;
  }
  s.retry_at_ns = 0;
  s.path = path;
  s.link_type = frame.link_type;
  PcapHeader header;
  header.magic = kMicrosecondMagic;
  header.link_type = frame.link_type;
  append(s.buffer, header);
  s.bytes = s.buffer.size();
  counters_.files.add();
  if (options_.files_max > 0) {
    s.kept.push_back(path);
    while (s.kept.size() > options_.files_max) {
      ::unlink(s.kept.front().c_str());
      s.kept.pop_front();
      counters_.deleted_files.add();
    }
  }
  return true;
}

void PcapLog::write(Sequence& s, const QueuedFrame& frame) {
  const uint64_t size = sizeof(PcapRecord) + frame_.size();
  const bool full = s.bytes + size > options_.limit_bytes && s.bytes > sizeof(PcapHeader);
  if (s.fd >= 0 && (full || frame.link_type != s.link_type)) close_file(s);
  if (s.fd < 0 && !open_file(s, frame)) return counters_.lost_on_disk.add();
  append(s.buffer, PcapRecord{static_cast<uint32_t>(frame.time_ns / kSecond), static_cast<uint32_t>(frame.time_ns % kSecond / 1000), frame.captured, frame.wire});
  s.buffer.append(reinterpret_cast<const char*>(frame_.data()), frame_.size());
  s.bytes += size;
  ++s.frames_in_buffer;
  if (s.buffer.size() >= kFlushBytes) flush(s);
}

// What the disk does not take is counted; the file, which may end in the middle of a packet, gets no more.
void PcapLog::flush(Sequence& s) {
  if (s.buffer.empty()) return;
  const bool ok = s.fd >= 0 && write_all(s.fd, s.buffer);
  (ok ? counters_.frames : counters_.lost_on_disk).add(s.frames_in_buffer);
  s.frames_in_buffer = 0;
  s.buffer.clear();
  if (ok) return;
  if (s.fd >= 0) ::close(s.fd);
  s.fd = -1;
  s.retry_at_ns = steady_ns() + kRetryPauseNs;
}

void PcapLog::close_file(Sequence& s) {
  flush(s);
  if (s.fd >= 0) ::close(s.fd);
  s.fd = -1;
  s.bytes = 0;
}

}  // namespace vong::evidence
