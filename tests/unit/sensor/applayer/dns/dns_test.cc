#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json_writer.h"
#include "base/settings.h"
#include "sensor/applayer/dns/limits.h"
#include "sensor/applayer/dns/message.h"
#include "sensor/applayer/dns/parser.h"

namespace vong::dns {
namespace {

using applayer::Input;
using applayer::ParseResult;
using applayer::ProbeVerdict;
using testing::HasSubstr;
using testing::Not;

std::string u16(int v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
std::string u32(uint32_t v) {
  return u16(static_cast<int>(v >> 16)) + u16(static_cast<int>(v & 0xffff));
}

// Builds messages: Msg(flags).q("www.example.org", 1).rr(...).
struct Msg {
  explicit Msg(int header_flags, int message_id = 0x1234) : flags(header_flags), id(message_id) {}
  static std::string name(std::string_view dotted) {
    std::string out;
    while (!dotted.empty()) {
      const size_t dot = std::min(dotted.find('.'), dotted.size());
      out.push_back(static_cast<char>(dot));
      out.append(dotted.substr(0, dot));
      dotted.remove_prefix(std::min(dot + 1, dotted.size()));
    }
    return out + '\0';
  }
  Msg& q(std::string_view n, int type) { return raw(0, name(n) + u16(type) + u16(1)); }
  Msg& rr(int section, const std::string& wire_name, int type, const std::string& data,
          uint32_t ttl = 60) {
    return raw(section, wire_name + u16(type) + u16(1) + u32(ttl) +
                            u16(static_cast<int>(data.size())) + data);
  }
  Msg& raw(int section, const std::string& bytes) {
    ++counts[section];
    body += bytes;
    return *this;
  }
  [[nodiscard]] std::string str() const {
    std::string out = u16(id) + u16(flags);
    for (const int n : counts) out += u16(n);
    return out + body;
  }
  int flags, id, counts[4] = {0, 0, 0, 0};
  std::string body;
};

const std::string kPointerToQuery("\xc0\x0c", 2);

Message parsed(const std::string& bytes, ParseStatus expected = ParseStatus::kOk) {
  Message m;
  EXPECT_EQ(parse_message(as_bytes(bytes), m), expected);
  return m;
}

Input datagram(const std::string& bytes) {
  Input in;
  in.data = as_bytes(bytes);
  in.datagram = true;
  return in;
}

Input stream(const std::string& bytes) {
  Input in;
  in.data = as_bytes(bytes);
  return in;
}

std::string framed(const std::string& message) {
  return u16(static_cast<int>(message.size())) + message;
}

std::string record_of(const applayer::Transaction& tx,
                      bool (*log)(const applayer::Transaction&, const applayer::LogContext&,
                                  JsonWriter&),
                      const Settings& options = {}) {
  std::string out;
  JsonWriter writer(out);
  writer.open_object();
  const Direction d = static_cast<const Transaction&>(tx).direction;
  if (!log(tx, {"dns", &options, d}, writer)) return "";
  writer.close_object();
  return out;
}

// ---------------------------------------------------------------- messages

TEST(DnsMessage, RequestAndCompressedAnswer) {
  const auto m = parsed(Msg(0x8180)
                            .q("www.suricata.io", 1)
                            .rr(1, kPointerToQuery, 5, Msg::name("cdn.example.net"))
                            .rr(1, kPointerToQuery, 1, "\x01\x02\x03\x04")
                            .str());
  ASSERT_EQ(m.queries.size(), 1u);
  EXPECT_EQ(m.queries[0].name.value, "www.suricata.io");
  ASSERT_EQ(m.answers.size(), 2u);
  EXPECT_EQ(m.answers[0].name.value, "www.suricata.io");
  EXPECT_EQ(m.answers[0].target.value, "cdn.example.net");
  EXPECT_EQ(m.answers[1].data, "\x01\x02\x03\x04");
  EXPECT_TRUE(m.is_response());
}

TEST(DnsMessage, ForwardPointerIsFollowed) {
  const std::string second = Msg::name("codemonkey.net");
  const auto m = parsed(
      Msg(0x0100).raw(0, "\xc0\x12" + u16(1) + u16(1)).raw(0, second + u16(1) + u16(1)).str());
  ASSERT_EQ(m.queries.size(), 2u);
  EXPECT_EQ(m.queries[0].name.value, "codemonkey.net");
  EXPECT_EQ(m.queries[1].name.value, "codemonkey.net");
}

TEST(DnsMessage, PointerToItselfBehindAPointerEndsTheName) {
  // query at 12: pointer to 20, where a label is followed by a pointer to itself
  const auto m = parsed(Msg(0x0100)
                            .raw(0, "\xc0\x12" + u16(1) + u16(1))
                            .raw(0, std::string("\x01") + "a\xc0\x14" + u16(1) + u16(1))
                            .str(),
                        ParseStatus::kMalformed);
  EXPECT_EQ(m.queries[0].name.value, "a");
  EXPECT_NE(m.queries[0].name.flags & kNameInfiniteLoop, 0);
}

TEST(DnsMessage, PointerCycleOfTwoEndsAtTheLabelLimit) {
  const std::string two = "\xc0\x0e\xc0\x0c";
  Message m;
  EXPECT_EQ(parse_message(as_bytes(Msg(0).raw(0, two + u16(1)).str()), m), ParseStatus::kOk);
  EXPECT_NE(m.name_flags & kNameTooManyLabels, 0);
}

TEST(DnsMessage, LongNameIsCutAndTheRestIsRead) {
  std::string name;
  for (int i = 0; i < 20; ++i) name += "\x3f" + std::string(63, 'a');
  name += '\0';
  const auto m = parsed(Msg(0).raw(0, name + u16(1) + u16(1)).q("b.c", 1).str());
  EXPECT_EQ(m.queries[0].name.value.size(), kMaxNameBytes);
  EXPECT_EQ(m.name_flags, kNameTruncated);
  EXPECT_EQ(m.queries[1].name.value, "b.c");
}

TEST(DnsMessage, MoreLabelsThanAllowedWithoutPointerIsMalformed) {
  std::string name;
  for (int i = 0; i < 300; ++i) name += std::string("\x01") + "a";
  (void)parsed(Msg(0).raw(0, name + '\0' + u16(1) + u16(1)).str(), ParseStatus::kMalformed);
}

TEST(DnsMessage, BrokenAdditionalsLeaveTheAnswers) {
  const auto m = parsed(
      Msg(0x8180).q("a.b", 1).rr(1, kPointerToQuery, 1, "\x7f\x01\x01\x01").raw(3, "\xff").str());
  EXPECT_TRUE(m.invalid_additionals);
  EXPECT_EQ(m.answers.size(), 1u);
}

TEST(DnsMessage, BrokenAuthoritiesTakeTheAdditionalsWithThem) {
  const auto m = parsed(
      Msg(0x8180).q("a.b", 1).raw(2, "\xff").rr(3, Msg::name("x"), 1, "\x7f\x01\x01\x01").str());
  EXPECT_TRUE(m.invalid_authorities);
  EXPECT_FALSE(m.invalid_additionals);
  EXPECT_TRUE(m.additionals.empty());
}

TEST(DnsMessage, HeaderThatAnnouncesMoreThanFitsIsRefused) {
  std::string bytes = Msg(0).q("a.b", 1).str();
  bytes[4] = '\x7f';
  (void)parsed(bytes, ParseStatus::kBadHeader);
  (void)parsed("\x01\x02", ParseStatus::kBadHeader);
}

TEST(DnsMessage, EveryTruncationIsHandled) {
  const std::string whole =
      Msg(0x8180)
          .q("www.a.b", 6)
          .rr(1, kPointerToQuery, 6,
              Msg::name("m.a") + Msg::name("r.a") + u32(1) + u32(2) + u32(3) + u32(4) + u32(5))
          .rr(1, kPointerToQuery, 33, u16(1) + u16(2) + u16(443) + Msg::name("t.a"))
          .rr(1, kPointerToQuery, 44, "\x01\x02\xab\xcd")
          .rr(1, kPointerToQuery, 16,
              "\x03"
              "abc")
          .rr(3, std::string(1, '\0'), 41, u16(10) + u16(2) + "xy")
          .str();
  for (size_t n = 0; n < whole.size(); ++n) {
    Message m;
    const auto status = parse_message(as_bytes(whole).subspan(0, n), m);
    if (status == ParseStatus::kOk) {
      EXPECT_TRUE(m.invalid_additionals) << n;
    }
  }
  const auto m = parsed(whole);
  EXPECT_EQ(m.answers[0].numbers[4], 5u);
  EXPECT_EQ(m.answers[1].numbers[2], 443u);
  EXPECT_EQ(m.answers[3].texts.at(0), "abc");
  EXPECT_EQ(m.additionals[0].options.at(0).code, 10);
}

// Compression makes names long for few bytes: what a message may hold is bounded all the same.
TEST(DnsMessage, ExpandedNamesAreBoundedPerMessage) {
  std::string name;
  for (int i = 0; i < 16; ++i) name += "\x3f" + std::string(63, 'a');
  Msg msg(0);
  msg.raw(0, name + std::string(1, '\0') + u16(1) + u16(1));
  for (int i = 0; i < 8000; ++i) msg.raw(0, kPointerToQuery + u16(1) + u16(1));
  const auto m = parsed(msg.str());
  size_t total = 0;
  for (const Query& q : m.queries) total += q.name.value.size();
  EXPECT_LT(total, kMaxNameBytesPerMessage + 8000 * 65);
  EXPECT_GT(total, kMaxNameBytesPerMessage / 2);
}

// ---------------------------------------------------------------- transactions

TEST(DnsParser, RequestAndResponseAreTransactionsOfTheirOwn) {
  DnsParser p(Flavor::kDns);
  const std::string request = Msg(0x0100).q("a.b", 1).str();
  const std::string response = Msg(0x8180).q("a.b", 1).str();
  EXPECT_EQ(p.parse(Direction::kToServer, datagram(request)).status, ParseResult::Status::kOk);
  EXPECT_EQ(p.parse(Direction::kToClient, datagram(response)).status, ParseResult::Status::kOk);
  ASSERT_EQ(p.transactions.size(), 2u);
  EXPECT_EQ(p.transactions[1]->id, 1u);
  EXPECT_FALSE(p.transactions[0]->has_direction[index(Direction::kToClient)]);
  EXPECT_FALSE(p.transactions[1]->has_direction[index(Direction::kToServer)]);
}

TEST(DnsParser, ResponseWhereARequestIsDueIsAnError) {
  DnsParser p(Flavor::kDns);
  (void)p.parse(Direction::kToServer, datagram(Msg(0x0100).q("a.b", 1).str()));
  EXPECT_EQ(p.parse(Direction::kToServer, datagram(Msg(0x8100).q("a.b", 1).str())).status,
            ParseResult::Status::kError);
  EXPECT_THAT(p.transactions[0]->events(), testing::ElementsAre(kNotRequest));
}

TEST(DnsParser, EventsOfTheHeader) {
  DnsParser p(Flavor::kDns);
  (void)p.parse(Direction::kToServer, datagram(Msg(0x0140 | 9 << 11).q("a.b", 1).str()));
  EXPECT_THAT(p.transactions.at(0)->events(), testing::ElementsAre(kZFlagSet, kInvalidOpcode));
}

TEST(DnsParser, StreamSplitAnywhereGivesTheSameTransactions) {
  const std::string all = framed(Msg(0x0100, 1).q("a.b", 1).str()) + std::string("\0\0", 2) +
                          framed(Msg(0x0100, 2).q("c.d", 28).str());
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    DnsParser p(Flavor::kDns);
    const std::string head = all.substr(0, cut);
    const ParseResult first = p.parse(Direction::kToServer, stream(head));
    ASSERT_EQ(first.status, ParseResult::Status::kOk);
    const std::string rest = all.substr(first.consumed);
    const ParseResult second = p.parse(Direction::kToServer, stream(rest));
    EXPECT_EQ(second.consumed, rest.size());
    ASSERT_EQ(p.transactions.size(), 2u) << cut;
    EXPECT_EQ(static_cast<Transaction&>(*p.transactions[1]).message.queries[0].name.value, "c.d");
  }
}

TEST(DnsParser, SaysHowManyBytesItNeeds) {
  DnsParser p(Flavor::kDns);
  const std::string all = framed(Msg(0x0100, 1).q("a.b", 1).str());
  const ParseResult r = p.parse(Direction::kToServer, stream(all.substr(0, 5)));
  EXPECT_EQ(r.consumed, 0u);
  EXPECT_EQ(r.needed, all.size());
}

TEST(DnsParser, JunkBehindAGapIsSkippedUntilAMessage) {
  DnsParser p(Flavor::kDns);
  EXPECT_TRUE(p.gap(Direction::kToServer, 100));
  const std::string junk(40, '\xee');
  EXPECT_EQ(p.parse(Direction::kToServer, stream(junk)).consumed, junk.size());
  EXPECT_TRUE(p.transactions.empty());
  (void)p.parse(Direction::kToServer, stream(framed(Msg(0x0100, 1).q("a.b", 1).str())));
  EXPECT_EQ(p.transactions.size(), 1u);
}

TEST(DnsProbe, SaysWhichWayAMessageGoes) {
  EXPECT_EQ(probe_udp(Direction::kToServer, as_bytes(Msg(0x0100).q("a.b", 1).str())),
            ProbeVerdict::kYes);
  EXPECT_EQ(probe_udp(Direction::kToServer, as_bytes(Msg(0x8100).q("a.b", 1).str())),
            ProbeVerdict::kReversed);
  EXPECT_EQ(probe_udp(Direction::kToServer, as_bytes(std::string_view("GET / HTTP/1.1\r\n\r\n"))),
            ProbeVerdict::kNo);
  EXPECT_EQ(probe_tcp(Direction::kToServer, as_bytes(std::string_view("\0", 1))),
            ProbeVerdict::kMoreData);
  EXPECT_EQ(probe_tcp(Direction::kToServer, as_bytes(framed(Msg(0x0100).q("a.b", 1).str()))),
            ProbeVerdict::kYes);
}

// ---------------------------------------------------------------- records

TEST(DnsRecord, ResponseVersion3) {
  DnsParser p(Flavor::kDns);
  (void)p.parse(Direction::kToClient, datagram(Msg(0x8180)
                                                   .q("a.b", 1)
                                                   .rr(1, kPointerToQuery, 1, "\x0a\x01\x02\x03")
                                                   .rr(2, Msg::name("b"), 2, Msg::name("ns.b"))
                                                   .rr(3, std::string(1, '\0'), 41, "")
                                                   .str()));
  EXPECT_EQ(
      record_of(*p.transactions.at(0), log_dns),
      R"({"dns":{"version":3,"type":"response","tx_id":0,"id":4660,"flags":"8180","qr":true,"rd":true,"ra":true,"opcode":0,)"
      R"("rcode":"NOERROR","queries":[{"rrname":"a.b","rrtype":"A"}],)"
      R"("answers":[{"rrname":"a.b","rrtype":"A","ttl":60,"rdata":"10.1.2.3"}],"grouped":{"A":["10.1.2.3"]},)"
      R"("authorities":[{"rrname":"b","rrtype":"NS","ttl":60,"rdata":"ns.b"}]}})");
}

TEST(DnsRecord, EachTextStringIsAnAnswer) {
  DnsParser p(Flavor::kDns);
  (void)p.parse(
      Direction::kToClient,
      datagram(
          Msg(0x8180).q("a", 16).rr(1, kPointerToQuery, 16, std::string("\x02hi\0", 4)).str()));
  const std::string out = record_of(*p.transactions.at(0), log_dns);
  EXPECT_THAT(out, HasSubstr(R"("rdata":"hi"})"));
  EXPECT_THAT(out, HasSubstr(R"("rdata":""})"));
  EXPECT_THAT(out, HasSubstr(R"("TXT":["hi",""])"));
}

TEST(DnsRecord, TypesFormatsAndDirectionsAreConfigured) {
  DnsParser p(Flavor::kDns);
  (void)p.parse(Direction::kToServer, datagram(Msg(0x0100).q("a.b", 15).str()));
  Settings s;
  s.set("types.0", "mx");
  EXPECT_NE(record_of(*p.transactions.at(0), log_dns, s), "");
  s.set("types.0", "aaaa");
  EXPECT_EQ(record_of(*p.transactions.at(0), log_dns, s), "");
  Settings off;
  off.set("requests", "no");
  EXPECT_EQ(record_of(*p.transactions.at(0), log_dns, off), "");
  Settings v2;
  v2.set("version", "2");
  EXPECT_EQ(
      record_of(*p.transactions.at(0), log_dns, v2),
      R"({"dns":{"version":2,"type":"query","id":4660,"rrname":"a.b","rrtype":"MX","tx_id":0,"opcode":0}})");
  DnsParser r(Flavor::kDns);
  (void)r.parse(
      Direction::kToClient,
      datagram(Msg(0x8180).q("a.b", 1).rr(1, kPointerToQuery, 1, "\x0a\x01\x02\x03").str()));
  Settings grouped;
  grouped.set("formats.0", "grouped");
  const std::string out = record_of(*r.transactions.at(0), log_dns, grouped);
  EXPECT_THAT(out, HasSubstr("grouped"));
  EXPECT_THAT(out, Not(HasSubstr("answers")));
}

TEST(DnsRecord, MulticastUsesLowerCaseTypes) {
  DnsParser p(Flavor::kMdns);
  (void)p.parse(Direction::kToServer,
                datagram(Msg(0x8400, 0)
                             .rr(1, Msg::name("_x._tcp.local"), 12, Msg::name("me._x._tcp.local"))
                             .rr(3, Msg::name("me.local"), 16, "\x03k=v")
                             .str()));
  EXPECT_EQ(
      record_of(*p.transactions.at(0), log_mdns),
      R"({"mdns":{"type":"response","id":0,"flags":["aa"],"opcode":0,"rcode":0,"answers":[{"rrname":"_x._tcp.local",)"
      R"("ptr":"me._x._tcp.local"}],"additionals":[{"rrname":"me.local","txt":["k=v"]}]}})");
}

// ---------------------------------------------------------------- keywords

TEST(DnsKeywords, ResponseNamesGoThroughEverySection) {
  DnsParser p(Flavor::kDns);
  (void)p.parse(Direction::kToClient,
                datagram(Msg(0x8180)
                             .q("q.a", 2)
                             .rr(1, kPointerToQuery, 5, Msg::name("t.a"))
                             .rr(2, Msg::name("z.a"), 6,
                                 Msg::name("m.a") + Msg::name("r.a") + std::string(20, '\0'))
                             .str()));
  const applayer::BufferDef& def = kDnsProtocol.buffers.back();
  ASSERT_EQ(def.name, "dns.response.rrname");
  std::vector<std::string> names;
  std::string scratch;
  for (uint32_t i = 0;; ++i) {
    const auto view = def.get(*p.transactions[0], Direction::kToClient, i, scratch);
    if (!view.present) break;
    names.emplace_back(as_text(view.data));
  }
  EXPECT_THAT(names, testing::ElementsAre("q.a", "q.a", "t.a", "z.a", "m.a"));
}

}  // namespace
}  // namespace vong::dns
