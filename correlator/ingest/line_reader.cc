#include "correlator/ingest/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "correlator/ingest/limits.h"
#include "events/limits.h"

namespace vong::ingest {
namespace {

class LineBuffer {
 public:
  LineBuffer(const std::function<bool(const Line&)>& f, const OnBlock& on_block)
      : f_(f), on_block_(on_block) {
    buffer_.resize(kReadBytes * 2 + events::kRecordPaddingBytes);
  }

  // Room for the next read.
  [[nodiscard]] char* space() { return buffer_.data() + end_; }
  [[nodiscard]] size_t space_bytes() const {
    return buffer_.size() - events::kRecordPaddingBytes - end_;
  }

  // False: the caller of lines wants no more.
  [[nodiscard]] bool added(size_t n) {
    end_ += n;
    size_t at = begin_;
    if (on_block_) {
      const void* last = memrchr(buffer_.data() + scanned_, '\n', end_ - scanned_);
      const auto stop = last == nullptr
                            ? begin_
                            : static_cast<size_t>(static_cast<const char*>(last) - buffer_.data());
      if (stop > begin_ && !skipping_) on_block_({buffer_.data() + begin_, stop - begin_});
    }
    for (;;) {
      const auto* newline =
          static_cast<const char*>(std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_));
      if (newline == nullptr) break;
      const auto stop = static_cast<size_t>(newline - buffer_.data());
      scanned_ = stop + 1;
      if (!line(at, stop)) return false;
      at = stop + 1;
    }
    scanned_ = end_;
    begin_ = at;
    if (on_block_) on_block_({});
    return make_space();
  }
  [[nodiscard]] bool finish() { return begin_ == end_ || line(begin_, end_); }

 private:
  [[nodiscard]] bool line(size_t from, size_t to) {
    ++number_;
    if (skipping_) {  // the rest of a line that was too long
      skipping_ = false;
      return true;
    }
    std::string_view text(buffer_.data() + from, to - from);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.empty()) return true;
    return f_({text, number_, false});
  }
  [[nodiscard]] bool make_space() {
    if (space_bytes() >= kReadBytes) return true;
    if (end_ - begin_ > events::kRecordBytesMax) {
      bool more = true;
      if (!skipping_)
        more = f_({std::string_view(buffer_.data() + begin_, end_ - begin_), number_ + 1, true});
      skipping_ = true;
      begin_ = end_ = scanned_ = 0;
      return more;
    }
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ = end_;
    begin_ = 0;
    if (space_bytes() < kReadBytes) buffer_.resize(buffer_.size() + kReadBytes);
    return true;
  }

  const std::function<bool(const Line&)>& f_;
  const OnBlock& on_block_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0, scanned_ = 0;  // of the line that is not complete yet
  uint64_t number_ = 0;
  bool skipping_ = false;
};

}  // namespace

Result<> read_lines_fd(int fd, const std::string& name, const std::function<bool(const Line&)>& f,
                       const std::function<bool()>& idle, const OnBlock& on_block) {
  LineBuffer lines(f, on_block);
  for (;;) {
    if (idle) {
      pollfd p{fd, POLLIN, 0};
      const int ready = poll(&p, 1, 200);
      if (ready <= 0) {
        if (!idle()) return {};
        continue;
      }
    }
    const ssize_t n = read(fd, lines.space(), std::min(lines.space_bytes(), kReadBytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(name + ": " + std::strerror(errno));
    if (n == 0) break;
    if (!lines.added(static_cast<size_t>(n))) return {};
  }
  (void)lines.finish();
  return {};
}

Result<> read_lines(const std::string& path, const std::function<bool(const Line&)>& f,
                    const OnBlock& on_block) {
  if (path == "-") return read_lines_fd(0, "standard input", f, {}, on_block);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(path + ": " + std::strerror(errno));
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  auto result = read_lines_fd(fd, path, f, {}, on_block);
  close(fd);
  return result;
}

Result<std::vector<std::string>> input_files(const std::string& path) {
  namespace fs = std::filesystem;
  if (path == "-") return std::vector<std::string>{path};
  std::error_code error;
  const auto status = fs::status(path, error);
  if (error || !fs::exists(status)) return fail(path + ": no such file or folder");
  if (!fs::is_directory(status)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    const std::string extension = it->path().extension().string();
    const bool wanted = extension == ".json" || extension == ".jsonl" || extension == ".ndjson" ||
                        extension == ".log";
    if (wanted && it->is_regular_file(error)) files.push_back(it->path().string());
    if (files.size() > kFilesMax) return fail(path + ": more than 100000 files");
  }
  if (error) return fail(path + ": " + error.message());
  if (files.empty())
    return fail(path + ": no *.json, *.jsonl, *.ndjson or *.log below this folder");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace vong::ingest
