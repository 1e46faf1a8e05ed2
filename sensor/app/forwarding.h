// The process that sends the spool to Kafka: the only one that reads the broker's credentials and
// has the network. It is made before the sensor has threads, so before rules are loaded, and lives
// as long as the sensor. A keeper between the two starts it again when it dies. They share a page
// of memory: how far the spool is durable, and the counters.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "base/result.h"
#include "base/settings.h"
#include "exporters/send/forwarder.h"

namespace vong::sensor {

// What both processes see.
struct ForwardingPage {
  std::atomic<uint64_t> durable_seq{0};  // the sensor writes it
  static constexpr uint64_t kNotLooked = UINT64_MAX;
  std::atomic<uint64_t> acknowledged_at_start{kNotLooked};  // seq up to which the broker had everything when the first forwarder looked
  std::atomic<uint64_t> asked{0};        // looks that the sensor waits for
  std::atomic<uint64_t> looked{0};  // the newest one after which everything durable was committed
  send::ForwarderCounters out;
  spool::ReaderCounters spool;
  Counter restarts;  // of the forwarder
};

class ForwardingProcess {
 public:
  // Null when `kafka.brokers` is not set. An error when the configuration cannot work: then nothing
  // was started. One thread.
  [[nodiscard]] static Result<std::unique_ptr<ForwardingProcess>> start(const Settings& settings);
  // What start() would complain about.
  [[nodiscard]] static Result<> check(const Settings& settings);
  ~ForwardingProcess();  // stop()
  ForwardingProcess(const ForwardingProcess&) = delete;
  ForwardingProcess& operator=(const ForwardingProcess&) = delete;

  void set_durable(uint64_t seq) { page_->durable_seq.store(seq, std::memory_order_release); }
  // Waits until everything up to the last set_durable() is committed; false when that took longer.
  [[nodiscard]] bool drain(std::chrono::milliseconds timeout);
  // Ends the processes; an open transaction is given up, its records stay in the spool.
  void stop();

  [[nodiscard]] const ForwardingPage& page() const { return *page_; }

 private:
  ForwardingProcess(ForwardingPage* page, int stop_fd, pid_t keeper)
      : page_(page), stop_fd_(stop_fd), keeper_(keeper) {}

  ForwardingPage* page_;
  int stop_fd_;  // closed: the others end
  pid_t keeper_;
};

}  // namespace vong::sensor
