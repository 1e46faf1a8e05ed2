// Rooms: rules_network, sensor_detect. The small files that rules name: threshold.config,
// classification.config, reference.config, reputation, data sets. First byte: which.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "rules/network/class_config.h"
#include "rules/network/threshold.h"
#include "rules/network/variables.h"
#include "sensor/detect/dataset.h"
#include "sensor/detect/reputation.h"
#include "sensor/detect/threshold_config.h"

namespace {

using namespace vong;

// A file that only this process has.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("fuzz", 0)) {}
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  void fill(const std::string& text) const {
    if (ftruncate(fd_, 0) != 0 ||
        pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
      std::abort();
  }

 private:
  int fd_;
};

void read_reputation(const std::string& text) {
  static const MemoryFile categories, scores;
  const size_t half = text.find('\0');
  categories.fill(text.substr(0, half));
  scores.fill(half == text.npos ? text : text.substr(half + 1));
  Settings settings;
  settings.set("reputation-categories-file", categories.path());
  settings.set("reputation-files.0", scores.path());
  detect::Reputation reputation;
  reputation.configure(settings);
  for (int c = 0; c < 70; ++c) {
    if (reputation.score(IpAddress::v4(0x0a000001), static_cast<uint8_t>(c)) > 127) std::abort();
  }
  (void)reputation.category("CnC");
}

void read_dataset(uint8_t how, const std::string& text) {
  static const MemoryFile file;
  static const std::string saved =
      (std::filesystem::temp_directory_path() / ("vong_lists_fuzz." + std::to_string(getpid())))
          .string();
  file.fill(text);
  const auto type = static_cast<detect::DatasetType>(how % 5);
  detect::Dataset set("s", type);
  set.memcap_bytes = 1 << 20;
  set.entries_max = 1000;
  if ((how & 32) != 0) {
    (void)set.load_json(file.path(), {.lines = (how & 64) != 0,
                                      .value_key = "ioc",
                                      .array_key = (how & 128) != 0 ? "list" : "",
                                      .remove_key = (how & 16) != 0});
  } else {
    (void)set.load_lines(file.path());
    if (set.size() > set.entries_max) std::abort();
    // What is saved is read again as the same.
    detect::Dataset again("s", type);
    again.memcap_bytes = set.memcap_bytes;
    again.entries_max = set.entries_max;
    if (set.size() > 0 && set.save(saved)) {
      if (!again.load_lines(saved) || again.size() != set.size()) std::abort();
      std::filesystem::remove(saved);
    }
  }
  (void)set.contains(as_bytes(text));
  (void)set.context(as_bytes(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] & 7) {
    case 0: {
      rules::Variables variables = rules::Variables::defaults();
      rules::ListCache lists(variables);
      const auto file = rules::parse_threshold_file("t", text, lists);
      const auto config = detect::ThresholdConfig::from(file.entries);
      if (config.by_rule.size() > file.entries.size()) std::abort();
      break;
    }
    case 1: {
      const auto config = rules::ClassificationConfig::parse("c", text);
      (void)config.find(text);
      (void)config.nearest(text.substr(0, 40));
      break;
    }
    case 2:
      (void)rules::ReferenceConfig::parse("r", text).find(text.substr(0, 8));
      break;
    case 3:
      (void)rules::parse_threshold(text);
      break;
    case 4:
      (void)rules::parse_detection_filter(text);
      break;
    case 5:
      read_reputation(text);
      break;
    default:
      read_dataset(data[0], text);
      break;
  }
  return 0;
}
