// Rooms: exporters_spool, exporters_sink. A spool is written, its files are damaged as the input
// says, and it is read; then the writer comes back to what is left, and it is read again. However
// damaged: what is handed out was written, whole, under that seq, in rising order, and no seq is
// given twice.
//
// Input: a byte (records; bit 6: some are read and acknowledged before), then damages of 6 bytes:
// kind, file, place (2), what (2). The bytes as a stored event come first, by themselves.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include "base/byte_reader.h"
#include "exporters/sink/record.h"
#include "exporters/spool/reader.h"
#include "exporters/spool/writer.h"
#include "tests/chaos/fault_fs.h"

namespace {

using namespace vong;

void must(bool holds) {
  if (!holds) std::abort();
}

std::string payload_of(uint64_t seq, uint64_t generation) {
  std::string out = std::to_string(generation) + ":" + std::to_string(seq) + ":";
  out.append(seq * 7 % 90, static_cast<char>('a' + seq % 26));
  return out;
}

using Written = std::map<uint64_t, std::string>;

// Every seq that is given has to be above `above`: those below were handed out.
void write(spool::FaultFs& fs, uint32_t count, uint64_t generation, uint64_t above,
           Written& written) {
  auto writer = spool::Writer::open(fs, {.directory = "d",
                                         .bytes_max = spool::kMinSpoolBytes,
                                         .segment_bytes = 600,
                                         .group_bytes = 4096});
  if (!writer) return;
  for (uint32_t i = 0; i < count; ++i) {
    const std::string payload = payload_of(i, generation);
    const auto seq = writer->append(as_bytes(payload), timestamp_from_ns(i + 1));
    if (!seq) continue;
    must(*seq > above);
    written[*seq] = payload;
    if (i % 3 == 2) (void)writer->sync(timestamp_from_ns(i + 1));
  }
  (void)writer->sync(timestamp_from_ns(count + 1));
  (void)writer->sync(timestamp_from_ns(count + 2));  // the mark
}

// What a reader is given has to be what was written; the highest seq.
uint64_t read(spool::FaultFs& fs, const Written& written, uint64_t acknowledge_until) {
  auto reader = spool::Reader::open(fs, {.directory = "d"});
  if (!reader) return 0;
  uint64_t last = reader->acknowledged();
  for (size_t n = 0;; ++n) {
    must(n <= written.size());
    const auto entry = reader->next();
    if (!entry || !*entry) break;
    must((*entry)->seq > last);
    last = (*entry)->seq;
    const auto it = written.find(last);
    must(it != written.end() && it->second == as_text((*entry)->payload));
    if (last <= acknowledge_until && last > reader->acknowledged())
      (void)reader->acknowledge(last, 0);
  }
  return last;
}

void damage(spool::FaultFs& fs, ByteReader& in) {
  const uint8_t kind = in.u8();
  const auto names = fs.names();
  if (names.empty()) return;
  const std::string& name = names[in.u8() % names.size()];
  std::string& file = fs.bytes(name);
  size_t at = in.u16();
  const uint16_t what = in.u16();
  at = file.empty() ? 0 : at % file.size();
  switch (kind % 7) {
    case 0:  // a byte is another
      if (!file.empty()) file[at] = static_cast<char>(file[at] ^ (what & 255));
      break;
    case 1:
      file.resize(at);
      break;  // the end is gone
    case 2:
      file.insert(at, what % 300, '\0');
      break;  // zeros in between
    case 3:
      file.erase(at, what % 300);
      break;  // a piece is gone
    case 4:
      file.append(file.substr(at, what % 700));
      break;  // a piece comes again
    case 5:
      file.append(what % 300, static_cast<char>(what));
      break;  // rubbish at the end
    case 6:   // the whole file is gone
      if (name.starts_with("seg-")) (void)fs.unlink(name);
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (const auto stored = sink::decode({data, size})) {
    std::string again;
    sink::encode({.key = stored->key, .value = stored->value, .ruleset = stored->ruleset}, again);
    must(stored->key.size() > sink::kMaxKeyBytes ||
         stored->ruleset.size() > sink::kMaxRulesetBytes || again == as_text({data, size}));
  }
  ByteReader in(Bytes(data, size));
  const uint8_t first = in.u8();
  spool::FaultFs fs(1);
  Written written;
  for (uint64_t i = 0; i < 3; ++i) {  // each time a new segment
    const uint64_t before = written.empty() ? 0 : written.rbegin()->first;
    write(fs, (first & 63) / (i + 1), i, before, written);
  }
  if ((first & 64) != 0) (void)read(fs, written, (first & 63) / 2);
  for (int i = 0; i < 12 && in.remaining() >= 6; ++i) damage(fs, in);
  const uint64_t last = read(fs, written, 0);
  write(fs, 5, 3, last, written);
  (void)read(fs, written, UINT64_MAX);
  return 0;
}
