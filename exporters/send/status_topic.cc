#include "exporters/send/status_topic.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <sstream>

namespace vong::send {
namespace {
constexpr std::size_t kMaxStatusBytes = 256 << 10;
}

void StatusTopic::poll() {
  struct stat about {};
  if (options_.file.empty() || ::stat(options_.file.c_str(), &about) != 0) return;
  const int64_t time_ns = int64_t{about.st_mtim.tv_sec} * 1'000'000'000 + about.st_mtim.tv_nsec;
  if (time_ns == seen_ns_ && about.st_ino == seen_inode_) return;
  if (about.st_size <= 0 || static_cast<std::size_t>(about.st_size) > kMaxStatusBytes) return;
  std::ifstream in(options_.file);
  std::ostringstream text;
  text << in.rdbuf();
  std::string status = text.str();
  while (!status.empty() && status.back() == '\n') status.pop_back();
  if (status.empty()) return;
  seen_ns_ = time_ns;
  seen_inode_ = about.st_ino;
  if (!producer_) {
    auto opened = kafka::Producer::open({.client = options_.client, .queue_records_max = 16});
    if (!opened) return;  // the events' sender says what is wrong with the configuration
    producer_.emplace(std::move(*opened));
  }
  (void)producer_->flush(std::chrono::milliseconds(0));  // takes note of earlier deliveries
  (void)producer_->send({.topic = options_.topic, .key = options_.sensor, .value = status},
                        std::chrono::milliseconds(0));
}

void StatusTopic::flush() {
  if (producer_) (void)producer_->flush(std::chrono::seconds(2));
}

}  // namespace vong::send
