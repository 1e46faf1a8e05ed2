#include "sensor/applayer/http/decompress.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace vong::http {
namespace {

// window_bits as zlib has them: 31 gzip, 15 zlib, -15 raw.
std::string compress_with(std::string_view text, int window_bits) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<uint8_t*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string plain(std::initializer_list<Coding> layers, std::string_view data,
                  size_t piece = SIZE_MAX, DecompressProblems* problems = nullptr) {
  Decompressor d(1 << 20, 1 << 20);
  for (const Coding c : layers) d.add_layer(c);
  std::string out;
  const auto sink = [&](Bytes b) { out.append(as_text(b)); };
  for (size_t at = 0; at < data.size(); at += std::min(piece, data.size()))
    d.feed(as_bytes(data.substr(at, piece)), sink);
  d.finish(sink);
  if (problems != nullptr) *problems = d.problems();
  return out;
}

const std::string kText = [] {
  std::string t;
  for (int i = 0; i < 2000; ++i) t += "line " + std::to_string(i * 7919 % 1000) + "\n";
  return t;
}();

TEST(Decompress, EveryFormUnderEveryName) {
  for (const int bits : {31, 15, -15}) {
    const std::string data = compress_with(kText, bits);
    for (const Coding name : {Coding::kGzip, Coding::kDeflate}) {
      for (const size_t piece : {size_t{1}, size_t{3}, size_t{1000}, SIZE_MAX}) {
        EXPECT_EQ(plain({name}, data, piece), kText) << bits << " in pieces of " << piece;
      }
    }
  }
}

TEST(Decompress, LayersAreTakenOffFromTheOutside) {
  const std::string data = compress_with(compress_with(kText, -15), 31);
  EXPECT_EQ(plain({Coding::kGzip, Coding::kDeflate}, data), kText);
  EXPECT_EQ(plain({Coding::kDeflate, Coding::kGzip}, data, 5), kText);
}

TEST(Decompress, PlainBytesGoThrough) {
  EXPECT_EQ(plain({Coding::kGzip}, kText), kText);
  EXPECT_EQ(plain({Coding::kDeflate, Coding::kGzip}, kText, 1), kText);
  EXPECT_EQ(plain({Coding::kGzip}, "x"), "x");
}

TEST(Decompress, PlainBytesUnderTheNameOfBrotliGoThrough) {
  // Short texts only: a longer one may be a metadata block to a decoder (RFC 7932 section 9.2), whose content nobody sees.
  for (int first = 0x20; first < 0x7f; ++first) {   // whatever the decoder makes of the first byte
    const std::string text = static_cast<char>(first) + std::string("<html><body>plain text under a false name</body></html>");
    EXPECT_EQ(plain({Coding::kBrotli}, text), text) << first;
    EXPECT_EQ(plain({Coding::kBrotli}, text, 7), text) << first;
  }
}

TEST(Decompress, BytesThatDeflateTakesForAMomentGoThroughUntouched) {
  std::string noise;
  uint32_t x = 1;
  for (int round = 0; round < 50; ++round) {
    noise.clear();
    for (int i = 0; i < 300; ++i)
      noise.push_back(static_cast<char>((x = x * 1664525 + 1013904223) >> 24));
    EXPECT_EQ(plain({Coding::kGzip}, noise), noise);
  }
}

TEST(Decompress, TrailerMayBeMissingOrWrong) {
  const std::string data = compress_with(kText, 31);
  EXPECT_EQ(plain({Coding::kGzip}, std::string_view(data).substr(0, data.size() - 8)), kText);
  std::string wrong = data;
  wrong[wrong.size() - 5] ^= 1;
  EXPECT_EQ(plain({Coding::kGzip}, wrong + "padding"), kText);
}

TEST(Decompress, DamageInTheMiddleKeepsWhatCameBefore) {
  std::string data = compress_with(kText, 31);
  data[data.size() / 2] ^= 0x55;
  DecompressProblems problems;
  const std::string out = plain({Coding::kGzip}, data, SIZE_MAX, &problems);
  EXPECT_EQ(out.substr(0, 100), kText.substr(0, 100));
}

TEST(Decompress, BombIsCutOff) {
  const std::string zeros(64 << 20, '\0');
  const std::string data = compress_with(compress_with(zeros, 31), 31);
  DecompressProblems problems;
  const std::string out = plain({Coding::kGzip, Coding::kGzip}, data, SIZE_MAX, &problems);
  EXPECT_TRUE(problems.bomb);
  EXPECT_LE(out.size(), data.size() * 2048 + (1 << 20) + (64 << 10));
}

}  // namespace
}  // namespace vong::http
