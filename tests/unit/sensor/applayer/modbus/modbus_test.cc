#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/applayer/modbus/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::modbus {
namespace {

using applayer::contract::Conversation;
using testing::ElementsAre;
using testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int v : values) out.push_back(static_cast<char>(v));
  return out;
}
std::string pdu(int transaction, const std::string& body) {
  return bytes({0, transaction, 0, 0, 0, static_cast<int>(body.size())}) + body;
}
const std::string kReadCoils = bytes({10, 1, 0, 2, 0, 9}), kCoils = bytes({10, 1, 2, 0xff, 1});
const std::string kWriteRegisters = bytes({10, 16, 0, 5, 0, 2, 4, 0, 7, 1, 0}),
                  kWritten = bytes({10, 16, 0, 5, 0, 2});

Conversation talk(const std::string& request, const std::string& response) {
  Conversation c{&kModbusProtocol};
  c.client(pdu(1, request)).server(pdu(1, response));
  return c;
}
const Transaction& first(const applayer::contract::Outcome& o) {
  return static_cast<const Transaction&>(*o.transactions().at(0));
}
std::vector<applayer::EventId> events(const std::string& request, const std::string& response) {
  return first(run(talk(request, response))).events();
}

TEST(ModbusParser, Contract) {
  Conversation c{&kModbusProtocol};
  c.client(pdu(1, kReadCoils) + pdu(2, kWriteRegisters)).server(pdu(2, kWritten) + pdu(1, kCoils));
  applayer::contract::check_contract(c);
}

TEST(ModbusParser, RequestAndResponseAreOneTransaction) {
  const auto o = run(talk(kReadCoils, kCoils));
  ASSERT_EQ(o.transactions().size(), 1u);
  EXPECT_THAT(
      o.records(),
      HasSubstr(
          R"("id":1,"request":{"transaction_id":1,"protocol_id":0,"unit_id":10,"function_raw":1,"function_code":"RdCoils","access_type":"READ | COILS","category":"PUBLIC_ASSIGNED","error_flags":"NONE","read":{"address":2,"quantity":9}})"));
  EXPECT_THAT(o.records(), HasSubstr(R"("read":{"data":"ff01"})"));
  EXPECT_TRUE(first(o).events().empty());
}

TEST(ModbusParser, Exceptions) {
  const auto o = run(talk(kReadCoils, bytes({10, 0x81, 2})));
  EXPECT_THAT(o.records(), HasSubstr(R"("exception":{"raw":2,"code":"IllegalDataAddr"})"));
  EXPECT_TRUE(first(o).events().empty());
}

TEST(ModbusEvents, All) {
  EXPECT_THAT(events(kReadCoils, bytes({10, 1, 1, 0xff})), ElementsAre(kValueMismatch));
  EXPECT_THAT(events(kReadCoils, bytes({10, 0x81, 99})), ElementsAre(kInvalidExceptionCode));
  EXPECT_THAT(events(bytes({10, 1, 0, 0, 0xff, 0xff}), bytes({10, 0x81, 3})),
              ElementsAre(kInvalidValue));
  EXPECT_THAT(events(bytes({10, 1, 0, 0, 0}), bytes({10, 0x81, 3})), ElementsAre(kInvalidLength));
  EXPECT_THAT(first(run(Conversation{&kModbusProtocol}.server(pdu(1, kCoils)))).events(),
              ElementsAre(kUnsolicitedResponse));
  EXPECT_THAT(
      first(run(Conversation{&kModbusProtocol}.client(bytes({0, 1, 0, 9, 0, 6}) + kReadCoils)))
          .events(),
      ElementsAre(kInvalidProtocolId));
}

TEST(ModbusKeyword, What) {
  const auto coils = run(talk(kReadCoils, kCoils)),
             write = run(talk(kWriteRegisters, kWritten));
  const auto matches = [](const applayer::contract::Outcome& o, std::string_view value) {
    const auto parsed = parse_keyword(value);
    EXPECT_TRUE(parsed.has_value()) << value;
    return parsed.has_value() && (*parsed)->match(first(o), Direction::kToServer);
  };
  EXPECT_TRUE(matches(coils, "function 1"));
  EXPECT_FALSE(matches(coils, "function 2"));
  EXPECT_TRUE(matches(coils, "function assigned"));
  EXPECT_FALSE(matches(coils, "function !public"));
  EXPECT_FALSE(matches(coils, "function 1, subfunction 4")) << "only diagnostics have one";
  EXPECT_TRUE(matches(coils, "unit >9, access read coils, address 1<>5"));
  EXPECT_FALSE(matches(coils, "unit 9, access read coils"));
  EXPECT_FALSE(matches(coils, "access read holding"));
  EXPECT_FALSE(matches(coils, "access read, address 100"));
  EXPECT_TRUE(matches(write, "access write holding, address 6, value 256"));
  EXPECT_TRUE(matches(write, "access write, address 5, value <8"));
  EXPECT_FALSE(matches(write, "access write, address 5, value 8"));
}

TEST(ModbusKeyword, WrongOptions) {
  for (const char* bad :
       {"", "function", "function 300", "subfunction 4", "access",
        "access write discretes", "address 1", "access read, value 3", "unit x", "unit 9<>3"})
    EXPECT_FALSE(parse_keyword(bad).has_value()) << bad;
}

}  // namespace
}  // namespace vong::modbus
