// How to reach the brokers, as a user writes it below `kafka:`. Values only; nothing connects here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vong::kafka {

struct ClientConfig {
  std::string brokers;    // host:port, with commas between
  std::string client_id;  // shown in the broker's log; programs set a fitting one when it is empty
  std::string security_protocol = "plaintext";  // plaintext, ssl, sasl_plaintext, sasl_ssl
  std::string ssl_ca_file;                      // PEM
  std::string
      ssl_certificate_file;  // PEM; with the key: mTLS, the broker takes the principal from it
  std::string ssl_key_file;  // PEM, must not be readable by others
  std::string ssl_key_password_file;  // first line is the password; must not be readable by others
  bool ssl_verify_hostname = true;
  std::string sasl_mechanism;  // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 (the last two:
                               // librdkafka 2.6.1 and later)
  std::string sasl_username;
  std::string sasl_password_file;  // first line is the password; must not be readable by others
  std::vector<std::pair<std::string, std::string>>
      tuning;  // librdkafka.<property>, from a list of harmless ones
};

struct ClientKey {
  std::string_view
      name;  // below `kafka.`, as "ssl.ca-file"; "librdkafka.*" stands for all tuning properties
  std::string_view help;
};
// Every key that set() knows: for the check of unknown keys and for the reference.
[[nodiscard]] std::span<const ClientKey> client_keys();

// Sets one key; an error for an unknown one or a value that cannot be.
[[nodiscard]] Result<> set(ClientConfig& config, std::string_view key, std::string_view value);

// What can be checked before connecting: brokers named, files there, secrets not readable by
// others, parts that need each other.
[[nodiscard]] Result<> check(const ClientConfig& config);

// A file with a secret must be a regular file without any right for others.
[[nodiscard]] Result<> check_secret_file(const std::string& path);

// The version of librdkafka that runs, as "2.0.2".
[[nodiscard]] std::string library_version();

}  // namespace vong::kafka
