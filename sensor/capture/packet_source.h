// Where packets come from: a capture file, a folder of them, a live interface. One source belongs
// to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sensor/packet/types.h"

namespace vong::capture {

enum class ReadStatus {
  kPacket,   // at least one packet was delivered
  kEnd,      // nothing more will ever come
  kTimeout,  // live sources: nothing came for a while; call again
  kError,    // error() says what; call again: a folder goes on with its next capture, others give
             // kEnd
};

struct CaptureStats {
  uint64_t received = 0;         // packets delivered
  uint64_t bytes = 0;            // captured bytes delivered
  uint64_t kernel_drops = 0;     // packets that the kernel had no room for
  uint64_t kernel_seen = 0;      // packets that the kernel had for us, with kernel_drops; 0: sources without a kernel, or it does not say
  uint64_t outgoing_copies = 0;  // second sights of a packet (loopback), not delivered
  uint64_t interface_drops = 0;  // packets that the network card had no room for
  uint64_t truncated = 0;        // delivered with fewer bytes than the wire had
  uint64_t files = 0;            // captures opened
  uint64_t skipped_files = 0;    // files of a folder that are no captures
  uint64_t errors = 0;           // times that kError was given

  CaptureStats& operator+=(const CaptureStats& other) {
    received += other.received;
    bytes += other.bytes;
    kernel_drops += other.kernel_drops;
    kernel_seen += other.kernel_seen;
    outgoing_copies += other.outgoing_copies;
    interface_drops += other.interface_drops;
    truncated += other.truncated;
    files += other.files;
    skipped_files += other.skipped_files;
    errors += other.errors;
    return *this;
  }
};

class PacketSource {
 public:
  PacketSource() = default;
  PacketSource(const PacketSource&) = delete;
  PacketSource& operator=(const PacketSource&) = delete;
  virtual ~PacketSource() = default;

  // One packet. `out.data` lives until the next call of next() or next_batch().
  [[nodiscard]] virtual ReadStatus next(RawPacket& out) = 0;

  // As many packets as are at hand, at most out.size(); `count` says how many (> 0 only with
  // kPacket). All their bytes live until the next call.
  [[nodiscard]] virtual ReadStatus next_batch(std::span<RawPacket> out, size_t& count) {
    count = 0;
    if (out.empty()) return ReadStatus::kTimeout;
    const ReadStatus status = next(out[0]);
    if (status == ReadStatus::kPacket) count = 1;
    return status;
  }

  // Makes a blocked or later next() return kEnd soon. The one function that any thread and a signal
  // handler may call.
  virtual void stop() {}

  [[nodiscard]] virtual CaptureStats stats() const = 0;
  // How full the ring between kernel and us is, 0 to 1; sources without one: 0. The reader's thread.
  [[nodiscard]] virtual double fill() const { return 0; }
  // One line on the last kError.
  [[nodiscard]] virtual std::string_view error() const = 0;
  // Name of RawPacket::interface: a device; empty for captures.
  [[nodiscard]] virtual std::string_view interface_name(uint16_t) const { return {}; }
  // The capture that the last delivered packets come from (EVE's pcap_filename); empty for live
  // sources.
  [[nodiscard]] virtual std::string_view file_name() const { return {}; }
  // Bytes of input read and their sum when known (0: not known): for a progress bar.
  [[nodiscard]] virtual uint64_t bytes_done() const { return 0; }
  [[nodiscard]] virtual uint64_t bytes_total() const { return 0; }
};

}  // namespace vong::capture
