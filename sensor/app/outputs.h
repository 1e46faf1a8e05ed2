// Where a sensor's events go: eve.json in a folder, standard output, and the spool in front of
// Kafka.
//
// Each worker writes to a LineBatch of its own, without a lock; whole batches go to the Output,
// which every worker shares.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/counter.h"
#include "base/result.h"
#include "sensor/emit/line_sink.h"
#include "sensor/outputs/target_config.h"
#include "telemetry/ledger/ledger.h"

namespace vong::sensor {

class Output;

// Lines of one worker, back to back, with what is known of each. With an output to spill to it never grows far beyond kSpillBytes, however
// many flows end at one packet.
class LineBatch : public emit::LineSink {
 public:
  struct Line {
    size_t begin, size;
    std::string_view event_type;  // static
    uint8_t severity;
    uint64_t flow_id;
    uint8_t output;   // 0: an event; others: for that further file alone
  };
  static constexpr size_t kSpillBytes = 256 * 1024;

  LineBatch() = default;
  // `worker`: from 1 on, for outputs that have a file a worker.
  explicit LineBatch(Output& spill_to, uint32_t worker = 1) : spill_to_(&spill_to), worker_(worker) {}

  void line(std::string_view json, const emit::LineInfo& info) override {
    ++(info.output == 0 ? made_ : further_);
    lines_.push_back({text_.size(), json.size(), info.event_type, info.severity, info.flow_id, info.output});
    text_.append(json);
    text_.push_back('\n');
    if (text_.size() >= kSpillBytes && spill_to_ != nullptr) spill();
  }
  [[nodiscard]] uint32_t worker() const { return worker_; }
  [[nodiscard]] bool empty() const { return lines_.empty(); }
  [[nodiscard]] size_t size_bytes() const { return text_.size(); }
  [[nodiscard]] uint64_t made() const { return made_; }  // events since the start
  [[nodiscard]] size_t further() const { return further_; }   // lines among lines() that are no events
  [[nodiscard]] size_t events() const { return lines_.size() - further_; }
  [[nodiscard]] const std::string& text() const { return text_; }  // every line with its newline
  [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }
  [[nodiscard]] std::string_view view(const Line& line) const {
    return std::string_view(text_).substr(line.begin, line.size);
  }
  void clear() {
    text_.clear();
    lines_.clear();
    further_ = 0;
  }

 private:
  void spill();

  Output* spill_to_ = nullptr;
  uint32_t worker_ = 1;
  std::string text_;
  std::vector<Line> lines_;
  uint64_t made_ = 0;
  size_t further_ = 0;
};

// Takes whole batches. One thread at a time: Output's lock.
class BatchSink {
 public:
  virtual ~BatchSink() = default;
  virtual void write(const LineBatch& batch) = 0;
  // Records of the sensor about itself (ledger and the like): not for eve.json, whose form is closed.
  virtual void write_own(const LineBatch&) {}
  // Hash of the rules behind the events that come from now on.
  virtual void set_ruleset(const std::string&) {}
  // What came in, went out and was lost here, for the loss ledger.
  virtual void add_to(ledger::Totals& totals) const = 0;
  // Makes durable what was taken; an error line when something was lost since the last call.
  [[nodiscard]] virtual Result<> flush() = 0;
  // Others have moved the files away: they are opened anew.
  virtual void reopen() {}
  // The end of the run: flush, and wait for receivers at most `timeout`.
  [[nodiscard]] virtual Result<> close(std::chrono::milliseconds) { return flush(); }
};

// A file, standard output, a socket or syslog; with `threaded` a file a worker. What cannot be written is counted and told by flush(). `output`: whose
// lines it takes; those of further files (not 0) say again what the events say, so that the ledger leaves them out.
class FileOutput : public BatchSink {
 public:
  // Appends; "-" is stdout.
  [[nodiscard]] static Result<std::unique_ptr<FileOutput>> open(const std::string& path, uint8_t output = 0, const outputs::TargetConfig& config = {},
                                                                bool waits = false);
  ~FileOutput() override;
  void write(const LineBatch& batch) override;
  [[nodiscard]] Result<> flush() override;
  void reopen() override;
  void add_to(ledger::Totals& totals) const override;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] uint64_t lost() const { return lost_ever_.value(); }   // lines; any thread

 private:
  struct Part {
    std::unique_ptr<outputs::LogTarget> target;
    std::string buffer;
    uint64_t lines = 0;   // in the buffer
  };
  FileOutput(std::string path, uint8_t output, const outputs::TargetConfig& config, bool waits) : path_(std::move(path)), output_(output), config_(config), waits_(waits) {}
  [[nodiscard]] Part* part_of(uint32_t worker);
  void add(Part& part, const LineBatch& batch);
  void drain(Part& part);
  void drain(Part& part, std::string_view text);   // `text`: the part's lines
  [[nodiscard]] bool takes_whole(const LineBatch& batch) const;   // its text as it is

  static constexpr uint32_t kFilesMax = 1024;   // with `threaded`: further workers share the last
  std::string path_;
  uint8_t output_;
  outputs::TargetConfig config_;
  bool waits_;
  std::map<uint32_t, Part> parts_;   // by worker; all under 0 without `threaded`
  std::string error_;
  uint64_t lines_in_ = 0, lines_lost_ = 0;  // lost since the last flush()
  SharedCounter lost_ever_;
};

// All outputs of the program. Any thread.
class Output {
 public:
  void add(std::unique_ptr<BatchSink> sink) { sinks_.push_back(std::move(sink)); }
  void add(std::unique_ptr<FileOutput> file) {
    files_.push_back(file.get());
    sinks_.push_back(std::move(file));
  }
  [[nodiscard]] const std::vector<const FileOutput*>& files() const { return files_; }
  void write(LineBatch& batch);  // empties the batch
  void write_own(LineBatch& batch);
  void set_ruleset(const std::string& ruleset);  // after a reload
  // The hops behind the workers, at one moment.
  void add_to(ledger::Totals& totals) const;
  [[nodiscard]] Result<> flush();
  void reopen();
  [[nodiscard]] Result<> close(std::chrono::milliseconds timeout);

 private:
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<BatchSink>> sinks_;
  std::vector<const FileOutput*> files_;   // of sinks_
  uint64_t events_ = 0;
};

}  // namespace vong::sensor
