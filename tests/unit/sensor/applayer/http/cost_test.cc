// Work must grow with the input and state must stay bounded on the worst inputs of each known kind;
// counted, not timed.
#include <gtest/gtest.h>

#include "tests/unit/sensor/applayer/http/http_fixture.h"

namespace vong::http {
namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: h\r\n";

size_t state_bytes(const Outcome& o) {
  size_t n = 0;
  for (size_t i = 0; i < o.transactions().size(); ++i) {
    for (const Message* m : {&tx_of(o, i).request, &tx_of(o, i).response}) {
      n += m->raw.capacity() + m->cooked.capacity() + m->headers.capacity() * sizeof(Header) +
           m->body.window.capacity();
    }
  }
  return n;
}

Outcome feed(std::string_view text, Direction d = kClientSide, size_t piece = 1460) {
  Conversation c(&kHttp1Protocol);
  c.say(d, text);
  return run_in_pieces(c, piece);
}

std::string repeat(std::string_view s, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += s;
  return out;
}

TEST(HttpCost, HeadersAreCapped) {
  for (const size_t n : {2000u, 4000u, 8000u}) {
    std::string text(kRequest);
    for (size_t i = 0; i < n; ++i) text += "X" + std::to_string(i) + ": y\r\n";
    const Outcome o = feed(text);
    EXPECT_TRUE(o.failed);
    EXPECT_TRUE(raised(o, "request_too_many_headers"));
    EXPECT_LT(state_bytes(o), 256u << 10);
  }
}

TEST(HttpCost, RepetitionsJoinNoMoreThanTheirCap) {
  size_t last = 0;
  for (const size_t n : {1000u, 2000u, 4000u}) {
    const Outcome o =
        feed(std::string(kRequest) + repeat("A: " + std::string(500, 'x') + "\r\n", n));
    const size_t cooked = tx_of(o).request.cooked.size();
    if (last != 0) EXPECT_EQ(cooked, last);
    last = cooked;
    EXPECT_LT(cooked, 64u * 65 * 502);
  }
}

TEST(HttpCost, FoldingIsLinearAndCapped) {
  for (const size_t n : {1000u, 2000u, 4000u}) {
    const Outcome o =
        feed(std::string(kRequest) + "A: b\r\n" + repeat(" " + std::string(100, 'x') + "\r\n", n));
    EXPECT_LT(tx_of(o).request.cooked.size(), 110'000u);
  }
}

TEST(HttpCost, LineWithoutEndFailsAtItsLimit) {
  const Outcome o = feed(std::string(kRequest) + "A: " + std::string(1 << 20, 'x'));
  EXPECT_TRUE(o.failed);
  EXPECT_TRUE(raised(o, "request_field_too_long"));
  EXPECT_LT(o.bytes_presented, 20u * 20'000);
}

TEST(HttpCost, ByteByByteDoesNotScanAgain) {
  // A byte that is held back is presented again, but searched once: the line's limit bounds what is
  // held.
  const Outcome o =
      feed(std::string(kRequest) + "A: " + std::string(5000, 'x') + "\r\n\r\n", kClientSide, 1);
  EXPECT_FALSE(o.failed);
  EXPECT_EQ(buffer(o, "http.request_header", kClientSide, 0, 1).size(), 5003u);
}

TEST(HttpCost, BodiesKeepNoMoreThanTheirLimit) {
  for (const size_t n : {1u << 20, 2u << 20, 4u << 20}) {
    const Outcome o = feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(n) +
                           "\r\n\r\n" + std::string(n, 'x'));
    EXPECT_EQ(tx_of(o).request.body.total, 102'400u);
    EXPECT_LT(state_bytes(o), 512u << 10);
    EXPECT_LE(o.bytes_presented, n + 4096);
  }
}

TEST(HttpCost, TinyChunksAreLinear) {
  size_t last = 0;
  for (const size_t n : {10'000u, 20'000u, 40'000u}) {
    const Outcome o =
        feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + repeat("1\r\nx\r\n", n),
             kServerSide);
    EXPECT_EQ(tx_of(o).response.wire_bytes, n * 6);
    if (last != 0) EXPECT_LT(o.bytes_presented, last * 2 + 4096);
    last = o.bytes_presented;
  }
}

TEST(HttpCost, OpenTransactionsAreCapped) {
  const Outcome o = feed(repeat("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 5000));
  EXPECT_TRUE(o.failed);
  EXPECT_EQ(o.transactions().size(), 512u);
}

TEST(HttpCost, EmptyLinesEnd) {
  EXPECT_TRUE(feed(repeat("\r\n", 100'000)).failed);
  const Outcome o = feed(repeat("HTTP/1.1 100 Continue\r\n\r\n", 100'000), kServerSide);
  EXPECT_TRUE(o.failed);
}

TEST(HttpCost, FormPartsAreCapped) {
  const std::string part = "--B\r\nContent-Disposition: form-data; filename=\"a\"\r\n\r\nx\r\n";
  const std::string body = repeat(part, 5000);
  Settings s;
  s.set("app-layer.protocols.http.libhtp.default-config.request-body-limit", "0");
  Conversation c(&kHttp1Protocol, s);
  c.client(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; "
      "boundary=B\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
  const Outcome o = run_in_pieces(c, 1460);
  EXPECT_EQ(tx_of(o).request.files->files().size(), applayer::kMaxFilesPerTransaction);
}

TEST(HttpCost, WindowSlidesBehindInspection) {
  Settings s;
  s.set("app-layer.protocols.http.libhtp.default-config.response-body-limit", "0");
  const auto config = kHttp1Protocol.configure(s);
  const auto p = kHttp1Protocol.make(config.get());
  applayer::Input in;
  in.data = as_bytes(kGet);
  static_cast<void>(p->parse(kClientSide, in));
  std::string data = "HTTP/1.1 200 OK\r\n\r\n";
  auto& tx = static_cast<HttpTransaction&>(*p->transactions.front());
  for (int i = 0; i < 2000; ++i) {
    in.data = as_bytes(data);
    static_cast<void>(p->parse(kServerSide, in));
    EXPECT_LT(tx.response.body.window.size(), 128u << 10);
    tx.updated = {false, false};  // detection has looked
    data.assign(1460, 'x');
  }
  const Body& b = tx.response.body;
  EXPECT_EQ(b.total, 1999u * 1460);
  EXPECT_EQ(b.window_offset + b.window.size(), b.total);
}

}  // namespace
}  // namespace vong::http
