#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/pgsql/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::pgsql {
namespace {

using applayer::AppProto;
using applayer::ProbeVerdict;
using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::string_literals;

std::string u32(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}
std::string message(char type, const std::string& body) {
  return type + u32(static_cast<uint32_t>(body.size() + 4)) + body;
}
std::string startup(uint32_t code, const std::string& body) {
  return u32(static_cast<uint32_t>(body.size() + 8)) + u32(code) + body;
}
std::string row(const std::string& value) {
  return message('D', "\0\1"s + u32(static_cast<uint32_t>(value.size())) + value);
}
const std::string kReady = message('Z', "I");

Conversation session() {
  Conversation c{&kPgsqlProtocol};
  c.client(startup(kSslCode, "")).server("N");
  c.client(startup(0x30000, "user\0u\0database\0d\0DateStyle\0ISO\0\0"s));
  c.server(message('R', u32(5) + "abcd"));
  c.client(message('p', "md5secret\0"s));
  c.server(message('R', u32(0)) + message('S', "TimeZone\0UTC\0"s) + message('K', u32(7) + u32(8)) +
           kReady);
  c.client(message('Q', "select 1;\0"s));
  c.server(message('T', "\0\1columns"s) + row("abc") + row("de") + message('C', "SELECT 2\0"s) +
           kReady);
  c.client(message('Q', "bad\0"s));
  c.server(message('E', "SERROR\0C42601\0Msyntax\0Rscan\0\0"s) + kReady);
  c.client(message('Q', "copy t from stdin\0"s)).server(message('G', "\0\0\2"s));
  c.client(message('d', "row1") + message('d', "row22") + message('c', ""));
  c.server(message('C', "COPY 2\0"s) + kReady);
  c.client(message('X', ""));
  return c;
}

const Transaction& nth(const applayer::contract::Outcome& o, size_t i) {
  return static_cast<const Transaction&>(*o.transactions().at(i));
}

TEST(PgsqlParser, Contract) { applayer::contract::check_contract(session()); }

TEST(PgsqlParser, Records) {
  const auto o = run(session());
  ASSERT_EQ(o.transactions().size(), 8u);
  const std::string all = o.records();
  EXPECT_THAT(
      all,
      HasSubstr(
          R"({"pgsql":{"tx_id":1,"request":{"message":"SSL Request"},"response":{"ssl_accepted":false}}})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("startup_parameters":{"user":"u","optional_parameters":[{"database":"d"},{"date_style":"ISO"}]}},"response":{"authentication_md5_password":"abcd"})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("request":{"password_redacted":true},"response":{"message":"authentication_ok","parameter_status":[{"time_zone":"UTC"}],"process_id":7,"secret_key":8})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("request":{"simple_query":"select 1;"},"response":{"field_count":1,"data_rows":2,"data_size":5,"command_completed":"SELECT 2"})"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("response":{"severity_localizable":"ERROR","code":"42601","message":"syntax","routine":"scan"})"));
  EXPECT_THAT(all, HasSubstr(R"("copy_in_response":{"columns":2})"));
  EXPECT_THAT(all, HasSubstr(R"("copy_data_in":{"msg_count":2,"data_size":9})"));
  EXPECT_THAT(all, HasSubstr(R"("message":"termination_message")"));
  EXPECT_THAT(all, Not(HasSubstr("md5secret")));
}

TEST(PgsqlParser, PasswordsWhenAskedFor) {
  const auto o = run(session());
  Settings s;
  s.set("passwords", "yes");
  std::string json;
  JsonWriter out(json);
  out.open_object();
  EXPECT_TRUE(log_pgsql(nth(o, 2), {"pgsql", &s, Direction::kToServer}, out));
  EXPECT_THAT(json, HasSubstr(R"("password":"md5secret")"));
}

TEST(PgsqlParser, SaslExchange) {
  Conversation c{&kPgsqlProtocol};
  c.client(startup(0x30000, "user\0u\0\0"s)).server(message('R', u32(10) + "SCRAM-SHA-256\0\0"s));
  c.client(message('p', "SCRAM-SHA-256\0"s + u32(2) + "n,"));
  c.server(message('R', u32(11) + "r=1")).client(message('p', "c=2"));
  c.server(message('R', u32(12) + "v=3") + message('R', u32(0)) + kReady);
  const std::string all = run(c).records();
  EXPECT_THAT(all,
              HasSubstr(R"("sasl_authentication_mechanism":"scram_SHA256","sasl_param":"n,")"));
  EXPECT_THAT(
      all,
      HasSubstr(
          R"("sasl_response":"c=2"},"response":{"message":"authentication_ok","authentication_sasl_final":"v=3"})"));
}

TEST(PgsqlParser, EncryptionHandsOver) {
  const auto o = run(Conversation{&kPgsqlProtocol}.client(startup(kSslCode, "")).server("S"));
  EXPECT_TRUE(o.upgraded);
  EXPECT_EQ(o.next, AppProto::kTls);
}

TEST(PgsqlParser, ExtendedQueriesAreReadOver) {
  Conversation c{&kPgsqlProtocol};
  c.client(startup(0x30000, "user\0u\0\0"s)).server(message('R', u32(0)) + kReady);
  c.client(message('P', "\0select 1\0\0\0"s) + message('S', ""));
  c.server(message('1', "") + message('C', "SELECT 1\0"s) + kReady).client(message('X', ""));
  EXPECT_EQ(run(c).transactions().size(), 2u);
}

TEST(PgsqlParser, BigRowsAreNotBuffered) {
  Conversation c{&kPgsqlProtocol};
  const std::string value(3'000'000, 'x');
  c.client(message('Q', "q\0"s)).server(row(value) + message('C', "SELECT 1\0"s) + kReady);
  const auto o = run_in_pieces(c, 1460);
  EXPECT_EQ(nth(o, 0).response->row_bytes, value.size());
  EXPECT_EQ(nth(o, 0).progress[1], kComplete);
}

TEST(PgsqlParser, BrokenLengths) {
  const auto o = run(Conversation{&kPgsqlProtocol}.client("Q\0\0\0\1"s));
  EXPECT_TRUE(o.failed);
  EXPECT_THAT(nth(o, 0).events(), ElementsAre(kInvalidLength));
  EXPECT_TRUE(run(Conversation{&kPgsqlProtocol}.client("\x16\x03\x01\x02\x03")).failed);
}

TEST(PgsqlParser, OpenRequestsAreBounded) {
  Conversation c{&kPgsqlProtocol};
  c.settings.set("app-layer.protocols.pgsql.max-tx", "2");
  for (int i = 0; i < 3; ++i) c.client(message('Q', "q\0"s));
  EXPECT_THAT(nth(run(c), 0).events(), ElementsAre(kTooManyTransactions));
}

TEST(PgsqlProbe, StartupPackets) {
  const auto probe = [](Direction d, const std::string& s) {
    return kPgsqlProtocol.probe.probe(d, as_bytes(s));
  };
  EXPECT_EQ(probe(Direction::kToServer, startup(kSslCode, "")), ProbeVerdict::kYes);
  EXPECT_EQ(probe(Direction::kToServer, startup(0x50000, "")), ProbeVerdict::kNo);
  EXPECT_EQ(probe(Direction::kToServer, "\0\0"s), ProbeVerdict::kMoreData);
  EXPECT_EQ(probe(Direction::kToClient, message('R', u32(0))), ProbeVerdict::kYes);
}

TEST(PgsqlText, SnakeCase) {
  EXPECT_EQ(snake_case("DateStyle"), "date_style");
  EXPECT_EQ(snake_case("TimeZone"), "time_zone");
  EXPECT_EQ(snake_case("server_version"), "server_version");
}

}  // namespace
}  // namespace vong::pgsql
