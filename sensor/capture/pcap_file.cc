#include "sensor/capture/pcap_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <system_error>

#include "sensor/capture/capture_format.h"
#include "sensor/capture/limits.h"

namespace vong::capture {
namespace {

namespace fs = std::filesystem;

class PcapFileSource final : public PacketSource {
 public:
  explicit PcapFileSource(std::vector<std::string> paths) : paths_(std::move(paths)) {
    for (const auto& path : paths_) {
      std::error_code ec;
      const auto size = fs::file_size(path, ec);
      if (!ec) total_bytes_ += size;
    }
  }

  ReadStatus next(RawPacket& out) override {
    size_t count;
    return next_batch({&out, 1}, count);
  }

  ReadStatus next_batch(std::span<RawPacket> out, size_t& count) override {
    count = 0;
    if (out.empty()) return ReadStatus::kTimeout;
    for (;;) {
      if (stop_.load(std::memory_order_relaxed)) return ReadStatus::kEnd;
      if (!format_) {
        const ReadStatus status = open_next();
        if (status != ReadStatus::kPacket) return status;
      }
      const RecordStatus status =
          damaged_ ? RecordStatus::kDamaged : format_->next(feed_, out[0], true);
      if (status == RecordStatus::kPacket) break;
      if (const auto result = end_of_file(status); result != ReadStatus::kPacket) return result;
    }
    deliver(out[0]);
    count = 1;
    // The rest of the batch only from bytes that are already in the buffer: nothing may move under
    // the first packet.
    while (count < out.size()) {
      const RecordStatus more = format_->next(feed_, out[count], false);
      if (more == RecordStatus::kDamaged) damaged_ = true;  // to be said by the next call
      if (more != RecordStatus::kPacket) break;
      deliver(out[count++]);
    }
    return ReadStatus::kPacket;
  }

  // Opens the first file now, so that a single bad one is reported at the start.
  ReadStatus open_first() { return open_next(); }

  void stop() override { stop_.store(true, std::memory_order_relaxed); }
  CaptureStats stats() const override { return stats_; }
  std::string_view error() const override { return error_; }
  std::string_view file_name() const override {
    return index_ == 0 ? std::string_view() : std::string_view(paths_[index_ - 1]);
  }
  uint64_t bytes_done() const override { return done_bytes_ + feed_.offset(); }
  uint64_t bytes_total() const override { return total_bytes_; }

 private:
  void deliver(RawPacket& packet) {
    packet.number = ++stats_.received;
    packet.has_vlan_tci = packet.cut_by_ring = packet.checksum_unready = false;
    stats_.bytes += packet.data.size();
    if (packet.wire_len > packet.data.size()) ++stats_.truncated;
  }

  // kPacket: a file is open. kEnd, kError otherwise.
  ReadStatus open_next() {
    while (index_ < paths_.size()) {
      const std::string& path = paths_[index_++];
      done_bytes_ += feed_.offset();
      if (auto opened = feed_.open(path); !opened) return report(opened.error().message);
      std::string why;
      format_ = open_capture_format(feed_, why);
      if (format_) {
        ++stats_.files;
        return ReadStatus::kPacket;
      }
      feed_.close();
      if (paths_.size() == 1) return report(fmt::format("{}: {}", path, why));
      ++stats_.skipped_files;
    }
    return ReadStatus::kEnd;
  }

  // kPacket: go on with the next file.
  ReadStatus end_of_file(RecordStatus status) {
    const std::string& path = paths_[index_ - 1];
    std::string why;
    if (feed_.failed()) {
      why = fmt::format("{}: cannot read: {}", path,
                        std::generic_category().message(feed_.read_errno()));
    } else if (status == RecordStatus::kDamaged) {
      why = fmt::format("{}: {}", path, format_->error());
    }
    done_bytes_ += feed_.offset();
    damaged_ = false;
    format_.reset();
    feed_.close();
    return why.empty() ? ReadStatus::kPacket : report(std::move(why));
  }

  ReadStatus report(std::string why) {
    error_ = std::move(why);
    ++stats_.errors;
    return ReadStatus::kError;
  }

  const std::vector<std::string> paths_;
  size_t index_ = 0;  // of the next file to open
  FileFeed feed_;
  std::unique_ptr<CaptureFormat> format_;
  bool damaged_ = false;
  CaptureStats stats_;
  std::string error_;
  uint64_t total_bytes_ = 0, done_bytes_ = 0;
  std::atomic<bool> stop_ = false;
};

}  // namespace

Result<std::vector<std::string>> list_captures(const std::string& path,
                                               const PcapFileOptions& options) {
  std::vector<std::string> paths;
  std::error_code ec;
  if (path == "-" || !fs::is_directory(path, ec)) {
    paths.push_back(path);
    return paths;
  }
  fs::recursive_directory_iterator it(path, ec), end;
  if (ec) return fail(fmt::format("{}: cannot list: {}", path, ec.message()));
  while (it != end) {
    if (it->is_directory(ec) && (!options.recursive || it.depth() >= kMaxDirectoryDepth))
      it.disable_recursion_pending();
    if (it->is_regular_file(ec)) paths.push_back(it->path().string());
    if (paths.size() > kMaxFiles)
      return fail(fmt::format("{}: more than {} files", path, kMaxFiles));
    it.increment(ec);
    if (ec) return fail(fmt::format("{}: cannot list: {}", path, ec.message()));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::unique_ptr<PacketSource> open_pcap_files(std::vector<std::string> paths) {
  return std::make_unique<PcapFileSource>(std::move(paths));
}

Result<std::unique_ptr<PacketSource>> open_pcap_path(const std::string& path,
                                                     const PcapFileOptions& options) {
  auto paths = list_captures(path, options);
  if (!paths) return std::unexpected(paths.error());
  if (paths->empty()) return fail(fmt::format("{}: no files in this directory", path));
  const bool single = paths->size() == 1;
  auto source = std::make_unique<PcapFileSource>(std::move(*paths));
  if (single && source->open_first() != ReadStatus::kPacket)
    return fail(std::string(source->error()));
  return source;
}

}  // namespace vong::capture
