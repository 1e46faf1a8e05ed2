#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sensor/applayer/template_text/limits.h"
#include "sensor/applayer/template_text/parser.h"
#include "tests/contract/parser_contract.h"

namespace vong::template_text {
namespace {

using applayer::contract::Conversation;
using testing::HasSubstr;

Message::Status status(std::string_view text) { return read_message(as_bytes(text)).status; }

TEST(TemplateParser, Contract) {
  Conversation c{&kTemplateProtocol};
  c.client("12:Hello World!").server("3:Bye").client("0:5:again").server("0:2:ok");
  applayer::contract::check_contract(c);
}

TEST(TemplateParser, RequestAndItsAnswerAreOneRecord) {
  Conversation c{&kTemplateProtocol};
  c.client("12:Hello World!3:two").server("3:Bye");
  const std::string records = run(c).records();
  EXPECT_THAT(records, HasSubstr(R"({"template":{"request":"Hello World!","response":"Bye"}})"));
  EXPECT_THAT(records, HasSubstr(R"({"template":{"request":"two"}})"));
}

TEST(TemplateParser, LengthIsDigitsAndAColonWithinTheBound) {
  EXPECT_EQ(status("3:abc"), Message::Status::kWhole);
  EXPECT_EQ(status("3"), Message::Status::kMoreData);
  EXPECT_EQ(status("3:ab"), Message::Status::kMoreData);
  EXPECT_EQ(status(":abc"), Message::Status::kWrong);
  EXPECT_EQ(status("3;abc"), Message::Status::kWrong);
  EXPECT_EQ(status("-3:abc"), Message::Status::kWrong);
  EXPECT_EQ(status("99999999999:"), Message::Status::kWrong);
  EXPECT_EQ(status(std::to_string(kMaxMessageBytes + 1) + ":"), Message::Status::kWrong);
}

TEST(TemplateParser, TooManyRequestsWithoutAnswerEndTheFlow) {
  Conversation c{&kTemplateProtocol};
  std::string many;
  for (size_t i = 0; i <= kMaxOpenTransactions; ++i) many += "1:x";
  const auto outcome = run(c.client(many));
  EXPECT_EQ(outcome.transactions().back()->events().size(), 1u);
}

}  // namespace
}  // namespace vong::template_text
