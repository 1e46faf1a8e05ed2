// IP fragments to datagrams, RFC 791 and RFC 8200 4.5, as the receiving host's operating system
// would put them together (defrag_policy.h). Time is the packets' time. One object belongs to one
// worker.
//
// Limits, each with a counter: trackers, fragments and memory. When one is reached the datagram
// goes first that has waited longest.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/settings.h"
#include "base/timestamp.h"
#include "sensor/packet/defragmenter.h"
#include "sensor/reassembly/fragment_buffer.h"

namespace vong::reassembly {

struct DefragConfig {
  uint64_t memcap_bytes = 32u << 20;            // defrag.memcap
  uint32_t max_trackers = 65'535;               // defrag.trackers: datagrams at a time
  uint32_t max_fragments = 65'535;              // defrag.max-frags: fragments held at a time
  Duration timeout = std::chrono::seconds(60);  // defrag.timeout: after a datagram's last fragment
  bool other_readings = false;                  // detect.other-readings.enabled: how other policies read conflicts
  bool vlan_tracking = true;                    // vlan.use-for-tracking
  struct HostTimeout {                          // defrag.host-config: of datagrams to these hosts
    IpAddress network;
    unsigned bits = 0;
    Duration timeout{};
  };
  std::vector<HostTimeout> host_timeouts;
  // Of the receiving host. Asked once a datagram.
  std::function<DefragPolicy(const IpAddress&)> policy_of = [](const IpAddress&) {
    return DefragPolicy::kBsd;
  };

  // What defrag.*, host-os-policy.* and vlan.use-for-tracking set.
  [[nodiscard]] static DefragConfig from(const Settings& settings);
};

struct DefragCounters {
  struct Family {
    uint64_t fragments = 0, reassembled = 0, timeouts = 0;
  };
  Family ipv4, ipv6;
  uint64_t max_trackers_reached = 0, max_frags_reached = 0,
           memcap_reached = 0;      // a datagram in waiting was given up
  uint64_t tracker_soft_reuse = 0;  // timed out, its place taken by a new datagram
  uint64_t tracker_hard_reuse = 0;  // given up before its time
  uint64_t other_readings = 0, readings_given_up = 0;  // handed out; a cap was reached
  uint64_t overlaps = 0, ambiguous = 0, too_large = 0, ignored = 0;
  uint64_t memory_bytes = 0, trackers = 0, fragments_held = 0;  // now
};

class IpDefrag final : public Defragmenter {
 public:
  explicit IpDefrag(DefragConfig config);

  [[nodiscard]] Datagram add_ipv4(Packet& fragment) override;
  [[nodiscard]] Datagram add_ipv6(Packet& fragment, const Ipv6Parts& parts) override;
  void release() override {
    results_used_ = 0;
    others_.clear();
  }

  // Gives up what has waited too long at `now`; also done bit by bit with every fragment.
  void expire(Timestamp now);

  [[nodiscard]] const DefragCounters& counters() const { return counters_; }

 private:
  struct Key {
    IpAddress src, dst;
    uint32_t id = 0;
    uint8_t protocol = 0;  // IPv6: 0, RFC 8200 lets it differ between fragments
    uint8_t tunnel_depth = 0;
    std::array<uint16_t, kMaxVlanTags> vlan_id{};
    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& k) {
      return H::combine(std::move(h), k.src, k.dst, k.id, k.protocol, k.tunnel_depth, k.vlan_id);
    }
  };
  // Every fragment of a datagram in which some overlap, in the order of arrival.
  struct Log {
    struct Entry {
      uint32_t begin, at, size;  // in the datagram; in `bytes`
    };
    std::vector<Entry> entries;
    std::vector<uint8_t> bytes;
    [[nodiscard]] bool add(uint32_t begin, Bytes data);  // false: full
  };
  struct Tracker {
    Key key;
    Timestamp last;  // of its last fragment
    Duration timeout{};
    DefragPolicy policy = DefragPolicy::kBsd;
    bool last_seen = false;  // the fragment without "more fragments"
    bool ambiguous = false;
    uint32_t fragments = 0;
    size_t memory_bytes = 0;  // as counted
    FragmentBuffer buffer;
    std::unique_ptr<Log> log;  // once fragments have overlapped
    bool log_full = false;
    // Of the fragment that owns the first byte: IP header (IPv6: with its unfragmentable part).
    std::vector<uint8_t> header;
    uint8_t next_header = 0;
    uint16_t next_header_offset = 0;
    uint32_t older = 0, newer = 0;  // list in the order of `last`; kNone at its ends
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  Key key_of(const Packet& fragment) const;
  uint32_t find_or_create(const Packet& fragment);
  bool make_room(uint32_t keep);
  [[nodiscard]] bool expired(const Tracker& t, Timestamp now) const {
    return now - t.last > t.timeout;
  }
  void restart(Tracker& t, const Packet& fragment);
  void erase(uint32_t index);
  void give_up_timed_out(uint32_t index);
  void link_newest(uint32_t index);
  void unlink(uint32_t index);
  void count_memory(Tracker& t);
  // Puts the fragment's bytes in. The tracker when its datagram is whole now, else kNone.
  uint32_t add(Packet& fragment, const Ipv6Parts* parts);
  void remember_header(Tracker& t, const Packet& fragment, const Ipv6Parts* parts);
  Datagram finish(uint32_t index, Packet& fragment);
  void log_fragment(Tracker& t, uint32_t begin, Bytes data);
  void read_otherwise(const Tracker& t, Bytes frame, size_t payload_at, Timestamp now);
  [[nodiscard]] std::vector<uint8_t>& new_result();
  DefragCounters::Family& family(const IpAddress& address) {
    return address.is_v4() ? counters_.ipv4 : counters_.ipv6;
  }

  const DefragConfig config_;
  DefragCounters counters_;
  std::vector<std::unique_ptr<Tracker>> trackers_;  // by index; free ones are in free_
  std::vector<uint32_t> free_;
  absl::flat_hash_map<Key, uint32_t> by_key_;
  uint32_t oldest_ = kNone, newest_ = kNone;
  std::vector<std::vector<uint8_t>> results_;
  size_t results_used_ = 0;
  std::vector<OtherReading> others_;  // of the last datagram
  int64_t read_second_ = 0;
  uint32_t read_in_second_ = 0;
};

}  // namespace vong::reassembly
