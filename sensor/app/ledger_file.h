// The file of the loss ledger: a record a line, synced as it is written. When it is full it is put
// aside under the number of its last record, and the chain goes on in a new one; the oldest of
// those put aside goes when there are too many. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/ledger/ledger.h"

namespace vong::sensor {

class LedgerFile {
 public:
  struct Options {
    std::string path;               // .../ledger.json
    uint64_t bytes_max = 16 << 20;  // of one file
    uint32_t files_max = 64;        // put aside
  };
  // Finds where the chain of an earlier run ends: `chain` goes on from there. A line that was not
  // finished (a crash) is cut off; a file whose end is no record of `sensor` is put aside, and a
  // new chain begins; both are said in `note`.
  [[nodiscard]] static Result<LedgerFile> open(Options options, const std::string& sensor,
                                               ledger::Chain& chain, std::string& note);
  LedgerFile(LedgerFile&& other) noexcept;
  LedgerFile& operator=(LedgerFile&&) = delete;
  ~LedgerFile();

  // What could not be written is an error; the next call begins with it, and opens the file again
  // when it is gone. A full file that cannot be put aside grows until it can.
  [[nodiscard]] Result<> append(std::string_view line, uint64_t number);

 private:
  explicit LedgerFile(Options options) : options_(std::move(options)) {}
  [[nodiscard]] Result<> reopen();
  [[nodiscard]] Result<> put_aside(const std::string& suffix);
  void remove_oldest() const;
  void hold(std::string_view line);
  [[nodiscard]] bool is_removed() const;

  Options options_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool torn_ = false;    // pending_ begins inside a line
  std::string pending_;  // lines that the disk did not take
};

}  // namespace vong::sensor
