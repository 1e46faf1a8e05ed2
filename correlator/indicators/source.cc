#include "correlator/indicators/source.h"

#include <sys/stat.h>

#include <algorithm>

#include "correlator/indicators/limits.h"
#include "rules/network/read_file.h"

namespace vong::indicators {

Source::Source(std::vector<ListFile> files) : files_(std::move(files)) {
  stamps_.resize(files_.size());
  lists_ = std::make_shared<Lists>(names_of(files_));
}

std::vector<std::string> names_of(const std::vector<ListFile>& files) {
  std::vector<std::string> out;
  for (const ListFile& f : files) {
    if (std::find(out.begin(), out.end(), f.name) == out.end()) out.push_back(f.name);
  }
  return out;
}

Source::Stamp Source::stamp_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return {s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec, static_cast<uint64_t>(s.st_size)};
}

bool Source::changed() {
  const std::lock_guard alone(loading_);
  for (size_t i = 0; i < files_.size(); ++i) {
    if (stamp_of(files_[i].path) != stamps_[i]) return true;
  }
  return false;
}

bool Source::load(std::vector<rules::Diagnostic>& diagnostics) {
  const std::lock_guard alone(loading_);
  auto fresh = std::make_shared<Lists>(names_of(files_));
  bool failed = false;
  for (size_t i = 0; i < files_.size(); ++i) {
    const ListFile& f = files_[i];
    stamps_[i] = stamp_of(f.path);  // also of one that fails: it is tried again when it changes
    rules::Diagnostics found(f.path);
    const auto text = rules::read_file(f.path, kFileBytesMax);
    const auto list = static_cast<uint32_t>(
        std::find(fresh->names().begin(), fresh->names().end(), f.name) - fresh->names().begin());
    if (text)
      read_list(*text, list, found, *fresh);
    else
      found.error({}, text.error().message);
    failed |= found.errors() > 0;
    diagnostics.insert(diagnostics.end(), found.items().begin(), found.items().end());
  }
  if (failed && generation() > 0) return false;
  {
    const std::lock_guard lock(mutex_);
    lists_ = std::move(fresh);
  }
  generation_.fetch_add(1, std::memory_order_release);
  return !failed;
}

std::shared_ptr<const Lists> Source::current() const {
  const std::lock_guard lock(mutex_);
  return lists_;
}

}  // namespace vong::indicators
