// A mail inside another protocol (an answer of POP3, a literal of IMAP): its attachments as files
// of one transaction.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sensor/applayer/core/file.h"
#include "sensor/applayer/smtp/mime.h"
#include "sensor/applayer/smtp/parser.h"

namespace vong::smtp {

class CarriedMail : private FileSink {
 public:
  // `config` and `next_file_id` (the flow's) must outlive it.
  CarriedMail(const Config& config, uint64_t& next_file_id);

  // Bytes as they come, cut anywhere; lines are found here. At most kMaxLineBytes wait for the end
  // of theirs.
  void feed(std::string_view bytes);
  // Or a line as SMTP's DATA has it (a dot before a dot), with its end, which is empty for a piece of one. Either this or feed().
  void line(std::string_view text, std::string_view end) { mime_.line(text, end); }
  // Nothing more comes. `whole`: it came to its end, and nothing was missing.
  void finish(bool whole);

  [[nodiscard]] const Mime& mime() const { return mime_; }
  // Null: no file yet.
  [[nodiscard]] applayer::FileContainer* files() { return container_.get(); }

 private:
  void file_open(std::string name) override;
  void file_data(Bytes data) override;
  void file_close(bool whole) override;
  void take(std::string_view line);

  const Config& config_;
  uint64_t& ids_;
  std::unique_ptr<applayer::FileContainer> container_;
  Mime mime_;
  std::string pending_;   // of a line whose end has not come
  bool in_line_ = false;  // the last piece had no end
  bool finished_ = false;
};

// "email":{...}. `options`: of the record's settings, null for the fields that are always there.
void write_email(const Mime& mail, const Settings* options, JsonWriter& out);

// app-layer.protocols.smtp.*, which goes for mails wherever they are.
[[nodiscard]] std::shared_ptr<const Config> make_config(const Settings& settings);

}  // namespace vong::smtp
