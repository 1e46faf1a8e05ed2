// The certificate store (outputs[].tls-store): the chains of sessions that rules with `tls.store` alert on, below one folder, as
// <second>.<microsecond>-<number>.pem and, beside each, a .meta that says whose it is. Names are made of numbers alone: nothing of the
// network is in a path.
//
// What cannot be written is counted; a chain of one leaf is written once while it is remembered. Any worker, the table under its mutex.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/settings.h"
#include "base/string_map.h"
#include "sensor/applayer/core/line_log.h"
#include "sensor/flow/flow.h"
#include "sensor/packet/packet.h"

namespace vong::emit {

inline constexpr size_t kMaxCertificateFiles = 100'000;      // of a run
inline constexpr size_t kMaxCertificateChainBytes = 1 << 20; // of one chain; a longer one is cut at a certificate

class CertificateStore {
 public:
  // The enabled tls-store section, its folder (certs-log-dir) below `log_folder`; null when there is none. Makes the folder.
  [[nodiscard]] static Result<std::unique_ptr<CertificateStore>> open(const Settings& settings, const std::string& log_folder);

  void store(const applayer::CertificateView& certificates, const Packet& packet);

  [[nodiscard]] uint64_t stored() const { return stored_; }
  [[nodiscard]] uint64_t errors() const { return errors_; }   // the file system refused
  [[nodiscard]] uint64_t full() const { return full_; }       // beyond kMaxCertificateFiles

 private:
  explicit CertificateStore(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
  std::mutex mutex_;
  StringSet known_;   // fingerprints
  std::atomic<uint64_t> number_ = 0, stored_ = 0, errors_ = 0, full_ = 0;
};

}  // namespace vong::emit
