#include "sensor/capture/pcap_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace vong::capture {
namespace {

namespace fs = std::filesystem;

// A file's bytes in one byte order.
struct Writer {
  bool big = false;
  std::string out;

  Writer& u16(uint32_t v) { return number(v, 2); }
  Writer& u32(uint64_t v) { return number(v, 4); }
  Writer& u64(uint64_t v) { return number(v, 8); }
  Writer& number(uint64_t v, int n) {
    for (int i = 0; i < n; ++i)
      out.push_back(static_cast<char>(v >> (big ? 8 * (n - 1 - i) : 8 * i)));
    return *this;
  }
  Writer& text(std::string_view s) {
    out += s;
    return *this;
  }
  Writer& pcap_header(uint32_t magic = 0xa1b2c3d4, uint32_t snap = 65535, uint32_t link = 1) {
    return u32(magic).u16(2).u16(4).u32(0).u32(0).u32(snap).u32(link);
  }
  Writer& record(std::string_view data, uint32_t s = 1, uint32_t fraction = 2, uint32_t wire = 0) {
    return u32(s).u32(fraction).u32(data.size()).u32(wire == 0 ? data.size() : wire).text(data);
  }
  Writer& block(uint32_t type, std::string body) {
    while (body.size() % 4 != 0) body.push_back('\0');
    return u32(type).u32(12 + body.size()).text(body).u32(12 + body.size());
  }
  [[nodiscard]] Writer same_order() const { return Writer{big, {}}; }
  Writer& section() {
    return block(0x0a0d0d0a, same_order().u32(0x1a2b3c4d).u16(1).u16(0).u64(~0ull).out);
  }
  Writer& interface(uint32_t link, uint32_t snap = 0, int resolution = -1, uint64_t offset_s = 0) {
    Writer body = same_order().u16(link).u16(0).u32(snap);
    if (resolution >= 0)
      body.u16(9)
          .u16(1)
          .text(std::string(1, static_cast<char>(resolution)))
          .text(std::string(3, '\0'));
    if (offset_s != 0) body.u16(14).u16(8).u64(offset_s);
    if (resolution >= 0 || offset_s != 0) body.u16(0).u16(0);
    return block(1, body.out);
  }
  Writer& enhanced(uint32_t interface_index, uint64_t units, std::string_view data) {
    return block(6, same_order()
                        .u32(interface_index)
                        .u32(units >> 32)
                        .u32(units & 0xffffffff)
                        .u32(data.size())
                        .u32(data.size())
                        .text(data)
                        .out);
  }
};

struct Read {
  std::vector<std::string> data;
  std::vector<RawPacket> packets;  // data only good until the source's next call: see `data`
  std::vector<std::string> errors;
  CaptureStats stats;
};

Read read_all(PacketSource& source, size_t batch_size = 4) {
  Read r;
  std::vector<RawPacket> batch(batch_size);
  for (;;) {
    size_t count = 0;
    const ReadStatus status = source.next_batch(batch, count);
    if (status == ReadStatus::kEnd) break;
    if (status == ReadStatus::kError) r.errors.emplace_back(source.error());
    for (size_t i = 0; i < count; ++i) {
      r.data.emplace_back(as_text(batch[i].data));
      r.packets.push_back(batch[i]);
    }
  }
  r.stats = source.stats();
  return r;
}

class PcapFile : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("vong_pcap_file_test_" + std::to_string(getpid()));
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string write(const std::string& name, const std::string& bytes) {
    fs::create_directories((dir_ / name).parent_path());
    std::ofstream(dir_ / name, std::ios::binary) << bytes;
    return (dir_ / name).string();
  }
  Read read(const std::string& bytes) {
    auto source = open_pcap_files({write("x", bytes)});
    return read_all(*source);
  }

  fs::path dir_;
};

TEST_F(PcapFile, EveryMagicAndByteOrderGivesTheSameTime) {
  for (const bool big : {false, true}) {
    for (const uint32_t magic : {0xa1b2c3d4u, 0xa1b23c4du, 0xa1b2cd34u}) {
      Writer w{big, {}};
      w.pcap_header(magic).u32(1700000000).u32(magic == 0xa1b23c4d ? 5000 : 5).u32(3).u32(9);
      if (magic == 0xa1b2cd34) w.u64(0);
      w.text("abc");
      const Read r = read(w.out);
      ASSERT_EQ(r.data, std::vector<std::string>{"abc"}) << big << std::hex << magic;
      EXPECT_EQ(to_ns(r.packets[0].ts), 1700000000'000005000);
      EXPECT_EQ(r.packets[0].wire_len, 9u);
      EXPECT_EQ(r.packets[0].number, 1u);
      EXPECT_EQ(r.stats.truncated, 1u);
      EXPECT_TRUE(r.errors.empty());
    }
  }
}

TEST_F(PcapFile, CutAtEveryByteGivesThePacketsBeforeAndOneError) {
  Writer w;
  w.pcap_header().record("first").record("second");
  const size_t first_end = 24 + 16 + 5;
  for (size_t n = 24; n < w.out.size(); ++n) {
    const Read r = read(w.out.substr(0, n));
    EXPECT_EQ(r.data.size(), n >= first_end ? 1u : 0u) << n;
    EXPECT_EQ(r.errors.size(), n == 24 || n == first_end ? 0u : 1u) << n;
  }
}

TEST_F(PcapFile, RecordOfImpossibleLengthEndsTheFile) {
  Writer w;
  w.pcap_header().record("ok").u32(0).u32(0).u32(0x7fffffff).u32(0x7fffffff).text("junk");
  const Read r = read(w.out);
  EXPECT_EQ(r.data.size(), 1u);
  ASSERT_EQ(r.errors.size(), 1u);
  EXPECT_NE(r.errors[0].find("2147483647"), std::string::npos) << r.errors[0];
}

TEST_F(PcapFile, SnapLengthOfTheFileCutsLongerRecords) {
  Writer w;
  w.pcap_header(0xa1b2c3d4, 4).record("abcdefgh");
  const Read r = read(w.out);
  ASSERT_EQ(r.data, std::vector<std::string>{"abcd"});
  EXPECT_EQ(r.packets[0].wire_len, 8u);
}

TEST_F(PcapFile, ForeignFilesAreNamedInOneLine) {
  for (const std::string& bytes :
       {std::string(), std::string("hello, this is text"), std::string("\x1f\x8b\x08zip", 6)}) {
    auto source = open_pcap_path(write("x", bytes));
    ASSERT_FALSE(source.has_value());
    EXPECT_EQ(source.error().message.find('\n'), std::string::npos);
    EXPECT_NE(source.error().message.find("/x: "), std::string::npos);
  }
  EXPECT_FALSE(open_pcap_path((dir_ / "absent").string()).has_value());
}

TEST_F(PcapFile, DirectoryIsReadInNameOrderAndForeignFilesAreSkipped) {
  Writer a, b, c;
  a.pcap_header().record("a");
  b.pcap_header().record("b").u32(1);  // damaged after its packet
  c.section().interface(1).enhanced(0, 0, "c");
  write("d/2.pcap", b.out);
  write("d/1.pcap", a.out);
  write("d/sub/3.pcapng", c.out);
  write("d/README", "no capture");
  auto source = open_pcap_path((dir_ / "d").string());
  ASSERT_TRUE(source.has_value());
  const Read r = read_all(**source);
  EXPECT_EQ(r.data, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(r.packets[2].number, 3u);
  EXPECT_EQ(r.errors.size(), 1u);
  EXPECT_EQ(r.stats.skipped_files, 1u);
  EXPECT_EQ(r.stats.files, 3u);
}

TEST_F(PcapFile, PcapngInterfacesHaveTheirOwnLinkTypeAndTimeUnit) {
  for (const bool big : {false, true}) {
    Writer w{big, {}};
    w.section().interface(1).interface(101, 0, 9).interface(113, 0, 0x80 | 10, 100);
    w.enhanced(0, 1'700'000'000'000'007, "micro")
        .enhanced(1, 1'700'000'000'000'000'009, "nano!")
        .enhanced(2, (5 << 10) + 512, "half");
    const Read r = read(w.out);
    ASSERT_EQ(r.data, (std::vector<std::string>{"micro", "nano!", "half"}));
    EXPECT_EQ(to_ns(r.packets[0].ts), 1'700'000'000'000'007'000);
    EXPECT_EQ(to_ns(r.packets[1].ts), 1'700'000'000'000'000'009);
    EXPECT_EQ(to_ns(r.packets[2].ts), 105'500'000'000);
    EXPECT_EQ(r.packets[1].link_type, LinkType::kRaw);
    EXPECT_EQ(r.packets[2].link_type, LinkType::kLinuxSll);
    EXPECT_EQ(r.packets[2].interface, 2);
  }
}

TEST_F(PcapFile, PcapngSimpleAndObsoletePacketsAndUnknownBlocks) {
  Writer w;
  w.section()
      .interface(1, 3)
      .block(0x0bad, "whatever")
      .block(3, Writer{}.u32(10).text("abcdefghij").out);
  w.block(2, Writer{}.u16(0).u16(7).u32(0).u32(1000000).u32(2).u32(2).text("op").out);
  const Read r = read(w.out);
  ASSERT_EQ(r.data, (std::vector<std::string>{"abc", "op"}));
  EXPECT_EQ(r.packets[0].wire_len, 10u);
  EXPECT_EQ(to_ns(r.packets[1].ts), 1'000'000'000);
}

TEST_F(PcapFile, PcapngNewSectionForgetsItsInterfaces) {
  Writer w, other{true, {}};
  w.section().interface(1).enhanced(0, 0, "one");
  other.section().enhanced(0, 0, "two");
  const Read r = read(w.out + other.out);
  EXPECT_EQ(r.data, std::vector<std::string>{"one"});
  EXPECT_EQ(r.errors.size(), 1u);
}

TEST_F(PcapFile, PcapngCutAtEveryByteNeverGivesAHalfPacket) {
  Writer w;
  w.section().interface(1).enhanced(0, 1, "first").enhanced(0, 2, "second");
  for (size_t n = 0; n < w.out.size(); ++n) {
    const Read r = read(w.out.substr(0, n));
    for (const auto& data : r.data) EXPECT_EQ(data, "first") << n;
    EXPECT_LE(r.errors.size(), 1u);
  }
}

TEST_F(PcapFile, BatchesAndSinglePacketsGiveTheSame) {
  Writer w;
  w.pcap_header();
  std::vector<std::string> expected;
  for (int i = 0; i < 3000; ++i) {  // more than the read buffer holds
    expected.push_back(std::string(static_cast<size_t>(i % 1500), static_cast<char>('a' + i % 26)));
    w.record(expected.back());
  }
  const std::string path = write("big", w.out);
  for (const size_t batch : {1u, 7u, 64u}) {
    auto source = open_pcap_files({path});
    const Read r = read_all(*source, batch);
    EXPECT_EQ(r.data, expected);
    EXPECT_EQ(source->bytes_done(), w.out.size());
  }
}

TEST_F(PcapFile, StopEndsTheReading) {
  Writer w;
  w.pcap_header().record("a").record("b");
  auto source = open_pcap_files({write("x", w.out)});
  RawPacket p;
  ASSERT_EQ(source->next(p), ReadStatus::kPacket);
  source->stop();
  EXPECT_EQ(source->next(p), ReadStatus::kEnd);
}

}  // namespace
}  // namespace vong::capture
