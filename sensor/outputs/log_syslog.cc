#include "sensor/outputs/log_syslog.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "fmt/format.h"
#include "sensor/outputs/log_file.h"

namespace vong::outputs {
namespace {

using Names = std::pair<std::string_view, int>;
constexpr auto kFacilities = std::to_array<Names>(
    {{"kern", 0}, {"user", 1}, {"mail", 2}, {"daemon", 3}, {"auth", 4}, {"security", 4}, {"syslog", 5}, {"lpr", 6}, {"news", 7}, {"uucp", 8}, {"cron", 9},
     {"authpriv", 10}, {"ftp", 11}, {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19}, {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}});
constexpr auto kLevels = std::to_array<Names>(
    {{"emergency", 0}, {"alert", 1}, {"critical", 2}, {"error", 3}, {"warning", 4}, {"notice", 5}, {"info", 6}, {"debug", 7}});

template <typename Table>
std::optional<int> find(const Table& table, std::string_view name) {
  for (const auto& [known, number] : table) {
    if (std::equal(known.begin(), known.end(), name.begin(), name.end(), [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); })) return number;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> SyslogOptions::facility_by_name(std::string_view name) { return find(kFacilities, name); }
std::optional<int> SyslogOptions::level_by_name(std::string_view name) { return find(kLevels, name); }

Result<std::unique_ptr<LogSyslog>> LogSyslog::open(SyslogOptions options, bool waits, Timestamp now) {
  auto socket = LogSocket::open(LogSocket::Kind::kDatagram, options.socket, waits);
  if (!socket) return std::unexpected(socket.error());
  return std::unique_ptr<LogSyslog>(new LogSyslog(std::move(options), std::move(*socket), now));
}

uint64_t LogSyslog::write(std::string_view text, uint64_t) {
  const std::string head = fmt::format("<{}>{} {}[{}]: ", options_.facility * 8 + options_.level, expand_time("%b %e %H:%M:%S", now_), options_.identity, ::getpid());
  uint64_t lost = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    message_.assign(head).append(text.substr(0, end)).push_back('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    lost += socket_->write(message_, 1);
  }
  if (lost > 0) error_ = socket_->error();
  return lost;
}

void LogSyslog::tick(Timestamp now) {
  now_ = now;
  socket_->tick(now);
}

}  // namespace vong::outputs
