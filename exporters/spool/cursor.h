// How far the forwarder has come, on disk. See format.h for the layout and the rule of the two
// slots.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "exporters/spool/file_system.h"
#include "exporters/spool/format.h"

namespace vong::spool {

// The newest valid slot of DIR/cursor; nothing when there is none. For those who only look.
[[nodiscard]] Result<std::optional<CursorSlot>> read_cursor(FileSystem& fs,
                                                            const std::string& directory);

// The forwarder's side. One thread.
class Cursor {
 public:
  [[nodiscard]] static Result<Cursor> open(FileSystem& fs, const std::string& directory);
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  // What was last saved (a new cursor: all zero).
  [[nodiscard]] const CursorSlot& current() const { return slots_[current_]; }
  // The seq that both slots cover: what may be deleted.
  [[nodiscard]] uint64_t settled() const;
  // True when a slot was there but broken: the other one, or none, is in use.
  [[nodiscard]] bool damaged() const { return damaged_; }
  // Durable when it returns without an error.
  [[nodiscard]] Result<> save(uint64_t spool_id, uint64_t acknowledged, int64_t base);

 private:
  Cursor(FileSystem& fs, std::string directory, int fd)
      : fs_(&fs), directory_(std::move(directory)), fd_(fd) {}
  [[nodiscard]] std::string path() const { return directory_ + "/cursor"; }

  FileSystem* fs_;
  std::string directory_;
  int fd_;
  CursorSlot slots_[2];
  int current_ = 0;
  bool damaged_ = false;
  bool directory_synced_ = false;
};

}  // namespace vong::spool
