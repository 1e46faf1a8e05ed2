#include "exporters/spool/cursor.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vong::spool {
namespace {

struct Slots {
  std::optional<CursorSlot> slot[2];
  bool damaged = false;  // bytes are there that are no slot

  [[nodiscard]] const std::optional<CursorSlot>& newest() const {
    if (slot[0] && slot[1]) return slot[slot[1]->generation > slot[0]->generation ? 1 : 0];
    return slot[0] ? slot[0] : slot[1];
  }
};

IoResult<Slots> read_slots(FileSystem& fs, int fd) {
  Slots slots;
  for (int i = 0; i < 2; ++i) {
    uint8_t bytes[kCursorSlotBytes];
    std::size_t have = 0;
    while (have < sizeof bytes) {
      const IoResult<std::size_t> n =
          fs.read_at(fd, std::span(bytes).subspan(have), kCursorSlotOffsets[i] + have);
      if (!n) return std::unexpected(n.error());
      if (*n == 0) break;
      have += *n;
    }
    slots.slot[i] = decode_cursor_slot(Bytes(bytes, have));
    // The hole before the second slot of a new cursor reads as zeros: nothing was ever written
    // there.
    if (!slots.slot[i] && std::any_of(bytes, bytes + have, [](uint8_t b) { return b != 0; }))
      slots.damaged = true;
  }
  return slots;
}

}  // namespace

Result<std::optional<CursorSlot>> read_cursor(FileSystem& fs, const std::string& directory) {
  const std::string path = directory + "/cursor";
  const IoResult<int> fd = fs.open_read(path);
  if (!fd && fd.error() == ENOENT) return std::nullopt;
  if (!fd) return fail(io_error(path, fd.error()));
  const IoResult<Slots> slots = read_slots(fs, *fd);
  fs.close(*fd);
  if (!slots) return fail(io_error(path, slots.error()));
  return slots->newest();
}

Result<Cursor> Cursor::open(FileSystem& fs, const std::string& directory) {
  const IoResult<int> fd = fs.open_update(directory + "/cursor");
  if (!fd) return fail(io_error(directory + "/cursor", fd.error()));
  Cursor cursor(fs, directory, *fd);
  const IoResult<Slots> slots = read_slots(fs, *fd);
  if (!slots) return fail(io_error(cursor.path(), slots.error()));
  cursor.damaged_ = slots->damaged;
  for (int i = 0; i < 2; ++i) cursor.slots_[i] = slots->slot[i].value_or(CursorSlot{});
  cursor.current_ = cursor.slots_[1].generation > cursor.slots_[0].generation ? 1 : 0;
  return cursor;
}

Cursor::Cursor(Cursor&& other) noexcept
    : fs_(other.fs_),
      directory_(std::move(other.directory_)),
      fd_(std::exchange(other.fd_, -1)),
      slots_{other.slots_[0], other.slots_[1]},
      current_(other.current_),
      damaged_(other.damaged_),
      directory_synced_(other.directory_synced_) {}

Cursor::~Cursor() {
  if (fd_ >= 0) fs_->close(fd_);
}

uint64_t Cursor::settled() const {
  return std::min(slots_[0].acknowledged, slots_[1].acknowledged);
}

Result<> Cursor::save(uint64_t spool_id, uint64_t acknowledged, int64_t base) {
  const int target = 1 - current_;
  const CursorSlot next{spool_id, slots_[current_].generation + 1, acknowledged, base};
  const auto bytes = encode(next);
  // What the slot held counts as gone from here on: a write that fails half-way leaves neither old
  // nor new.
  slots_[target] = CursorSlot{};
  const IoResult<std::size_t> n = fs_->write_at(fd_, bytes, kCursorSlotOffsets[target]);
  if (!n) return fail(io_error(path(), n.error()));
  if (*n != bytes.size()) return fail(path() + ": written only in part");
  if (IoResult<> ok = fs_->sync(fd_); !ok) return fail(io_error(path(), ok.error()));
  if (!directory_synced_) {
    if (IoResult<> ok = fs_->sync_directory(directory_); !ok)
      return fail(io_error(directory_, ok.error()));
    directory_synced_ = true;
  }
  slots_[target] = next;
  current_ = target;
  return {};
}

}  // namespace vong::spool
