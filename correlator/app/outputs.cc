#include "correlator/app/outputs.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/json_writer.h"
#include "correlator/ingest/limits.h"
#include "correlator/routing/sensor_rules.h"
#include "correlator/routing/warning.h"

namespace vong::correlator {

Result<std::unique_ptr<SortedLines>> SortedLines::open(std::string path) {
  std::FILE* file = std::fopen((path + ".part").c_str(), "w+b");
  if (file == nullptr) return fail(path + ".part: " + std::strerror(errno));
  return std::unique_ptr<SortedLines>(new SortedLines(std::move(path), file));
}

SortedLines::~SortedLines() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove((path_ + ".part").c_str());  // the run did not come to its end
}

void SortedLines::add(int64_t time_ns, std::string_view id, std::string_view line) {
  failed_ |= std::fwrite(line.data(), 1, line.size(), file_) != line.size();
  entries_.push_back({time_ns, std::string(id), offset_, static_cast<uint32_t>(line.size())});
  offset_ += static_cast<long>(line.size());
}

Result<> SortedLines::finish() {
  const auto broken = [&] { return fail(path_ + ": " + std::strerror(errno == 0 ? EIO : errno)); };
  if (failed_ || std::fflush(file_) != 0) return broken();
  const auto less = [](const Entry& a, const Entry& b) {
    return std::tie(a.time_ns, a.id) < std::tie(b.time_ns, b.id);
  };
  const bool sorted = std::is_sorted(entries_.begin(), entries_.end(), less);
  const std::string part = path_ + ".part";
  if (!sorted) {
    std::stable_sort(entries_.begin(), entries_.end(), less);
    const std::string sorted_path = path_ + ".sorted";
    std::FILE* out = std::fopen(sorted_path.c_str(), "wb");
    if (out == nullptr) return broken();
    bool ok = true;
    std::string line;
    for (const Entry& e : entries_) {
      line.resize(e.bytes);
      ok = ok && std::fseek(file_, e.offset, SEEK_SET) == 0 &&
           std::fread(line.data(), 1, e.bytes, file_) == e.bytes &&
           std::fwrite(line.data(), 1, e.bytes, out) == e.bytes;
    }
    ok &= std::fclose(out) == 0;
    if (!ok || std::rename(sorted_path.c_str(), part.c_str()) != 0) return broken();
  }
  const bool closed = std::fclose(file_) == 0;
  file_ = nullptr;
  if (!closed || std::rename(part.c_str(), path_.c_str()) != 0) return broken();
  return {};
}

Result<std::unique_ptr<FileOutputs>> FileOutputs::open(const std::string& folder,
                                                       const std::vector<std::string>& recipients) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(folder + ": " + error.message());
  std::unique_ptr<FileOutputs> out(new FileOutputs());
  out->folder_ = folder;
  out->recipients_ = recipients;
  const auto open_file = [&](std::unique_ptr<SortedLines>& into,
                             const std::string& path) -> Result<> {
    auto opened = SortedLines::open(path);
    if (!opened) return std::unexpected(opened.error());
    into = std::move(*opened);
    return {};
  };
  if (auto r = open_file(out->all_, folder + "/incidents.json"); !r)
    return std::unexpected(r.error());
  if (auto r = open_file(out->warnings_, folder + "/warnings.json"); !r)
    return std::unexpected(r.error());
  if (auto r = open_file(out->warning_rules_, folder + "/warnings.rules"); !r)
    return std::unexpected(r.error());
  if (auto r = open_file(out->coverage_, folder + "/coverage.json"); !r)
    return std::unexpected(r.error());
  if (auto r = open_file(out->dead_letters_, folder + "/dead-letter.json"); !r)
    return std::unexpected(r.error());
  for (const std::string& recipient : recipients) {
    std::filesystem::create_directories(folder + "/" + recipient, error);
    if (error) return fail(folder + "/" + recipient + ": " + error.message());
    if (auto r =
            open_file(out->by_recipient_[recipient], folder + "/" + recipient + "/incidents.json");
        !r) {
      return std::unexpected(r.error());
    }
  }
  return out;
}

void FileOutputs::incident(const events::Incident& incident, const routing::Router& router) {
  const std::vector<routing::Copy> copies = router.route(incident);
  const int64_t first = to_ns(incident.first_seen);
  for (size_t i = 0; i < copies.size(); ++i) {
    const auto it = by_recipient_.find(copies[i].recipient);
    if (i != 0 && it == by_recipient_.end()) continue;
    line_.clear();
    events::write_incident(copies[i].incident, line_);
    line_.push_back('\n');
    if (i == 0) all_->add(first, incident.id, line_);
    if (it != by_recipient_.end()) it->second->add(first, incident.id, line_);
  }
  if (incident.kind != events::IncidentKind::kCampaign || copies.empty()) return;
  line_.clear();
  routing::write_warning(copies.back().incident, router.warning_tlp(), line_);
  line_.push_back('\n');
  warnings_->add(first, incident.id, line_);
  line_.clear();
  for (const std::string& rule : routing::sensor_rules(copies.back().incident))
    line_ += rule + '\n';
  warning_rules_->add(first, incident.id, line_);
}

void write_dead_letter(std::string_view reason, std::string_view source, uint64_t position,
                       std::string_view record, std::string& out) {
  JsonWriter w(out);
  w.open_object();
  w.field("reason", reason);
  w.field("source", source);
  w.field("position", position);
  w.field("bytes", static_cast<uint64_t>(record.size()));
  w.field("record", record.substr(0, ingest::kDeadLetterRecordBytesMax));
  w.close_object();
}

void FileOutputs::dead_letter(std::string_view reason, std::string_view source, uint64_t line,
                              std::string_view record) {
  line_.clear();
  write_dead_letter(reason, source, line, record, line_);
  line_.push_back('\n');
  dead_letters_->add(static_cast<int64_t>(dead_count_++), {}, line_);
}

// In the order in which they are told.
void FileOutputs::coverage(std::string_view, std::string_view json) {
  line_.assign(json);
  line_.push_back('\n');
  coverage_->add(static_cast<int64_t>(coverage_count_++), {}, line_);
}

Result<> FileOutputs::finish() {
  for (SortedLines* lines :
       {all_.get(), warnings_.get(), warning_rules_.get(), coverage_.get(), dead_letters_.get()}) {
    if (auto r = lines->finish(); !r) return r;
  }
  for (const std::string& recipient : recipients_) {
    const auto it = by_recipient_.find(recipient);
    if (it == by_recipient_.end()) continue;
    if (auto r = it->second->finish(); !r) return r;
  }
  return {};
}

}  // namespace vong::correlator
