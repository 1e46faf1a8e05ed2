// The file store (outputs[].file-store, version 2): files that rules or `force-filestore` ask for, below one folder as
// <first two digits of the SHA-256>/<SHA-256>, each once; with `write-fileinfo` a <SHA-256>.<second>.<number>.json beside it.
//
// A file's bytes are taken out of its window after every packet, into tmp/; at its end the file gets its name. What cannot be written
// is counted and not stored. Thread: update() by any worker for its own files; the counters are shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/settings.h"
#include "base/timestamp.h"
#include "sensor/applayer/core/file.h"

namespace vong::emit {

class FileStore {
 public:
  // The enabled file-store section, its folder below `log_folder`; null when there is none. Makes the folders.
  [[nodiscard]] static Result<std::unique_ptr<FileStore>> open(const Settings& settings,
                                                               const std::string& log_folder);
  // How many enabled sections there are (more than one is a mistake).
  [[nodiscard]] static size_t sections(const Settings& settings);

  // Takes what is new of the file; stores it when it is over. Before its record is written.
  void update(applayer::File& file);
  // Of a file that update() has just stored: its record, where the configuration wants it beside it.
  [[nodiscard]] bool wants_fileinfo() const { return write_fileinfo_; }
  void write_fileinfo(const applayer::File& file, Timestamp now, std::string_view json);

  [[nodiscard]] uint64_t stored() const { return stored_; }
  [[nodiscard]] uint64_t failed() const { return failed_; }
  // Of these, those that the file system refused.
  [[nodiscard]] uint64_t errors() const { return errors_; }

 private:
  FileStore(std::string folder, const Settings& settings, const std::string& path);
  [[nodiscard]] std::string temporary(const applayer::File& file) const;
  [[nodiscard]] bool append(const applayer::File& file, Bytes data) const;
  void finish(applayer::File& file);
  void give_up(applayer::File& file);

  std::string folder_;
  bool force_ = false, write_fileinfo_ = false;
  std::atomic<uint64_t> next_id_ = 1, stored_ = 0, failed_ = 0, errors_ = 0;
};

}  // namespace vong::emit
