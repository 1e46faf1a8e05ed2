#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "telemetry/registry.h"
#include "telemetry/server.h"

namespace vong::telemetry {
namespace {

constexpr MetricInfo kTable[] = {
    {"vong_test_packets_total", Kind::kCounter, "", "Packets that were seen"},
    {"vong_test_dropped_packets_total", Kind::kCounter, "reason",
     "Packets that were not inspected"},
    {"vong_test_age_seconds", Kind::kGauge, "", "Age of the oldest record that was not sent"},
};

TEST(Registry, CellsOfOneNameAreAddedUp) {
  Registry registry(kTable);
  Counter a;
  Counter b;
  registry.add("vong_test_packets_total", {}, a);
  registry.add("vong_test_packets_total", {}, b);
  a.add(2);
  b.add(40);
  EXPECT_NE(registry.text().find("vong_test_packets_total 42\n"), std::string::npos)
      << registry.text();
}

TEST(Registry, LabelsAreEscapedAndKeptApart) {
  Registry registry(kTable);
  Counter full;
  Counter odd;
  full.add(1);
  registry.add("vong_test_dropped_packets_total", {{"reason", "ring_full"}}, full);
  registry.add("vong_test_dropped_packets_total", {{"reason", "a\"b\nc"}}, odd);
  const std::string text = registry.text();
  EXPECT_NE(text.find("{reason=\"ring_full\"} 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("{reason=\"a\\\"b\\nc\"} 0\n"), std::string::npos) << text;
}

TEST(Registry, OrderIsTheTables) {
  Registry registry(kTable);
  Gauge age;
  Counter packets;
  registry.add("vong_test_age_seconds", {},
               [&age] { return static_cast<double>(age.value()) * 1e-9; });
  registry.add("vong_test_packets_total", {}, packets);
  age.set(1'500'000'000);
  const std::string text = registry.text();
  EXPECT_LT(text.find("vong_test_packets_total"), text.find("vong_test_age_seconds"));
  EXPECT_NE(text.find("vong_test_age_seconds 1.5\n"), std::string::npos) << text;
}

TEST(CheckTable, FindsWhatBreaksTheContract) {
  EXPECT_TRUE(check_table(kTable, "test").empty());
  constexpr MetricInfo kBad[] = {
      {"vong_other_x_total", Kind::kCounter, "", "Another program's name"},
      {"vong_test_x", Kind::kCounter, "", "A counter without its ending"},
      {"vong_test_y_total", Kind::kGauge, "", "A gauge with a counter's ending"},
      {"vong_test_z_total", Kind::kCounter, "", "Short."},
      {"vong_test_Z_total", Kind::kCounter, "", "Capitals are not used"}};
  EXPECT_EQ(check_table(kBad, "test").size(), 5u);
}

TEST(Reference, HasARowForEachMetric) {
  const std::string text = reference(kTable);
  for (const MetricInfo& info : kTable)
    EXPECT_NE(text.find("`" + std::string(info.name) + "`"), std::string::npos);
}

// A request and everything that comes back.
std::string http(uint16_t port, const std::string& request) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t n; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  return answer;
}

TEST(Server, ServesMetricsAndHealth) {
  Registry registry(kTable);
  Counter packets;
  packets.add(7);
  registry.add("vong_test_packets_total", {}, packets);
  bool healthy = true;
  auto server = Server::start("127.0.0.1:0", registry, [&healthy] {
    return Health{healthy, "spool is full"};
  });
  ASSERT_TRUE(server) << server.error().message;
  ASSERT_NE(server->port(), 0);
  const std::string metrics = http(server->port(), "GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(metrics.starts_with("HTTP/1.1 200")) << metrics;
  EXPECT_NE(metrics.find("vong_test_packets_total 7\n"), std::string::npos);
  EXPECT_NE(http(server->port(), "GET /healthz HTTP/1.0\r\n\r\n").find("200 OK"),
            std::string::npos);
  healthy = false;
  const std::string sick = http(server->port(), "GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(sick.starts_with("HTTP/1.1 503")) << sick;
  EXPECT_NE(sick.find("spool is full"), std::string::npos);
}

TEST(Server, OtherPathsAndMethodsAreRefused) {
  Registry registry(kTable);
  auto server = Server::start("127.0.0.1:0", registry);
  ASSERT_TRUE(server);
  EXPECT_TRUE(
      http(server->port(), "GET /../../etc/passwd HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(http(server->port(), "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(http(server->port(), "POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
                  .starts_with("HTTP/1.1 405"));
}

TEST(Server, AnAddressThatIsTakenIsOneClearError) {
  Registry registry(kTable);
  auto first = Server::start("127.0.0.1:0", registry);
  ASSERT_TRUE(first);
  auto second = Server::start("127.0.0.1:" + std::to_string(first->port()), registry);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("metrics.listen"), std::string::npos);
}

TEST(Server, AddressesAreChecked) {
  for (const char* good : {"127.0.0.1:9464", "[::1]:9464", ":9464"})
    EXPECT_TRUE(check_listen(good)) << good;
  for (const char* bad : {"", "9464", "localhost:9464", "127.0.0.1:", "127.0.0.1:99999", "1:2:3",
                          "127.0.0.1:80s,0.0.0.0:81"}) {
    EXPECT_FALSE(check_listen(bad)) << bad;
  }
}

}  // namespace
}  // namespace vong::telemetry
