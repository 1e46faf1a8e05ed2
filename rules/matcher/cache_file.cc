#include "rules/matcher/cache_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/byte_reader.h"
#include "base/files.h"
#include "rules/matcher/limits.h"

namespace vong::matcher {
namespace {

constexpr std::string_view kMagic = "VONGPSET";
constexpr uint32_t kFormat = 1;
constexpr size_t kHeaderBytes = 40;
__extension__ using Product = unsigned __int128;

uint64_t mix(uint64_t a, uint64_t b) {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

void put(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}

// Only we or root may have written it.
bool is_ours(const struct stat& info) {
  return S_ISREG(info.st_mode) && (info.st_uid == ::geteuid() || info.st_uid == 0) &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

uint64_t checksum(Bytes bytes, uint64_t seed) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  constexpr uint64_t kOther = 0xD1B54A32D192ED03;
  uint64_t hash = seed ^ mix(bytes.size() ^ kOther, kOdd);
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    hash = mix(hash ^ word, kOdd) + kOther;
  }
  uint64_t tail = 0;
  for (size_t shift = 0; i < bytes.size(); ++i, shift += 8) tail |= uint64_t{bytes[i]} << shift;
  return mix(hash ^ tail, kOther) ^ hash;
}

CacheFile::CacheFile(const std::string& path, std::string_view key, std::string_view canonical)
    : state_(open(path, key, canonical)) {}

CacheFile::~CacheFile() {
  if (mapped_ != nullptr) ::munmap(mapped_, mapped_bytes_);
}

CacheFileState CacheFile::open(const std::string& path, std::string_view key,
                               std::string_view canonical) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno == ENOENT ? CacheFileState::kAbsent : CacheFileState::kForeign;
  struct stat info {};
  CacheFileState state = CacheFileState::kDamaged;
  if (::fstat(fd, &info) != 0 || !is_ours(info)) {
    state = CacheFileState::kForeign;
  } else if (info.st_size >= static_cast<off_t>(kHeaderBytes) &&
             static_cast<uint64_t>(info.st_size) <= kMaxCacheFileBytes) {
    mapped_bytes_ = static_cast<size_t>(info.st_size);
    void* mapped = ::mmap(nullptr, mapped_bytes_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (mapped != MAP_FAILED) {
      mapped_ = mapped;
      state = check({static_cast<const uint8_t*>(mapped), mapped_bytes_}, key, canonical);
      // Used now: the files used longest ago are deleted first.
      if (state == CacheFileState::kGood) ::futimens(fd, nullptr);
    }
  }
  ::close(fd);
  return state;
}

CacheFileState CacheFile::check(Bytes whole, std::string_view key, std::string_view canonical) {
  ByteReader reader(whole);
  if (as_text(reader.bytes(kMagic.size())) != kMagic) return CacheFileState::kForeign;
  if (reader.u32_le() != kFormat) return CacheFileState::kForeign;
  const uint64_t key_bytes = reader.u32_le();
  const uint64_t canonical_bytes = reader.u64_le();
  const uint64_t compiled_bytes = reader.u64_le();
  const uint64_t sum = reader.u64_le();
  const uint64_t rest = reader.remaining();
  // Each alone first: the sum of hostile lengths could wrap.
  if (canonical_bytes > rest || compiled_bytes > rest ||
      key_bytes + canonical_bytes + compiled_bytes != rest) {
    return CacheFileState::kDamaged;
  }
  if (checksum(reader.peek()) != sum) return CacheFileState::kDamaged;
  if (as_text(reader.bytes(key_bytes)) != key) return CacheFileState::kForeign;
  if (as_text(reader.bytes(canonical_bytes)) != canonical) return CacheFileState::kDamaged;
  compiled_ = reader.rest();
  return CacheFileState::kGood;
}

bool write_cache_file(const std::string& path, std::string_view key, std::string_view canonical,
                      std::string_view compiled) {
  static std::atomic<uint64_t> serial{0};
  const std::string temporary = fmt::format("{}.{}.{}.tmp", path, ::getpid(), ++serial);
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  std::string body;
  body.reserve(key.size() + canonical.size() + compiled.size());
  body.append(key).append(canonical).append(compiled);
  std::string header(kMagic);
  put(header, kFormat, 4);
  put(header, key.size(), 4);
  put(header, canonical.size(), 8);
  put(header, compiled.size(), 8);
  put(header, checksum(as_bytes(body)), 8);
  // No fsync: a file torn by a power cut fails its checksum and is compiled again.
  const bool written = write_all(fd, header) && write_all(fd, body);
  if (::close(fd) == 0 && written && std::rename(temporary.c_str(), path.c_str()) == 0) return true;
  ::unlink(temporary.c_str());
  return false;
}

}  // namespace vong::matcher
