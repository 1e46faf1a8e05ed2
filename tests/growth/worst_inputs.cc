#include "tests/growth/worst_inputs.h"

#include <zlib.h>

#include <algorithm>

#include "tests/unit/sensor/app/traffic.h"

namespace vong::growth {
namespace {

using sensor::Traffic;

constexpr uint8_t kSyn = 2, kAck = 16, kPsh = 8, kUrg = 32, kFin = 1;
constexpr size_t kSegment = 1400;
constexpr uint16_t kClientPort = 40000;

// A TCP connection in which each side's bytes come in segments of `cut` bytes, acknowledged as they come.
class Connection {
 public:
  explicit Connection(uint16_t port, uint16_t client_port = kClientPort) : port_(port), sport_(client_port) {
    client(kSyn, "");
    ++c_;
    server(kSyn | kAck, "");
    ++s_;
    client(kAck, "");
  }
  Connection& says(std::string_view data, size_t cut = kSegment) {
    for (size_t at = 0; at < data.size(); at += cut) {
      const auto part = data.substr(at, cut);
      client(kAck | kPsh, part);
      c_ += static_cast<uint32_t>(part.size());
      server(kAck, "");
    }
    return *this;
  }
  Connection& answers(std::string_view data, size_t cut = kSegment) {
    for (size_t at = 0; at < data.size(); at += cut) {
      const auto part = data.substr(at, cut);
      server(kAck | kPsh, part);
      s_ += static_cast<uint32_t>(part.size());
      client(kAck, "");
    }
    return *this;
  }
  // Bytes at a place ahead of what was said, not acknowledged.
  Connection& puts(uint32_t ahead, std::string_view data, uint8_t more_flags = 0) {
    frames_.push_back(Traffic::tcp(Traffic::kClient, sport_, Traffic::kServer, port_, c_ + ahead, s_, kAck | kPsh | more_flags, data));
    return *this;
  }
  Connection& moves(uint32_t bytes) {
    c_ += bytes;
    server(kAck, "");
    return *this;
  }
  [[nodiscard]] Frames end() {
    client(kAck | kFin, "");
    ++c_;
    server(kAck | kFin, "");
    ++s_;
    client(kAck, "");
    return std::move(frames_);
  }

 private:
  void client(uint8_t flags, std::string_view data) {
    frames_.push_back(Traffic::tcp(Traffic::kClient, sport_, Traffic::kServer, port_, c_, (flags & kAck) != 0 ? s_ : 0, flags, data));
  }
  void server(uint8_t flags, std::string_view data) {
    frames_.push_back(Traffic::tcp(Traffic::kServer, port_, Traffic::kClient, sport_, s_, c_, flags, data));
  }
  uint16_t port_, sport_;
  uint32_t c_ = 1000, s_ = 5000;
  Frames frames_;
};

std::string repeat(std::string_view unit, size_t n) {
  std::string out;
  out.reserve(n + unit.size());
  while (out.size() < n) out += unit;
  return out;
}
// "%" in `unit` is a running number.
std::string numbered(std::string_view unit, size_t n) {
  std::string out;
  for (size_t i = 0; out.size() < n; ++i) {
    for (const char c : unit) {
      if (c == '%') out += std::to_string(i);
      else out += c;
    }
  }
  return out;
}
std::string be(uint64_t v, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(v >> 8 * i);
  return out;
}
std::string le(uint64_t v, int bytes) {
  std::string out = be(v, bytes);
  std::reverse(out.begin(), out.end());
  return out;
}
std::string raw(std::string_view text, size_t size) { return std::string(text.data(), size); }

std::string gzip(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string http(std::string_view head, std::string_view body) {
  return std::string(head) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
const std::string kPost = "POST /p HTTP/1.1\r\nHost: h\r\n", kOk = "HTTP/1.1 200 OK\r\n", kGet = "GET /g HTTP/1.1\r\nHost: h\r\n\r\n";

// RFC 9113: length(3) type flags stream(4).
std::string h2(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return be(payload.size(), 3) + be(type, 1) + be(flags, 1) + be(stream, 4) + std::string(payload);
}
const std::string kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2(4, 0, 0, "");

std::string tls_record(uint8_t type, std::string_view payload) { return be(type, 1) + be(0x0303, 2) + be(payload.size(), 2) + std::string(payload); }
std::string client_hello(std::string_view extensions) {
  const std::string body = be(0x0303, 2) + std::string(32, 'r') + be(0, 1) + be(2, 2) + be(0x1301, 2) + be(1, 1) + be(0, 1) +
                           be(extensions.size(), 2) + std::string(extensions);
  return be(1, 1) + be(body.size(), 3) + body;
}

std::string ber(uint8_t tag, std::string_view content) {
  std::string length = content.size() < 128 ? be(content.size(), 1) : content.size() < 65536 ? "\x82" + be(content.size(), 2) : "\x83" + be(content.size(), 3);
  return be(tag, 1) + length + std::string(content);
}

std::string smb2(uint16_t command, uint64_t message, std::string_view body, bool more = false) {
  const std::string h = "\xfeSMB" + le(64, 2) + le(0, 2) + le(0, 4) + le(command, 2) + le(1, 2) + le(0, 4) +
                        le(more ? 64 + body.size() : 0, 4) + le(message, 8) + le(0, 4) + le(0, 4) + le(1, 8) + std::string(16, '\0');
  return h + std::string(body);
}
std::string netbios(std::string_view message) { return be(message.size(), 4) + std::string(message); }

std::string dce(uint8_t type, uint8_t flags, uint32_t call, std::string_view body) {
  return raw("\x05\x00", 2) + be(type, 1) + be(flags, 1) + raw("\x10\x00\x00\x00", 4) + le(16 + body.size(), 2) + le(0, 2) + le(call, 4) +
         std::string(body);
}

std::string dns_query(uint16_t id, std::string_view name_labels) {
  return be(id, 2) + be(0x0100, 2) + be(1, 2) + be(0, 6) + std::string(name_labels) + be(0, 1) + be(1, 2) + be(1, 2);
}

Frames datagrams(uint16_t port, const std::vector<std::string>& payloads, bool one_flow = true, uint16_t sport = kClientPort) {
  Frames out;
  for (const auto& p : payloads) {
    out.push_back(Traffic::udp(Traffic::kClient, sport, Traffic::kServer, port, p));
    if (!one_flow) ++sport;
  }
  return out;
}
std::vector<std::string> times(size_t n, const std::function<std::string(size_t)>& make) {
  std::vector<std::string> out;
  size_t bytes = 0;
  for (size_t i = 0; bytes < n; ++i) {
    out.push_back(make(i));
    bytes += out.back().size() + 42;
  }
  return out;
}

Traffic::Frame fragment(uint16_t id, size_t offset, bool more, std::string_view data) {
  test::Ipv4Options o;
  o.id = id;
  o.fragment = static_cast<uint16_t>((more ? 0x2000 : 0) | offset / 8);
  const auto b = test::ethernet(test::kEtherIpv4, test::ipv4(test::kProtoUdp, test::text(data), o));
  return {b.begin(), b.end()};
}

void add_streams(std::vector<Case>& out) {
  // Segments: holes, overlaps, single bytes, urgent data.
  out.push_back({"tcp.one_byte_segments", "work", 512, [](size_t n) { return Connection(9999).says(repeat("abcdefg ", n), 1).end(); }});
  out.push_back({"tcp.every_second_byte", "memory", 1024, [](size_t n) {
    Connection c(9999);
    for (uint32_t at = 1; at < n; at += 2) c.puts(at, "x");
    return c.end();
  }});
  out.push_back({"tcp.backwards", "work", 1024, [](size_t n) {
    Connection c(9999);
    for (auto at = static_cast<uint32_t>(n); at > 0; --at) c.puts(at, "x");
    return c.puts(0, "x").moves(static_cast<uint32_t>(n) + 1).end();
  }});
  out.push_back({"tcp.same_bytes_again", "work", 1024, [](size_t n) {
    Connection c(9999);
    for (size_t i = 0; i < n / 16; ++i) c.puts(static_cast<uint32_t>(i), repeat("y", 64));
    return c.moves(static_cast<uint32_t>(n / 16)).end();
  }});
  out.push_back({"tcp.conflicts", "evasion", 16384, [](size_t n) {
    Connection c(9999);
    for (size_t i = 0; i < n / 200; ++i) c.puts(0, repeat("a", 100)).puts(0, repeat("b", 100)).moves(100);
    return c.end();
  }});
  out.push_back({"tcp.conflicts_unacknowledged", "evasion", 4096, [](size_t n) {
    Connection c(9999);
    for (uint32_t i = 0; i < n / 64; ++i) c.puts(i, repeat(i % 2 == 0 ? "a" : "b", 64));
    return c.end();
  }});
  out.push_back({"tcp.urgent_bytes", "evasion", 1024, [](size_t n) {
    Connection c(9999);
    for (size_t i = 0; i < n; ++i) c.puts(0, "u", kUrg).moves(1);
    return c.end();
  }});
  out.push_back({"tcp.syn_again", "evasion", 16384, [](size_t n) {
    Frames f;
    for (uint32_t i = 0; i < n / 54; ++i) f.push_back(Traffic::tcp(Traffic::kClient, kClientPort, Traffic::kServer, 80, 1000 + i * 7, 0, kSyn));
    return f;
  }});
  out.push_back({"flow.one_packet_each", "memory", 16384, [](size_t n) {
    Frames f;
    for (uint32_t i = 0; i < n / 54; ++i) f.push_back(Traffic::tcp(Traffic::kClient, static_cast<uint16_t>(1024 + i), Traffic::kServer, 80, 1, 0, kSyn));
    return f;
  }});
  out.push_back({"detect.almost_matches", "work", 8192, [](size_t n) { return Connection(9999).says(repeat("abcabd", n)).end(); }});
  // Fragments.
  out.push_back({"defrag.small_never_whole", "memory", 8192, [](size_t n) {
    Frames f;
    for (size_t i = 0; i < n / 42; ++i) f.push_back(fragment(7, 8 + 16 * (i % 4000), true, "12345678"));
    return f;
  }});
  out.push_back({"defrag.backwards", "work", 8192, [](size_t n) {
    Frames f;
    for (size_t i = n / 42; i > 0; --i) f.push_back(fragment(7, 8 * i, i < n / 42, "12345678"));
    f.push_back(fragment(7, 0, true, raw("\x9c\x40\x10\x00\x00\x00\x00\x00", 8)));
    return f;
  }});
  out.push_back({"defrag.ids", "memory", 8192, [](size_t n) {
    Frames f;
    for (size_t i = 0; i < n / 42; ++i) f.push_back(fragment(static_cast<uint16_t>(i), 8, true, "12345678"));
    return f;
  }});
  out.push_back({"defrag.conflicts", "evasion", 8192, [](size_t n) {
    Frames f;
    for (size_t i = 0; i < n / 200; ++i) {
      const auto id = static_cast<uint16_t>(i);
      f.push_back(fragment(id, 0, true, raw("\x9c\x40\x10\x00\x00\x18\x00\x00", 8)));
      f.push_back(fragment(id, 8, true, "12345678"));
      f.push_back(fragment(id, 8, true, "abcdefgh"));
      f.push_back(fragment(id, 16, false, "the end."));
    }
    return f;
  }});
  out.push_back({"decode.tunnels_in_tunnels", "depth", 4096, [](size_t n) {
    Frames f;
    for (size_t bytes = 0; bytes < n;) {
      test::Buffer b = test::ipv4(test::kProtoUdp, test::udp(1, 2, test::text("x")));
      for (int i = 0; i < 20; ++i) b = test::ipv4(4, b);
      b = test::ethernet(test::kEtherIpv4, b);
      f.emplace_back(b.begin(), b.end());
      bytes += b.size();
    }
    return f;
  }});
}

void add_http(std::vector<Case>& out) {
  const auto client = [&](std::string name, std::string_view kind, std::function<std::string(size_t)> text, size_t cut = kSegment, size_t n = 8192) {
    out.push_back({std::move(name), kind, n, [text = std::move(text), cut](size_t m) { return Connection(80).says(text(m), cut).end(); }});
  };
  client("http.pipelined_without_answer", "memory", [](size_t n) { return repeat(kGet, n); });
  client("http.many_headers", "work", [](size_t n) { return "GET / HTTP/1.1\r\n" + numbered("X-%: v\r\n", n) + "\r\n"; });
  client("http.same_header", "work", [](size_t n) { return "GET / HTTP/1.1\r\n" + repeat("Cookie: a=b\r\n", n) + "\r\n"; });
  client("http.folded_header", "work", [](size_t n) { return "GET / HTTP/1.1\r\nA: b\r\n" + repeat(" c\r\n", n) + "\r\n"; });
  client("http.header_without_end", "work", [](size_t n) { return "GET / HTTP/1.1\r\nA: " + repeat("b", n); });
  client("http.header_without_end_by_byte", "work", [](size_t n) { return "GET / HTTP/1.1\r\nA: " + repeat("b", n); }, 1, 512);
  client("http.long_uri", "work", [](size_t n) { return "GET /" + repeat("%2e%2e/a/./", n) + " HTTP/1.1\r\nHost: h\r\n\r\n"; });
  client("http.chunks_of_one_byte", "work", [](size_t n) { return kPost + "Transfer-Encoding: chunked\r\n\r\n" + repeat("1\r\nx\r\n", n) + "0\r\n\r\n"; });
  client("http.multipart", "work", [](size_t n) {
    return http(kPost + "Content-Type: multipart/form-data; boundary=b\r\n", numbered("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"%\"\r\n\r\nx\r\n", n) + "--b--\r\n");
  });
  client("http.multipart_no_boundary", "work", [](size_t n) {
    return http(kPost + "Content-Type: multipart/form-data; boundary=bbbbbbbbbbbb\r\n", repeat("\r\n--bbbbbbbbbbb", n));
  });
  client("http.body_by_byte", "work", [](size_t n) { return http(kPost, repeat("abcabd", n)); }, 1, 512);
  client("http.bad_lines", "log", [](size_t n) { return repeat("\x01 \x02\r\n", n); });
  out.push_back({"http.answers_without_request", "memory", 8192, [](size_t n) { return Connection(80).says(kGet).answers(repeat(http(kOk, "x"), n)).end(); }});
  out.push_back({"http.compression_bomb", "memory", 512, [](size_t n) {
    return Connection(80).says(kGet).answers(http(kOk + "Content-Encoding: gzip\r\n", gzip(std::string(n * 900, '\0')))).end();
  }});
  out.push_back({"http.long_content_type_logged", "log", 8192, [](size_t n) {
    return Connection(80).says(kGet).answers(http(kOk + "Content-Type: " + repeat("\x01", n) + "\r\n", "x")).end();
  }});
  const auto two = [&](std::string name, std::string_view kind, std::function<std::string(size_t)> text, size_t cut = kSegment, size_t n = 8192) {
    out.push_back({std::move(name), kind, n, [text = std::move(text), cut](size_t m) { return Connection(80).says(kH2Preface + text(m), cut).end(); }});
  };
  two("http2.settings", "memory", [](size_t n) { return repeat(h2(4, 0, 0, raw("\0\1\0\0\x10\0", 6)), n); });
  two("http2.streams", "memory", [](size_t n) {
    std::string s;
    for (uint32_t i = 1; s.size() < n; i += 2) s += h2(1, 4, i, "\x82\x84\x86");
    return s;
  });
  two("http2.continuations", "memory", [](size_t n) { return h2(1, 0, 1, "\x82") + repeat(h2(9, 0, 1, "\x84"), n); });
  two("http2.table_churn", "work", [](size_t n) {
    std::string s, block;
    for (uint32_t i = 0; s.size() < n; ++i) {
      block = raw("\x40\x02", 2) + "k" + std::string(1, static_cast<char>('a' + i % 26)) + "\x02" + "v" + std::string(1, static_cast<char>('a' + i % 25));
      s += h2(1, 4, 1 + 2 * i, block);
    }
    return s;
  });
  two("http2.indexed_large", "memory", [](size_t n) {   // a long value once, then its index again and again
    std::string block = raw("\x40\x01k\x7f\x81\x1e", 6) + repeat("v", 4000) + repeat("\xbe", n);
    std::string s = h2(1, 0, 1, block.substr(0, 8000));
    for (size_t at = 8000; at < block.size(); at += 8000) s += h2(9, 0, 1, block.substr(at, 8000));
    return s + h2(9, 4, 1, "");
  });
  two("http2.indexed_streams", "memory", [](size_t n) {   // the same over many streams
    std::string s = h2(1, 4, 1, raw("\x40\x01k\x7f\x81\x1e", 6) + repeat("v", 4000));
    for (uint32_t i = 3; s.size() < 4000 + n; i += 2) s += h2(1, 4, i, repeat("\xbe", 100));
    return s;
  });
  two("http2.data_frames_empty", "memory", [](size_t n) { return h2(1, 4, 1, "\x83\x84\x86") + repeat(h2(0, 0, 1, ""), n); });
}

void add_mail(std::vector<Case>& out) {
  const std::string start = "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";
  const auto mail = [&](std::string name, std::string_view kind, std::function<std::string(size_t)> text, size_t cut = kSegment, size_t n = 8192) {
    out.push_back({std::move(name), kind, n, [text = std::move(text), cut, start](size_t m) {
      Connection c(25);
      c.answers("220 x ESMTP\r\n").says("EHLO a\r\n").answers("250 x\r\n").says("MAIL FROM:<a@b>\r\n").answers("250 ok\r\n");
      c.says("RCPT TO:<c@d>\r\n").answers("250 ok\r\n").says("DATA\r\n").answers("354 go\r\n");
      return c.says(text(m), cut).says("\r\n.\r\n").answers("250 ok\r\n").end();
    }});
  };
  mail("mime.urls", "work", [](size_t n) { return "Subject: x\r\n\r\n" + repeat("http://a http:/ www. hxxp", n); });
  mail("mime.urls_by_byte", "work", [](size_t n) { return "Subject: x\r\n\r\n" + repeat("http://a http:/ ", n); }, 1, 512);
  mail("mime.nested", "depth", [](size_t n) {
    std::string s = "Content-Type: multipart/mixed; boundary=b0\r\n\r\n";
    for (int i = 0; s.size() < n; ++i)
      s += "--b" + std::to_string(i) + "\r\nContent-Type: multipart/mixed; boundary=b" + std::to_string(i + 1) + "\r\n\r\n";
    return s;
  });
  mail("mime.many_parts", "work", [](size_t n) { return "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + repeat("--b\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n", n); });
  mail("mime.header_without_end", "work", [](size_t n) { return "Subject: " + repeat("x\r\n ", n); });
  mail("mime.base64_dirt", "work", [](size_t n) {
    return "Content-Type: a/b; name=f\r\nContent-Transfer-Encoding: base64\r\n\r\n" + repeat("Q!=*\r\n", n);
  });
  mail("mime.one_line", "log", [](size_t n) { return "Subject: x\r\n\r\n" + repeat("y", n); });
  out.push_back({"smtp.commands", "memory", 8192, [](size_t n) {
    return Connection(25).answers("220 x ESMTP\r\n").says("EHLO a\r\n" + repeat("NOOP\r\n", n)).answers(repeat("250 ok\r\n", n)).end();
  }});
  out.push_back({"smtp.recipients", "memory", 8192, [](size_t n) {
    return Connection(25).answers("220 x ESMTP\r\n").says("EHLO a\r\nMAIL FROM:<a@b>\r\n" + numbered("RCPT TO:<c%@d>\r\n", n)).end();
  }});
  out.push_back({"ftp.commands", "memory", 8192, [](size_t n) {
    return Connection(21).answers("220 x FTP\r\n").says("USER a\r\n").answers("331 x\r\n").says(repeat("PASV\r\n", n)).answers(numbered("227 (10,0,0,2,9,%)\r\n", n)).end();
  }});
  out.push_back({"ftp.answer_without_end", "memory", 8192, [](size_t n) { return Connection(21).answers("220-x FTP\r\n").says("USER a\r\n").answers(repeat("220-x\r\n", n)).end(); }});
  out.push_back({"pop3.commands", "memory", 8192, [](size_t n) { return Connection(110).answers("+OK POP3\r\n").says(repeat("NOOP\r\n", n)).end(); }});
  out.push_back({"ssh.banner", "log", 8192, [](size_t n) { return Connection(22).says("SSH-2.0-" + repeat("x", n) + "\r\n").answers("SSH-2.0-y\r\n").end(); }});
  out.push_back({"ssh.banner_by_byte", "work", 512, [](size_t n) { return Connection(22).says("SSH-2.0-" + repeat("x", n) + "\r\n", 1).end(); }});
  out.push_back({"telnet.options", "memory", 8192, [](size_t n) { return Connection(23).says(repeat("\xff\xfd\x01", n)).end(); }});
  out.push_back({"sip.requests", "memory", 8192, [](size_t n) {
    return datagrams(5060, times(n, [](size_t i) { return "REGISTER sip:h SIP/2.0\r\nVia: " + std::to_string(i) + "\r\nFrom: a\r\nTo: b\r\n\r\n"; }));
  }});
  out.push_back({"irc_mqtt.publishes", "memory", 8192, [](size_t n) {
    return Connection(1883).says(raw("\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x00", 15) + repeat(raw("\x34\x06\x00\x01t\x00\x01x", 8), n)).end();
  }});
}

void add_binary(std::vector<Case>& out) {
  out.push_back({"tls.extensions", "work", 4096, [](size_t n) {
    const std::string hello = client_hello(repeat(raw("\x7f\x01\x00\x00", 4), std::min<size_t>(n, 60000)));
    std::string s;
    for (size_t at = 0; at < hello.size(); at += 10000) s += tls_record(22, std::string_view(hello).substr(at, 10000));
    return Connection(443).says(s).end();
  }});
  out.push_back({"tls.alpn_names", "log", 4096, [](size_t n) {
    const std::string names = repeat(raw("\x02\x01\xff", 3), n);
    const std::string hello = client_hello(be(16, 2) + be(names.size() + 2, 2) + be(names.size(), 2) + names);
    std::string s;
    for (size_t at = 0; at < hello.size(); at += 10000) s += tls_record(22, std::string_view(hello).substr(at, 10000));
    return Connection(443).says(s).end();
  }});
  out.push_back({"tls.records_of_one_byte", "work", 4096, [](size_t n) {
    const std::string hello = client_hello(repeat(raw("\x7f\x01\x00\x00", 4), n / 6));
    std::string s;
    for (const char c : hello) s += tls_record(22, std::string_view(&c, 1));
    return Connection(443).says(s).end();
  }});
  out.push_back({"tls.handshake_by_byte", "work", 512, [](size_t n) { return Connection(443).says(tls_record(22, client_hello(repeat(raw("\x7f\x01\x00\x00", 4), n))), 1).end(); }});
  out.push_back({"tls.certificates", "memory", 8192, [](size_t n) {
    const std::string list = repeat(be(5, 3) + raw("\x30\x03\x02\x01\x01", 5), n);
    const std::string body = be(list.size(), 3) + list;
    const std::string message = be(11, 1) + be(body.size(), 3) + body;
    const std::string hello = be(2, 1) + be(38, 3) + be(0x0303, 2) + std::string(32, 's') + be(0, 1) + be(0x002f, 2) + be(0, 1);
    std::string s = tls_record(22, hello);
    for (size_t at = 0; at < message.size(); at += 10000) s += tls_record(22, std::string_view(message).substr(at, 10000));
    return Connection(443).says(tls_record(22, client_hello(""))).answers(s).end();
  }});
  out.push_back({"dns.tcp_queries", "memory", 8192, [](size_t n) {
    std::string s;
    for (uint16_t i = 0; s.size() < n; ++i) {
      const std::string q = dns_query(i, raw("\x01" "a\x02vn", 5));
      s += be(q.size(), 2) + q;
    }
    return Connection(53).says(s).end();
  }});
  out.push_back({"dns.udp_queries", "memory", 8192, [](size_t n) {
    return datagrams(53, times(n, [](size_t i) { return dns_query(static_cast<uint16_t>(i), raw("\x01" "a\x02vn", 5)); }));
  }});
  out.push_back({"dns.tcp_by_byte", "work", 512, [](size_t n) {
    std::string s;
    for (uint16_t i = 0; s.size() < n; ++i) {
      const std::string q = dns_query(i, raw("\x01" "a\x02vn", 5));
      s += be(q.size(), 2) + q;
    }
    return Connection(53).says(s, 1).end();
  }});
  out.push_back({"dns.pointer_chains", "work", 2048, [](size_t n) {   // names that point to names that point ...
    std::string answer = be(1, 2) + be(0x8180, 2) + be(1, 2);
    std::string records;
    const std::string question = raw("\x01" "a\x00\x00\x01\x00\x01", 7);
    size_t count = 0, last = 12;
    while (records.size() < n) {
      const size_t at = 12 + question.size() + records.size();
      records += raw("\x01" "b", 2) + be(0xc000 | last, 2) + be(1, 2) + be(1, 2) + be(60, 4) + be(4, 2) + "1234";
      if (at < 0x3fff) last = at;
      ++count;
    }
    answer += be(count, 2) + be(0, 4) + question + records;
    Connection c(53);
    const std::string q = dns_query(1, raw("\x01" "a", 2));
    return c.says(be(q.size(), 2) + q).answers(be(answer.size(), 2) + answer).end();
  }});
  out.push_back({"smb2.requests", "memory", 8192, [](size_t n) {
    std::string s = netbios(smb2(0, 0, le(36, 2) + le(1, 2) + std::string(32, '\0') + le(0x0210, 2)));
    for (uint64_t i = 1; s.size() < n; ++i) s += netbios(smb2(8, i, le(49, 2) + std::string(46, '\1')));
    return Connection(445).says(s).end();
  }});
  out.push_back({"smb2.compounds", "depth", 8192, [](size_t n) {
    std::string all;
    for (uint64_t i = 1; all.size() < n; ++i) all += smb2(8, i, le(49, 2) + std::string(46, '\1'), true);
    return Connection(445).says(netbios(smb2(0, 0, le(36, 2) + le(1, 2) + std::string(32, '\0') + le(0x0210, 2))) + netbios(all)).end();
  }});
  out.push_back({"smb2.record_by_byte", "work", 512, [](size_t n) {
    return Connection(445).says(netbios(smb2(0, 0, le(36, 2) + le(1, 2) + std::string(32, '\0') + le(0x0210, 2)))).says(netbios(smb2(9, 1, le(49, 2) + std::string(n, 'w'))), 1).end();
  }});
  const std::string bind = dce(11, 3, 1, le(4280, 2) + le(4280, 2) + le(0, 4) + le(1, 4) + le(0, 2) + le(1, 2) + std::string(40, '\2'));
  out.push_back({"dcerpc.fragments_without_end", "memory", 8192, [bind](size_t n) {
    return Connection(135).says(bind + repeat(dce(0, 0, 2, le(0, 8) + "data"), n)).end();
  }});
  out.push_back({"dcerpc.calls", "memory", 8192, [bind](size_t n) {
    std::string s = bind;
    for (uint32_t i = 2; s.size() < n; ++i) s += dce(0, 3, i, le(0, 8));
    return Connection(135).says(s).end();
  }});
  out.push_back({"dcerpc.fragment_by_byte", "work", 512, [bind](size_t n) { return Connection(135).says(bind).says(dce(0, 3, 2, std::string(n, 'd')), 1).end(); }});
  out.push_back({"nfs.calls", "memory", 8192, [](size_t n) {
    std::string s;
    for (uint32_t i = 1; s.size() < n; ++i) {
      const std::string call = be(i, 4) + be(0, 4) + be(2, 4) + be(100003, 4) + be(3, 4) + be(1, 4) + be(0, 16) + be(8, 4) + "handle00";
      s += be(0x80000000u | call.size(), 4) + call;
    }
    return Connection(2049).says(s).end();
  }});
  out.push_back({"nfs.record_by_byte", "work", 512, [](size_t n) {
    const std::string call = be(1, 4) + be(0, 4) + be(2, 4) + be(100003, 4) + be(3, 4) + be(7, 4) + be(0, 16) + be(8, 4) + "handle00" + be(0, 8) + be(n, 4) + be(0, 4) + be(n, 4) + std::string(n, 'w');
    return Connection(2049).says(be(0x80000000u | call.size(), 4) + call, 1).end();
  }});
  out.push_back({"ldap.requests", "memory", 8192, [](size_t n) {
    std::string s;
    for (uint32_t i = 1; s.size() < n; ++i) s += ber(0x30, ber(2, be(i, 4)) + ber(0x4a, "cn=x"));
    return Connection(389).says(s).end();
  }});
  out.push_back({"ldap.nested_filter", "depth", 4096, [](size_t n) {
    std::string filter = ber(0x87, "cn");
    while (filter.size() < n) filter = ber(0xa0, filter);
    return Connection(389).says(ber(0x30, ber(2, "\1") + ber(0x63, ber(4, "") + ber(10, raw("\2", 1)) + ber(10, raw("\0", 1)) + ber(2, raw("\0", 1)) + ber(2, raw("\0", 1)) + ber(1, raw("\0", 1)) + filter + ber(0x30, "")))).end();
  }});
  out.push_back({"krb5.record_by_byte", "work", 512, [](size_t n) {
    const std::string req = ber(0x6a, ber(0x30, ber(0xa1, ber(2, "\5")) + ber(0xa2, ber(2, "\12")) + ber(0xa3, ber(4, std::string(n, 'k')))));
    return Connection(88).says(be(req.size(), 4) + req, 1).end();
  }});
  out.push_back({"krb5.records", "memory", 8192, [](size_t n) {
    const std::string req = ber(0x6a, ber(0x30, ber(0xa1, ber(2, "\5")) + ber(0xa2, ber(2, "\12"))));
    return Connection(88).says(repeat(be(req.size(), 4) + req, n)).end();
  }});
  out.push_back({"ike.transforms", "memory", 4096, [](size_t n) {
    return datagrams(500, times(n, [](size_t i) {
      const std::string proposals = repeat(raw("\x03\x00\x00\x08\x01\x01\x00\x00", 8), 800);
      const std::string sa = raw("\x00\x00", 2) + be(8 + proposals.size() + 4, 2) + proposals;
      return be(i + 1, 8) + be(0, 8) + raw("\x21\x20\x22\x08", 4) + be(0, 4) + be(28 + sa.size(), 4) + sa;
    }));
  }});
  out.push_back({"snmp.messages", "memory", 8192, [](size_t n) {
    return datagrams(161, times(n, [](size_t i) { return ber(0x30, ber(2, "\1") + ber(4, "public") + ber(0xa0, ber(2, be(i, 4)) + ber(2, raw("\0", 1)) + ber(2, raw("\0", 1)) + ber(0x30, repeat(ber(0x30, ber(6, "\x2b\6") + raw("\5\0", 2)), 100)))); }));
  }});
  out.push_back({"modbus.requests", "memory", 8192, [](size_t n) {
    std::string s;
    for (uint32_t i = 1; s.size() < n; ++i) s += be(i, 2) + be(0, 2) + be(6, 2) + raw("\1\3\0\0\0\1", 6);
    return Connection(502).says(s).end();
  }});
  out.push_back({"pgsql.messages", "memory", 8192, [](size_t n) {
    return Connection(5432).says(be(19, 4) + be(196608, 4) + raw("user\0a\0\0\0\0\0", 11) + repeat("Q" + be(9, 4) + raw("SEL;\0", 5), n)).end();
  }});
  out.push_back({"quic.initials", "memory", 8192, [](size_t n) {
    return datagrams(443, times(n, [](size_t i) { return raw("\xc0\x00\x00\x00\x01\x08", 6) + be(i, 8) + raw("\x00\x00\x44\x00", 4) + std::string(1150, 'q'); }));
  }});
  out.push_back({"websocket.frames", "memory", 8192, [](size_t n) {
    return Connection(80).says("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: aaaa\r\n\r\n")
        .answers("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").says(repeat(raw("\x01\x82mmmmab", 8), n)).end();
  }});
  out.push_back({"tftp.requests", "memory", 8192, [](size_t n) {
    return datagrams(69, times(n, [](size_t i) { return raw("\0\1", 2) + std::to_string(i) + raw("\0octet\0", 7); }));
  }});
  out.push_back({"detect.unknown_by_byte", "work", 4096, [](size_t n) { return Connection(31337).says(repeat("\x80\x80", n), 1).end(); }});
}

}  // namespace

std::vector<Case> worst_inputs() {
  std::vector<Case> out;
  add_streams(out);
  add_http(out);
  add_mail(out);
  add_binary(out);
  return out;
}

std::string_view rules() {
  return "alert tcp any any -> any any (msg:\"chain\"; content:\"abc\"; content:\"abd\"; distance:0; content:\"never\"; distance:0; sid:1;)\n"
         "alert tcp any any -> any any (msg:\"pcre\"; content:\"abc\"; pcre:\"/(a|b|ab)*c{3}/\"; sid:2;)\n"
         "alert http any any -> any any (msg:\"uri\"; http.uri; content:\"/evil\"; sid:3;)\n"
         "alert http any any -> any any (msg:\"header\"; http.header; content:\"never: there\"; sid:4;)\n"
         "alert http any any -> any any (msg:\"request header\"; http.request_header; content:\"never: there\"; sid:5;)\n"
         "alert http any any -> any any (msg:\"body\"; http.request_body; content:\"neverabc\"; sid:6;)\n"
         "alert http any any -> any any (msg:\"body\"; http.response_body; content:\"neverabc\"; sid:7;)\n"
         "alert smtp any any -> any any (msg:\"file\"; file.data; content:\"neverabc\"; sid:8;)\n"
         "alert dns any any -> any any (msg:\"dns\"; dns.query; content:\"never\"; sid:9;)\n"
         "alert tls any any -> any any (msg:\"tls\"; tls.sni; content:\"never\"; sid:10;)\n"
         "alert smb any any -> any any (msg:\"smb\"; smb.share; content:\"never\"; sid:11;)\n"
         "alert udp any any -> any any (msg:\"udp\"; content:\"never\"; sid:12;)\n"
         "alert http2 any any -> any any (msg:\"h2\"; http2.header_name; content:\"never\"; sid:13;)\n";
}

}  // namespace vong::growth
