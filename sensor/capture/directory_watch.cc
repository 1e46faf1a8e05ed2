#include "sensor/capture/directory_watch.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <thread>
#include <tuple>
#include <vector>

#include "sensor/capture/pcap_file.h"

namespace vong::capture {
namespace {

constexpr std::chrono::milliseconds kSlice{50};  // so that stop() is quick

struct Seen {
  int64_t changed_ns = 0, size = 0;
  friend bool operator==(const Seen&, const Seen&) = default;
};

class DirectoryWatch final : public PacketSource {
 public:
  DirectoryWatch(std::string path, const WatchOptions& options)
      : path_(std::move(path)), options_(options) {}

  ReadStatus next(RawPacket& out) override {
    size_t count;
    return next_batch({&out, 1}, count);
  }

  ReadStatus next_batch(std::span<RawPacket> out, size_t& count) override {
    count = 0;
    if (stop_.load(std::memory_order_relaxed)) return ReadStatus::kEnd;
    if (file_ == nullptr) {
      const ReadStatus status = open_next();
      if (status != ReadStatus::kPacket) return status;
    }
    const ReadStatus status = file_->next_batch(out, count);
    if (status == ReadStatus::kPacket) {
      for (size_t i = 0; i < count; ++i) out[i].number = ++received_;
      return status;
    }
    if (status == ReadStatus::kError) {
      damaged_ = true;
      error_ = file_->error();
      return status;
    }
    return finish_file();
  }

  void stop() override { stop_.store(true, std::memory_order_relaxed); }
  CaptureStats stats() const override {
    CaptureStats sum = closed_;
    if (file_ != nullptr) sum += file_->stats();
    return sum;
  }
  std::string_view error() const override { return error_; }
  std::string_view file_name() const override {
    return file_ == nullptr ? std::string_view() : file_->file_name();
  }

  [[nodiscard]] Result<> look();

 private:
  ReadStatus open_next() {
    if (waiting_.empty()) {
      const auto now = std::chrono::steady_clock::now();
      if (looked_ && !options_.continuous) return ReadStatus::kEnd;
      if (now < look_at_) {
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(kSlice, look_at_ - now));
        return ReadStatus::kTimeout;
      }
      if (auto ok = look(); !ok) {
        error_ = ok.error().message;
        ++closed_.errors;
        return ReadStatus::kError;
      }
      if (waiting_.empty()) return options_.continuous ? ReadStatus::kTimeout : ReadStatus::kEnd;
    }
    current_ = waiting_.back();
    waiting_.pop_back();
    damaged_ = false;
    file_ = open_pcap_files({current_});
    return ReadStatus::kPacket;
  }

  ReadStatus finish_file() {
    closed_ += file_->stats();
    const bool read = file_->stats().files > 0 && !damaged_;
    file_.reset();
    if (options_.delete_when_done && read && ::unlink(current_.c_str()) != 0) {
      error_ = fmt::format("cannot delete {}: {}", current_, std::strerror(errno));
      ++closed_.errors;
      return ReadStatus::kError;
    }
    return ReadStatus::kTimeout;
  }

  std::string path_;
  WatchOptions options_;
  std::unique_ptr<PacketSource> file_;
  std::string current_, error_;
  bool damaged_ = false, looked_ = false;
  std::map<std::string, Seen> seen_;  // of what is there: no more than the folder has
  std::vector<std::string> waiting_;  // the next one last
  std::chrono::steady_clock::time_point look_at_{};
  CaptureStats closed_;
  uint64_t received_ = 0;
  std::atomic<bool> stop_{false};
};

Result<> DirectoryWatch::look() {
  look_at_ = std::chrono::steady_clock::now() + options_.poll_interval;
  looked_ = true;
  const auto paths = list_captures(path_, {.recursive = options_.recursive});
  if (!paths) return std::unexpected(paths.error());
  const int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
  const int64_t settle_ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(options_.settle).count();
  std::vector<std::tuple<int64_t, std::string>> found;
  std::map<std::string, Seen> there;
  for (const auto& path : *paths) {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) continue;
    constexpr int64_t kSecond = 1'000'000'000;
    const Seen now{st.st_mtim.tv_sec * kSecond + st.st_mtim.tv_nsec, st.st_size};
    const auto before = seen_.find(path);
    if (before != seen_.end() && before->second == now) {
      there.insert(*before);
      continue;
    }
    if (options_.continuous && now_ns - now.changed_ns < settle_ns) continue;
    there.emplace(path, now);
    found.emplace_back(now.changed_ns, path);
  }
  seen_ = std::move(there);
  std::sort(found.rbegin(), found.rend());
  for (auto& [time, path] : found) waiting_.push_back(std::move(path));
  return {};
}

}  // namespace

Result<std::unique_ptr<PacketSource>> open_directory_watch(const std::string& path,
                                                           const WatchOptions& options) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0)
    return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  return std::make_unique<DirectoryWatch>(path, options);
}

}  // namespace vong::capture
