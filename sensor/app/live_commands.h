// What a live sensor answers on its command socket. On the control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sensor/app/live_ops.h"
#include "sensor/app/side_outputs.h"
#include "sensor/control/command_server.h"

namespace vong::sensor {

class LiveCommands {
 public:
  struct Parts {   // all outlive it
    const Options& options;
    const Plan& plan;
    RulesInForce& rules;
    LiveOps& ops;
    Output& output;
    SideOutputs& side;
    detect::SharedState& shared;
    app::Signals& signals;
    std::function<std::vector<std::pair<std::string, capture::CaptureStats>>()> captures;   // of each worker, with its interface
    std::function<void()> meanwhile;   // a turn of the control loop's other work, while a command waits
  };
  // Null when no socket is wanted. Before files and calls are restricted.
  [[nodiscard]] static Result<std::unique_ptr<LiveCommands>> open(Parts parts, const std::string& folder, Timestamp now);

  // A step of the control loop: waits at most that long, or until `signal_fd` is readable.
  void serve(int signal_fd, int timeout_ms);
  // What a command does; for tests.
  [[nodiscard]] control::Answer run(std::string_view command, const control::Arguments& arguments, Timestamp now);

 private:
  LiveCommands(Parts parts, std::unique_ptr<control::CommandServer> server, Timestamp start) : parts_(std::move(parts)), server_(std::move(server)), start_(start) {}
  [[nodiscard]] control::Answer interfaces() const;
  [[nodiscard]] control::Answer interface(std::string_view name) const;
  [[nodiscard]] control::Answer reload(bool wait);
  [[nodiscard]] control::Answer rule_counts() const;
  [[nodiscard]] control::Answer failed_rules() const;
  [[nodiscard]] control::Answer dataset(std::string_view command, const control::Arguments& arguments) const;
  [[nodiscard]] control::Answer tenants(std::string_view command, const control::Arguments& arguments);
  [[nodiscard]] control::Answer host_bits(std::string_view command, const control::Arguments& arguments, Timestamp now) const;

  Parts parts_;
  std::unique_ptr<control::CommandServer> server_;
  Timestamp start_;
};

}  // namespace vong::sensor
