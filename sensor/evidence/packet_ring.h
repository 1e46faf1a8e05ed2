// The packet ring's writer: a thread of its own that empties the workers' queues into segments. See
// format.h for the files.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/counter.h"
#include "base/result.h"
#include "base/settings.h"
#include "sensor/evidence/packet_queue.h"

namespace vong::evidence {

struct RingOptions {
  std::string folder;
  uint64_t bytes_max = uint64_t{1} << 30;  // all files together
  uint64_t segment_bytes = 0;              // 0: a sixteenth of bytes_max, 1 to 64 MiB
  uint64_t queue_bytes = 16 << 20;         // of each worker
  uint32_t snap_bytes = kMaxFrameBytes;    // of a frame
  bool may_wait = false;                   // the packets can wait for the disk: reading files
  // `evidence.*`; nothing when evidence.dir is not set.
  [[nodiscard]] static std::optional<RingOptions> from_settings(const Settings& settings,
                                                                bool offline);
};

// The writer's; any thread reads them.
struct RingCounters {
  Counter frames;        // written
  Counter lost_on_disk;  // the disk did not take them
  Counter deleted_segments;
  Gauge bytes;      // on disk
  Gauge oldest_ns;  // time of the oldest frame that is kept; 0: none
};

// A worker's end. Belongs to the worker's thread.
class Recorder {
 public:
  Recorder(size_t queue_bytes, uint32_t snap_bytes, bool may_wait)
      : queue_(queue_bytes), snap_bytes_(snap_bytes), may_wait_(may_wait) {}
  // The frame's turn begins: no flows yet.
  void begin() { flow_count_ = 0; }
  // One of its packets belongs to this flow. Those beyond the cap are left out.
  void flow(uint64_t id);
  // The turn is over: the frame is kept, or counted.
  void keep(const RawPacket& raw);

  [[nodiscard]] uint64_t lost() const { return lost_.value(); }  // the queue was full
  [[nodiscard]] PacketQueue& queue() { return queue_; }

 private:
  PacketQueue queue_;
  uint32_t snap_bytes_;
  bool may_wait_;
  size_t flow_count_ = 0;
  uint64_t flows_[kMaxFlowsOfFrame];
  Counter lost_;
};

class PacketRing {
 public:
  // Makes the folder and the first segment. Segments of earlier runs stay, within the bytes.
  [[nodiscard]] static Result<std::unique_ptr<PacketRing>> open(const RingOptions& options);
  ~PacketRing();  // stop()
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  // Before start(). The recorder lives as long as the ring.
  [[nodiscard]] Recorder* add_recorder();
  void start();
  // When no recorder is used any more: writes what is in the queues.
  void stop();

  [[nodiscard]] const RingCounters& counters() const { return counters_; }
  [[nodiscard]] uint64_t lost_in_queues() const;

 private:
  explicit PacketRing(RingOptions options) : options_(std::move(options)) {}
  void run();
  [[nodiscard]] bool drain();
  void write(const QueuedFrame& frame);
  [[nodiscard]] bool open_segment(uint32_t link_type);
  void close_segment();
  [[nodiscard]] bool flush();
  void make_room();
  void note_oldest();

  RingOptions options_;
  RingCounters counters_;
  std::vector<std::unique_ptr<Recorder>> recorders_;
  std::thread thread_;
  std::atomic<bool> stop_{false};

  // The writer's thread.
  struct Kept {
    uint64_t number, bytes;
  };
  std::vector<Kept> kept_;  // closed segments, oldest first
  uint64_t number_ = 0;     // of the open one
  int data_fd_ = -1, index_fd_ = -1;
  uint32_t link_type_ = 0;
  uint64_t data_bytes_ = 0, index_bytes_ = 0;  // of the open one, with what is still in the buffers
  std::string data_, index_;
  uint64_t frames_in_buffer_ = 0;
  std::vector<uint8_t> frame_;
  int64_t retry_at_ns_ = 0;
};

}  // namespace vong::evidence
