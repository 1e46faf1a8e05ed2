#include "sensor/geo/country_database.h"

#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <tuple>

#include "base/files.h"
#include "fmt/format.h"

namespace vong::geo {
namespace {

// What tells one state of a file from another.
using FileState = std::tuple<dev_t, ino_t, off_t, time_t, long>;

struct Cache {
  std::mutex mutex;
  std::map<FileState, std::weak_ptr<const CountryDatabase>> open;
};
Cache& cache() {
  static auto* const c = new Cache();
  return *c;
}

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

bool copy(int from, int to) {
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    if (!write_all(to, {buffer.data(), static_cast<size_t>(n)})) return false;
  }
}

std::optional<CountryCode> code_at(MMDB_entry_s* entry, const char* where) {
  MMDB_entry_data_s data{};
  const char* const path[] = {where, "iso_code", nullptr};
  if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING) return std::nullopt;
  return country_code({data.utf8_string, data.data_size});
}

}  // namespace

std::optional<CountryCode> country_code(std::string_view text) {
  if (text.size() != 2) return std::nullopt;
  CountryCode code{};
  for (size_t i = 0; i < 2; ++i) {
    const char c = text[i];
    if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z')) return std::nullopt;
    code[i] = static_cast<char>(c & ~0x20);
  }
  return code;
}

struct CountryDatabase::Impl {
  MMDB_s db{};
  ~Impl() { MMDB_close(&db); }
};

CountryDatabase::CountryDatabase(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CountryDatabase::~CountryDatabase() = default;

Result<std::shared_ptr<const CountryDatabase>> CountryDatabase::open(const std::string& path) {
  const auto refuse = [&](std::string_view why) { return fail(fmt::format("{}: {}", path, why)); };
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat about {};
  if (file.fd < 0 || ::fstat(file.fd, &about) != 0) return refuse(std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return refuse("is no file");
  if (static_cast<uint64_t>(about.st_size) > kMaxDatabaseBytes) return refuse(fmt::format("has more than {} bytes", kMaxDatabaseBytes));
  const FileState state{about.st_dev, about.st_ino, about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec};
  const std::lock_guard lock(cache().mutex);
  std::erase_if(cache().open, [](const auto& entry) { return entry.second.expired(); });
  if (const auto it = cache().open.find(state); it != cache().open.end()) {
    if (auto there = it->second.lock()) return there;
  }
  Descriptor memory{::memfd_create("countries", MFD_CLOEXEC)};
  if (memory.fd < 0 || !copy(file.fd, memory.fd)) return refuse(std::strerror(errno));
  auto impl = std::make_unique<Impl>();
  const int status = MMDB_open(fmt::format("/proc/self/fd/{}", memory.fd).c_str(), MMDB_MODE_MMAP, &impl->db);
  if (status != MMDB_SUCCESS) {
    impl->db = {};   // nothing to close
    return refuse(MMDB_strerror(status));
  }
  std::shared_ptr<const CountryDatabase> made(new CountryDatabase(std::move(impl)));
  cache().open[state] = made;
  return made;
}

std::optional<CountryCode> CountryDatabase::country(const IpAddress& address) const {
  sockaddr_storage storage{};
  const Bytes bytes = address.bytes();
  if (bytes.size() == 4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    std::memcpy(&v4->sin_addr, bytes.data(), bytes.size());
  } else if (bytes.size() == 16) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    std::memcpy(&v6->sin6_addr, bytes.data(), bytes.size());
  } else {
    return std::nullopt;
  }
  int error = 0;
  MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&impl_->db, reinterpret_cast<const sockaddr*>(&storage), &error);
  if (error != MMDB_SUCCESS || !found.found_entry) return std::nullopt;
  if (const auto code = code_at(&found.entry, "country")) return code;
  return code_at(&found.entry, "registered_country");
}

}  // namespace vong::geo
