// Whether checksums are looked at. In captures taken on a sending host they are often wrong, because its card would have filled them in:
// with pcap-file.checksum-checks auto, when a tenth of the first thousand packets have wrong ones, nobody asks for them any more. One worker's.
#pragma once

#include <cstdint>

namespace vong::sensor {

class ChecksumWatch {
 public:
  ChecksumWatch(bool on, bool learns) : on_(on), learns_(learns) {}

  [[nodiscard]] bool on() const { return on_; }
  // Of each packet while on().
  void note(bool good) {
    if (!learns_ || seen_ == kSample) return;
    ++seen_;
    bad_ += good ? 0 : 1;
    if (seen_ == kSample && bad_ > 0 && kSample / bad_ < kTenth) on_ = false;
  }

 private:
  static constexpr uint32_t kSample = 1000, kTenth = 10;
  bool on_, learns_;
  uint32_t seen_ = 0, bad_ = 0;
};

}  // namespace vong::sensor
