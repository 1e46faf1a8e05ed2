#include "telemetry/server.h"

#include <civetweb.h>
#include <fmt/format.h>

#include <charconv>

namespace vong::telemetry {
namespace {

struct Address {
  std::string host;  // empty: every address
  uint16_t port = 0;
};

Result<Address> parse_listen(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos)
    return fail(fmt::format("'{}' is not an address of the form host:port", listen));
  Address address{listen.substr(0, colon), 0};
  const char* end = listen.data() + listen.size();
  const auto [stop, error] = std::from_chars(listen.data() + colon + 1, end, address.port);
  if (error != std::errc() || stop != end)
    return fail(fmt::format("'{}' has no port from 0 to 65535", listen));
  const bool v6 = address.host.starts_with('[') && address.host.ends_with(']');
  const std::string_view allowed = v6 ? "[]0123456789abcdefABCDEF:." : "0123456789.";
  if (address.host.find_first_not_of(allowed) != std::string::npos ||
      (!v6 && address.host.find(':') != std::string::npos)) {
    return fail(fmt::format("'{}' needs an IP address (as 127.0.0.1:9464 or [::1]:9464)", listen));
  }
  return address;
}

std::string_view status_line(int status) {
  switch (status) {
    case 200:
      return "200 OK";
    case 404:
      return "404 Not Found";
    case 405:
      return "405 Method Not Allowed";
    default:
      return "503 Service Unavailable";
  }
}

int answer(mg_connection* connection, int status, std::string_view type, std::string_view body) {
  const std::string head = fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n"
      "X-Content-Type-Options: nosniff\r\n\r\n",
      status_line(status), type, body.size());
  mg_write(connection, head.data(), head.size());
  mg_write(connection, body.data(), body.size());
  return status;
}

bool is_read(const mg_connection* connection) {
  const std::string_view method = mg_get_request_info(connection)->request_method;
  return method == "GET";
}

}  // namespace

struct Server::Impl {
  const Registry* registry;
  std::function<Health()> health;
  mg_context* context = nullptr;
  std::string error;  // CivetWeb's words when the start fails

  ~Impl() {
    if (context != nullptr) mg_stop(context);
    mg_exit_library();
  }

  static int on_metrics(mg_connection* connection, void* self) {
    if (!is_read(connection)) return answer(connection, 405, "text/plain", "only GET\n");
    return answer(connection, 200, "text/plain; version=0.0.4; charset=utf-8",
                  static_cast<Impl*>(self)->registry->text());
  }
  static int on_health(mg_connection* connection, void* self) {
    if (!is_read(connection)) return answer(connection, 405, "text/plain", "only GET\n");
    const auto& read = static_cast<Impl*>(self)->health;
    const Health health = read ? read() : Health{};
    return answer(connection, health.ok ? 200 : 503, "text/plain; charset=utf-8",
                  health.ok ? "ok\n" : health.text + "\n");
  }
  static int on_other(mg_connection* connection, void*) {
    return answer(connection, 404, "text/plain", "there are /metrics and /healthz\n");
  }
  static int on_log(const mg_connection* connection, const char* message) {
    auto* self = static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
    if (self != nullptr && self->error.empty()) self->error = message;
    return 1;  // not to CivetWeb's own log
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<> check_listen(const std::string& listen) {
  const Result<Address> address = parse_listen(listen);
  if (!address) return fail(address.error().message);
  return {};
}

Result<Server> Server::start(const std::string& listen, const Registry& registry,
                             std::function<Health()> health) {
  const Result<Address> address = parse_listen(listen);
  if (!address) return fail(address.error().message);
  auto impl = std::make_unique<Impl>();
  impl->registry = &registry;
  impl->health = std::move(health);
  mg_init_library(0);
  const std::string ports = address->host.empty()
                                ? fmt::format("+{}", address->port)
                                : fmt::format("{}:{}", address->host, address->port);
  // Scrapers come every few seconds, one or two of them: few threads, short patience, small
  // requests.
  const char* options[] = {"listening_ports",
                           ports.c_str(),
                           "num_threads",
                           "2",
                           "request_timeout_ms",
                           "5000",
                           "max_request_size",
                           "8192",
                           "enable_keep_alive",
                           "no",
                           "enable_directory_listing",
                           "no",
                           nullptr};
  mg_callbacks callbacks{};
  callbacks.log_message = Impl::on_log;
  impl->context = mg_start(&callbacks, impl.get(), options);
  if (impl->context == nullptr) {
    return fail(fmt::format("metrics.listen {}: cannot listen{}{}", listen,
                            impl->error.empty() ? "" : ": ", impl->error));
  }
  mg_set_request_handler(impl->context, "/metrics$", Impl::on_metrics, impl.get());
  mg_set_request_handler(impl->context, "/healthz$", Impl::on_health, impl.get());
  mg_set_request_handler(impl->context, "**", Impl::on_other, impl.get());
  return Server(std::move(impl));
}

uint16_t Server::port() const {
  mg_server_port ports[4]{};
  return mg_get_server_ports(impl_->context, 4, ports) > 0 ? static_cast<uint16_t>(ports[0].port)
                                                           : uint16_t{0};
}

}  // namespace vong::telemetry
