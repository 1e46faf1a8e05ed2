#include "correlator/app/unmask_command.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/json_writer.h"
#include "correlator/routing/unmask.h"
#include "rules/network/read_file.h"

namespace vong::correlator {
namespace {

std::string last_line(const std::string& text) {
  if (text.empty()) return {};
  const size_t end = text.ends_with('\n') ? text.size() - 1 : text.size();
  const size_t begin = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1));
}

// One writer at a time: each line names the one before.
Result<> append_record(const Options& o, const routing::Grant& grant,
                       const std::vector<routing::Unmasked>& found, Timestamp now,
                       const std::string& key) {
  const int fd = ::open(o.unmask_record.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return fail(o.unmask_record + ": cannot be opened");
  ::flock(fd, LOCK_EX);
  auto before = rules::read_file(o.unmask_record);
  auto line = before ? routing::record_line(grant, found, now, last_line(*before), key)
                     : Result<std::string>(std::unexpected(before.error()));
  Result<> done;
  if (!line) {
    done = std::unexpected(line.error());
  } else {
    *line += '\n';
    if (::write(fd, line->data(), line->size()) != static_cast<ssize_t>(line->size()) ||
        ::fsync(fd) != 0)
      done = fail(o.unmask_record + ": the record cannot be written");
  }
  ::close(fd);
  return done;
}

Result<> unmask(const Options& o, const enrich::Registry& registry) {
  const auto text = rules::read_file(o.unmask_grant);
  if (!text) return std::unexpected(text.error());
  const auto grant = routing::read_grant(*text);
  if (!grant) return std::unexpected(grant.error());
  const Timestamp now = std::chrono::system_clock::now();
  if (auto ok = routing::check_grant(*grant, registry, now); !ok) return ok;
  const auto key = rules::read_file(o.unmask_signing_key);
  if (!key) return std::unexpected(key.error());
  const routing::Router router(registry, o.pseudonym_key);
  const auto found = routing::unmask(*grant, registry, router);
  if (auto ok = append_record(o, *grant, found, now, *key); !ok) return ok;
  for (const routing::Unmasked& u : found) {
    std::string json;
    JsonWriter w(json);
    w.open_object();
    w.field("pseudonym", u.pseudonym);
    w.key("value");
    if (u.value.empty())
      w.null();
    else
      w.string(u.value);
    w.close_object();
    std::puts(json.c_str());
  }
  return {};
}

}  // namespace

int run_unmask(const Options& options, const enrich::Registry& registry) {
  const auto done = unmask(options, registry);
  if (done) return app::kExitDone;
  spdlog::error("{}", done.error().message);
  return app::kExitFailed;
}

}  // namespace vong::correlator
