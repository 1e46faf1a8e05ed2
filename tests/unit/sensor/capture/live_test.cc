// Live sources on a loopback interface in a network namespace of the test's own. Skipped where that
// is not allowed.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sensor/capture/af_packet.h"
#include "sensor/capture/bpf_filter.h"
#include "sensor/capture/pcap_live.h"

namespace vong::capture {
namespace {

bool own_network() {
  if (unshare(CLONE_NEWNET) != 0) return false;
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  const bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  if (fd >= 0) close(fd);
  return up;
}

void send_datagrams(int count, uint16_t port, size_t bytes = 100) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ASSERT_GE(fd, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < count; ++i) {
    std::string text = "datagram " + std::to_string(i);
    text.resize(bytes, '.');
    (void)sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
  close(fd);
}

// Texts of the UDP datagrams to `port` until nothing comes any more.
std::multiset<std::string> read_texts(PacketSource& source, uint16_t port) {
  std::multiset<std::string> texts;
  std::array<RawPacket, 16> batch;
  for (int quiet = 0; quiet < 3;) {
    size_t count = 0;
    const ReadStatus status = source.next_batch(batch, count);
    if (status == ReadStatus::kTimeout)
      ++quiet;
    else if (status != ReadStatus::kPacket)
      break;
    for (size_t i = 0; i < count; ++i) {
      const Bytes d = batch[i].data;
      if (d.size() < 52 || d[12] != 8 || d[13] != 0 || d[23] != 17 || (d[36] << 8 | d[37]) != port)
        continue;
      std::string text(as_text(d.subspan(42)));
      texts.insert(text.substr(0, text.find('.')));
      EXPECT_GT(to_ns(batch[i].ts), 1'600'000'000'000'000'000);
    }
  }
  return texts;
}

class LiveCapture : public testing::Test {
 protected:
  void SetUp() override {
    static const bool allowed = own_network();
    if (!allowed) GTEST_SKIP() << "no network namespace of our own";
  }
};

TEST_F(LiveCapture, AfPacketDeliversEveryPacketOnce) {
  auto source = open_af_packet(
      {.interface = "lo", .block_bytes = 1 << 18, .block_count = 8, .poll_timeout_ms = 50});
  ASSERT_TRUE(source.has_value()) << source.error().message;
  send_datagrams(200, 5001);
  const auto texts = read_texts(**source, 5001);
  EXPECT_EQ(texts.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(texts.count("datagram " + std::to_string(i)), 1u);
  const auto stats = (*source)->stats();
  EXPECT_GE(stats.received, 200u);
  EXPECT_EQ(stats.kernel_drops, 0u);
}

TEST_F(LiveCapture, AfPacketCountsWhatTheKernelHadNoRoomFor) {
  auto source = open_af_packet(
      {.interface = "lo", .block_bytes = 1 << 16, .block_count = 2, .poll_timeout_ms = 50});
  ASSERT_TRUE(source.has_value()) << source.error().message;
  send_datagrams(1000, 5002, 1000);
  const auto texts = read_texts(**source, 5002);
  const auto stats = (*source)->stats();
  EXPECT_LT(texts.size(), 1000u);
  EXPECT_GT(stats.kernel_drops, 0u);
  EXPECT_EQ((*source)->stats().kernel_drops, stats.kernel_drops);  // reading does not forget
}

TEST_F(LiveCapture, AfPacketClusterSharesTheTraffic) {
  const AfPacketOptions options{.interface = "lo",
                                .fanout = true,
                                .cluster_id = 7,
                                .cluster = AfPacketOptions::Cluster::kRoundRobin,
                                .block_bytes = 1 << 18,
                                .block_count = 8,
                                .poll_timeout_ms = 50};
  auto a = open_af_packet(options), b = open_af_packet(options);
  ASSERT_TRUE(a.has_value() && b.has_value());
  send_datagrams(100, 5003);
  auto texts = read_texts(**a, 5003);
  const auto others = read_texts(**b, 5003);
  texts.insert(others.begin(), others.end());
  // On a loopback interface leaving and arriving packets are dealt out together; each arriving one
  // comes exactly once.
  EXPECT_EQ(texts.size(), 100u);
}

// An IPv4 frame between hosts `a` and `b` of 10.0.0.0/16, with ports or as a later fragment.
std::vector<uint8_t> frame_between(uint16_t a, uint16_t b, bool fragment, uint16_t port) {
  std::vector<uint8_t> f(64);
  f[12] = 8;
  f[14] = 0x45;
  f[17] = 50;
  f[21] = fragment ? 16 : 0;
  f[22] = 64;
  f[23] = 17;
  for (const auto& [at, host] : {std::pair(26, a), {30, b}}) {
    f[at] = 10;
    f[at + 2] = static_cast<uint8_t>(host >> 8);
    f[at + 3] = static_cast<uint8_t>(host);
  }
  f[34] = static_cast<uint8_t>(port >> 8);
  f[35] = static_cast<uint8_t>(port);
  return f;
}

TEST_F(LiveCapture, BothDirectionsAndLoneFragmentsReachOneWorkerAndNoneIsSwallowed) {
  const AfPacketOptions options{.interface = "lo",
                                .fanout = true,
                                .cluster_id = 8,
                                .block_bytes = 1 << 18,
                                .block_count = 8,
                                .poll_timeout_ms = 50};
  auto one = open_af_packet(options), two = open_af_packet(options);
  ASSERT_TRUE(one.has_value()) << one.error().message;
  ASSERT_TRUE(two.has_value()) << two.error().message;
  const int fd = socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex("lo"));
  constexpr uint16_t kPairs = 100;
  for (uint16_t i = 0; i < kPairs; ++i) {
    for (const bool fragment : {false, true}) {
      for (const bool back : {false, true}) {
        const auto a = static_cast<uint16_t>(i), b = static_cast<uint16_t>(5000 + i / 10);
        const auto f = frame_between(back ? b : a, back ? a : b, fragment,
                                     static_cast<uint16_t>(1000 + 7 * i + back));
        ASSERT_EQ(sendto(fd, f.data(), f.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to),
                  64);
      }
    }
  }
  close(fd);
  std::array<std::multiset<uint16_t>, 2> seen;
  for (int s = 0; s < 2; ++s) {
    PacketSource& source = s == 0 ? **one : **two;
    RawPacket p;
    for (int quiet = 0; quiet < 3;) {
      const auto status = source.next(p);
      quiet = status == ReadStatus::kPacket ? 0 : quiet + 1;
      if (status != ReadStatus::kPacket || p.data.size() < 34 || p.data[26] != 10) continue;
      const auto host = [&](size_t at) {
        return static_cast<uint16_t>(p.data[at] << 8 | p.data[at + 1]);
      };
      seen[static_cast<size_t>(s)].insert(std::min(host(28), host(32)));
    }
  }
  for (uint16_t i = 0; i < kPairs; ++i) {
    EXPECT_EQ(seen[0].count(i) + seen[1].count(i), 4u) << i;
    EXPECT_TRUE(seen[0].count(i) == 0 || seen[1].count(i) == 0) << "pair " << i << " is split";
  }
  EXPECT_GT(seen[0].size(), 80u);
  EXPECT_GT(seen[1].size(), 80u);
}

TEST_F(LiveCapture, FilterLetsOnlyItsPacketsThrough) {
  auto source = open_af_packet({.interface = "lo",
                                .bpf_filter = "udp port 5005",
                                .block_bytes = 1 << 18,
                                .block_count = 8,
                                .poll_timeout_ms = 50});
  ASSERT_TRUE(source.has_value()) << source.error().message;
  send_datagrams(10, 5004);
  send_datagrams(10, 5005);
  EXPECT_EQ(read_texts(**source, 5005).size(), 10u);
  EXPECT_EQ((*source)->stats().received, 10u);
}

TEST_F(LiveCapture, PcapDeliversEveryPacketOnce) {
  auto source = open_pcap_live({.interface = "lo", .bpf_filter = "udp", .timeout_ms = 50});
  ASSERT_TRUE(source.has_value()) << source.error().message;
  send_datagrams(50, 5006);
  EXPECT_EQ(read_texts(**source, 5006).size(), 50u);
}

TEST_F(LiveCapture, StopEndsAWaitingSource) {
  auto source = open_af_packet(
      {.interface = "lo", .block_bytes = 1 << 16, .block_count = 2, .poll_timeout_ms = 10});
  ASSERT_TRUE(source.has_value());
  (*source)->stop();
  RawPacket packet;
  EXPECT_EQ((*source)->next(packet), ReadStatus::kEnd);
}

TEST(LiveErrors, NameTheInterfaceInOneLine) {
  const auto check = [](const auto& opened) {
    ASSERT_FALSE(opened.has_value());
    EXPECT_TRUE(opened.error().message.starts_with("nosuch0: ")) << opened.error().message;
    EXPECT_EQ(opened.error().message.find('\n'), std::string::npos);
  };
  check(open_af_packet({.interface = "nosuch0"}));
  check(open_pcap_live({.interface = "nosuch0"}));
  EXPECT_FALSE(compile_bpf_filter("this is no filter").has_value());
}

}  // namespace
}  // namespace vong::capture
