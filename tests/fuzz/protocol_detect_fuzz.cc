// The driver over all protocols: detection, feeding, gaps, upgrades, turning round. Rooms:
// applayer. Input: first byte: bit 0 midstream, bit 1 datagrams; two ports; then steps: a byte (bit
// 0 direction, bits 1-2: 3 gap, 2 end), a 16-bit length, bytes.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/byte_reader.h"
#include "sensor/applayer/core/driver.h"

namespace {

using namespace vong;

class Run {
 public:
  explicit Run(applayer::Driver& driver) : driver_(driver) {}

  void run(Bytes input) {
    ByteReader in(input);
    const uint8_t flags = in.u8();
    flow_.midstream = (flags & 1) != 0;
    flow_.key.sport = in.u16();
    flow_.key.dport = in.u16();
    while (!in.empty()) {
      const uint8_t kind = in.u8();
      const size_t size = in.u16();
      const Bytes data = in.bytes(std::min(size, in.remaining()));
      packet_.direction = (kind & 1) != 0 ? Direction::kToClient : Direction::kToServer;
      ++packet_.number;
      if ((flags & 2) != 0) {
        packet_.payload = data;
        driver_.on_datagram(flow_, packet_);
      } else {
        step(packet_.direction, kind >> 1 & 3, data, size);
      }
      look();
      driver_.collect(flow_);
    }
    driver_.on_flow_end(flow_, packet_);
    look();
    driver_.collect(flow_);
  }

 private:
  void step(Direction d, int kind, Bytes data, size_t size) {
    std::string& held = held_[index(d)];
    uint64_t& offset = offset_[index(d)];
    if (kind == 3) {
      offset += held.size() + size;
      held.clear();
      driver_.on_gap(flow_, packet_, d, offset - size, size);
      return;
    }
    held.append(as_text(data));
    const size_t taken = driver_.on_data(flow_, packet_, d, {as_bytes(held), offset, kind == 2});
    if (taken > held.size()) std::abort();
    held.erase(0, taken);
    offset += taken;
  }
  // Detection and logging are done with everything at once.
  void look() {
    const applayer::FlowAppState* s = applayer::app_state(flow_);
    if (s == nullptr || s->parser == nullptr) return;
    for (const auto& tx : s->parser->transactions) {
      tx->inspected = {true, true};
      tx->updated = {false, false};
      tx->logged = UINT32_MAX;
      tx->events_logged = static_cast<uint32_t>(tx->events().size());
    }
  }

  applayer::Driver& driver_;
  flow::Flow flow_;
  Packet packet_;
  std::string held_[kDirections];
  uint64_t offset_[kDirections] = {};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static applayer::Driver driver(applayer::make_driver_config(Settings()));
  Run(driver).run({data, size});
  return 0;
}
