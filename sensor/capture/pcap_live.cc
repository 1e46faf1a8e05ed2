#include "sensor/capture/pcap_live.h"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <poll.h>

#include <algorithm>
#include <atomic>

namespace vong::capture {
namespace {

// DLT_ numbers differ from LINKTYPE_ numbers for raw IP only, as far as we read them.
LinkType link_type_of(int dlt) {
  switch (dlt) {
    case DLT_RAW:
      return LinkType::kRaw;
    default:
      return static_cast<LinkType>(dlt);
  }
}

class PcapLiveSource final : public PacketSource {
 public:
  PcapLiveSource(pcap_t* pcap, const PcapLiveOptions& options)
      : pcap_(pcap),
        options_(options),
        fd_(pcap_get_selectable_fd(pcap)),
        link_type_(link_type_of(pcap_datalink(pcap))) {}
  ~PcapLiveSource() override { pcap_close(pcap_); }

  ReadStatus next(RawPacket& out) override {
    if (stop_.load(std::memory_order_relaxed)) return ReadStatus::kEnd;
    pcap_pkthdr* header;
    const u_char* data;
    int got = pcap_next_ex(pcap_, &header, &data);
    if (got == 0) {
      // libpcap's own wait does not end at the timeout on Linux: it is opened non-blocking and we
      // wait.
      pollfd waiting{fd_, POLLIN, 0};
      (void)poll(&waiting, 1, options_.timeout_ms);
      if (stop_.load(std::memory_order_relaxed)) return ReadStatus::kEnd;
      got = pcap_next_ex(pcap_, &header, &data);
    }
    if (got == 0) return ReadStatus::kTimeout;
    if (got == PCAP_ERROR_BREAK) return ReadStatus::kEnd;
    if (got != 1) {
      error_ = fmt::format("{}: {}", options_.interface, pcap_geterr(pcap_));
      ++stats_.errors;
      return ReadStatus::kError;
    }
    out = RawPacket();
    // Opened for nanoseconds where the interface has them.
    out.ts = timestamp_from_ns(int64_t{header->ts.tv_sec} * 1'000'000'000 +
                               int64_t{header->ts.tv_usec} * unit_ns_);
    out.data = {data, header->caplen};
    out.wire_len = std::max(header->len, header->caplen);
    out.link_type = link_type_;
    out.interface = options_.interface_index;
    out.number = ++stats_.received;
    stats_.bytes += header->caplen;
    if (out.wire_len > header->caplen) ++stats_.truncated;
    return ReadStatus::kPacket;
  }

  void stop() override {
    stop_.store(true, std::memory_order_relaxed);
    pcap_breakloop(pcap_);
  }
  CaptureStats stats() const override {
    CaptureStats s = stats_;
    pcap_stat kernel{};
    if (pcap_stats(pcap_, &kernel) == 0) {
      s.kernel_drops = kernel.ps_drop;
      s.interface_drops = kernel.ps_ifdrop;
    }
    return s;
  }
  std::string_view error() const override { return error_; }
  std::string_view interface_name(uint16_t) const override { return options_.interface; }

  void use_nanoseconds() { unit_ns_ = 1; }

 private:
  pcap_t* const pcap_;
  const PcapLiveOptions options_;
  const int fd_;  // -1 where there is none: poll() then only waits
  const LinkType link_type_;
  int unit_ns_ = 1000;
  CaptureStats stats_;
  std::string error_;
  std::atomic<bool> stop_ = false;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> open_pcap_live(const PcapLiveOptions& o) {
  char why[PCAP_ERRBUF_SIZE] = "";
  pcap_t* pcap = pcap_create(o.interface.c_str(), why);
  if (pcap == nullptr) return fail(fmt::format("{}: {}", o.interface, why));
  (void)pcap_set_snaplen(pcap, std::clamp(o.snap_length, 64, static_cast<int>(kMaxPacketBytes)));
  (void)pcap_set_promisc(pcap, o.promiscuous ? 1 : 0);
  (void)pcap_set_timeout(pcap, std::max(o.timeout_ms, 1));
  (void)pcap_set_buffer_size(pcap, o.buffer_bytes);
  (void)pcap_set_tstamp_precision(pcap,
                                  PCAP_TSTAMP_PRECISION_NANO);  // microseconds where it cannot
  const int activated = pcap_activate(pcap);
  const auto give_up = [&](std::string message) -> Result<std::unique_ptr<PacketSource>> {
    pcap_close(pcap);
    return fail(std::move(message));
  };
  if (activated < 0) {
    const std::string detail = pcap_geterr(pcap);
    return give_up(fmt::format("{}: {}", o.interface,
                               detail.empty() ? pcap_statustostr(activated) : detail.c_str()));
  }
  if (!o.bpf_filter.empty()) {
    bpf_program program{};
    if (pcap_compile(pcap, &program, o.bpf_filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
      return give_up(
          fmt::format("{}: bpf filter \"{}\": {}", o.interface, o.bpf_filter, pcap_geterr(pcap)));
    }
    const int set = pcap_setfilter(pcap, &program);
    pcap_freecode(&program);
    if (set != 0) return give_up(fmt::format("{}: bpf filter: {}", o.interface, pcap_geterr(pcap)));
  }
  if (pcap_setnonblock(pcap, 1, why) != 0) return give_up(fmt::format("{}: {}", o.interface, why));
  auto source = std::make_unique<PcapLiveSource>(pcap, o);
  if (pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO) source->use_nanoseconds();
  return source;
}

}  // namespace vong::capture
