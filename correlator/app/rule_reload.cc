#include "correlator/app/rule_reload.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "correlator/app/fact.h"

namespace vong::correlator {
namespace {

constexpr int kLowPriority = 10;

}  // namespace

RuleReload::RuleReload(ReloadRules load, Compile compile, std::vector<std::string> paths,
                       std::chrono::nanoseconds interval, Counter& refused)
    : load_(std::move(load)),
      compile_(std::move(compile)),
      paths_(std::move(paths)),
      interval_(interval),
      looked_(std::chrono::steady_clock::now()),
      refused_(refused) {
  if (interval_.count() > 0) loaded_stamp_ = seen_stamp_ = stamp();
}

RuleReload::~RuleReload() = default;  // waits for what runs

// Names, sizes and times of all files, in no order: only equality counts.
uint64_t RuleReload::stamp() const {
  namespace fs = std::filesystem;
  uint64_t sum = 0;
  const auto add = [&](const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    const auto time = fs::last_write_time(file, error).time_since_epoch().count();
    if (!error)
      sum +=
          stable_print(file.string() + '\n' + std::to_string(size) + '\n' + std::to_string(time));
  };
  for (const std::string& path : paths_) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      add(path);
      continue;
    }
    for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
      const fs::path extension = it->path().extension();
      if (extension == ".yml" || extension == ".yaml") add(it->path());
    }
  }
  return sum;
}

void RuleReload::look_at_files() {
  const auto now = std::chrono::steady_clock::now();
  if (interval_.count() == 0 || now - looked_ < interval_) return;
  looked_ = now;
  const uint64_t seen = stamp();
  if (seen == seen_stamp_ && seen != loaded_stamp_) wanted_ = true;
  seen_stamp_ = seen;
}

void RuleReload::start() {
  wanted_ = false;
  if (interval_.count() > 0) loaded_stamp_ = seen_stamp_ = stamp();
  work_ = std::async(std::launch::async, [this]() -> std::optional<Loaded> {
    (void)::setpriority(PRIO_PROCESS, 0, kLowPriority);  // of this thread alone, on Linux
    auto rules = load_();
    if (!rules) return std::nullopt;
    Loaded loaded{std::move(*rules), nullptr, nullptr};
    compile_(loaded);
    return loaded;
  });
}

std::optional<RuleReload::Loaded> RuleReload::poll() {
  if (!work_.valid()) {
    look_at_files();
    if (wanted_) start();
    return std::nullopt;
  }
  if (work_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return std::nullopt;
  auto loaded = work_.get();
  if (!loaded) refused_.add();
  return loaded;
}

}  // namespace vong::correlator
