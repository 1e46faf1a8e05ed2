#include "sensor/control/command_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_writer.h"
#include "fmt/format.h"

namespace vong::control {
namespace {

using Json = nlohmann::json;

Json parse(std::string_view text) {
  return Json::parse(text.begin(), text.end(), [](int depth, Json::parse_event_t, Json&) { return depth <= kMaxMessageDepth; }, false);
}

std::string scalar(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool somebody_listens(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool there = fd >= 0 && (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN);
  if (fd >= 0) ::close(fd);
  return there;
}

}  // namespace

std::optional<std::string_view> Arguments::text(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? std::nullopt : std::optional<std::string_view>(it->second);
}

std::optional<int64_t> Arguments::number(std::string_view name) const {
  const auto value = text(name);
  int64_t out = 0;
  if (!value) return std::nullopt;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), out);
  return error == std::errc() && end == value->data() + value->size() ? std::optional(out) : std::nullopt;
}

bool Arguments::flag(std::string_view name) const { return text(name).value_or("") == "true"; }

Answer Answer::text(std::string_view message, bool ok) {
  Answer out;
  out.ok = ok;
  JsonWriter(out.json).string(message);
  return out;
}

std::optional<size_t> ObjectEnd::find(std::string_view text) {
  while (seen_ < text.size()) {
    const char c = text[seen_++];
    if (quoted_) {
      if (escaped_) escaped_ = false;
      else if (c == '\\') escaped_ = true;
      else if (c == '"') quoted_ = false;
    } else if (c == '"') {
      quoted_ = true;
    } else if (c == '{') {
      ++depth_;
    } else if (c == '}' && --depth_ <= 0) {
      return seen_;
    }
  }
  return std::nullopt;
}

Result<std::unique_ptr<CommandServer>> CommandServer::open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(fmt::format("{}: the name of a socket has less than {} bytes", path, sizeof address.sun_path));
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat about {};
  if (::lstat(path.c_str(), &about) == 0) {
    if (!S_ISSOCK(about.st_mode)) return fail(path + ": is there and is no socket");
    if (somebody_listens(address)) return fail(path + ": another process listens on it");
    ::unlink(path.c_str());
  }
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(fmt::format("{}: {}", path, std::strerror(errno)));
  const mode_t before = ::umask(0117);   // 0660 from the beginning
  const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound != 0 || ::listen(fd, static_cast<int>(kMaxClients)) != 0) {
    const std::string why = std::strerror(errno);
    ::close(fd);
    return fail(fmt::format("{}: {}", path, why));
  }
  return std::unique_ptr<CommandServer>(new CommandServer(fd, path));
}

CommandServer::~CommandServer() {
  for (const Client& client : clients_) ::close(client.fd);
  ::close(fd_);
  ::unlink(path_.c_str());
}

void CommandServer::accept() {
  const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (clients_.size() >= kMaxClients) {
    ::close(fd);
    return;
  }
  clients_.push_back({fd, {}});
}

bool Session::take(std::string_view message, const Handler& handler, std::string& out) {
  const Json json = parse(message);
  if (!greeted_) {
    if (!json.is_object() || !json.contains("version") || !json["version"].is_string()) return false;
    const std::string version = json["version"].get<std::string>();
    if (version != "0.1" && version != "0.2") return false;
    greeted_ = true;
    lines_ = version == "0.2";
    out += R"({"return": "OK"})";
  } else {
    Answer answer = Answer::refused("not a command");
    if (json.is_object() && json.contains("command") && json["command"].is_string()) {
      Arguments arguments;
      if (json.contains("arguments") && json["arguments"].is_object()) {
        for (const auto& [name, value] : json["arguments"].items()) {
          if (value.is_primitive()) arguments.set(name, scalar(value));
        }
      }
      answer = handler(json["command"].get<std::string>(), arguments);
    }
    out += fmt::format(R"({{"message": {}, "return": "{}"}})", answer.json, answer.ok ? "OK" : "NOK");
  }
  if (lines_) out.push_back('\n');
  return true;
}

bool Session::feed(std::string_view bytes, const Handler& handler, std::string& out) {
  in_.append(bytes);
  size_t done = 0;
  for (auto size = end_.find(in_); size; size = end_.find(std::string_view(in_).substr(done))) {
    end_.reset();
    if (!take(std::string_view(in_).substr(done, *size), handler, out)) return false;
    done += *size;
  }
  in_.erase(0, done);
  return in_.size() <= kMaxMessageBytes;
}

bool CommandServer::read(Client& client, const Handler& handler) {
  std::array<char, 8192> buffer;
  const ssize_t n = ::read(client.fd, buffer.data(), buffer.size());
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  std::string out;
  const bool goes_on = client.session.feed({buffer.data(), static_cast<size_t>(n)}, handler, out);
  return (out.empty() || write_all(client.fd, out)) && goes_on;   // a client that does not read is let go
}

void CommandServer::serve(int other_fd, int timeout_ms, const Handler& handler) {
  std::vector<pollfd> all{{fd_, POLLIN, 0}, {other_fd, POLLIN, 0}};
  for (const Client& client : clients_) all.push_back({client.fd, POLLIN, 0});
  if (::poll(all.data(), all.size(), timeout_ms) <= 0) return;
  std::vector<int> over;
  for (size_t i = 2; i < all.size(); ++i) {
    if (all[i].revents == 0) continue;
    if (!read(clients_[i - 2], handler)) over.push_back(all[i].fd);
  }
  std::erase_if(clients_, [&](const Client& client) {
    const bool gone = std::find(over.begin(), over.end(), client.fd) != over.end();
    if (gone) ::close(client.fd);
    return gone;
  });
  if (all[0].revents != 0) accept();
}

}  // namespace vong::control
