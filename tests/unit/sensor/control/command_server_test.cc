// The command socket's protocol: greeting, commands in pieces, several at once, and clients that misbehave.
#include "sensor/control/command_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace vong::control {
namespace {

class CommandServerTest : public testing::Test {
 protected:
  CommandServerTest() {
    char name[] = "/tmp/vong_control_XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/s";
    auto opened = CommandServer::open(path_);
    EXPECT_TRUE(opened) << opened.error().message;
    server_ = std::move(*opened);
  }
  ~CommandServerTest() override {
    for (const int fd : clients_) ::close(fd);
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  int client() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    clients_.push_back(fd);
    serve();
    return fd;
  }
  void serve() {
    server_->serve(-1, 0, [this](std::string_view command, const Arguments& arguments) {
      ++commands_;
      if (command == "echo") return Answer::text(arguments.text("what").value_or("nothing"));
      if (command == "twice") return Answer{true, std::to_string(2 * arguments.number("n").value_or(-1))};
      return Answer::refused("Unknown command");
    });
  }
  // "": nothing came; "(over)": the connection is closed.
  std::string ask(int fd, std::string_view text) {
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    serve();
    char buffer[65536];
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : n == 0 ? "(over)" : "";
  }

  std::string folder_, path_;
  std::unique_ptr<CommandServer> server_;
  std::vector<int> clients_;
  int commands_ = 0;
};

TEST_F(CommandServerTest, AnswersWhatWasAsked) {
  const int fd = client();
  EXPECT_EQ(ask(fd, R"({"version": "0.1"})"), R"({"return": "OK"})");
  EXPECT_EQ(ask(fd, R"({"command": "echo", "arguments": {"what": "a \"b\""}})"), R"({"message": "a \"b\"", "return": "OK"})");
  EXPECT_EQ(ask(fd, R"({"command": "twice", "arguments": {"n": 21}})"), R"({"message": 42, "return": "OK"})");
  EXPECT_EQ(ask(fd, R"({"command": "nothing"})"), R"({"message": "Unknown command", "return": "NOK"})");
}

TEST_F(CommandServerTest, InVersion2EachAnswerIsALine) {
  const int fd = client();
  EXPECT_EQ(ask(fd, "{\"version\": \"0.2\"}\n"), "{\"return\": \"OK\"}\n");
  EXPECT_EQ(ask(fd, "{\"command\": \"echo\"}\n{\"command\": \"echo\"}\n"), "{\"message\": \"nothing\", \"return\": \"OK\"}\n{\"message\": \"nothing\", \"return\": \"OK\"}\n");
}

TEST_F(CommandServerTest, ACommandMayComeInPieces) {
  const int fd = client();
  (void)ask(fd, R"({"version": "0.1"})");
  EXPECT_EQ(ask(fd, R"({"command": "echo", "argu)"), "");
  EXPECT_EQ(ask(fd, R"(ments": {"what": "}"}})"), R"({"message": "}", "return": "OK"})");
}

TEST_F(CommandServerTest, WithoutAGreetingNothingIsDone) {
  for (const char* bad : {R"({"command": "echo"})", R"({"version": "9"})", R"({"version": 1})", "{}", "}"}) {
    const int fd = client();
    EXPECT_EQ(ask(fd, bad), "(over)") << bad;
  }
  EXPECT_EQ(commands_, 0);
}

TEST_F(CommandServerTest, WhatIsNoCommandIsRefusedAndTheConnectionStays) {
  const int fd = client();
  (void)ask(fd, R"({"version": "0.1"})");
  for (const char* bad : {R"({"command": 7})", R"({"x": {"y": {}}})", "{\"command\" \"x\"}", R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}}})"})
    EXPECT_EQ(ask(fd, bad), R"({"message": "not a command", "return": "NOK"})") << bad;
  EXPECT_EQ(ask(fd, R"({"command": "echo"})"), R"({"message": "nothing", "return": "OK"})");
}

TEST_F(CommandServerTest, AnEndlessMessageEndsTheConnection) {
  const int fd = client();
  (void)ask(fd, R"({"version": "0.1"})");
  std::string got;
  for (int i = 0; i < 20 && got.empty(); ++i) got = ask(fd, "{" + std::string(8000, ' '));
  EXPECT_EQ(got, "(over)");
}

TEST_F(CommandServerTest, TooManyClientsAreTurnedAway) {
  for (size_t i = 0; i < kMaxClients; ++i) (void)client();
  const int late = client();
  char c = 0;
  EXPECT_EQ(::read(late, &c, 1), 0);
}

TEST_F(CommandServerTest, TheSocketIsOursAloneAndGoesWithUs) {
  struct stat about {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0660u);
  EXPECT_FALSE(CommandServer::open(path_)) << "somebody listens there";
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_));
  std::ofstream(path_) << "a file";
  EXPECT_FALSE(CommandServer::open(path_)) << "a file is not replaced";
}

TEST_F(CommandServerTest, ASocketThatWasLeftBehindIsReplaced) {
  const std::string left = folder_ + "/left";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, left.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  EXPECT_TRUE(CommandServer::open(left));
}

}  // namespace
}  // namespace vong::control
