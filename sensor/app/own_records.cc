#include "sensor/app/own_records.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/files.h"
#include "base/json_writer.h"

namespace vong::sensor {

OwnRecords::OwnRecords(const Settings& settings, const std::string& folder, Output& output)
    : sensor_(settings.text("sensor-name", "")), output_(output) {
  if (folder == "-") return;
  path_ = (std::filesystem::path(folder) / "sensor.json").string();
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd_ < 0) spdlog::error("cannot write {}: {}", path_, std::strerror(errno));
}

OwnRecords::~OwnRecords() {
  if (fd_ >= 0) ::close(fd_);
}

void OwnRecords::write(Timestamp now, std::string_view kind, std::string_view fields) {
  std::string line;
  JsonWriter out(line);
  out.open_object();
  out.field("timestamp", now);
  out.field("event_type", "sensor");
  if (!sensor_.empty()) out.field("host", sensor_);
  out.open_object("sensor");
  out.field("kind", kind);
  if (!fields.empty()) line.append(",").append(fields);
  out.close_object();
  out.close_object();
  const std::lock_guard lock(mutex_);
  LineBatch batch;
  batch.line(line, {"sensor", 1, 0});
  output_.write_own(batch);
  line.push_back('\n');
  if (fd_ >= 0 && !write_all(fd_, line))
    spdlog::error("cannot write {}: {}", path_, std::strerror(errno));
}

}  // namespace vong::sensor
