#include "sensor/capture/bpf_filter.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <memory>

#include "sensor/capture/limits.h"

namespace vong::capture {

Result<std::vector<BpfInstruction>> compile_bpf_filter(const std::string& text) {
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> dead(
      pcap_open_dead(DLT_EN10MB, kLiveSnapLengthBytes), pcap_close);
  if (!dead) return fail("bpf filter: out of memory");
  bpf_program program{};
  if (pcap_compile(dead.get(), &program, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return fail(fmt::format("bpf filter \"{}\": {}", text, pcap_geterr(dead.get())));
  }
  std::vector<BpfInstruction> result(program.bf_len);
  for (size_t i = 0; i < result.size(); ++i) {
    const bpf_insn& in = program.bf_insns[i];
    result[i] = {in.code, in.jt, in.jf, in.k};
  }
  pcap_freecode(&program);
  return result;
}

}  // namespace vong::capture
