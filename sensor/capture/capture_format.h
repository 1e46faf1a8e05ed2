// The two capture file formats behind one face: bytes of a FileFeed -> packets. Chosen by the
// file's first bytes.
#pragma once

#include <memory>
#include <string>

#include "sensor/capture/file_feed.h"
#include "sensor/packet/types.h"

namespace vong::capture {

enum class RecordStatus {
  kPacket,
  kNeedData,  // only with `may_read` false: nothing more in the buffer
  kEnd,       // the file ends between two records
  kDamaged,   // error() says how; no further packets from this file
};

class CaptureFormat {
 public:
  virtual ~CaptureFormat() = default;
  // The next packet: ts, data, wire_len, link_type, interface. With `may_read` false only what the
  // feed has in its buffer is looked at, so views handed out before stay alive.
  [[nodiscard]] virtual RecordStatus next(FileFeed& feed, RawPacket& out, bool may_read) = 0;
  [[nodiscard]] const std::string& error() const { return error_; }  // without the file's name

 protected:
  RecordStatus damaged(std::string why) {
    error_ = std::move(why);
    return RecordStatus::kDamaged;
  }

 private:
  std::string error_;
};

// Looks at the first bytes. Null when they belong to neither format; then `error` says what they
// are.
[[nodiscard]] std::unique_ptr<CaptureFormat> open_capture_format(FileFeed& feed,
                                                                 std::string& error);

// pcap_format.cc, pcapng_format.cc: null when the bytes are not theirs, `error` set when they are
// but unusable.
[[nodiscard]] std::unique_ptr<CaptureFormat> open_pcap(FileFeed& feed, std::string& error);
[[nodiscard]] std::unique_ptr<CaptureFormat> open_pcapng(FileFeed& feed, std::string& error);

}  // namespace vong::capture
