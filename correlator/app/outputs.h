// Where a run without a broker writes: incidents.json, one folder per recipient when asked,
// warnings.json with warnings.rules for sensors, dead-letter.json. Only the last state of an
// incident is written. Files appear under their names when the run is complete, sorted by
// first_seen and id; until then they are
// *.part, so a run that was cut short never looks like a whole one. Single thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/string_map.h"
#include "base/strings.h"
#include "correlator/routing/router.h"
#include "events/incident.h"

namespace vong::correlator {

// Lines with a sort key, collected in a file and sorted at the end; the lines are not kept in
// memory.
class SortedLines {
 public:
  // Writes PATH.part. The error names the file.
  [[nodiscard]] static Result<std::unique_ptr<SortedLines>> open(std::string path);
  ~SortedLines();
  SortedLines(const SortedLines&) = delete;

  void add(int64_t time_ns, std::string_view id, std::string_view line);
  [[nodiscard]] Result<> finish();  // sorts, writes PATH, removes PATH.part
  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    int64_t time_ns;
    std::string id;
    long offset;
    uint32_t bytes;
  };
  SortedLines(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::string path_;
  std::FILE* file_;
  std::vector<Entry> entries_;
  long offset_ = 0;
  bool failed_ = false;
};

class FileOutputs {
 public:
  // `recipients`: a folder each, made at once so that a reader finds an empty file rather than
  // none; empty: no folders.
  [[nodiscard]] static Result<std::unique_ptr<FileOutputs>> open(
      const std::string& folder, const std::vector<std::string>& recipients);

  void incident(const events::Incident& incident, const routing::Router& router);
  void coverage(std::string_view key, std::string_view json);
  void dead_letter(std::string_view reason, std::string_view source, uint64_t line,
                   std::string_view record);
  [[nodiscard]] Result<> finish();
  [[nodiscard]] uint64_t incidents() const { return all_->size(); }

 private:
  FileOutputs() = default;
  std::string folder_;
  std::unique_ptr<SortedLines> all_, warnings_, warning_rules_, coverage_, dead_letters_;
  StringMap<std::unique_ptr<SortedLines>> by_recipient_;
  std::vector<std::string> recipients_;
  uint64_t dead_count_ = 0, coverage_count_ = 0;
  std::string line_;
};

// The record of the topic vong.dead-letter and of dead-letter.json.
void write_dead_letter(std::string_view reason, std::string_view source, uint64_t position,
                       std::string_view record, std::string& out);

}  // namespace vong::correlator
