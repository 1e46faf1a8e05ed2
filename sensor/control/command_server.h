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
    bool greeted = false, lines = false;   // lines: version 0.2
    std::string in;
  };
  CommandServer(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void accept();
  [[nodiscard]] bool read(Client& client, const Handler& handler);
  [[nodiscard]] bool answer(Client& client, std::string_view message, const Handler& handler);

  int fd_;
  std::string path_;
  std::vector<Client> clients_;
};

// The first whole JSON object in `text` (its size in bytes); none: there is no end yet. What stands before an object is not one.
[[nodiscard]] std::optional<size_t> whole_object(std::string_view text);

}  // namespace vong::control
