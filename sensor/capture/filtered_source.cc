#include "sensor/capture/filtered_source.h"

#include <pcap/pcap.h>

#include <map>
#include <utility>

#include "sensor/capture/bpf_filter.h"
#include "sensor/capture/limits.h"

namespace vong::capture {
namespace {

// The filter for one link type; a link type that the filter cannot be written for lets nothing through.
class Program {
 public:
  Program(LinkType link, const std::string& text) {
    const std::unique_ptr<pcap_t, void (*)(pcap_t*)> dead(
        pcap_open_dead(static_cast<int>(link), kLiveSnapLengthBytes), pcap_close);
    usable_ = dead && pcap_compile(dead.get(), &program_, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (usable_) pcap_freecode(&program_);
  }
  [[nodiscard]] bool lets(const RawPacket& p) const {
    return usable_ && bpf_filter(program_.bf_insns, p.data.data(), p.wire_len, static_cast<u_int>(p.data.size())) != 0;
  }

 private:
  bpf_program program_{};
  bool usable_ = false;
};

class FilteredSource final : public PacketSource {
 public:
  FilteredSource(std::unique_ptr<PacketSource> source, std::string filter)
      : source_(std::move(source)), filter_(std::move(filter)) {}

  ReadStatus next(RawPacket& out) override {
    for (;;) {
      const ReadStatus status = source_->next(out);
      if (status != ReadStatus::kPacket) return status;
      if (!program(out.link_type).lets(out)) continue;
      out.number = ++passed_;
      bytes_ += out.data.size();
      truncated_ += out.data.size() < out.wire_len ? 1 : 0;
      return status;
    }
  }
  void stop() override { source_->stop(); }
  [[nodiscard]] CaptureStats stats() const override {
    CaptureStats s = source_->stats();
    s.received = passed_;
    s.bytes = bytes_;
    s.truncated = truncated_;
    return s;
  }
  [[nodiscard]] std::string_view error() const override { return source_->error(); }
  [[nodiscard]] std::string_view file_name() const override { return source_->file_name(); }
  [[nodiscard]] uint64_t bytes_done() const override { return source_->bytes_done(); }
  [[nodiscard]] uint64_t bytes_total() const override { return source_->bytes_total(); }

 private:
  const Program& program(LinkType link) {
    auto& made = programs_[link];
    if (made == nullptr) made = std::make_unique<Program>(link, filter_);
    return *made;
  }

  std::unique_ptr<PacketSource> source_;
  std::string filter_;
  std::map<LinkType, std::unique_ptr<Program>> programs_;
  uint64_t passed_ = 0, bytes_ = 0, truncated_ = 0;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> filter_packets(std::unique_ptr<PacketSource> source, std::string filter) {
  if (const auto right = compile_bpf_filter(filter); !right) return std::unexpected(right.error());
  return std::make_unique<FilteredSource>(std::move(source), std::move(filter));
}

}  // namespace vong::capture
