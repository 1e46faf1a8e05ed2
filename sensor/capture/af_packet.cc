#include "sensor/capture/af_packet.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "sensor/capture/bpf_filter.h"
#include "sensor/capture/card_drops.h"
#include "sensor/capture/fanout_program.h"
#include "sensor/capture/limits.h"

namespace vong::capture {
namespace {

static_assert(sizeof(BpfInstruction) == sizeof(sock_filter));

// The status word is shared with the kernel: written by it with release, by us to give a block
// back.
uint32_t block_status(const tpacket_block_desc* block) {
  return __atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE);
}
void give_back(tpacket_block_desc* block) {
  __atomic_store_n(&block->hdr.bh1.block_status, uint32_t{TP_STATUS_KERNEL}, __ATOMIC_RELEASE);
}

class AfPacketSource final : public PacketSource {
 public:
  explicit AfPacketSource(AfPacketOptions options) : options_(std::move(options)) {}
  ~AfPacketSource() override {
    if (ring_ != nullptr) munmap(ring_, ring_bytes());
    if (fd_ >= 0) close(fd_);
  }

  Result<> open();

  ReadStatus next(RawPacket& out) override {
    size_t count;
    return next_batch({&out, 1}, count);
  }

  ReadStatus next_batch(std::span<RawPacket> out, size_t& count) override {
    count = 0;
    if (out.empty()) return ReadStatus::kTimeout;
    if (left_in_block_ == 0 && block_ != nullptr) {  // all of it was delivered before this call
      give_back(block_);
      block_ = nullptr;
      block_index_ = (block_index_ + 1) % options_.block_count;
    }
    if (block_ == nullptr) {
      const ReadStatus status = wait_for_block();
      if (status != ReadStatus::kPacket) return status;
    }
    while (left_in_block_ > 0 && count < out.size()) {
      if (take(out[count])) ++count;
    }
    return count > 0 ? ReadStatus::kPacket : ReadStatus::kTimeout;
  }

  void stop() override { stop_.store(true, std::memory_order_relaxed); }

  CaptureStats stats() const override {
    tpacket_stats_v3 kernel{};
    socklen_t size = sizeof kernel;
    if (getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &kernel, &size) ==
        0) {  // reading sets the kernel's to zero
      kernel_drops_.fetch_add(kernel.tp_drops, std::memory_order_relaxed);
      kernel_seen_.fetch_add(kernel.tp_packets, std::memory_order_relaxed);  // drops are counted in
    }
    CaptureStats s = stats_;
    s.kernel_drops = kernel_drops_.load(std::memory_order_relaxed);
    s.kernel_seen = kernel_seen_.load(std::memory_order_relaxed);
    s.interface_drops = card_drops_.since_open();
    return s;
  }
  double fill() const override {
    uint32_t full = 0;
    for (uint32_t i = 0; i < options_.block_count; ++i) {
      const auto* block = reinterpret_cast<const tpacket_block_desc*>(ring_ + size_t{i} * options_.block_bytes);
      full += (block_status(block) & TP_STATUS_USER) != 0;
    }
    return static_cast<double>(full) / options_.block_count;
  }
  std::string_view error() const override { return error_; }
  std::string_view interface_name(uint16_t) const override { return options_.interface; }

 private:
  [[nodiscard]] size_t ring_bytes() const {
    return size_t{options_.block_bytes} * options_.block_count;
  }
  Result<> failed(const char* what) const {
    return fail(fmt::format("{}: {}: {}", options_.interface, what, std::strerror(errno)));
  }
  Result<> find_interface();
  Result<> make_ring();
  Result<> attach_filter() const;
  void ask_for_hardware_timestamps() const;
  Result<> join_fanout() const;

  ReadStatus wait_for_block() {
    if (stop_.load(std::memory_order_relaxed)) return ReadStatus::kEnd;
    auto* block =
        reinterpret_cast<tpacket_block_desc*>(ring_ + size_t{block_index_} * options_.block_bytes);
    if ((block_status(block) & TP_STATUS_USER) == 0) {
      pollfd waiting{fd_, POLLIN | POLLERR, 0};
      const int ready = poll(&waiting, 1, options_.poll_timeout_ms);
      if (stop_.load(std::memory_order_relaxed)) return ReadStatus::kEnd;
      if (ready < 0 && errno != EINTR) return broken(std::strerror(errno));
      if (ready > 0 && (waiting.revents & POLLERR) != 0) {
        int code = 0;
        socklen_t size = sizeof code;
        (void)getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &size);
        return broken(code == ENETDOWN ? "interface is down" : std::strerror(code));
      }
      if ((block_status(block) & TP_STATUS_USER) == 0) return ReadStatus::kTimeout;
    }
    block_ = block;
    left_in_block_ = block->hdr.bh1.num_pkts;
    at_ = reinterpret_cast<uint8_t*>(block) + block->hdr.bh1.offset_to_first_pkt;
    return ReadStatus::kPacket;
  }

  ReadStatus broken(std::string_view why) {
    error_ = fmt::format("{}: {}", options_.interface, why);
    ++stats_.errors;
    return ReadStatus::kError;
  }

  // The packet at hand; false for one that is not to be seen.
  bool take(RawPacket& out) {
    const auto* header = reinterpret_cast<const tpacket3_hdr*>(at_);
    const auto* address =
        reinterpret_cast<const sockaddr_ll*>(at_ + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
    const uint8_t* data = at_ + header->tp_mac;
    --left_in_block_;
    at_ += header->tp_next_offset;
    // A loopback interface shows each packet twice, leaving and arriving.
    if (is_loopback_ && address->sll_pkttype == PACKET_OUTGOING) {
      ++stats_.outgoing_copies;
      return false;
    }
    out.ts = timestamp_from_ns(int64_t{header->tp_sec} * 1'000'000'000 + header->tp_nsec);
    out.data = {data, header->tp_snaplen};
    out.wire_len = std::max(header->tp_len, header->tp_snaplen);
    out.link_type = link_type_;
    out.interface = options_.interface_index;
    out.number = ++stats_.received;
    out.has_vlan_tci = (header->tp_status & TP_STATUS_VLAN_VALID) != 0;
    out.vlan_tci = out.has_vlan_tci ? static_cast<uint16_t>(header->hv1.tp_vlan_tci) : uint16_t{0};
    out.checksum_unready = (header->tp_status & TP_STATUS_CSUMNOTREADY) != 0;
    out.cut_by_ring = header->tp_len > header->tp_snaplen;
    stats_.bytes += header->tp_snaplen;
    if (out.cut_by_ring) ++stats_.truncated;
    return true;
  }

  AfPacketOptions options_;
  int fd_ = -1, device_ = 0;
  LinkType link_type_ = LinkType::kEthernet;
  bool is_loopback_ = false;
  uint8_t* ring_ = nullptr;
  tpacket_block_desc* block_ = nullptr;  // the block that is being delivered
  uint32_t block_index_ = 0, left_in_block_ = 0;
  uint8_t* at_ = nullptr;  // next packet in it
  CaptureStats stats_;
  CardDrops card_drops_;
  mutable std::atomic<uint64_t> kernel_drops_ = 0, kernel_seen_ = 0;
  std::string error_;
  std::atomic<bool> stop_ = false;
};

Result<> AfPacketSource::find_interface() {
  ifreq request{};
  if (options_.interface.size() >= sizeof request.ifr_name)
    return fail(fmt::format("{}: no such interface", options_.interface));
  std::memcpy(request.ifr_name, options_.interface.data(), options_.interface.size());
  if (ioctl(fd_, SIOCGIFINDEX, &request) != 0) return failed("no such interface");
  device_ = request.ifr_ifindex;
  if (ioctl(fd_, SIOCGIFFLAGS, &request) != 0) return failed("cannot read its state");
  is_loopback_ = (request.ifr_flags & IFF_LOOPBACK) != 0;
  if ((request.ifr_flags & IFF_UP) == 0)
    return fail(fmt::format("{}: interface is down", options_.interface));
  if (ioctl(fd_, SIOCGIFHWADDR, &request) != 0) return failed("cannot read its link layer");
  switch (request.ifr_hwaddr.sa_family) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
      link_type_ = LinkType::kEthernet;
      break;
    case ARPHRD_PPP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case ARPHRD_NONE:
      link_type_ = LinkType::kRaw;
      break;
    default:
      return fail(fmt::format("{}: link layer {} is not read", options_.interface,
                              request.ifr_hwaddr.sa_family));
  }
  return {};
}

Result<> AfPacketSource::make_ring() {
  const int version = TPACKET_V3;
  if (setsockopt(fd_, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0)
    return failed("no TPACKET_V3");
  tpacket_req3 request{};
  request.tp_block_size = options_.block_bytes;
  request.tp_block_nr = options_.block_count;
  request.tp_frame_size = TPACKET_ALIGNMENT << 7;
  request.tp_frame_nr = static_cast<uint32_t>(ring_bytes() / request.tp_frame_size);
  request.tp_retire_blk_tov = options_.block_timeout_ms;
  if (setsockopt(fd_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
    return failed("cannot make a ring");
  void* ring =
      mmap(nullptr, ring_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, 0);
  if (ring == MAP_FAILED) return failed("cannot map its ring");
  ring_ = static_cast<uint8_t*>(ring);
  return {};
}

Result<> AfPacketSource::attach_filter() const {
  if (options_.bpf_filter.empty()) return {};
  auto program = compile_bpf_filter(options_.bpf_filter);
  if (!program) return fail(fmt::format("{}: {}", options_.interface, program.error().message));
  sock_fprog filter{};
  filter.len = static_cast<uint16_t>(program->size());
  filter.filter = reinterpret_cast<sock_filter*>(program->data());
  if (setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0)
    return failed("bpf filter");
  return {};
}

// Asks the card to stamp every packet, and the kernel to hand its stamps on. Cards without, and kernels that refuse, leave the kernel's
// own time: each packet then has that (SO_TIMESTAMPING, Documentation/networking/timestamping.rst).
void AfPacketSource::ask_for_hardware_timestamps() const {
  if (!options_.hardware_timestamps) return;
  hwtstamp_config config{};
  config.tx_type = HWTSTAMP_TX_OFF;
  config.rx_filter = HWTSTAMP_FILTER_ALL;
  ifreq request{};
  std::memcpy(request.ifr_name, options_.interface.data(), options_.interface.size());
  request.ifr_data = reinterpret_cast<char*>(&config);
  (void)ioctl(fd_, SIOCSHWTSTAMP, &request);
  const int wanted = SOF_TIMESTAMPING_RAW_HARDWARE;
  (void)setsockopt(fd_, SOL_PACKET, PACKET_TIMESTAMP, &wanted, sizeof wanted);
}

Result<> AfPacketSource::join_fanout() const {
  if (!options_.fanout) return {};
  int kind = PACKET_FANOUT_HASH;
  switch (options_.cluster) {
    case AfPacketOptions::Cluster::kFlow:
      kind = options_.fragments_with_flow ? PACKET_FANOUT_CBPF : PACKET_FANOUT_HASH;
      break;
    case AfPacketOptions::Cluster::kCpu:
      kind = PACKET_FANOUT_CPU;
      break;
    case AfPacketOptions::Cluster::kQueue:
      kind = PACKET_FANOUT_QM;
      break;
    case AfPacketOptions::Cluster::kRoundRobin:
      kind = PACKET_FANOUT_LB;
      break;
    case AfPacketOptions::Cluster::kRollover:
      kind = PACKET_FANOUT_ROLLOVER;
      break;
  }
  const int argument = options_.cluster_id | kind << 16;
  if (setsockopt(fd_, SOL_PACKET, PACKET_FANOUT, &argument, sizeof argument) != 0)
    return failed(errno == EINVAL ? "cannot join the cluster, whose id another program may have "
                                    "(af-packet.*.cluster-id)"
                                  : "cannot join the cluster");
  if (kind != PACKET_FANOUT_CBPF) return {};
  auto program = fanout_by_addresses();
  sock_fprog filter{};
  filter.len = static_cast<uint16_t>(program.size());
  filter.filter = reinterpret_cast<sock_filter*>(program.data());
  if (setsockopt(fd_, SOL_PACKET, PACKET_FANOUT_DATA, &filter, sizeof filter) != 0)
    return failed("cannot share the traffic by addresses");
  return {};
}

Result<> AfPacketSource::open() {
  // Protocol 0: nothing comes in before the ring and the filter stand; bind() then opens it.
  fd_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return failed("cannot open a packet socket");
  if (auto r = find_interface(); !r) return r;
  ask_for_hardware_timestamps();
  if (auto r = make_ring(); !r) return r;
  if (auto r = attach_filter(); !r) return r;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = device_;
  if (bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return failed("cannot bind");
  if (options_.promiscuous && !is_loopback_) {
    packet_mreq membership{};
    membership.mr_ifindex = device_;
    membership.mr_type = PACKET_MR_PROMISC;
    if (setsockopt(fd_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) != 0)
      return failed("promiscuous mode");
  }
  if (options_.count_card_drops) card_drops_.open("/sys/class/net/" + options_.interface);
  return join_fanout();
}

}  // namespace

Result<std::unique_ptr<PacketSource>> open_af_packet(const AfPacketOptions& options) {
  AfPacketOptions checked = options;
  const auto page = static_cast<uint32_t>(sysconf(_SC_PAGESIZE));
  if (checked.block_bytes < page || checked.block_bytes % page != 0 || checked.block_count == 0) {
    return fail(fmt::format("{}: ring of {} blocks of {} bytes is impossible", options.interface,
                            options.block_count, options.block_bytes));
  }
  auto source = std::make_unique<AfPacketSource>(std::move(checked));
  if (auto r = source->open(); !r) return std::unexpected(r.error());
  return source;
}

}  // namespace vong::capture
