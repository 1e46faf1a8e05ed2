// pcap-log: packets into capture files that any program reads, beside the packet path: a worker copies a frame into its queue and goes on, a
// thread of its own writes. Files are put aside at a size, and the oldest of this run go.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/counter.h"
#include "base/result.h"
#include "base/settings.h"
#include "sensor/evidence/packet_queue.h"

namespace vong::evidence {

struct PcapLogOptions {
  enum class What : uint8_t { kAll, kAlerts, kTag };
  std::string filename = "log.pcap";   // a path; in mode multi with %n, %i, %t
  bool multi = false;                  // a file sequence a worker, not one for all
  bool microseconds_in_name = false;   // ts-format: usec
  bool honor_pass = false;             // flows that a pass rule has taken are no longer written
  What what = What::kAll;
  uint64_t limit_bytes = 32 << 20;     // of one file
  uint64_t files_max = 0;              // 0: all are kept
  uint64_t queue_bytes = 16 << 20;
  bool may_wait = false;               // reading files: the packets can wait for the disk
  // The enabled section `outputs[].pcap-log`, relative names below `log_folder`; none: there is none. An error names what cannot be.
  [[nodiscard]] static Result<std::optional<PcapLogOptions>> from(const Settings& settings, const std::string& log_folder, bool offline);
};

struct PcapLogCounters {
  Counter frames, lost_on_disk, files, deleted_files;
};

class PcapLog {
 public:
  // A worker's end; its thread alone.
  class Tap {
   public:
    Tap(const PcapLogOptions& options) : options_(options), queue_(options.queue_bytes) {}
    [[nodiscard]] PcapLogOptions::What what() const { return options_.what; }
    [[nodiscard]] bool honor_pass() const { return options_.honor_pass; }
    void keep(const RawPacket& raw);
    [[nodiscard]] uint64_t lost() const { return lost_.value(); }   // the queue was full
    [[nodiscard]] PacketQueue& queue() { return queue_; }

   private:
    const PcapLogOptions& options_;
    PacketQueue queue_;
    Counter lost_;
  };

  // Makes nothing yet: the first file is made with the first packet, whose time it has in its name.
  explicit PcapLog(PcapLogOptions options) : options_(std::move(options)) {}
  ~PcapLog();
  PcapLog(const PcapLog&) = delete;
  PcapLog& operator=(const PcapLog&) = delete;

  // Before start(). Lives as long as this.
  [[nodiscard]] Tap* add_tap();
  void start();
  void stop();   // writes what is in the queues

  [[nodiscard]] const PcapLogCounters& counters() const { return counters_; }
  [[nodiscard]] uint64_t lost_in_queues() const;
  [[nodiscard]] const PcapLogOptions& options() const { return options_; }

 private:
  // A sequence of files.
  struct Sequence {
    uint32_t number;            // of the worker; 0: for all
    int fd = -1;
    uint32_t link_type = 0;
    uint64_t bytes = 0, frames_in_buffer = 0;
    std::string buffer, path;
    std::deque<std::string> kept;
    int64_t retry_at_ns = 0;
  };
  void run();
  [[nodiscard]] bool drain();
  void write(Sequence& s, const QueuedFrame& frame);
  [[nodiscard]] bool open_file(Sequence& s, const QueuedFrame& frame);
  void close_file(Sequence& s);
  void flush(Sequence& s);
  [[nodiscard]] std::string name_of(const Sequence& s, int64_t time_ns) const;

  PcapLogOptions options_;
  PcapLogCounters counters_;
  std::vector<std::unique_ptr<Tap>> taps_;
  std::vector<Sequence> sequences_;
  std::vector<uint8_t> frame_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
};

}  // namespace vong::evidence
