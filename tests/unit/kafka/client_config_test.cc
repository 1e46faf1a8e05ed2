#include "kafka/client_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "kafka/consumer.h"
#include "kafka/producer.h"

namespace vong::kafka {
namespace {

class ClientConfigFiles : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(testing::TempDir()) /
           ("client_config_test_" + std::to_string(::getpid()));
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string file(const std::string& name, const std::string& text, mode_t mode) {
    std::ofstream(dir_ / name) << text;
    ::chmod((dir_ / name).c_str(), mode);
    return (dir_ / name).string();
  }
  std::filesystem::path dir_;
};

TEST(ClientConfig, EveryListedKeyCanBeSet) {
  for (const ClientKey& key : client_keys()) {
    ClientConfig config;
    const std::string_view value = key.name == "security-protocol"     ? "ssl"
                                   : key.name == "ssl.verify-hostname" ? "no"
                                                                       : "x";
    const std::string_view name =
        key.name == "librdkafka.*" ? "librdkafka.socket.timeout.ms" : key.name;
    EXPECT_TRUE(set(config, name, value)) << key.name;
  }
}

TEST(ClientConfig, UnknownKeysAndValuesAreErrors) {
  ClientConfig config;
  EXPECT_FALSE(set(config, "broker", "x"));
  EXPECT_FALSE(set(config, "security-protocol", "tls"));
  EXPECT_FALSE(set(config, "ssl.verify-hostname", "maybe"));
}

TEST(ClientConfig, TuningCannotChangeIdentityOrPromises) {
  ClientConfig config;
  for (const char* name :
       {"transactional.id", "enable.idempotence", "acks", "group.id", "isolation.level",
        "sasl.password", "plugin.library.paths", "ssl.engine.location", "enable.auto.commit"}) {
    EXPECT_FALSE(set(config, std::string("librdkafka.") + name, "x")) << name;
  }
  EXPECT_TRUE(set(config, "librdkafka.linger.ms", "7"));
}

TEST(ClientConfig, BrokersHaveToBeNamed) { EXPECT_FALSE(check(ClientConfig{})); }

TEST_F(ClientConfigFiles, ASecretThatOthersMayReadIsRefused) {
  EXPECT_TRUE(check_secret_file(file("a", "pw\n", 0600)));
  EXPECT_TRUE(check_secret_file(file("b", "pw\n", 0640)));
  for (const mode_t mode : {0604, 0644, 0602, 0666}) {
    const Result<> result = check_secret_file(file("c", "pw\n", mode));
    ASSERT_FALSE(result) << mode;
    EXPECT_NE(result.error().message.find("others"), std::string::npos);
  }
  EXPECT_FALSE(check_secret_file((dir_ / "none").string()));
  EXPECT_FALSE(check_secret_file(dir_.string()));
}

TEST_F(ClientConfigFiles, ACertificateNeedsItsPrivateKey) {
  ClientConfig config{.brokers = "127.0.0.1:1", .security_protocol = "ssl"};
  config.ssl_certificate_file = file("crt", "x", 0644);
  EXPECT_FALSE(check(config));
  config.ssl_key_file = file("key", "x", 0600);
  EXPECT_TRUE(check(config));
  ::chmod(config.ssl_key_file.c_str(), 0644);
  EXPECT_FALSE(check(config));
}

TEST_F(ClientConfigFiles, SslKeysWithoutSslAreAMistake) {
  ClientConfig config{.brokers = "127.0.0.1:1"};
  config.ssl_ca_file = file("ca", "x", 0644);
  EXPECT_FALSE(check(config));
}

TEST_F(ClientConfigFiles, AProducerWithABrokenKeyIsRefusedAtItsStart) {
  ClientConfig config{.brokers = "127.0.0.1:1", .security_protocol = "ssl"};
  config.ssl_certificate_file = file("crt", "no certificate", 0644);
  config.ssl_key_file = file("key", "no key", 0600);
  const auto producer = Producer::open({.client = config});
  ASSERT_FALSE(producer);
  EXPECT_EQ(producer.error().answer, Answer::kRefused);
  EXPECT_EQ(producer.error().message.find('\n'), std::string::npos);
}

TEST(Producer, ABrokerThatIsAwayIsARetry) {
  // Port 1 on the loopback: nobody listens.
  auto producer = Producer::open({.client = {.brokers = "127.0.0.1:1"}, .transactional_id = "t"});
  ASSERT_TRUE(producer) << producer.error().message;
  const auto result = producer->init(std::chrono::milliseconds(300));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().answer, Answer::kRetry) << result.error().message;
}

TEST(Producer, AFullQueueIsARetryAndBounded) {
  auto producer = Producer::open({.client = {.brokers = "127.0.0.1:1"}, .queue_records_max = 10});
  ASSERT_TRUE(producer);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(producer->send({.topic = "t", .value = "v"}));
  const auto result = producer->send({.topic = "t", .value = "v"}, std::chrono::milliseconds(50));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().answer, Answer::kRetry);
  EXPECT_EQ(producer->queued(), 10u);
}

TEST(Producer, ARecordThatIsTooLargeIsRejected) {
  auto producer = Producer::open({.client = {.brokers = "127.0.0.1:1"}, .record_bytes_max = 2000});
  ASSERT_TRUE(producer);
  const std::string large(5000, 'x');
  const Header header{"seq", "1"};
  const auto result = producer->send({.topic = "t", .value = large, .headers = {&header, 1}},
                                     std::chrono::milliseconds(50));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().answer, Answer::kReject);
}

TEST(Consumer, ABrokerThatIsAwayGivesNoRecords) {
  auto consumer = Consumer::open({.client = {.brokers = "127.0.0.1:1"}, .group = "g"});
  ASSERT_TRUE(consumer) << consumer.error().message;
  const std::string topic = "t";
  ASSERT_TRUE(consumer->subscribe({&topic, 1}));
  const auto record = consumer->poll(std::chrono::milliseconds(100));
  EXPECT_TRUE(!record || !*record);
}

}  // namespace
}  // namespace vong::kafka
