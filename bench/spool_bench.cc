// spool_bench [RECORDS [RUNS [BYTES [DIR]]]]: records a second that one thread spools with an fsync
// for each group, as a sensor does it, beside what the disk takes of the same bytes with the same
// fsyncs. Reads everything back and checks it. Prints a JSON line: min, median and max of RUNS (5)
// runs of RECORDS (1,000,000) records of BYTES (548).
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "exporters/sink/record.h"
#include "exporters/spool/reader.h"
#include "exporters/spool/spool_sink.h"

namespace {

using namespace vong;

constexpr std::size_t kBatch = 64;  // items a call, as they come from a worker

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Timestamp wall_clock() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

[[noreturn]] void give_up(const std::string& text) {
  fmt::print(stderr, "spool_bench: {}\n", text);
  std::exit(1);
}

double spool_seconds(const std::string& directory, std::size_t records, const std::string& value) {
  Result<spool::Writer> writer = spool::Writer::open(
      spool::real_file_system(), {.directory = directory, .bytes_max = uint64_t{1} << 40});
  if (!writer) give_up(writer.error().message);
  spool::SpoolSink sink(std::move(*writer));
  const std::vector<sink::Item> items(
      kBatch, sink::Item{.key = "1234567890123456", .value = value, .ruleset = "0123456789abcdef"});
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < records;) {
    const std::size_t n = std::min(kBatch, records - done);
    if (sink.accept({items.data(), n}, wall_clock()).accepted != n) give_up("an event was dropped");
    done += n;
  }
  if (Result<> ok = sink.close(wall_clock()); !ok) give_up(ok.error().message);
  return static_cast<double>(records) / seconds_since(start);
}

double read_back(const std::string& directory, std::size_t records, const std::string& value) {
  Result<spool::Reader> reader =
      spool::Reader::open(spool::real_file_system(), {.directory = directory});
  if (!reader) give_up(reader.error().message);
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 1; i <= records; ++i) {
    const Result<std::optional<spool::Entry>> entry = reader->next();
    if (!entry || !*entry) give_up(fmt::format("record {} is not there", i));
    const auto event = sink::decode((*entry)->payload);
    if ((*entry)->seq != i || !event || event->value != value)
      give_up(fmt::format("record {} is another one", i));
  }
  if (reader->next()->has_value()) give_up("there are more records than were spooled");
  return static_cast<double>(records) / seconds_since(start);
}

// What the disk can do: the same bytes in the same groups, nothing else.
double plain(const std::string& path, std::size_t bytes) {
  const std::string group(spool::kDefaultGroupBytes, 'x');
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) give_up("cannot write " + path);
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < bytes; done += group.size()) {
    if (::write(fd, group.data(), group.size()) < 0 || ::fdatasync(fd) != 0)
      give_up("cannot write " + path);
  }
  const double seconds = seconds_since(start);
  ::close(fd);
  return static_cast<double>(bytes) / seconds;
}

std::string spread(std::vector<double> values) {
  std::ranges::sort(values);
  return fmt::format("{{\"min\":{:.0f},\"median\":{:.0f},\"max\":{:.0f}}}", values.front(),
                     values[values.size() / 2], values.back());
}

}  // namespace

int main(int argc, char** argv) {
  auto number = [&](int i, std::size_t fallback) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : fallback;
  };
  const std::size_t records = std::max<std::size_t>(1, number(1, 1'000'000));
  const std::size_t runs = std::max<std::size_t>(1, number(2, 5));
  const std::string value(std::max<std::size_t>(1, number(3, 548)), 'e');
  const std::string base = (argc > 4 ? argv[4] : ".") + fmt::format("/spool_bench-{}", ::getpid());
  std::vector<double> in;
  std::vector<double> out;
  std::vector<double> disk;
  for (std::size_t run = 0; run < runs; ++run) {
    std::filesystem::remove_all(base);
    std::filesystem::create_directories(base);
    disk.push_back(plain(base + "/plain", records * (value.size() + 72)));
    in.push_back(spool_seconds(base + "/spool", records, value));
    out.push_back(read_back(base + "/spool", records, value));
  }
  std::filesystem::remove_all(base);
  fmt::print(
      "{{\"bench\":\"spool\",\"records\":{},\"record_bytes\":{},\"spooled_per_s\":{},\"read_per_"
      "s\":{},\"disk_bytes_per_s\":{}}}\n",
      records, value.size(), spread(in), spread(out), spread(disk));
  return 0;
}
