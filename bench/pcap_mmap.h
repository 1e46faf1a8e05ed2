// The payloads of a capture with as little work as can be: mmap and a walk over the headers. For
// benchmarks, as a floor under what a sensor does; knows Ethernet with VLAN tags, raw IP, IPv4,
// IPv6, TCP and UDP, and no more.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/bytes.h"
#include "base/result.h"

namespace vong::bench {

// A capture in classic pcap format (not pcapng), mapped whole. Views live as long as it does.
class PcapMmap {
 public:
  static Result<PcapMmap> open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(path + ": " + std::strerror(errno));
    struct stat info {};
    ::fstat(fd, &info);
    const auto bytes = static_cast<size_t>(info.st_size);
    void* mapped = bytes == 0
                       ? MAP_FAILED
                       : ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    ::close(fd);
    if (mapped == MAP_FAILED) return fail(path + ": cannot be mapped");
    PcapMmap file(mapped, bytes);
    ByteReader reader(file.whole());
    const uint32_t magic = reader.u32_le();
    file.swapped_ = magic == 0xD4C3B2A1 || magic == 0x4D3CB2A1;
    if (!file.swapped_ && magic != 0xA1B2C3D4 && magic != 0xA1B23C4D) {
      return fail(path + ": not a pcap file");
    }
    reader.skip(16);
    file.link_type_ = file.u32(reader) & 0xFFFF;
    if (!reader.ok()) return fail(path + ": cut off in its header");
    return file;
  }
  PcapMmap(PcapMmap&& other) noexcept
      : mapped_(std::exchange(other.mapped_, nullptr)),
        bytes_(other.bytes_),
        swapped_(other.swapped_),
        link_type_(other.link_type_) {}
  PcapMmap& operator=(PcapMmap&&) = delete;
  ~PcapMmap() {
    if (mapped_ != nullptr) ::munmap(mapped_, bytes_);
  }

  // Calls visit(Bytes frame) for each frame, up to the first one that is cut off.
  template <typename Visit>
  void for_each_frame(Visit visit) const {
    ByteReader reader(whole());
    reader.skip(24);
    while (!reader.empty()) {
      reader.skip(8);
      const uint32_t captured = u32(reader);
      reader.skip(4);
      const Bytes frame = reader.bytes(captured);
      if (!reader.ok()) return;
      visit(frame);
    }
  }

  // The TCP or UDP payload of a frame; empty when there is none, and for all but the first
  // fragment.
  [[nodiscard]] Bytes payload(Bytes frame) const {
    ByteReader reader(frame);
    uint16_t ether_type = 0;
    if (link_type_ == 1) {
      reader.skip(12);
      ether_type = reader.u16();
      while (ether_type == 0x8100 || ether_type == 0x88A8) {
        reader.skip(2);
        ether_type = reader.u16();
      }
    } else if (link_type_ != 12 && link_type_ != 101) {
      return {};
    }
    const uint8_t version = reader.peek_u8() >> 4;
    if (version == 4 && (ether_type == 0 || ether_type == 0x0800)) return ipv4(reader);
    if (version == 6 && (ether_type == 0 || ether_type == 0x86DD)) return ipv6(reader);
    return {};
  }

 private:
  PcapMmap(void* mapped, size_t bytes) : mapped_(mapped), bytes_(bytes) {}
  [[nodiscard]] Bytes whole() const { return {static_cast<const uint8_t*>(mapped_), bytes_}; }
  uint32_t u32(ByteReader& reader) const { return swapped_ ? reader.u32() : reader.u32_le(); }

  static Bytes ipv4(ByteReader reader) {
    const size_t header_bytes = (reader.u8() & 0xF) * 4u;
    reader.skip(1);
    const size_t total_bytes = reader.u16();
    reader.skip(2);
    const bool later_fragment = (reader.u16() & 0x1FFF) != 0;
    reader.skip(1);
    const uint8_t protocol = reader.u8();
    if (!reader.ok() || later_fragment || header_bytes < 20 || total_bytes < header_bytes)
      return {};
    reader.skip(header_bytes - 10);
    const size_t rest = std::min(reader.remaining(), total_bytes - header_bytes);
    return transport(reader.sub(rest), protocol);
  }
  static Bytes ipv6(ByteReader reader) {
    reader.skip(4);
    const size_t payload_bytes = reader.u16();
    const uint8_t next = reader.u8();
    reader.skip(33);
    return transport(reader.sub(std::min(reader.remaining(), payload_bytes)), next);
  }
  static Bytes transport(ByteReader reader, uint8_t protocol) {
    if (protocol == 17) {
      reader.skip(8);
      return reader.rest();
    }
    if (protocol != 6) return {};
    reader.skip(12);
    const size_t header_bytes = (reader.u8() >> 4) * 4u;
    if (header_bytes < 20) return {};
    reader.skip(header_bytes - 13);
    return reader.rest();
  }

  void* mapped_;
  size_t bytes_;
  bool swapped_ = false;
  uint32_t link_type_ = 0;
};

}  // namespace vong::bench
