// Records to a file, a line each, exactly once: the position stands in FILE.position (size of the
// file and where the spool is), replaced by rename at each commit; whatever the file has more after
// a crash is cut off.
#pragma once

#include <cstdio>
#include <string>

#include "exporters/send/transport.h"

namespace vong::send {

class FileTransport : public Transport {
 public:
  explicit FileTransport(std::string path) : path_(std::move(path)) {}
  ~FileTransport() override;

  [[nodiscard]] Reply connect(Committed& committed) override;
  [[nodiscard]] Reply begin() override;
  [[nodiscard]] Reply send(const Delivery& delivery) override;
  [[nodiscard]] Reply commit(const Committed& position) override;
  [[nodiscard]] Reply abort() override;
  void disconnect() override;
  [[nodiscard]] std::string name() const override { return "file " + path_; }

 private:
  [[nodiscard]] Reply failed(const std::string& what) const;
  [[nodiscard]] Reply save_position(const Committed& position) const;

  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;    // committed
  std::string pending_;  // of the open transaction
};

}  // namespace vong::send
