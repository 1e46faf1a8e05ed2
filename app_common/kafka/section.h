// The `kafka:` section that sensor, correlator and exporter have in common: who we are, how to
// reach the brokers, what travels how. A program reads it with read_kafka_section and takes what it
// needs; keys of its own it names in `also_known`.
//
//   kafka:
//     brokers: k1:9093,k2:9093           and all keys of kafka/client_config.h: security-protocol,
//     ssl.*, sasl.*, librdkafka.* agency: G01.02                     the agency's identifier
//     sensor: hn-gw-1                    this sensor's, unique in the agency
//     topic: vong.events.G01.02          default: vong.events.<agency>
//     compression: lz4                   none, gzip, snappy, lz4, zstd
//     transaction: {records: 20000, bytes: 16mb, age: 200ms, timeout: 60s}
//     spool: {dir: /var/lib/vong/spool, bytes-max: 4gb, segment: 64mb}
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "app_common/config.h"
#include "kafka/client_config.h"

namespace vong::app {

struct KafkaSection {
  kafka::ClientConfig client;
  std::string agency;
  std::string sensor;
  std::string topic;
  std::string compression = "lz4";
  std::size_t transaction_records = 20'000;
  std::size_t transaction_bytes = 16 << 20;
  std::chrono::milliseconds transaction_age{200};
  std::chrono::milliseconds transaction_timeout{60'000};
  std::string spool_dir;
  uint64_t spool_bytes = uint64_t{4} << 30;
  uint64_t segment_bytes = uint64_t{64} << 20;

  [[nodiscard]] bool enabled() const { return !client.brokers.empty(); }
};

// `node`: the section's map; not written: everything at its default and no problem. What is wrong
// goes to `problems`, with the check of client files included when brokers are named.
[[nodiscard]] KafkaSection read_kafka_section(const ConfigNode& node,
                                              std::initializer_list<std::string_view> also_known,
                                              Problems& problems);

// An identifier of an agency: at most 35 characters, groups of A-Z and 0-9 with dots between.
[[nodiscard]] bool is_agency_id(std::string_view text);
// A sensor's: at most 64 characters of a-z, A-Z, 0-9, '.', '_' and '-', as it becomes part of
// topic-like names.
[[nodiscard]] bool is_sensor_id(std::string_view text);

}  // namespace vong::app
