#include "sensor/app/status_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app_common/clock.h"
#include "app_common/program.h"
#include "sensor/app/settings_from_config.h"
#include "sensor/app/status.h"

namespace vong::sensor {
namespace {

using Json = nlohmann::json;
constexpr int kSilentIntervals = 3;

using app::wall_clock;

std::string text_of(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}
double number_of(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_number() ? object[key].get<double>() : 0;
}
const Json& part(const Json& object, const char* key) {
  static const Json none = Json::object();
  return object.contains(key) ? object[key] : none;
}

// The words of the text form. Names of keys, steps and reasons stay as in the records: one looks them up.
struct Words {
  std::string_view sensor, up, silent, rules, since, wanted, as_wanted, clock, synchronised, unsynchronised, worker, interface, loss, dropped, not_inspected, overload, spool, unsent,
      connected, unconnected, memory, day, hour, minute, second;
};
constexpr Words kEnglish = {"sensor {} {}, {}\n",
                            "up {}",
                            "SILENT: last heard of {} ago",
                            "rules {}\n",
                            "  since {}, {} loaded, {} failed\n",
                            "  WANTED {}\n",
                            "  as wanted\n",
                            "clock {}, off by {} us, at most {} us\n",
                            "synchronised",
                            "NOT SYNCHRONISED",
                            "worker {} on {}: load {:.0f} %, {} packets\n",
                            "interface {}: {} packets, {} bytes, dropped {} by the kernel, {} by the card\n",
                            "loss since the start\n",
                            "  dropped {}: {}\n",
                            "  not inspected {}: {}\n",
                            "overload: {}\n",
                            "spool {} of {} bytes\n",
                            "  {} events unsent, the oldest for {}, {}\n",
                            "connected",
                            "NOT CONNECTED",
                            "memory {:.0f} MiB, at most {:.0f} MiB\n",
                            "d",
                            "h",
                            "min",
                            "s"};
constexpr Words kVietnamese = {"cảm biến {} {}, {}\n",
                               "đã chạy {}",
                               "IM LẶNG: tin cuối cách đây {}",
                               "bộ luật {}\n",
                               "  từ {}, nạp được {}, lỗi {}\n",
                               "  CẦN CHẠY {}\n",
                               "  đúng như yêu cầu\n",
                               "đồng hồ {}, lệch {} us, nhiều nhất {} us\n",
                               "đã đồng bộ",
                               "CHƯA ĐỒNG BỘ",
                               "luồng xử lý {} trên {}: tải {:.0f} %, {} gói tin\n",
                               "giao diện {}: {} gói tin, {} byte, nhân bỏ {}, cạc mạng bỏ {}\n",
                               "mất mát từ khi khởi động\n",
                               "  đã bỏ {}: {}\n",
                               "  chưa kiểm tra {}: {}\n",
                               "quá tải: {}\n",
                               "hàng đợi {} trên {} byte\n",
                               "  {} sự kiện chưa gửi, lâu nhất {}, {}\n",
                               "đã kết nối",
                               "CHƯA KẾT NỐI",
                               "bộ nhớ {:.0f} MiB, cao nhất {:.0f} MiB\n",
                               "ngày",
                               "giờ",
                               "phút",
                               "giây"};

template <typename... Args>
std::string say(std::string_view form, Args&&... args) {
  return fmt::format(fmt::runtime(form), std::forward<Args>(args)...);
}

std::string time_span(double seconds, const Words& w) {
  const auto s = static_cast<int64_t>(seconds);
  if (s >= 86'400) return fmt::format("{} {} {} {}", s / 86'400, w.day, s % 86'400 / 3600, w.hour);
  if (s >= 3600) return fmt::format("{} {} {} {}", s / 3600, w.hour, s % 3600 / 60, w.minute);
  if (s >= 60) return fmt::format("{} {} {} {}", s / 60, w.minute, s % 60, w.second);
  return fmt::format("{} {}", s, w.second);
}

void add_counts(std::string& out, const Json& counts, std::string_view form) {
  for (const auto& [reason, n] : counts.items()) {
    if (n.is_number()) out += say(form, reason, n.get<uint64_t>());
  }
}

bool is_true(const Json& object, const char* key) { return object.contains(key) && object[key] == true; }

struct Answer {
  std::string text;
  bool silent = false, differs = false;
};

Answer answer(const Json& s, Timestamp now, const std::string& wanted, const Words& w) {
  Answer a;
  const auto told = parse_eve_time(text_of(s, "timestamp"));
  const double age = told ? static_cast<double>((now - *told).count()) / 1e9 : 0;
  a.silent = !told || age > kSilentIntervals * std::max(1.0, number_of(s, "interval_seconds"));
  const Json& rules = part(s, "rules");
  const Json& clock = part(s, "clock");
  const std::string hash = text_of(rules, "hash");
  a.differs = !wanted.empty() && hash != wanted;

  std::string& out = a.text;
  const std::string life = a.silent ? say(w.silent, time_span(age, w)) : say(w.up, time_span(number_of(s, "uptime_seconds"), w));
  out += say(w.sensor, text_of(s, "sensor"), text_of(s, "version"), life);
  out += say(w.rules, hash);
  out += say(w.since, text_of(rules, "since"), number_of(rules, "loaded"), number_of(rules, "failed"));
  if (!wanted.empty()) out += a.differs ? say(w.wanted, wanted) : std::string(w.as_wanted);
  out += say(w.clock, is_true(clock, "synchronised") ? w.synchronised : w.unsynchronised, number_of(clock, "offset_us"), number_of(clock, "error_us"));
  for (const Json& worker : part(s, "workers")) {
    out += say(w.worker, number_of(worker, "worker"), text_of(worker, "interface"), 100 * number_of(worker, "load"), number_of(worker, "packets"));
  }
  for (const Json& i : part(s, "interfaces")) {
    out += say(w.interface, text_of(i, "name"), number_of(i, "packets"), number_of(i, "bytes"), number_of(i, "kernel_drops"), number_of(i, "interface_drops"));
  }
  const Json& loss = part(s, "loss");
  out += w.loss;
  add_counts(out, part(loss, "dropped"), w.dropped);
  add_counts(out, part(loss, "not_inspected"), w.not_inspected);
  out += say(w.overload, text_of(s, "overload"));
  if (s.contains("spool")) {
    const Json& spool = s["spool"];
    out += say(w.spool, number_of(spool, "bytes"), number_of(spool, "bytes_max"));
    if (spool.contains("connected")) {  // else another program sends, and says so itself
      out += say(w.unsent, number_of(spool, "unsent_events"), time_span(number_of(spool, "oldest_unsent_seconds"), w),
                 is_true(spool, "connected") ? w.connected : w.unconnected);
    }
  }
  const Json& memory = part(s, "memory");
  out += say(w.memory, number_of(memory, "bytes") / (1 << 20), number_of(memory, "peak_bytes") / (1 << 20));
  return a;
}

}  // namespace

std::string status_text(std::string_view json, Timestamp now, const std::string& wanted_ruleset, bool vietnamese) {
  const Json parsed = Json::parse(json, nullptr, false);
  return parsed.is_object() ? answer(parsed, now, wanted_ruleset, vietnamese ? kVietnamese : kEnglish).text : std::string();
}

std::optional<int> status_command(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "status") return std::nullopt;
  CLI::App cli{"vong-sensor status: what the sensor on this box last said of itself"};
  app::CommonFlags flags;
  app::add_common_flags(cli, flags);
  std::string folder, wanted, language = "en";
  bool as_json = false;
  cli.add_option("-l", folder, "the sensor's log folder (else default-log-dir of -c)")
      ->type_name("DIR");
  cli.add_option("--wanted", wanted,
                 "hash of the rules that it should run: status 1 when it runs others")
      ->type_name("HASH");
  cli.add_option("--lang", language, "language of the text: en or vi")->check(CLI::IsMember({"en", "vi"}));
  cli.add_flag("--json", as_json, "as it goes to vong.status");
  if (const auto status = app::parse_command_line(cli, argc - 1, argv + 1, "vong-sensor status"))
    return status;
  if (folder.empty()) {
    app::Problems problems;
    const app::Config config = app::load_config(flags, problems);
    if (problems.errors() > 0) {
      problems.print(stderr);
      return app::kExitUsage;
    }
    folder = settings_from(config.root()).text("default-log-dir", ".");
  }
  const std::string path = (std::filesystem::path(folder) / "status.json").string();
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  const Json parsed = Json::parse(text.str(), nullptr, false);
  if (!parsed.is_object()) {
    fmt::print(
        stderr,
        "vong-sensor: {} is no status: does the sensor run live, and with this log folder?\n",
        path);
    return app::kExitUsage;
  }
  const Answer a = answer(parsed, wall_clock(), wanted, language == "vi" ? kVietnamese : kEnglish);
  fmt::print("{}", as_json ? text.str() : a.text);
  return a.silent || a.differs ? app::kExitFailed : app::kExitDone;
}

}  // namespace vong::sensor
