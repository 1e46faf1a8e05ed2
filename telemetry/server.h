// GET /metrics and GET /healthz at `metrics.listen`. Threads of its own (CivetWeb); stops in the
// destructor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "telemetry/registry.h"

namespace vong::telemetry {

struct Health {
  bool ok = true;
  std::string text;  // one line: why not
};

class Server {
 public:
  // `listen`: "127.0.0.1:9464", "[::1]:9464", ":9464" for every address; port 0 takes a free one.
  // `registry` has to outlive the server. `health` is called on the server's threads; without it
  // the answer is always "ok".
  [[nodiscard]] static Result<Server> start(const std::string& listen, const Registry& registry,
                                            std::function<Health()> health = {});
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();

  [[nodiscard]] uint16_t port() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Whether `listen` can be an address; for the check of a configuration.
[[nodiscard]] Result<> check_listen(const std::string& listen);

}  // namespace vong::telemetry
