// The sensor's status file to the compacted topic vong.status, key = sensor id, whenever the file
// is a new one. A heartbeat: what is not delivered is replaced by the next, and nothing waits for
// it. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kafka/client_config.h"
#include "kafka/producer.h"

namespace vong::send {

class StatusTopic {
 public:
  struct Options {
    kafka::ClientConfig client;
    std::string topic = "vong.status";
    std::string sensor;
    std::string file;  // empty: nothing to do
  };
  explicit StatusTopic(Options options) : options_(std::move(options)) {}

  // Looks whether there is a new file and hands it to the client. Does not wait.
  void poll();
  // Waits a little for what was handed over.
  void flush();

 private:
  Options options_;
  int64_t seen_ns_ = 0;  // the file's time
  uint64_t seen_inode_ = 0;
  std::optional<kafka::Producer> producer_;
};

}  // namespace vong::send
