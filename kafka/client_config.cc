#include "kafka/client_config.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "kafka/internal.h"

namespace vong::kafka {
namespace {

constexpr std::array kKeys = {
    ClientKey{"brokers", "addresses to start from, host:port with commas between"},
    ClientKey{"client-id", "name shown in the broker's log"},
    ClientKey{"security-protocol", "plaintext, ssl, sasl_plaintext or sasl_ssl"},
    ClientKey{"ssl.ca-file", "certificates that the broker's is checked against (PEM)"},
    ClientKey{"ssl.certificate-file", "our certificate (PEM); with ssl.key-file: mTLS"},
    ClientKey{"ssl.key-file", "our private key (PEM); must not be readable by others"},
    ClientKey{"ssl.key-password-file",
              "file whose first line is the key's password; must not be readable by others"},
    ClientKey{"ssl.verify-hostname", "whether the broker's certificate has to name the host (yes)"},
    ClientKey{"sasl.mechanism",
              "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (SCRAM needs librdkafka 2.6.1)"},
    ClientKey{"sasl.username", "user name"},
    ClientKey{"sasl.password-file",
              "file whose first line is the password; must not be readable by others"},
    ClientKey{"librdkafka.*",
              "a tuning property of librdkafka: socket, reconnect, batching, fetching, debug"},
};

// Properties that change speed and time-outs. Everything that changes who we are, what is promised
// (idempotence, isolation, offsets) or what code is loaded stays ours.
constexpr std::array<std::string_view, 7> kTuningPrefixes = {
    "socket.",         "reconnect.backoff.", "fetch.", "queued.",
    "topic.metadata.", "broker.address.",    "batch."};
constexpr std::array<std::string_view, 13> kTuningNames = {"debug",
                                                           "linger.ms",
                                                           "message.max.bytes",
                                                           "max.in.flight.requests.per.connection",
                                                           "statistics.interval.ms",
                                                           "retry.backoff.ms",
                                                           "compression.level",
                                                           "metadata.max.age.ms",
                                                           "heartbeat.interval.ms",
                                                           "client.rack",
                                                           "api.version.request",
                                                           "connections.max.idle.ms",
                                                           "log_level"};

bool is_tuning(std::string_view name) {
  return std::ranges::any_of(kTuningPrefixes,
                             [&](std::string_view p) { return name.starts_with(p); }) ||
         std::ranges::find(kTuningNames, name) != kTuningNames.end();
}

Result<> check_readable(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  std::fclose(file);
  return {};
}

Result<std::string> read_secret(const std::string& path) {
  if (Result<> ok = check_secret_file(path); !ok) return fail(ok.error().message);
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  char line[1024];
  const std::size_t n = std::fread(line, 1, sizeof line, file);
  std::fclose(file);
  const std::string_view text(line, n);
  const std::size_t end = text.find_first_of("\r\n");
  if (end == std::string_view::npos && n == sizeof line)
    return fail(fmt::format("{}: the first line is too long for a password", path));
  return std::string(text.substr(0, end));
}

KafkaError refused(std::string message) {
  return {Answer::kRefused, code::kNone, std::move(message)};
}

// librdkafka's own log lines, from its threads: what matters comes through the error callback, the
// rest only when asked for.
void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  constexpr int kDebug = 7;
  if (level >= kDebug) fmt::print(stderr, "librdkafka: {}: {}\n", facility, text);
}

void on_error(rd_kafka_t*, int code, const char* reason, void* opaque) {
  auto* watch = static_cast<ConnectionWatch*>(opaque);
  // A fatal error comes back from the next call with its reason.
  if (code != RD_KAFKA_RESP_ERR__FATAL) watch->on_error(code, reason);
}

}  // namespace

std::span<const ClientKey> client_keys() { return kKeys; }

std::string library_version() { return rd_kafka_version_str(); }

Result<> set(ClientConfig& config, std::string_view key, std::string_view value) {
  const std::string text(value);
  if (key.starts_with("librdkafka.")) {
    const std::string_view property = key.substr(std::strlen("librdkafka."));
    if (!is_tuning(property))
      return fail(fmt::format("librdkafka.{} is not one that may be set here", property));
    config.tuning.emplace_back(property, text);
    return {};
  }
  if (key == "brokers")
    config.brokers = text;
  else if (key == "client-id")
    config.client_id = text;
  else if (key == "security-protocol") {
    static constexpr std::array<std::string_view, 4> kProtocols = {"plaintext", "ssl",
                                                                   "sasl_plaintext", "sasl_ssl"};
    if (std::ranges::find(kProtocols, value) == kProtocols.end()) {
      return fail(
          fmt::format("expected plaintext, ssl, sasl_plaintext or sasl_ssl, found '{}'", value));
    }
    config.security_protocol = text;
  } else if (key == "ssl.ca-file")
    config.ssl_ca_file = text;
  else if (key == "ssl.certificate-file")
    config.ssl_certificate_file = text;
  else if (key == "ssl.key-file")
    config.ssl_key_file = text;
  else if (key == "ssl.key-password-file")
    config.ssl_key_password_file = text;
  else if (key == "ssl.verify-hostname") {
    if (value != "yes" && value != "no" && value != "true" && value != "false")
      return fail(fmt::format("expected yes or no, found '{}'", value));
    config.ssl_verify_hostname = value == "yes" || value == "true";
  } else if (key == "sasl.mechanism")
    config.sasl_mechanism = text;
  else if (key == "sasl.username")
    config.sasl_username = text;
  else if (key == "sasl.password-file")
    config.sasl_password_file = text;
  else
    return fail(fmt::format("unknown key '{}'", key));
  return {};
}

Result<> check_secret_file(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0)
    return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  if (!S_ISREG(st.st_mode)) return fail(fmt::format("{}: is not a regular file", path));
  if ((st.st_mode & S_IRWXO) != 0) {
    return fail(fmt::format(
        "{}: holds a secret and may be read or changed by others (mode {:03o}); chmod o-rwx it",
        path, st.st_mode & 0777));
  }
  return check_readable(path);
}

Result<> check(const ClientConfig& config) {
  if (config.brokers.empty()) return fail("no brokers are named");
  const bool tls = config.security_protocol == "ssl" || config.security_protocol == "sasl_ssl";
  const bool sasl = config.security_protocol.starts_with("sasl");
  if (!tls && !(config.ssl_ca_file + config.ssl_certificate_file + config.ssl_key_file).empty()) {
    return fail(
        fmt::format("ssl keys have no effect with security-protocol {}", config.security_protocol));
  }
  if (config.ssl_certificate_file.empty() != config.ssl_key_file.empty()) {
    return fail("ssl.certificate-file and ssl.key-file need each other");
  }
  for (const std::string& path : {config.ssl_ca_file, config.ssl_certificate_file}) {
    if (path.empty()) continue;
    if (Result<> ok = check_readable(path); !ok) return ok;
  }
  for (const std::string& path :
       {config.ssl_key_file, config.ssl_key_password_file, config.sasl_password_file}) {
    if (path.empty()) continue;
    if (Result<> ok = check_secret_file(path); !ok) return ok;
  }
  if (sasl && (config.sasl_mechanism.empty() || config.sasl_username.empty() ||
               config.sasl_password_file.empty())) {
    return fail(fmt::format("{} needs sasl.mechanism, sasl.username and sasl.password-file",
                            config.security_protocol));
  }
  constexpr int kFirstWithScram = 0x020601ff;  // earlier ones are refused by brokers of Kafka 4
  if (config.sasl_mechanism.starts_with("SCRAM") && rd_kafka_version() < kFirstWithScram) {
    return fail(
        fmt::format("SCRAM needs librdkafka 2.6.1 or later, this is {}; use certificates "
                    "(security-protocol ssl)",
                    library_version()));
  }
  return {};
}

KafkaResult<> put(rd_kafka_conf_t* conf, const char* name, const std::string& value) {
  char text[512] = "";
  if (rd_kafka_conf_set(conf, name, value.c_str(), text, sizeof text) == RD_KAFKA_CONF_OK)
    return {};
  return std::unexpected(refused(fmt::format("kafka configuration: {}", text)));
}

KafkaResult<ConfHandle> make_conf(const ClientConfig& config, ConnectionWatch* watch) {
  if (Result<> ok = check(config); !ok)
    return std::unexpected(refused(fmt::format("kafka configuration: {}", ok.error().message)));
  ConfHandle conf(rd_kafka_conf_new());
  rd_kafka_conf_set_opaque(conf.get(), watch);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_log_cb(conf.get(), on_log);

  std::vector<std::pair<const char*, std::string>> properties = {
      {"bootstrap.servers", config.brokers},
      {"client.id", config.client_id.empty() ? "vong" : config.client_id},
      {"security.protocol", config.security_protocol},
      // A broker that is away is normal: come back within a second of its return.
      {"reconnect.backoff.ms", "100"},
      {"reconnect.backoff.max.ms", "1000"},
      {"log.connection.close", "false"},
  };
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) properties.emplace_back(name, value);
  };
  add("ssl.ca.location", config.ssl_ca_file);
  add("ssl.certificate.location", config.ssl_certificate_file);
  add("ssl.key.location", config.ssl_key_file);
  if (config.security_protocol.ends_with("ssl")) {
    add("ssl.endpoint.identification.algorithm", config.ssl_verify_hostname ? "https" : "none");
  }
  add("sasl.mechanism", config.sasl_mechanism);
  add("sasl.username", config.sasl_username);
  for (const auto& [name, file] : {std::pair{"ssl.key.password", config.ssl_key_password_file},
                                   {"sasl.password", config.sasl_password_file}}) {
    if (file.empty()) continue;
    const Result<std::string> secret = read_secret(file);
    if (!secret)
      return std::unexpected(
          refused(fmt::format("kafka configuration: {}", secret.error().message)));
    add(name, *secret);
  }
  for (const auto& [name, value] : config.tuning) properties.emplace_back(name.c_str(), value);
  for (const auto& [name, value] : properties) {
    if (KafkaResult<> ok = put(conf.get(), name, value); !ok) return std::unexpected(ok.error());
  }
  return conf;
}

KafkaResult<ClientHandle> make_client(rd_kafka_type_t type, ConfHandle conf) {
  char text[512] = "";
  rd_kafka_t* client = rd_kafka_new(type, conf.get(), text, sizeof text);
  if (client == nullptr) return std::unexpected(refused(fmt::format("kafka client: {}", text)));
  (void)conf.release();  // the client owns it now
  return ClientHandle(client);
}

PartitionsHandle to_list(std::span<const TopicOffset> offsets) {
  PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const TopicOffset& o : offsets) {
    rd_kafka_topic_partition_t* p =
        rd_kafka_topic_partition_list_add(list.get(), o.topic.c_str(), o.partition);
    p->offset = o.offset;
    if (!o.metadata.empty()) {
      p->metadata = std::malloc(o.metadata.size());  // librdkafka frees it with free()
      p->metadata_size = o.metadata.size();
      std::memcpy(p->metadata, o.metadata.data(), o.metadata.size());
    }
  }
  return list;
}

PartitionsHandle to_list(std::span<const TopicPartition> partitions) {
  PartitionsHandle list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const TopicPartition& p : partitions)
    rd_kafka_topic_partition_list_add(list.get(), p.topic.c_str(), p.partition);
  return list;
}

std::vector<TopicPartition> to_partitions(const rd_kafka_topic_partition_list_t* list) {
  std::vector<TopicPartition> result;
  for (int i = 0; i < list->cnt; ++i)
    result.push_back({list->elems[i].topic, list->elems[i].partition});
  return result;
}

}  // namespace vong::kafka
