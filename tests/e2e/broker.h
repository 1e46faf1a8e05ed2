// The real broker that with_broker has started, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "kafka/admin.h"
#include "kafka/consumer.h"

namespace vong::e2e {

using namespace std::chrono_literals;

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

inline kafka::ClientConfig client() { return {.brokers = environment("VONG_TEST_BROKER")}; }

// "stop", "kill", "start"
inline void broker(const std::string& what) {
  const std::string command = "'" + environment("VONG_TEST_BROKER_CONTROL") + "' " + what + " '" +
                              environment("VONG_TEST_BROKER_DIR") + "' " +
                              (what == "start" ? environment("VONG_TEST_BROKER_PORT") : "");
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

inline std::string new_topic(const std::string& prefix, int partitions) {
  static int n = 0;
  const std::string name = prefix + "-" + std::to_string(++n);
  const kafka::NewTopic topic{.name = name, .partitions = partitions};
  const auto made = kafka::create_topics(client(), {&topic, 1}, 30s);
  EXPECT_TRUE(made) << made.error().message;
  return name;
}

struct Read {
  int32_t partition;
  int64_t offset;
  std::string key;
  std::string value;
  std::string seq;
  std::string sensor;
  std::string agency;
  std::string ruleset;
};

// Everything committed in the topic, read from its beginning to its end.
inline std::vector<Read> read_all(const std::string& topic) {
  std::vector<Read> all;
  auto consumer = kafka::Consumer::open(
      {.client = client(), .group = "reader-of-" + topic, .report_end = true});
  EXPECT_TRUE(consumer);
  const auto partitions = consumer->partition_count(topic, 30s);
  EXPECT_TRUE(partitions) << partitions.error().message;
  std::vector<kafka::TopicOffset> offsets;
  for (int32_t p = 0; p < *partitions; ++p) offsets.push_back({topic, p, kafka::kNoOffset, {}});
  EXPECT_TRUE(consumer->assign(offsets));
  // The end of each partition is reported; should it not be, nothing hangs, and what is missing then is for the caller to prove, by seq.
  const auto deadline = std::chrono::steady_clock::now() + 120s;
  while (!consumer->reached_end() && std::chrono::steady_clock::now() < deadline) {
    std::vector<kafka::Record> records;
    if (auto ok = consumer->poll_batch(5000, 200ms, records); !ok) continue;
    for (const kafka::Record& r : records) {
      auto header = [&](const char* name) { return std::string(r.header(name).value_or("")); };
      all.push_back({r.partition(), r.offset(), std::string(r.key()), std::string(r.value()),
                     header("seq"), header("sensor"), header("agency"), header("ruleset")});
    }
  }
  return all;
}

}  // namespace vong::e2e
