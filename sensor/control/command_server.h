// The command socket's server. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vong::control {

inline constexpr size_t kMaxClients = 16;                // further ones are turned away
inline constexpr size_t kMaxMessageBytes = 64 * 1024;    // a longer command ends the connection
inline constexpr int kMaxMessageDepth = 8;

// Arguments of a command: its scalars, as text.
class Arguments {
 public:
  void set(std::string name, std::string value) { values_[std::move(name)] = std::move(value); }
  [[nodiscard]] std::optional<std::string_view> text(std::string_view name) const;
  [[nodiscard]] std::optional<int64_t> number(std::string_view name) const;   // none too when it is no number
  [[nodiscard]] bool flag(std::string_view name) const;                       // "true"; false when it is not there

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

struct Answer {
  bool ok = true;
  std::string json;   // of "message"
  [[nodiscard]] static Answer text(std::string_view message, bool ok = true);
  [[nodiscard]] static Answer refused(std::string_view message) { return text(message, false); }
};

using Handler = std::function<Answer(std::string_view command, const Arguments& arguments)>;

// Finds where a JSON object that comes in pieces ends. Looks at each byte once.
class ObjectEnd {
 public:
  // `text` begins as at the call before. The size of the object with all before it; none: there is no end yet.
  [[nodiscard]] std::optional<size_t> find(std::string_view text);
  void reset() { *this = ObjectEnd(); }

 private:
  size_t seen_ = 0;
  int depth_ = 0;
  bool quoted_ = false, escaped_ = false;
};

// One client's side of the protocol, without the socket.
class Session {
 public:
  // What the client sent next; answers are appended to `out`. False: the connection is over (after `out`).
  [[nodiscard]] bool feed(std::string_view bytes, const Handler& handler, std::string& out);

 private:
  [[nodiscard]] bool take(std::string_view message, const Handler& handler, std::string& out);

  bool greeted_ = false, lines_ = false;   // lines: version 0.2
  std::string in_;
  ObjectEnd end_;
};

class CommandServer {
 public:
  // Makes the socket; one that nobody listens on any more is replaced, any other file is not.
  [[nodiscard]] static Result<std::unique_ptr<CommandServer>> open(const std::string& path);
  ~CommandServer();   // removes the socket
  CommandServer(const CommandServer&) = delete;
  CommandServer& operator=(const CommandServer&) = delete;

  // Waits until there is something to do here, `other_fd` (-1: none) is readable, or the time is over; answers what came.
  void serve(int other_fd, int timeout_ms, const Handler& handler);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Client {
    int fd;
    Session session;
  };
  CommandServer(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void accept();
  [[nodiscard]] bool read(Client& client, const Handler& handler);

  int fd_;
  std::string path_;
  std::vector<Client> clients_;
};

}  // namespace vong::control
