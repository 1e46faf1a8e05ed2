#include "sensor/evidence/extract.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>

#include "sensor/evidence/format.h"

namespace vong::evidence {
namespace {

struct Found {
  int64_t time_ns;
  uint64_t segment;
  uint32_t offset;
  [[nodiscard]] auto key() const { return std::tuple(time_ns, segment, offset); }
};

// One pair of files. Everything in them is checked: another process may be writing, or a machine
// has died.
class Segment {
 public:
  Segment(const std::string& folder, uint64_t number)
      : data_(segment_path(folder, number), std::ios::binary) {
    std::ifstream index(index_path(folder, number), std::ios::binary);
    IndexHeader head;
    usable_ = read(data_, header_) && header_.magic == kPcapMagic && read(index, head) &&
              head.magic == kIndexMagic;
    if (!usable_) return;
    IndexEntry entry;
    while (read(index, entry)) entries_.push_back(entry);
  }
  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] const std::vector<IndexEntry>& entries() const { return entries_; }
  [[nodiscard]] uint32_t link_type() const { return header_.link_type; }

  // The frame's record header and bytes; nothing when they are not there.
  [[nodiscard]] std::optional<PcapRecord> frame(uint32_t offset, std::vector<uint8_t>& bytes) {
    data_.clear();
    data_.seekg(offset);
    PcapRecord record{};
    if (offset < sizeof(PcapHeader) || !read(data_, record) || record.captured > kMaxFrameBytes)
      return std::nullopt;
    bytes.resize(record.captured);
    data_.read(reinterpret_cast<char*>(bytes.data()), record.captured);
    if (data_.gcount() != static_cast<std::streamsize>(record.captured)) return std::nullopt;
    return record;
  }

 private:
  template <typename T>
  static bool read(std::istream& in, T& out) {
    in.read(reinterpret_cast<char*>(&out), sizeof out);
    return in.gcount() == static_cast<std::streamsize>(sizeof out);
  }

  std::ifstream data_;
  PcapHeader header_;
  std::vector<IndexEntry> entries_;
  bool usable_ = false;
};

constexpr int64_t kSecond = 1'000'000'000;

RawPacket raw_packet(const PcapRecord& record, const std::vector<uint8_t>& bytes,
                     uint32_t link_type) {
  RawPacket raw;
  raw.ts = timestamp_from_ns(static_cast<int64_t>(record.seconds) * kSecond + record.nanoseconds);
  raw.data = bytes;
  raw.wire_len = record.wire;
  raw.link_type = static_cast<LinkType>(link_type);
  return raw;
}

bool in_time(const IndexEntry& entry, const Query& query) {
  return entry.time_ns >= query.from_ns && entry.time_ns <= query.to_ns;
}

class Search {
 public:
  Search(const std::string& folder, const Query& query, const ReadFrame& read)
      : folder_(folder), query_(query), read_(read), numbers_(list_segments(folder)) {}

  // The flows that are asked for: the id itself, or those whose first frame in a segment has the
  // Community ID.
  void find_flows(Extracted& out) {
    if (query_.community_id.empty()) {
      out.flows.insert(query_.flow_id);
      return;
    }
    std::vector<uint8_t> bytes;
    for (const uint64_t number : numbers_) {
      Segment segment(folder_, number);
      std::set<uint64_t> seen;
      for (const auto& entry : segment.entries()) {
        if (entry.flow_id == 0 || !in_time(entry, query_) || !seen.insert(entry.flow_id).second)
          continue;
        const auto record = segment.frame(entry.offset, bytes);
        if (!record) continue;
        const auto reading = read_(raw_packet(*record, bytes, segment.link_type()));
        // A tunnel's frame belongs to several flows: then all of its flows are taken, the tunnel
        // explains the rest.
        if (std::find(reading.community_ids.begin(), reading.community_ids.end(),
                      query_.community_id) != reading.community_ids.end())
          out.flows.insert(entry.flow_id);
      }
    }
  }

  void find_frames(Extracted& out) {
    std::set<std::string> datagrams;
    std::vector<uint8_t> bytes;
    for (const uint64_t number : numbers_) {
      Segment segment(folder_, number);
      ++out.segments;
      out.damaged_segments += segment.usable() ? 0 : 1;
      for (const auto& entry : segment.entries()) {
        if (!in_time(entry, query_) || !out.flows.contains(entry.flow_id)) continue;
        const auto record = segment.frame(entry.offset, bytes);
        if (!record) continue;
        found_.push_back({entry.time_ns, number, entry.offset});
        const auto reading = read_(raw_packet(*record, bytes, segment.link_type()));
        datagrams.insert(reading.fragments.begin(), reading.fragments.end());
      }
    }
    if (!datagrams.empty()) find_fragments(datagrams);
    std::sort(found_.begin(), found_.end(),
              [](const Found& a, const Found& b) { return a.key() < b.key(); });
    found_.erase(std::unique(found_.begin(), found_.end(),
                             [](const Found& a, const Found& b) { return a.key() == b.key(); }),
                 found_.end());
  }

  [[nodiscard]] Result<> write(std::FILE* file, Extracted& out) {
    std::vector<uint8_t> bytes;
    std::unique_ptr<Segment> segment;
    uint64_t open = 0;
    std::optional<uint32_t> link_type;
    PcapHeader header;
    for (const auto& at : found_) {
      if (segment == nullptr || open != at.segment)
        segment = std::make_unique<Segment>(folder_, open = at.segment);
      const auto record = segment->frame(at.offset, bytes);
      if (!record) continue;  // deleted meanwhile
      if (!link_type) {
        link_type = header.link_type = segment->link_type();
        std::fwrite(&header, sizeof header, 1, file);
      }
      if (*link_type != segment->link_type())
        return fail("frames of several link types belong to it: narrow it with --from and --to");
      std::fwrite(&*record, sizeof *record, 1, file);
      std::fwrite(bytes.data(), 1, bytes.size(), file);
      ++out.frames;
    }
    if (!link_type) std::fwrite(&header, sizeof header, 1, file);
    return {};
  }

 private:
  // The other fragments of the flow's datagrams came before there was a flow.
  void find_fragments(const std::set<std::string>& datagrams) {
    std::vector<uint8_t> bytes;
    for (const uint64_t number : numbers_) {
      Segment segment(folder_, number);
      for (const auto& entry : segment.entries()) {
        if (entry.flow_id != 0 || !in_time(entry, query_)) continue;
        const auto record = segment.frame(entry.offset, bytes);
        if (!record) continue;
        const auto reading = read_(raw_packet(*record, bytes, segment.link_type()));
        if (std::any_of(reading.fragments.begin(), reading.fragments.end(),
                        [&](const auto& name) { return datagrams.contains(name); }))
          found_.push_back({entry.time_ns, number, entry.offset});
      }
    }
  }

  const std::string& folder_;
  const Query& query_;
  const ReadFrame& read_;
  std::vector<uint64_t> numbers_;
  std::vector<Found> found_;
};

}  // namespace

Result<Extracted> extract(const std::string& folder, const Query& query, const ReadFrame& read,
                          const std::string& path) {
  Extracted out;
  Search search(folder, query, read);
  search.find_flows(out);
  search.find_frames(out);
  const bool to_stdout = path == "-";
  std::FILE* file = to_stdout ? stdout : std::fopen(path.c_str(), "wb");
  if (file == nullptr) return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  auto written = search.write(file, out);
  const bool ok =
      std::ferror(file) == 0 && (to_stdout ? std::fflush(file) : std::fclose(file)) == 0;
  if (!written) return std::unexpected(written.error());
  if (!ok) return fail(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  return out;
}

}  // namespace vong::evidence
