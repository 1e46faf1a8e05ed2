#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/rdp/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::rdp {
namespace {

using applayer::contract::Conversation;
using testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out.push_back(static_cast<char>(v));
  return out;
}
std::string u16le(size_t v) { return {static_cast<char>(v & 0xff), static_cast<char>(v >> 8)}; }
std::string u32le(size_t v) { return u16le(v & 0xffff) + u16le(v >> 16); }
std::string tpkt(const std::string& body) {
  const size_t size = body.size() + 4;
  return bytes({3, 0, static_cast<int>(size >> 8), static_cast<int>(size & 0xff)}) + body;
}
std::string x224(int code, const std::string& variable) {
  return tpkt(bytes({static_cast<int>(6 + variable.size()), code, 0, 0, 0, 0, 0}) + variable);
}
std::string wide(const std::string& text, size_t size) {
  std::string out;
  for (const char c : text) out += {c, '\0'};
  out.resize(size);
  return out;
}
std::string connect_initial() {
  std::string core = u32le(0x80004) + u16le(1024) + u16le(768) + u16le(0xca01) + u16le(0xaa03) +
                     u32le(0x42a) + u32le(2600);
  core += wide("HANOI-01", 32) + u32le(4) + u32le(0) + u32le(12) + std::string(64, '\0');
  core +=
      u16le(0xca01) + u16le(1) + u32le(0) + u16le(15) + u16le(7) + u16le(1) + wide("55274-OEM", 64);
  const std::string network = u32le(1) + std::string("rdpdr\0\0\0", 8) + u32le(0);
  const std::string blocks = u16le(0xc001) + u16le(core.size() + 4) + core + u16le(0xc003) +
                             u16le(network.size() + 4) + network;
  const std::string gcc = bytes({0, 5, 0, 0x14, 0x7c, 0, 1, 0x81, 0x26}) +
                          bytes({0, 8, 0, 0x10, 0, 1, 0xc0, 0}) + "Duca" + bytes({0x81, 0x18}) +
                          blocks;
  std::string mcs =
      bytes({4, 1, 1, 4, 1, 1, 1, 1, 0xff, 0x30, 0, 0x30, 0, 0x30, 0, 4, 0x82,
             static_cast<int>(gcc.size() >> 8), static_cast<int>(gcc.size() & 0xff)}) +
      gcc;
  return tpkt(bytes({2, 0xf0, 0x80, 0x7f, 0x65, 0x82, static_cast<int>(mcs.size() >> 8),
                     static_cast<int>(mcs.size() & 0xff)}) +
              mcs);
}

Conversation session() {
  Conversation c{&kRdpProtocol};
  c.client(x224(0xe0, "Cookie: mstshash=lan\r\n")).server(x224(0xd0, "")).client(connect_initial());
  c.server(tpkt(bytes({2, 0xf0, 0x80, 0x7f, 0x66, 0}))).client("anything");
  return c;
}

TEST(RdpParser, Contract) { applayer::contract::check_contract(session()); }

TEST(RdpParser, Session) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 4u);
  EXPECT_THAT(o.records(),
              HasSubstr(R"({"rdp":{"tx_id":0,"event_type":"initial_request","cookie":"lan"}})"));
  EXPECT_THAT(o.records(), HasSubstr(R"({"rdp":{"tx_id":1,"event_type":"initial_response"}})"));
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("client":{"version":"v5","desktop_width":1024,"desktop_height":768,"color_depth":15,"keyboard_layout":"vi-VN","build":"Windows XP","client_name":"HANOI-01","keyboard_type":"enhanced","function_keys":12,"product_id":1,"capabilities":["support_errinfo_pdf"],"id":"55274-OEM"},"channels":["rdpdr"])"));
  EXPECT_THAT(o.records(), HasSubstr(R"("event_type":"connect_response")"));
}

TEST(RdpParser, TlsIsFollowedToTheCertificate) {
  Conversation c{&kRdpProtocol};
  c.client(x224(0xe0, bytes({1, 0, 8, 0, 1, 0, 0, 0})))
      .server(x224(0xd0, bytes({2, 0, 8, 0, 1, 0, 0, 0})));
  c.client(bytes({22, 3, 1, 0, 4, 1, 0, 0, 0}));
  c.server(bytes({22, 3, 3, 0, 9, 2, 0, 0, 1, 0, 11, 0, 0, 0}) + "whatever");
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 3u);
  EXPECT_THAT(o.records(), HasSubstr(R"("event_type":"tls_handshake")"));
  applayer::contract::check_damage(c);
}

TEST(RdpParser, WhatIsNoTpktEndsTheFlow) {
  EXPECT_TRUE(run(Conversation{&kRdpProtocol}.client("GET / HTTP/1.0\r\n")).failed);
}

}  // namespace
}  // namespace vong::rdp
