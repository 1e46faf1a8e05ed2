#include "sensor/applayer/http/multipart.h"

#include <gtest/gtest.h>

namespace vong::http {
namespace {

class Recorder : public MultipartSink {
 public:
  void file_begins(std::string_view name) override { text.append("[").append(name).append(":"); }
  void file_bytes(Bytes data) override { text.append(as_text(data)); }
  void file_ends(bool whole) override { text.append(whole ? "]" : "..."); }
  std::string text;
};

std::string files_in(std::string_view body, size_t piece = SIZE_MAX) {
  Multipart m("B");
  Recorder r;
  for (size_t at = 0; at < body.size(); at += std::min(piece, body.size()))
    m.feed(as_bytes(body.substr(at, piece)), r);
  m.finish(r);
  return r.text;
}

constexpr std::string_view kBody =
    "--B\r\nContent-Disposition: form-data; name=\"field\"\r\n\r\nvalue\r\n"
    "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\nContent-Type: "
    "x/y\r\n\r\none\r\n--Bad\r\n-two\r\n"
    "--B\r\ncontent-disposition: form-data; filename=b.bin\r\n\r\nthree\r\n--B--\r\nepilogue --B";

TEST(Multipart, FilesOnlyAndWhole) {
  // "--Bad" begins with the delimiter: that is where the part ends.
  EXPECT_EQ(
      files_in("--B\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\none\r\ntwo\n--B--"),
      "[a:one\r\ntwo]");
  EXPECT_EQ(files_in(kBody).substr(0, 11), "[a.bin:one]");
}

TEST(Multipart, CutsDoNotMatter) {
  const std::string whole = files_in(kBody);
  for (size_t piece = 1; piece < 40; ++piece) EXPECT_EQ(files_in(kBody, piece), whole) << piece;
}

TEST(Multipart, EndOfBodyEndsAFileAsCut) {
  EXPECT_EQ(files_in("--B\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\nhal"),
            "[a:hal...");
}

TEST(Multipart, BoundaryOfContentType) {
  EXPECT_EQ(*multipart_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(*multipart_boundary("Multipart/Form-Data; charset=x; boundary=\"a b\""), "a b");
  EXPECT_FALSE(multipart_boundary("multipart/mixed; boundary=abc"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data"));
  EXPECT_FALSE(multipart_boundary("multipart/form-data; boundary=" + std::string(300, 'x')));
}

}  // namespace
}  // namespace vong::http
