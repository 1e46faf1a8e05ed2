#include "sensor/emit/certificate_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "base/json_writer.h"
#include "fmt/format.h"
#include "sensor/emit/ip_protocol.h"
#include "sensor/emit/line_record.h"

namespace vong::emit {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPemLine = 64;

void append_pem(std::string& out, std::string_view der) {
  out.append("-----BEGIN CERTIFICATE-----\n");
  std::string quoted;
  JsonWriter(quoted).base64(as_bytes(der));
  const std::string_view text = std::string_view(quoted).substr(1, quoted.size() - 2);
  for (size_t at = 0; at < text.size(); at += kPemLine) out.append(text.substr(at, kPemLine)).push_back('\n');
  out.append("-----END CERTIFICATE-----\n");
}

std::string meta_of(const applayer::CertificateView& c, const Packet& p) {
  std::string out = "TIME:              ";
  append_line_time(out, p.ts);
  const auto protocol = ip_protocol_name(p.ip.protocol);
  fmt::format_to(std::back_inserter(out), "\nSRC IP:            {}\nDST IP:            {}\nPROTO:             {}\nSRC PORT:          {}\nDST PORT:          {}\nTLS SUBJECT:       ",
                 p.src.to_string(), p.dst.to_string(), protocol.empty() ? "-" : protocol, p.sport, p.dport);
  append_printable(out, c.subject);
  out.append("\nTLS ISSUERDN:      ");
  append_printable(out, c.issuer);
  out.append("\nTLS FINGERPRINT:   ").append(c.fingerprint).push_back('\n');
  return out;
}

bool write_file(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (fd < 0) return false;
  const bool whole = write_all(fd, text);
  if (::close(fd) == 0 && whole) return true;
  ::unlink(path.c_str());
  return false;
}

}  // namespace

Result<std::unique_ptr<CertificateStore>> CertificateStore::open(const Settings& settings, const std::string& log_folder) {
  for (const auto& i : settings.children("outputs")) {
    const std::string path = "outputs." + i + ".tls-store";
    if (!settings.has(path) || !settings.flag(path + ".enabled", true)) continue;
    const fs::path dir(std::string(settings.text(path + ".certs-log-dir", "certs")));
    const fs::path folder = dir.is_absolute() ? dir : fs::path(log_folder) / dir;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail(fmt::format("cannot make the certificate store {}: {}", folder.string(), error.message()));
    return std::unique_ptr<CertificateStore>(new CertificateStore(folder.string()));
  }
  return nullptr;
}

void CertificateStore::store(const applayer::CertificateView& c, const Packet& packet) {
  {
    const std::lock_guard lock(mutex_);
    if (known_.contains(c.fingerprint)) return;
    if (known_.size() >= kMaxCertificateFiles) {
      ++full_;
      return;
    }
    known_.emplace(c.fingerprint);
  }
  std::string pem;
  size_t bytes = 0;
  for (const std::string& der : c.chain) {
    bytes += der.size();
    if (bytes > kMaxCertificateChainBytes) break;
    append_pem(pem, der);
  }
  const int64_t us = to_ns(packet.ts) / 1000;
  const std::string name = fmt::format("{}/{}.{:06}-{}", folder_, us / 1'000'000, us % 1'000'000, ++number_);
  if (write_file(name + ".pem", pem) && write_file(name + ".meta", meta_of(c, packet))) {
    ++stored_;
    return;
  }
  ++errors_;
  const std::lock_guard lock(mutex_);   // once there is room again it may be met again
  known_.erase(c.fingerprint);
}

}  // namespace vong::emit
