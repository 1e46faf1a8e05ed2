#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/quic/limits.h"
#include "sensor/applayer/quic/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::quic {
namespace {

using applayer::contract::Conversation;
using testing::HasSubstr;

std::string from_hex(std::string_view hex) {
  std::string out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  return out;
}
std::string to_hex(Bytes b) {
  std::string out;
  for (const uint8_t c : b)
    out.append(1, "0123456789abcdef"[c >> 4]).append(1, "0123456789abcdef"[c & 15]);
  return out;
}

// RFC 9001 appendix A.3: the server's Initial packet that answers destination 8394c8f03e515708.
const std::string kServerInitial = from_hex(
    "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780b"
    "b38cc5a99f5ede4cf73c3ec2493a1839b3db"
    "cba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f"
    "58891850abbdca3d20398c276456cbc42158"
    "407dd074ee");

// A.1.
TEST(QuicCrypto, KeysOfTheStandard) {
  const auto keys = initial_keys(kVersion1, as_bytes(from_hex("8394c8f03e515708")));
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_hex(keys->sides[0].key), "1f369613dd76d5467730efcbe3b1a22d");
  EXPECT_EQ(to_hex(keys->sides[0].iv), "fa044b2f42a3fd3b46fb255c");
  EXPECT_EQ(to_hex(keys->sides[0].header), "9f50449e04a0e810283a1e9933adedd2");
  EXPECT_EQ(to_hex(keys->sides[1].key), "cf3a5331653c364c88f0f379b6067e37");
  EXPECT_FALSE(initial_keys(0x51303436, as_bytes(from_hex("8394c8f03e515708"))));
}

TEST(QuicCrypto, PacketOfTheStandard) {
  const auto keys = initial_keys(kVersion1, as_bytes(from_hex("8394c8f03e515708")));
  const auto h = read_packet_header(as_bytes(kServerInitial));
  ASSERT_TRUE(h);
  EXPECT_EQ(h->type, PacketType::kInitial);
  const auto clear = decrypt(keys->sides[1], *h, as_bytes(kServerInitial));
  ASSERT_TRUE(clear);
  EXPECT_THAT(to_hex(as_bytes(*clear)), testing::StartsWith("02000000000600405a020000560303"));
  std::string changed = kServerInitial;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  EXPECT_FALSE(decrypt(keys->sides[1], *h, as_bytes(changed)));
}

TEST(QuicFrames, PiecesInAnyOrder) {
  CryptoStream s;
  const std::string text = "0123456789";
  const auto piece = [&](size_t at, size_t n) {
    return CryptoPiece{at, as_bytes(text).subspan(at, n)};
  };
  EXPECT_TRUE(s.add(piece(6, 4)));
  EXPECT_TRUE(s.add(piece(2, 3)));
  EXPECT_EQ(as_text(s.contiguous()), "");
  EXPECT_TRUE(s.add(piece(0, 3)));
  EXPECT_EQ(as_text(s.contiguous()), "01234");
  EXPECT_TRUE(s.add(piece(4, 4)));
  EXPECT_EQ(as_text(s.contiguous()), text);
}

TEST(QuicFrames, PiecesAreBounded) {
  CryptoStream s;
  const std::string big(60'000, 'x');
  EXPECT_TRUE(s.add({10, as_bytes(std::string_view(big).substr(0, 50'000))}));
  EXPECT_FALSE(s.add({11, as_bytes(std::string_view(big).substr(0, 50'000))}));
  EXPECT_TRUE(s.empty());
  EXPECT_FALSE(s.add({60'000, as_bytes(big)}));
  EXPECT_FALSE(s.add({uint64_t{1} << 61, as_bytes(std::string_view("x"))}));
}

// A client's first packet of Q046: CHLO with a name and an agent.
std::string google_hello(bool with_length = true) {
  const std::string values = "a.examplechrome";
  std::string chlo =
      "CHLO" + std::string("\x03\x00\x00\x00", 4) +
      std::string("PAD\0\x00\x00\x00\x00SNI\0\x09\x00\x00\x00UAID\x0f\x00\x00\x00", 24) + values;
  // long header, version, lengths (8, 0), id, packet number of four bytes, hash
  const std::string p =
      from_hex("c35130343650") + "12345678" + from_hex("00000001") + std::string(12, 'h');
  if (!with_length) return p + from_hex("8001") + chlo;
  return p + from_hex("a00100") + static_cast<char>(chlo.size()) + chlo + std::string(30, '\0');
}

Conversation google() {
  Conversation c{&kQuicProtocol};
  c.datagrams().client(google_hello()).client(google_hello());
  return c;
}

TEST(Quic, ContractGoogle) { applayer::contract::check_contract(google()); }

TEST(Quic, GoogleHandshake) {
  const auto o = run(google());
  EXPECT_THAT(
      o.records(),
      HasSubstr(R"({"quic":{"version":"Q046","sni":"a.example","ua":"chrome","cyu":[{"hash":")"));
  EXPECT_THAT(o.records(), HasSubstr(R"("string":"46,PAD-SNI-UAID"}]}})"));
  EXPECT_THAT(o.records(), HasSubstr(">quic.version=\"Q046\""));
}

TEST(Quic, GoogleHandshakeWithoutItsLengthIsNotRead) {
  Conversation c{&kQuicProtocol};
  c.datagrams().client(google_hello(false));
  EXPECT_THAT(run(c).records(), HasSubstr(R"({"quic":{"version":"Q046"}})"));
}

TEST(Quic, WhatCannotBeDecryptedIsAnEvent) {
  Conversation c{&kQuicProtocol};
  c.datagrams().server(kServerInitial);  // keys would derive from a destination that nobody saw
  const auto o = run(c);
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_THAT(o.records(), HasSubstr("event failed_decrypt"));
}

TEST(Quic, TransactionsAreBounded) {
  Conversation c{&kQuicProtocol};
  c.datagrams();
  for (int i = 0; i < 1000; ++i) c.client(google_hello());
  EXPECT_EQ(run(c).transactions().size(), kTransactionsMax);
}

TEST(QuicPacket, AFixedBitWithoutTheLongOneIsAShortHeaderWhateverElseIsSet) {
  const auto h = read_packet_header(as_bytes(from_hex("55e1111d09a4988b6b94bdc547b1cee67bd94398")));
  ASSERT_TRUE(h);
  EXPECT_EQ(h->type, PacketType::kShort);
}

TEST(QuicPacket, AVersionStandsBehindTheConnectionAlsoWhereTheNoncesBitIsSet) {
  const auto h = read_packet_header(as_bytes(from_hex("0d1122334455667788513034330100000000000000000000000080014348")));
  ASSERT_TRUE(h);
  EXPECT_EQ(version_name(h->version), "Q043");
}

TEST(QuicPacket, VersionsHaveNames) {
  EXPECT_EQ(version_name(1), "1");
  EXPECT_EQ(version_name(kVersion2), "6b3343cf");
  EXPECT_EQ(version_name(0x51303433), "Q043");
}

TEST(QuicPacket, CutHeadersAreNone) {
  for (size_t n = 0; n < 18; ++n)
    EXPECT_FALSE(read_packet_header(as_bytes(std::string_view(kServerInitial).substr(0, n)))) << n;
}

}  // namespace
}  // namespace vong::quic
