#include "sensor/emit/file_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "fmt/format.h"

namespace vong::emit {
namespace {

namespace fs = std::filesystem;
using applayer::File;
using applayer::FileState;

std::optional<std::string> section(const Settings& settings, size_t& count) {
  std::optional<std::string> first;
  for (const std::string& i : settings.children("outputs")) {
    const std::string path = "outputs." + i + ".file-store";
    if (!settings.has(path) || !settings.flag(path + ".enabled", false)) continue;
    ++count;
    if (!first) first = path;
  }
  return first;
}

}  // namespace

size_t FileStore::sections(const Settings& settings) {
  size_t count = 0;
  (void)section(settings, count);
  return count;
}

FileStore::FileStore(std::string folder, const Settings& settings, const std::string& path)
    : folder_(std::move(folder)),
      force_(settings.flag(path + ".force-filestore", false)),
      write_fileinfo_(settings.flag(path + ".write-fileinfo", false)) {}

Result<std::unique_ptr<FileStore>> FileStore::open(const Settings& settings, const std::string& log_folder) {
  size_t count = 0;
  const auto path = section(settings, count);
  if (!path) return nullptr;
  const fs::path dir(std::string(settings.text(*path + ".dir", "filestore")));
  const fs::path folder = dir.is_absolute() ? dir : fs::path(log_folder) / dir;
  std::error_code error;
  fs::create_directories(folder / "tmp", error);
  for (int i = 0; i < 256 && !error; ++i) fs::create_directories(folder / fmt::format("{:02x}", i), error);
  if (error) return fail(fmt::format("cannot make the file store {}: {}", folder.string(), error.message()));
  return std::unique_ptr<FileStore>(new FileStore(folder.string(), settings, *path));
}

std::string FileStore::temporary(const File& file) const {
  return fmt::format("{}/tmp/file.{}.{}", folder_, ::getpid(), file.store_id);
}

bool FileStore::append(const File& file, Bytes data) const {
  const int fd = ::open(temporary(file).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) return false;
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n <= 0) break;
    data = data.subspan(static_cast<size_t>(n));
  }
  return ::close(fd) == 0 && data.empty();
}

void FileStore::give_up(File& file) {
  ++failed_;
  file.storing = file.store_wanted = false;
  file.store_failed = true;
  std::error_code ignored;
  fs::remove(temporary(file), ignored);
}

void FileStore::finish(File& file) {
  if (file.sha256.empty()) return give_up(file);   // bytes are missing: it has no name
  const std::string name = fmt::format("{}/{}/{}", folder_, file.sha256.substr(0, 2), file.sha256);
  std::error_code error;
  if (fs::exists(name, error)) fs::remove(temporary(file), error);
  else fs::rename(temporary(file), name, error);
  if (error) {
    ++errors_;
    return give_up(file);
  }
  file.storing = false;
  file.stored = true;
  ++stored_;
}

void FileStore::update(File& file) {
  if (file.stored || file.store_failed) return;
  if (!file.store_wanted) {
    if (!force_) return;
    file.store_wanted = true;
  }
  if (!file.storing) {
    if (file.window_offset != 0 || file.gaps) return give_up(file);   // its beginning is gone
    file.store_id = next_id_++;
    file.storing = true;
  }
  if (file.gaps || file.window_offset > file.stored_bytes) return give_up(file);
  const Bytes fresh = as_bytes(file.window).subspan(file.stored_bytes - file.window_offset);
  if ((!fresh.empty() || file.stored_bytes == 0) && !append(file, fresh)) {
    ++errors_;
    return give_up(file);
  }
  file.stored_bytes += fresh.size();
  if (file.state != FileState::kOpen) finish(file);
}

void FileStore::write_fileinfo(const File& file, Timestamp now, std::string_view json) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::ofstream out(fmt::format("{}/{}/{}.{}.{}.json", folder_, file.sha256.substr(0, 2), file.sha256, second, file.store_id));
  out << json << '\n';
}

}  // namespace vong::emit
