#include "kafka/admin.h"

#include <fmt/format.h>

#include <algorithm>

#include "kafka/internal.h"

namespace vong::kafka {
namespace {

int milliseconds(std::chrono::milliseconds d) {
  return static_cast<int>(std::clamp<int64_t>(d.count(), 0, 3'600'000));
}

using EventHandle = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using OptionsHandle =
    std::unique_ptr<rd_kafka_AdminOptions_t, Destroy<rd_kafka_AdminOptions_destroy>>;
using NewTopicHandle = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using DeleteTopicHandle =
    std::unique_ptr<rd_kafka_DeleteTopic_t, Destroy<rd_kafka_DeleteTopic_destroy>>;
using AclHandle = std::unique_ptr<rd_kafka_AclBinding_t, Destroy<rd_kafka_AclBinding_destroy>>;

// A client for one request.
struct Session {
  ConnectionWatch watch;
  ClientHandle client;
  QueueHandle queue;

  [[nodiscard]] KafkaResult<> open(const ClientConfig& config) {
    KafkaResult<ConfHandle> conf = make_conf(config, &watch);
    if (!conf) return std::unexpected(conf.error());
    KafkaResult<ClientHandle> made = make_client(RD_KAFKA_PRODUCER, std::move(*conf));
    if (!made) return std::unexpected(made.error());
    client = std::move(*made);
    queue.reset(rd_kafka_queue_new(client.get()));
    return {};
  }
  [[nodiscard]] OptionsHandle options(rd_kafka_admin_op_t op,
                                      std::chrono::milliseconds timeout) const {
    OptionsHandle options(rd_kafka_AdminOptions_new(client.get(), op));
    char text[256];
    rd_kafka_AdminOptions_set_request_timeout(options.get(), milliseconds(timeout), text,
                                              sizeof text);
    rd_kafka_AdminOptions_set_operation_timeout(options.get(), milliseconds(timeout), text,
                                                sizeof text);
    return options;
  }
  // The answer to the request; connection errors are served meanwhile.
  [[nodiscard]] KafkaResult<EventHandle> wait(std::string_view what,
                                              std::chrono::milliseconds timeout) const {
    const auto deadline = std::chrono::steady_clock::now() + timeout + std::chrono::seconds(2);
    while (std::chrono::steady_clock::now() < deadline) {
      rd_kafka_poll(client.get(), 0);
      EventHandle event(rd_kafka_queue_poll(queue.get(), 100));
      if (!event) continue;
      if (const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
          code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_poll(client.get(), 0);
        return std::unexpected(
            to_error(what, code, watch, rd_kafka_event_error_string(event.get())));
      }
      return event;
    }
    return std::unexpected(to_error(what, RD_KAFKA_RESP_ERR__TIMED_OUT, watch));
  }
};

KafkaResult<> check_topics(std::string_view what, const rd_kafka_topic_result_t* const* results,
                           std::size_t n, rd_kafka_resp_err_t harmless,
                           const ConnectionWatch& watch) {
  for (std::size_t i = 0; i < n; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == harmless) continue;
    return std::unexpected(
        to_error(fmt::format("{} {}", what, rd_kafka_topic_result_name(results[i])), code, watch,
                 rd_kafka_topic_result_error_string(results[i])));
  }
  return {};
}

}  // namespace

KafkaResult<> create_topics(const ClientConfig& client, std::span<const NewTopic> topics,
                            std::chrono::milliseconds timeout) {
  Session session;
  if (KafkaResult<> ok = session.open(client); !ok) return ok;
  std::vector<NewTopicHandle> handles;
  std::vector<rd_kafka_NewTopic_t*> raw;
  for (const NewTopic& topic : topics) {
    char text[256] = "";
    NewTopicHandle handle(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                                topic.replication, text, sizeof text));
    if (!handle)
      return std::unexpected(KafkaError{Answer::kRefused, code::kTopicException,
                                        fmt::format("topic {}: {}", topic.name, text)});
    for (const auto& [name, value] : topic.settings)
      rd_kafka_NewTopic_set_config(handle.get(), name.c_str(), value.c_str());
    raw.push_back(handle.get());
    handles.push_back(std::move(handle));
  }
  if (raw.empty()) return {};
  const OptionsHandle options = session.options(RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
  rd_kafka_CreateTopics(session.client.get(), raw.data(), raw.size(), options.get(),
                        session.queue.get());
  KafkaResult<EventHandle> event = session.wait("creating topics", timeout);
  if (!event) return std::unexpected(event.error());
  std::size_t n = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &n);
  return check_topics("creating topic", results, n, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS,
                      session.watch);
}

// The protocol's number of the resource; the library's enumeration has it from 2.4 on.
constexpr int kTransactionalIdResource = 5;

bool knows_transactional_id_rights() { return RD_KAFKA_RESOURCE__CNT > kTransactionalIdResource; }

KafkaResult<> create_acls(const ClientConfig& client, std::span<const Acl> acls,
                          std::chrono::milliseconds timeout) {
  static constexpr rd_kafka_ResourceType_t kResources[] = {
      RD_KAFKA_RESOURCE_TOPIC, RD_KAFKA_RESOURCE_GROUP,
      static_cast<rd_kafka_ResourceType_t>(kTransactionalIdResource)};
  static constexpr rd_kafka_AclOperation_t kOperations[] = {
      RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_WRITE, RD_KAFKA_ACL_OPERATION_DESCRIBE};
  Session session;
  if (KafkaResult<> ok = session.open(client); !ok) return ok;
  std::vector<AclHandle> handles;
  std::vector<rd_kafka_AclBinding_t*> raw;
  for (const Acl& acl : acls) {
    if (acl.resource == Acl::Resource::kTransactionalId && !knows_transactional_id_rights())
      continue;
    char text[256] = "";
    AclHandle handle(rd_kafka_AclBinding_new(
        kResources[static_cast<std::size_t>(acl.resource)], acl.name.c_str(),
        acl.prefix ? RD_KAFKA_RESOURCE_PATTERN_PREFIXED : RD_KAFKA_RESOURCE_PATTERN_LITERAL,
        acl.principal.c_str(), "*", kOperations[static_cast<std::size_t>(acl.operation)],
        RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, text, sizeof text));
    if (!handle)
      return std::unexpected(KafkaError{Answer::kRefused, RD_KAFKA_RESP_ERR__INVALID_ARG,
                                        fmt::format("right of {}: {}", acl.principal, text)});
    raw.push_back(handle.get());
    handles.push_back(std::move(handle));
  }
  if (raw.empty()) return {};
  const OptionsHandle options = session.options(RD_KAFKA_ADMIN_OP_CREATEACLS, timeout);
  rd_kafka_CreateAcls(session.client.get(), raw.data(), raw.size(), options.get(),
                      session.queue.get());
  KafkaResult<EventHandle> event = session.wait("creating rights", timeout);
  if (!event) return std::unexpected(event.error());
  std::size_t n = 0;
  const rd_kafka_acl_result_t** results =
      rd_kafka_CreateAcls_result_acls(rd_kafka_event_CreateAcls_result(event->get()), &n);
  for (std::size_t i = 0; i < n; ++i) {
    const rd_kafka_error_t* error = rd_kafka_acl_result_error(results[i]);
    if (error == nullptr) continue;
    return std::unexpected(to_error("creating a right", rd_kafka_error_code(error), session.watch,
                                    rd_kafka_error_string(error)));
  }
  return {};
}

KafkaResult<> delete_topics(const ClientConfig& client, std::span<const std::string> names,
                            std::chrono::milliseconds timeout) {
  Session session;
  if (KafkaResult<> ok = session.open(client); !ok) return ok;
  std::vector<DeleteTopicHandle> handles;
  std::vector<rd_kafka_DeleteTopic_t*> raw;
  for (const std::string& name : names) {
    handles.emplace_back(rd_kafka_DeleteTopic_new(name.c_str()));
    raw.push_back(handles.back().get());
  }
  if (raw.empty()) return {};
  const OptionsHandle options = session.options(RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout);
  rd_kafka_DeleteTopics(session.client.get(), raw.data(), raw.size(), options.get(),
                        session.queue.get());
  KafkaResult<EventHandle> event = session.wait("deleting topics", timeout);
  if (!event) return std::unexpected(event.error());
  std::size_t n = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event->get()), &n);
  return check_topics("deleting topic", results, n, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                      session.watch);
}

KafkaResult<std::vector<std::string>> list_topics(const ClientConfig& client,
                                                  std::chrono::milliseconds timeout) {
  Session session;
  if (KafkaResult<> ok = session.open(client); !ok) return std::unexpected(ok.error());
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(session.client.get(), 1, nullptr, &metadata, milliseconds(timeout));
  rd_kafka_poll(session.client.get(), 0);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::unexpected(to_error("listing topics", code, session.watch));
  const std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>> owner(
      metadata);
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) names.emplace_back(metadata->topics[i].topic);
  std::ranges::sort(names);
  return names;
}

}  // namespace vong::kafka
