// Each keyword: one match, one that does not, one option that is refused.
#include <fmt/format.h>

#include "sensor/detect/content_rules.h"
#include "tests/unit/sensor/detect/fixture.h"

namespace vong::detect {
namespace {

using Keywords = DetectTest;

constexpr std::string_view kPayload = "GET /index.html 0042 \x01\x02\x03\x04 end";

struct Case {
  std::string_view match, no_match, refused;
};

TEST_F(Keywords, OnPayloads) {
  const Case cases[] = {
      {"content:\"index\"; nocase", "content:\"INDEX\"", "content:\"\""},
      {"content:\"INDEX\"; nocase", "content:\"indexx\"; nocase", "nocase"},
      {"content:\"GET\"; depth:3", "content:\"index\"; depth:6", "content:\"index\"; depth:2"},
      {"content:\"index\"; offset:5", "content:\"index\"; offset:6", "content:\"a\"; offset:x"},
      {"content:\"GET\"; content:\"index\"; distance:2", "content:\"GET\"; content:\"index\"; distance:3", "content:\"a\"; depth:1; distance:1"},
      {"content:\"GET\"; content:\"index\"; within:7", "content:\"GET\"; content:\"index\"; within:6", "content:\"index\"; within:4"},
      {"content:\"GET\"; startswith", "content:\"index\"; startswith", "startswith"},
      {"content:\"end\"; endswith", "content:\"GET\"; endswith", "endswith"},
      {"content:\"GET\"; fast_pattern:only", "content:\"PUT\"; fast_pattern", "content:\"GET\"; fast_pattern:2,2"},
      {"content:!\"PUT\"", "content:!\"GET\"", "content:!GET"},
      {"pcre:\"/ind[e]x/\"", "pcre:\"/^index/\"", "pcre:\"/(/\""},
      {"pcre:\"/INDEX/i\"", "pcre:\"/INDEX/\"", "pcre:\"/x/?\""},
      {"content:\"GET\"; pcre:\"/^\\s\\/index/R\"", "content:\"index\"; pcre:\"/^index/R\"", "pcre:\"x\""},
      {"pcre:!\"/PUT/\"", "pcre:!\"/GET/\"", "pcre:\"GET\""},
      {"isdataat:28", "isdataat:100", "isdataat:x"},
      {"content:\"end\"; isdataat:!1,relative", "content:\"GET\"; isdataat:!1,relative", "isdataat:1,sideways"},
      {"byte_test:4,=,42,16,string,dec", "byte_test:4,=,43,16,string,dec", "byte_test:4,~,42,16"},
      {"content:\"0042 \"; byte_test:2,=,258,0,relative", "content:\"0042 \"; byte_test:2,=,258,0,relative,little", "byte_test:9,=,1,0"},
      {"content:\"0042 \"; byte_test:1,&,1,0,relative", "content:\"0042 \"; byte_test:1,&,2,0,relative", "byte_test:1,&,1"},
      {"content:\"0042 \"; byte_jump:1,0,relative; content:\"|03|\"; distance:0", "content:\"0042 \"; byte_jump:1,3,relative; content:\"|03|\"; distance:0",
       "byte_jump:1,0,from_beginning,from_end"},
      {"content:\"0042 \"; byte_extract:1,1,n,relative; byte_test:1,=,n,22", "content:\"0042 \"; byte_extract:1,1,n,relative; byte_test:1,=,n,23; content:\"x\"",
       "byte_test:1,=,nobody,0"},
      {"byte_math:bytes 1,offset 21,oper +,rvalue 1,result r; byte_test:1,=,r,22", "byte_math:bytes 1,offset 21,oper *,rvalue 9,result r; byte_test:1,=,r,22",
       "byte_math:bytes 1,offset 0,oper +,rvalue 1"},
      {"dsize:>10", "dsize:<10", "dsize:ten"},
      {"ttl:64", "ttl:>64", "ttl:300"},
      {"tos:0", "tos:!0", "tos:x100"},
      {"id:7", "id:8", "id:70000"},
      {"ip_proto:udp", "ip_proto:!17", "ip_proto:nothing"},
      {"fragbits:D", "fragbits:M", "fragbits:Q"},
      {"fragoffset:0", "fragoffset:>0", "fragoffset:-1"},
      {"l3_proto:ipv4", "l3_proto:ipv6", "l3_proto:ipx"},
      {"vlan.id:5", "vlan.id:6", "vlan.id:5000"},
      {"vlan.layers:1", "vlan.layers:0", "vlan.layers:9"},
      {"ipv4-csum:valid", "ipv4-csum:invalid", "ipv4-csum:maybe"},
      {"sameip; content:!\"PUT\"", "", "sameip:yes"},
  };
  for (const Case& c : cases) {
    const auto run = [&](std::string_view options) {
      load(fmt::format("alert udp any any -> any any ({}; sid:1;)", options));
      Packet p = packet(kPayload);
      p.ip.ttl = 64;
      p.ip.id = 7;
      p.ip.dont_fragment = true;
      p.vlan_count = 1;
      p.vlan_tci[0] = 5;
      if (options.starts_with("sameip")) p.dst = p.src;
      return !sids(p).empty();
    };
    EXPECT_TRUE(run(c.match)) << c.match;
    if (!c.no_match.empty()) {
      EXPECT_FALSE(run(c.no_match)) << c.no_match;
    }
    EXPECT_NE(error_of(fmt::format("alert udp any any -> any any ({}; sid:1;)", c.refused)), "") << c.refused;
  }
}

TEST_F(Keywords, OnTcpHeaders) {
  const Case cases[] = {
      {"flags:S", "flags:A", "flags:X"},
      {"flags:+S", "flags:!S", "flags:"},
      {"flags:SE,E; content:!\"x\"", "", "flags:S,Z"},
      {"seq:100", "seq:101", "seq:x"},
      {"ack:0", "ack:1", "ack:"},
      {"window:512", "window:!512", "window:70000"},
      {"tcp.mss:1460", "tcp.mss:<1000", "tcp.mss:x"},
      {"tcp.wscale:7", "tcp.wscale:8", "tcp.wscale:300"},
      {"stream_size:client,>,2", "stream_size:client,>,200", "stream_size:nobody,>,2"},
      {"flow.pkts_toserver:1", "flow.pkts_toclient:>0", "flow.pkts_toserver:x"},
      {"flow.bytes:either,<10", "flow.bytes:toserver,>10", "flow.bytes:>10"},
      {"flow.age:<5", "flow.age:>5", "flow.age:old"},
  };
  for (const Case& c : cases) {
    const auto run = [&](std::string_view options) {
      load(fmt::format("alert tcp any any -> any any ({}; sid:1;)", options));
      stream_->data[0].clear();
      flow_.counters[0] = {};
      flow_.start = now_;
      Packet p = tcp("data");
      p.tcp.flags = TcpFlags::kSyn;
      if (options.find("SE") != std::string_view::npos) p.tcp.flags = TcpFlags::kSyn;
      p.tcp.seq = 100;
      p.tcp.window = 512;
      p.tcp.has_mss = p.tcp.has_wscale = true;
      p.tcp.mss = 1460;
      p.tcp.wscale = 7;
      return !sids(p).empty();
    };
    if (c.match.find("SE") == std::string_view::npos) {
      EXPECT_TRUE(run(c.match)) << c.match;
    }
    if (!c.no_match.empty()) {
      EXPECT_FALSE(run(c.no_match)) << c.no_match;
    }
    EXPECT_NE(error_of(fmt::format("alert tcp any any -> any any ({}; sid:1;)", c.refused)), "") << c.refused;
  }
}

TEST_F(Keywords, OnBuffersAndTransforms) {
  const Case cases[] = {
      {"content:\"Host\"", "content:\"nobody\"", "no_such_buffer; content:\"x\""},
      {"bsize:15", "bsize:>15", "bsize:2; content:\"abc\""},
      {"dotprefix; content:\".Host\"; startswith", "dotprefix; content:\"Host\"; startswith", "dotprefix:1; content:\"a\""},
      {"to_lowercase; content:\"host\"", "to_lowercase; content:\"Host\"", "to_lowercase"},
      {"to_uppercase; content:\"HOST\"", "to_uppercase; content:\"Host\"", "to_uppercase:x; content:\"a\""},
      {"strip_whitespace; content:\"Hostexample\"", "strip_whitespace; content:\" \"", "strip_whitespace:1; content:\"a\""},
      {"compress_whitespace; content:\"Host example\"", "compress_whitespace; content:\"  \"", "compress_whitespace:1; content:\"a\""},
      {"xor:01; content:\"Inru\"", "xor:01; content:\"Host\"", "xor:0; content:\"a\""},
      {"pcrexform:\"Host\\s+(\\w+)\"; content:\"example\"; startswith; endswith", "pcrexform:\"Host\\s+(\\w+)\"; content:\"Host\"",
       "pcrexform:\"no group\"; content:\"a\""},
      {"subslice:0,4; content:\"Host\"; endswith", "subslice:1,4; content:\"Host\"", "subslice:x; content:\"a\""},
      {"to_md5; bsize:16", "to_md5; bsize:15", "to_md5:1; bsize:16"},
      {"to_sha1; bsize:20", "to_sha1; bsize:16", "to_sha1:1; bsize:20"},
      {"to_sha256; bsize:32", "to_sha256; bsize:20", "to_sha256:1; bsize:32"},
      {"tld; content:\"org\"; startswith", "tld; content:\"example\"", "tld:1; content:\"a\""},
      {"url_decode; content:\"Host\"", "url_decode; content:\"%\"", "url_decode:1; content:\"a\""},
      {"entropy: value >1.0", "entropy: value <1.0", "entropy: value 9"},
      {"content:\"Host\"; dataset:isnotset,empty,type string", "dataset:isset,empty,type string", "dataset:isset,new"},
      {"absent:or_else; content:\"Host\"", "absent", "absent:maybe"},
  };
  for (const Case& c : cases) {
    const auto run = [&](std::string_view options) {
      load(fmt::format("alert telnet any any -> any any (test.request; {}; sid:1;)", options));
      TestTx& tx = use_test_protocol().tx();
      tx.request = "Host  example.org";
      if (options.starts_with("bsize:15") || options.starts_with("bsize:>15")) tx.request = "123456789012345";
      tx.progress[0] = 2;
      return !sids(tcp("x")).empty();
    };
    EXPECT_TRUE(run(c.match)) << c.match;
    EXPECT_FALSE(run(c.no_match)) << c.no_match;
    EXPECT_NE(error_of(fmt::format("alert telnet any any -> any any (test.request; {}; sid:1;)", c.refused)), "") << c.refused;
  }
}

TEST_F(Keywords, Base64IsDecodedForItsOwnBuffer) {
  EXPECT_TRUE(matches("content:\"x=\"; base64_decode:bytes 8,offset 0,relative; base64_data; content:\"hello\"; startswith", "x=aGVsbG8="));
  EXPECT_FALSE(matches("content:\"x=\"; base64_decode:relative; base64_data; content:\"world\"", "x=aGVsbG8="));
  EXPECT_NE(error_of("alert udp any any -> any any (base64_data; content:\"a\"; sid:1;)"), "");
  EXPECT_NE(error_of("alert udp any any -> any any (base64_decode; base64_data; content:\"a\"; fast_pattern; sid:1;)"), "");
}

TEST_F(Keywords, LegacyModifiersMoveTheContent) {
  load("alert telnet any any -> any any (content:\"evil\"; test_request_old; nocase; sid:1;)\nalert telnet any any -> any any (pcre:\"/ev.l/U\"; sid:2;)");
  TestTx& tx = use_test_protocol().tx();
  tx.request = "EVIL evil";
  tx.progress[0] = 2;
  EXPECT_EQ(sids(tcp("x")), (std::vector<uint32_t>{1, 2}));
}

TEST_F(Keywords, ARelativeTestFollowsTheContentThatAModifierMoved) {
  load("alert telnet any any -> any any (content:\"evil\"; test_request_old; isdataat:!1,relative; sid:1;)\n"
       "alert telnet any any -> any any (content:\"evil\"; test_request_old; isdataat:1,relative; sid:2;)");
  TestTx& tx = use_test_protocol().tx();
  tx.request = "is evil";
  tx.progress[0] = 2;
  EXPECT_EQ(sids(tcp("x")), std::vector<uint32_t>{1});
}

TEST_F(Keywords, AnExpressionMayStandWithoutQuotes) {
  EXPECT_TRUE(matches("pcre:/h.llo/i", "say HELLO"));
  EXPECT_FALSE(matches("pcre:!/h.llo/i", "say HELLO"));
}

TEST_F(Keywords, CompressedBuffersAreInflatedUpToASize) {
  const std::string zlib("\x78\x9c\x4b\x4c\x4a\x4e\x49\x4d\x4b\x07\x00\x0a\xdb\x02\xbd", 15);   // "abcdefg"
  const auto run = [&](std::string_view options) {
    load(fmt::format("alert telnet any any -> any any (test.request; {}; sid:1;)", options));
    TestTx& tx = use_test_protocol().tx();
    tx.request = zlib;
    tx.progress[0] = 2;
    return !sids(tcp("x")).empty();
  };
  EXPECT_TRUE(run("zlib_deflate; content:\"abcdefg\"; startswith; endswith"));
  EXPECT_TRUE(run("zlib_deflate:max-size 3; content:\"abc\"; startswith; endswith"));
  EXPECT_FALSE(run("gunzip; content:\"abc\""));
  EXPECT_NE(error_of("alert telnet any any -> any any (test.request; zlib_deflate:max-size 0; content:\"a\"; sid:1;)"), "");
}

TEST_F(Keywords, FramesAreLookedAtOneByOneAndOnce) {
  load("alert telnet any any -> any any (frame:pdu; content:\"ab\"; startswith; sid:1;)\n"
       "alert tcp any any -> any any (frame:telnet.pdu; bsize:3; sid:2;)\n"
       "alert telnet any any -> any any (frame:data; content:\"ab\"; sid:3;)");
  EXPECT_NE(error_of("alert telnet any any -> any any (frame:nonsense; content:\"a\"; sid:1;)"), "");
  EXPECT_NE(error_of("alert tcp any any -> any any (frame:pdu; content:\"a\"; sid:1;)"), "");
  load("alert telnet any any -> any any (frame:pdu; content:\"ab\"; startswith; sid:1;)\n"
       "alert tcp any any -> any any (frame:telnet.pdu; bsize:3; sid:2;)\n"
       "alert telnet any any -> any any (frame:data; content:\"ab\"; sid:3;)");
  TestParser& parser = use_test_protocol();
  parser.frames = std::make_unique<applayer::FrameSet>();
  parser.frames->add(Direction::kToServer, 0, 0, 3);
  parser.frames->fill(Direction::kToServer, as_bytes("ab"), 0);
  EXPECT_EQ(sids(tcp("x")), std::vector<uint32_t>{1});
  parser.frames->fill(Direction::kToServer, as_bytes("c"), 2);
  EXPECT_EQ(sids(tcp("x")), std::vector<uint32_t>{2});
  EXPECT_TRUE(parser.frames->of(Direction::kToServer)[0].inspection_done);
}

TEST_F(Keywords, TagsLogWhatFollowsAndNotTheMatch) {
  load("alert udp any any -> any any (content:\"begin\"; tag:host,3,packets,src; sid:1;)");
  const auto tagged = [&](std::string_view payload) {
    Packet p = packet(payload);
    p.wire_len = 60;
    (void)sids(p);
    return detector_->tagged();
  };
  EXPECT_FALSE(tagged("before"));
  EXPECT_FALSE(tagged("begin"));
  EXPECT_TRUE(tagged("one"));
  EXPECT_TRUE(tagged("two"));
  EXPECT_FALSE(tagged("three")) << "the match counts as one of the three";
}

TEST_F(Keywords, AbsentMatchesAMissingBuffer) {
  load("alert telnet any any -> any any (test.request; absent; sid:1;)");
  TestTx& tx = use_test_protocol().tx();
  tx.progress[0] = 1;
  EXPECT_TRUE(sids(tcp("x")).empty()) << "it can still come";
  tx.progress[0] = 2;
  tx.updated[0] = true;
  EXPECT_EQ(sids(tcp("y")), std::vector<uint32_t>{1});
}

TEST_F(Keywords, FlowintsCount) {
  load(
      "alert udp any any -> any any (content:\"x\"; sid:9;)\n"
      "alert tcp any any -> any any (content:\"a\"; flowint:n,+,1; noalert; sid:1;)\n"
      "alert tcp any any -> any any (content:\"a\"; flowint:n,>,1; sid:2;)\n");
  stream_->data[0].clear();
  EXPECT_TRUE(sids(tcp("a")).empty());
  EXPECT_EQ(sids(tcp("a")), std::vector<uint32_t>{2});
}

TEST_F(Keywords, XbitsLiveWithTheHostUntilTheyExpire) {
  load(
      "alert udp any any -> any any (content:\"set\"; xbits:set,x,track ip_src,expire 10; sid:1;)\n"
      "alert udp any any -> any any (content:\"ask\"; xbits:isset,x,track ip_src; sid:2;)\n");
  EXPECT_TRUE(sids(packet("ask")).empty());
  EXPECT_EQ(sids(packet("set")), std::vector<uint32_t>{1});
  EXPECT_EQ(sids(packet("ask")), std::vector<uint32_t>{2});
  now_ += std::chrono::seconds(11);
  EXPECT_TRUE(sids(packet("ask")).empty());
}

TEST_F(Keywords, RequiresLeavesRulesOut) {
  load(
      "alert udp any any -> any any (requires: version >= 7.0.0 < 8, keyword pcre; content:\"a\"; sid:1;)\n"
      "alert udp any any -> any any (requires: version >= 7.0.4 < 8 | >= 8.0.3; content:\"a\"; sid:2;)\n"
      "alert udp any any -> any any (requires: keyword nonsense; nonsense:1; sid:3;)\n");
  EXPECT_EQ(report_.counts.skipped, 2u);
  EXPECT_EQ(sids(packet("a")), std::vector<uint32_t>{2});
}

TEST_F(Keywords, SomeStandOnce) {
  EXPECT_NE(error_of("alert udp any any -> any any (dsize:1; dsize:2; sid:1;)").find("dsize stands twice"), std::string::npos);
  EXPECT_NE(error_of("alert udp any any -> any any (flow:to_server; flow:stateless; sid:1;)").find("flow stands twice"), std::string::npos);
  EXPECT_EQ(error_of("alert udp any any -> any any (flow:to_server,stateless; ttl:>1; ttl:<9; sid:1;)"), "");
}

TEST_F(Keywords, WhatIsLooseCanBeStrict) {
  const std::string unknown_class = "alert udp any any -> any any (classtype:none-such; sid:1;)";
  const std::string unknown_system = "alert udp any any -> any any (reference:none-such,1; sid:1;)";
  EXPECT_EQ(error_of(unknown_class), "");
  EXPECT_EQ(error_of(unknown_system), "");
  settings_.set("rules.strict.classtype", "yes");
  EXPECT_NE(error_of(unknown_class), "");
  EXPECT_EQ(error_of(unknown_system), "");
  settings_.set("rules.strict.reference", "yes");
  EXPECT_NE(error_of(unknown_system), "");
}

TEST_F(Keywords, ScriptsAreRefusedWithAReason) {
  EXPECT_NE(error_of("alert udp any any -> any any (lua:x.lua; sid:1;)").find("script"), std::string::npos);
  EXPECT_NE(error_of("alert udp any any -> any any (geoip:src,VN; sid:1;)").find("countries"), std::string::npos);
}

TEST_F(Keywords, CapturesOfEarlierRulesAreAskedFor) {
  load(
      "alert udp any any -> any any (content:\"x\"; sid:9;)\n"
      "alert tcp any any -> any any (pcre:\"/user=(\\w+)/, flow:user\"; sid:1;)\n"
      "alert tcp any any -> any any (content:\"b\"; flowvar:user,\"li\"; sid:2;)\n"
      "alert tcp any any -> any any (content:\"b\"; flowvar:user,!\"li\"; sid:3;)\n"
      "alert tcp any any -> any any (content:\"b\"; flowvar:other,\"li\"; sid:4;)\n"
      "alert tcp any any -> any any (pcre:\"/user=(\\w+)/, pkt:now\"; sid:5;)\n"
      "alert tcp any any -> any any (content:\"ser\"; pktvar:now,\"li\"; sid:6;)\n"
      "alert tcp any any -> any any (content:\"b\"; pktvar:now,\"li\"; sid:7;)\n");
  stream_->data[0].clear();
  EXPECT_TRUE(sids(tcp("b")).empty());
  EXPECT_EQ(sids(tcp("user=alice")), (std::vector<uint32_t>{1, 5, 6}));
  EXPECT_EQ(sids(tcp("b")), std::vector<uint32_t>{2});
  EXPECT_NE(error_of("alert tcp any any -> any any (flowvar:user; sid:1;)"), "");
  EXPECT_NE(error_of("alert tcp any any -> any any (flowvar:,\"a\"; sid:1;)"), "");
  EXPECT_NE(error_of("alert tcp any any -> any any (pktvar:user,a; sid:1;)"), "");
}

TEST_F(Keywords, ABufferThatNothingLooksAtIsRefused) {
  EXPECT_NE(error_of("alert telnet any any -> any any (test.request; sid:1;)"), "");
  EXPECT_NE(error_of("alert telnet any any -> any any (test.names; test.request; content:\"a\"; sid:1;)"), "");
  EXPECT_EQ(error_of("alert telnet any any -> any any (test.names; absent; sid:1;)"), "");
  EXPECT_EQ(error_of("alert telnet any any -> any any (test.request; content:\"a\"; to_md5; content:\"b\"; sid:1;)"), "");
}

TEST_F(Keywords, SmallFormsThatAreRefused) {
  EXPECT_NE(error_of("alert tcp any any -> any any (msg:no quotes; sid:1;)"), "");
  EXPECT_NE(error_of("alert tcp any any -> any any (flowbits:noalert,a; sid:1;)"), "");
}

TEST(ContentForms, WhatABufferCanHold) {
  EXPECT_NE(content_in("http.host", "Example", false).never, "");
  EXPECT_NE(content_in("http.host", "example", true).never, "");
  EXPECT_EQ(content_in("http.host", "example", false).never, "");
  EXPECT_NE(content_in("http.method", "GET ", false).never, "");
  EXPECT_EQ(content_in("http.method", "GET", false).never, "");
  EXPECT_NE(content_in("ja3.hash", "abc", false).never, "");
  EXPECT_EQ(content_in("ja3s.hash", "0123456789ABCDEF0123456789abcdef", false).bytes, "0123456789abcdef0123456789abcdef");
  EXPECT_NE(content_in("quic.cyu.hash", "0123456789ABCDEF0123456789abcdef", false).never, "");
  EXPECT_NE(content_in("tls.cert_fingerprint", "4a:a3", false).never, "");
  EXPECT_EQ(content_in("tls.cert_serial", "5c:19", false).bytes, "5C:19");
  EXPECT_EQ(content_in("tls.cert_serial", "5", false).never, "");
  EXPECT_NE(content_in("tls.cert_serial", "5c19", false).never, "");
  EXPECT_EQ(content_in("http.uri", "A b", true).never, "");
}

TEST_F(Keywords, UnknownNamesGetTheNearestKnown) {
  EXPECT_NE(error_of("alert udp any any -> any any (contnet:\"a\"; sid:1;)").find("'content'"), std::string::npos);
  EXPECT_NE(error_of("alert udpp any any -> any any (content:\"a\"; sid:1;)").find("'udp'"), std::string::npos);
}

}  // namespace
}  // namespace vong::detect
