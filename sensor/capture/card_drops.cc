#include "sensor/capture/card_drops.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <optional>

namespace vong::capture {
namespace {

constexpr std::array<const char*, 2> kCounters = {"rx_missed_errors", "rx_fifo_errors"};

std::optional<uint64_t> read_counter(int fd) {
  std::array<char, 32> text;
  const ssize_t size = fd < 0 ? -1 : ::pread(fd, text.data(), text.size(), 0);
  uint64_t value = 0;
  if (size <= 0 || std::from_chars(text.data(), text.data() + size, value).ec != std::errc())
    return std::nullopt;
  return value;
}

}  // namespace

CardDrops::~CardDrops() {
  for (const Counter& counter : counters_) {
    if (counter.fd >= 0) ::close(counter.fd);
  }
}

void CardDrops::open(const std::string& interface_folder) {
  for (size_t i = 0; i < counters_.size(); ++i) {
    if (counters_[i].fd >= 0) ::close(counters_[i].fd);
    counters_[i].fd =
        ::open((interface_folder + "/statistics/" + kCounters[i]).c_str(), O_RDONLY | O_CLOEXEC);
    counters_[i].last = read_counter(counters_[i].fd).value_or(0);
  }
  lost_ = 0;
}

uint64_t CardDrops::since_open() const {
  for (Counter& counter : counters_) {
    const auto now = read_counter(counter.fd);
    if (!now) continue;
    lost_ += *now >= counter.last ? *now - counter.last : *now;
    counter.last = *now;
  }
  return lost_;
}

}  // namespace vong::capture
