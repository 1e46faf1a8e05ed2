#include "exporters/spool/directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "exporters/spool/limits.h"

namespace vong::spool {

Result<std::vector<uint64_t>> list_segments(FileSystem& fs, const std::string& directory,
                                            uint64_t& id) {
  const IoResult<std::vector<std::string>> names = fs.list(directory);
  if (!names) return fail(io_error(directory, names.error()));
  std::vector<uint64_t> numbers;
  for (const std::string& name : *names) {
    const std::optional<SegmentName> parsed = parse_segment_name(name);
    if (!parsed) continue;
    if (id == 0) id = parsed->spool_id;
    if (parsed->spool_id != id) {
      return fail(fmt::format("{}: {} is of another spool than the rest; move one of them away",
                              directory, name));
    }
    numbers.push_back(parsed->number);
  }
  if (numbers.size() > kMaxSegments) {
    return fail(
        fmt::format("{}: {} segments, more than {}", directory, numbers.size(), kMaxSegments));
  }
  std::ranges::sort(numbers);
  return numbers;
}

namespace {

// Up to `size` bytes from the start of the file.
IoResult<std::vector<uint8_t>> read_start(FileSystem& fs, int fd, std::size_t size) {
  std::vector<uint8_t> bytes(size);
  std::size_t have = 0;
  while (have < size) {
    const IoResult<std::size_t> n = fs.read_at(fd, std::span(bytes).subspan(have), have);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) break;
    have += *n;
  }
  bytes.resize(have);
  return bytes;
}

}  // namespace

Result<std::optional<SegmentHeader>> read_segment_header(FileSystem& fs, const std::string& path) {
  const IoResult<int> fd = fs.open_read(path);
  if (!fd && fd.error() == ENOENT) return std::nullopt;
  if (!fd) return fail(io_error(path, fd.error()));
  const IoResult<std::vector<uint8_t>> bytes = read_start(fs, *fd, kSegmentHeaderBytes);
  fs.close(*fd);
  if (!bytes) return fail(io_error(path, bytes.error()));
  return decode_segment_header(*bytes);
}

uint64_t segment_bytes(FileSystem& fs, const std::string& path) {
  const IoResult<int> fd = fs.open_read(path);
  if (!fd) return 0;
  const IoResult<uint64_t> size = fs.size(*fd);
  fs.close(*fd);
  return size.value_or(0);
}

Result<SegmentContent> read_segment(FileSystem& fs, const std::string& path, uint64_t spool_id) {
  const IoResult<int> fd = fs.open_read(path);
  if (!fd) return fail(io_error(path, fd.error()));
  IoResult<std::vector<uint8_t>> read = std::unexpected(0);
  const IoResult<uint64_t> size = fs.size(*fd);
  if (size) read = read_start(fs, *fd, *size);
  fs.close(*fd);
  if (!size || !read) return fail(io_error(path, size ? read.error() : size.error()));

  SegmentContent content;
  content.bytes = std::move(*read);
  const Bytes bytes(content.bytes);
  const uint32_t seed = checksum_seed(spool_id);
  content.header = decode_segment_header(bytes);
  if (content.header) content.proven = content.header->first_seq - 1;
  std::size_t at = std::min(kSegmentHeaderBytes, bytes.size());
  std::size_t tail = at;
  while (at < bytes.size()) {
    const Bytes rest = bytes.subspan(at);
    const std::optional<RecordHeader> header = decode_record_header(rest, seed);
    if (!header || rest.size() < kRecordHeaderBytes + header->size) {
      at = find_record(bytes, at + 1, seed);
      continue;
    }
    content.proven_by_records = std::max(content.proven_by_records, header->proves());
    if (header->size > 0) {
      content.last_seq = std::max(content.last_seq, header->seq);
      const Bytes payload = rest.subspan(kRecordHeaderBytes, header->size);
      if (payload_is_whole(*header, payload, seed)) content.records.push_back({*header, payload});
    }
    at += kRecordHeaderBytes + header->size;
    tail = at;
  }
  content.proven = std::max(content.proven, content.proven_by_records);
  const Bytes left = bytes.subspan(tail);
  content.tail_bytes = left.size();
  // What a kill leaves begins a record; what a power cut leaves is often zeros.
  content.tail_is_torn = left.size() < kRecordHeaderBytes ||
                         decode_record_header(left, seed).has_value() ||
                         std::ranges::all_of(left, [](uint8_t b) { return b == 0; });
  return content;
}

}  // namespace vong::spool
