#include "sensor/evidence/packet_ring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/files.h"

namespace vong::evidence {
namespace {

constexpr uint64_t kMinSegmentBytes = 1 << 20, kMaxSegmentBytes = 64 << 20;
constexpr uint64_t kSegmentsOfRing = 16;
constexpr uint64_t kMinRingBytes = 4 * kMinSegmentBytes;
constexpr size_t kFlushBytes = 256 << 10;
constexpr auto kIdle = std::chrono::milliseconds(2);
constexpr auto kFlushEvery = std::chrono::milliseconds(500);
constexpr int64_t kRetryPauseNs = 1'000'000'000;

int64_t steady_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

uint64_t file_bytes(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
}

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::optional<RingOptions> RingOptions::from_settings(const Settings& settings, bool offline) {
  RingOptions out;
  out.folder = settings.text("evidence.dir", "");
  if (out.folder.empty()) return std::nullopt;
  out.bytes_max = std::max(kMinRingBytes, settings.size_bytes("evidence.bytes-max", out.bytes_max));
  out.segment_bytes = settings.size_bytes("evidence.segment-bytes", 0);
  out.queue_bytes = settings.size_bytes("evidence.queue-bytes", out.queue_bytes);
  out.snap_bytes = static_cast<uint32_t>(std::clamp<uint64_t>(
      settings.size_bytes("evidence.snap-bytes", kMaxFrameBytes), 64, kMaxFrameBytes));
  out.may_wait = offline;
  return out;
}

void Recorder::flow(uint64_t id) {
  for (size_t i = 0; i < flow_count_; ++i) {
    if (flows_[i] == id) return;
  }
  if (flow_count_ < kMaxFlowsOfFrame) flows_[flow_count_++] = id;
}

void Recorder::keep(const RawPacket& raw) {
  while (!queue_.put(raw, {flows_, flow_count_}, snap_bytes_)) {
    if (!may_wait_) return lost_.add();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

Result<std::unique_ptr<PacketRing>> PacketRing::open(const RingOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) return fail(fmt::format("cannot make folder {}: {}", options.folder, error.message()));
  auto ring = std::unique_ptr<PacketRing>(new PacketRing(options));
  auto& o = ring->options_;
  const uint64_t share = o.segment_bytes != 0 ? o.segment_bytes : o.bytes_max / kSegmentsOfRing;
  o.segment_bytes =
      std::clamp(share, kMinSegmentBytes, std::min(kMaxSegmentBytes, o.bytes_max / 4));
  for (const uint64_t n : list_segments(o.folder)) {
    ring->kept_.push_back(
        {n, file_bytes(segment_path(o.folder, n)) + file_bytes(index_path(o.folder, n))});
    ring->number_ = n;
  }
  ring->make_room();
  if (!ring->open_segment(static_cast<uint32_t>(LinkType::kEthernet)))
    return fail(fmt::format("cannot write {}: {}", segment_path(o.folder, ring->number_),
                            std::strerror(errno)));
  ring->note_oldest();
  return ring;
}

PacketRing::~PacketRing() {
  stop();
  close_segment();
}

Recorder* PacketRing::add_recorder() {
  recorders_.push_back(
      std::make_unique<Recorder>(options_.queue_bytes, options_.snap_bytes, options_.may_wait));
  return recorders_.back().get();
}

uint64_t PacketRing::lost_in_queues() const {
  uint64_t lost = 0;
  for (const auto& r : recorders_) lost += r->lost();
  return lost;
}

void PacketRing::start() {
  thread_ = std::thread([this] { run(); });
}

void PacketRing::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void PacketRing::run() {
  auto flushed = std::chrono::steady_clock::now();
  for (;;) {
    const bool last =
        stop_.load(std::memory_order_acquire);  // before the look: what came before it is taken
    const bool some = drain();
    const auto now = std::chrono::steady_clock::now();
    if (data_.size() >= kFlushBytes || now - flushed >= kFlushEvery || last) {
      flushed = now;
      if (!flush()) close_segment();
    }
    if (last && !some) break;
    if (!some) std::this_thread::sleep_for(kIdle);
  }
}

// Takes what is there, some of each queue in turn; false when all were empty.
bool PacketRing::drain() {
  constexpr int kTurn = 256;
  bool some = false;
  QueuedFrame frame;
  for (const auto& recorder : recorders_) {
    for (int i = 0; i < kTurn && recorder->queue().take(frame, frame_); ++i) {
      some = true;
      write(frame);
    }
  }
  return some;
}

void PacketRing::write(const QueuedFrame& frame) {
  const bool full = data_bytes_ + index_bytes_ >= options_.segment_bytes;
  if (data_fd_ >= 0 && (full || frame.link_type != link_type_)) close_segment();
  if (data_fd_ < 0 && !open_segment(frame.link_type)) return counters_.lost_on_disk.add();
  const auto offset = static_cast<uint32_t>(data_bytes_);
  constexpr int64_t kSecond = 1'000'000'000;
  append(data_,
         PcapRecord{static_cast<uint32_t>(frame.time_ns / kSecond),
                    static_cast<uint32_t>(frame.time_ns % kSecond), frame.captured, frame.wire});
  data_.append(reinterpret_cast<const char*>(frame_.data()), frame_.size());
  for (uint16_t i = 0; i < std::max<uint16_t>(1, frame.flow_count); ++i)
    append(index_, IndexEntry{frame.flow_count == 0 ? 0 : frame.flows[i], frame.time_ns, offset});
  data_bytes_ += sizeof(PcapRecord) + frame_.size();
  index_bytes_ += sizeof(IndexEntry) * std::max<uint16_t>(1, frame.flow_count);
  ++frames_in_buffer_;
  if (counters_.oldest_ns.value() == 0) counters_.oldest_ns.set(frame.time_ns);
  if (data_.size() >= kFlushBytes && !flush()) close_segment();
}

// Data first, then its index. False: the disk does not take it; what was in the buffers is counted
// as lost.
bool PacketRing::flush() {
  if (data_.empty() && index_.empty()) return true;
  const bool ok = data_fd_ >= 0 && write_all(data_fd_, data_) && write_all(index_fd_, index_);
  (ok ? counters_.frames : counters_.lost_on_disk).add(frames_in_buffer_);
  frames_in_buffer_ = 0;
  data_.clear();
  index_.clear();
  if (!ok) retry_at_ns_ = steady_ns() + kRetryPauseNs;
  uint64_t total = data_bytes_ + index_bytes_;
  for (const auto& k : kept_) total += k.bytes;
  counters_.bytes.set(static_cast<int64_t>(total));
  return ok;
}

bool PacketRing::open_segment(uint32_t link_type) {
  if (retry_at_ns_ != 0 && steady_ns() < retry_at_ns_) return false;
  make_room();
  ++number_;
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  constexpr mode_t kMode = 0640;
  data_fd_ = ::open(segment_path(options_.folder, number_).c_str(), kFlags, kMode);
  index_fd_ = ::open(index_path(options_.folder, number_).c_str(), kFlags, kMode);
  if (data_fd_ < 0 || index_fd_ < 0) {
    retry_at_ns_ = steady_ns() + kRetryPauseNs;
    close_segment();
    return false;
  }
  retry_at_ns_ = 0;
  link_type_ = link_type;
  PcapHeader header;
  header.link_type = link_type;
  append(data_, header);
  append(index_, IndexHeader());
  data_bytes_ = data_.size();
  index_bytes_ = index_.size();
  return true;
}

void PacketRing::close_segment() {
  const bool was_open = data_fd_ >= 0;
  if (was_open) (void)flush();
  if (data_fd_ >= 0) ::close(data_fd_);
  if (index_fd_ >= 0) ::close(index_fd_);
  data_fd_ = index_fd_ = -1;
  if (was_open) kept_.push_back({number_, data_bytes_ + index_bytes_});
  data_bytes_ = index_bytes_ = 0;
}

// Deletes the oldest until a whole segment more fits.
void PacketRing::make_room() {
  uint64_t total = 0;
  for (const auto& k : kept_) total += k.bytes;
  size_t gone = 0;
  while (gone < kept_.size() && total + options_.segment_bytes > options_.bytes_max) {
    total -= kept_[gone].bytes;
    ::unlink(index_path(options_.folder, kept_[gone].number).c_str());
    ::unlink(segment_path(options_.folder, kept_[gone].number).c_str());
    counters_.deleted_segments.add();
    ++gone;
  }
  if (gone == 0) return;
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(gone));
  note_oldest();
}

void PacketRing::note_oldest() {
  counters_.oldest_ns.set(0);
  for (const auto& k : kept_) {
    const int fd = ::open(index_path(options_.folder, k.number).c_str(), O_RDONLY | O_CLOEXEC);
    IndexEntry first{};
    const bool there = fd >= 0 && ::pread(fd, &first, sizeof first, sizeof(IndexHeader)) ==
                                      static_cast<ssize_t>(sizeof first);
    if (fd >= 0) ::close(fd);
    if (!there) continue;
    counters_.oldest_ns.set(first.time_ns);
    return;
  }
}

}  // namespace vong::evidence
