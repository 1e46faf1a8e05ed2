#include "sensor/capture/fanout_program.h"

#include <linux/filter.h>
#include <linux/if_ether.h>

#include <array>
#include <cassert>
#include <cstdint>

namespace vong::capture {
namespace {

// Memory cells.
constexpr uint32_t kHash = 0, kOffset = 1;
constexpr uint32_t kNetwork =
    static_cast<uint32_t>(SKF_NET_OFF);  // loads from here count from the network header
constexpr uint32_t kProtocol = static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL);

// Instructions with jumps to labels that come later.
class Assembler {
 public:
  enum Label : uint8_t { kNext, kV4, kV6, kMpls, kMplsInner, kPppoe, kOther, kMix, kLabels };

  void add(uint16_t code, uint32_t k) { code_.push_back({code, 0, 0, k}); }
  void load(uint16_t size, uint32_t at) { add(static_cast<uint16_t>(BPF_LD | size | BPF_ABS), at); }
  void load_from_offset(uint16_t size, uint32_t at) {
    add(static_cast<uint16_t>(BPF_LD | size | BPF_IND), at);
  }
  void set_offset(uint32_t value) { add(BPF_LDX | BPF_IMM, value); }
  void jump_if(uint16_t test, uint32_t k, Label to) {
    fixups_.push_back({code_.size(), to});
    add(static_cast<uint16_t>(BPF_JMP | test | BPF_K), k);
  }
  void jump(Label to) {
    fixups_.push_back({code_.size(), to});
    add(BPF_JMP | BPF_JA, 0);
  }
  void here(Label label) { labels_[label] = code_.size(); }

  std::vector<BpfInstruction> finish() {
    for (const auto& [at, to] : fixups_) {
      const size_t distance = labels_[to] - at - 1;
      assert(labels_[to] > at && distance < 256);
      if (code_[at].code == (BPF_JMP | BPF_JA)) {
        code_[at].k = static_cast<uint32_t>(distance);
      } else {
        code_[at].jump_true = static_cast<uint8_t>(distance);
      }
    }
    return std::move(code_);
  }

 private:
  struct Fixup {
    size_t at;
    Label to;
  };
  std::vector<BpfInstruction> code_;
  std::vector<Fixup> fixups_;
  std::array<size_t, kLabels> labels_{};
};

// The 32-bit words at these places behind the offset, all xored: the same for both directions.
void xor_words(Assembler& a, uint32_t first, uint32_t words) {
  a.add(BPF_STX, kOffset);
  for (uint32_t i = 0; i < words; ++i) {
    a.load_from_offset(BPF_W, kNetwork + first + 4 * i);
    if (i > 0) {
      a.add(BPF_LDX | BPF_MEM, kHash);
      a.add(BPF_ALU | BPF_XOR | BPF_X, 0);
    }
    a.add(BPF_ST, kHash);
    if (i > 0) a.add(BPF_LDX | BPF_MEM, kOffset);
  }
}

void branch_by_protocol(Assembler& a) {
  a.jump_if(BPF_JEQ, ETH_P_IP, Assembler::kV4);
  a.jump_if(BPF_JEQ, ETH_P_IPV6, Assembler::kV6);
  a.jump_if(BPF_JEQ, ETH_P_MPLS_UC, Assembler::kMpls);
  a.jump_if(BPF_JEQ, ETH_P_MPLS_MC, Assembler::kMpls);
  a.jump_if(BPF_JEQ, ETH_P_PPP_SES, Assembler::kPppoe);
}

}  // namespace

std::vector<BpfInstruction> fanout_by_addresses() {
  constexpr uint32_t kPppIp = 0x0021, kPppIpv6 = 0x0057;
  constexpr uint32_t kLabelBytes = 4, kPppoeBytes = 8, kTagBytes = 4, kBottomOfStack = 0x100;
  constexpr uint32_t kSpread = 0x9e3779b1;  // neighbouring addresses become far ones
  Assembler a;
  a.set_offset(0);
  a.load(BPF_W, kProtocol);
  branch_by_protocol(a);
  // A second tag: the kernel has taken the first off. Anything else has another type there, or
  // none.
  a.load(BPF_H, kNetwork + 2);
  a.set_offset(kTagBytes);
  a.jump_if(BPF_JEQ, ETH_P_IP, Assembler::kV4);
  a.jump_if(BPF_JEQ, ETH_P_IPV6, Assembler::kV6);
  a.jump(Assembler::kOther);

  a.here(Assembler::kMpls);
  for (uint32_t label = 0; label < 2; ++label) {
    a.set_offset(kLabelBytes * (label + 1));
    a.load(BPF_W, kNetwork + kLabelBytes * label);
    a.jump_if(BPF_JSET, kBottomOfStack, Assembler::kMplsInner);
  }
  a.set_offset(kLabelBytes * 3);
  a.here(Assembler::kMplsInner);
  a.load_from_offset(BPF_B, kNetwork);
  a.add(BPF_ALU | BPF_RSH | BPF_K, 4);
  a.jump_if(BPF_JEQ, 4, Assembler::kV4);
  a.jump_if(BPF_JEQ, 6, Assembler::kV6);
  a.jump(Assembler::kOther);

  a.here(Assembler::kPppoe);
  a.set_offset(kPppoeBytes);
  a.load(BPF_H, kNetwork + 6);
  a.jump_if(BPF_JEQ, kPppIp, Assembler::kV4);
  a.jump_if(BPF_JEQ, kPppIpv6, Assembler::kV6);
  a.jump(Assembler::kOther);

  a.here(Assembler::kV4);
  xor_words(a, 12, 2);
  a.jump(Assembler::kMix);
  a.here(Assembler::kV6);
  xor_words(a, 8, 8);
  a.here(Assembler::kMix);
  a.add(BPF_LD | BPF_MEM, kHash);
  a.add(BPF_ALU | BPF_MUL | BPF_K, kSpread);
  a.add(BPF_ALU | BPF_RSH | BPF_K, 16);
  a.add(BPF_RET | BPF_A, 0);
  a.here(Assembler::kOther);
  a.add(BPF_RET | BPF_K, 0);
  return a.finish();
}

}  // namespace vong::capture
