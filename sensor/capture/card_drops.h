// Packets that a network card had no room or no buffer for: the kernel has never seen them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace vong::capture {

// Reads the card's counters rx_missed_errors and rx_fifo_errors
// (Documentation/networking/statistics.rst); drivers count a packet in one of them. The files are
// opened once, before the process gives up its rights. One thread at a time.
class CardDrops {
 public:
  CardDrops() = default;
  CardDrops(const CardDrops&) = delete;
  CardDrops& operator=(const CardDrops&) = delete;
  ~CardDrops();

  // `interface_folder`: as /sys/class/net/eth0. Interfaces without such counters have lost nothing.
  void open(const std::string& interface_folder);

  // Packets lost since open(); 0 before it. Cards that were reset count from 0 again.
  [[nodiscard]] uint64_t since_open() const;

 private:
  struct Counter {
    int fd = -1;
    uint64_t last = 0;
  };
  mutable std::array<Counter, 2> counters_;
  mutable uint64_t lost_ = 0;
};

}  // namespace vong::capture
