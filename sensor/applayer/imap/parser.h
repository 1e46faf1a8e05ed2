// IMAP (RFC 9051, 3501): lines, and literals ("{310}" at a line's end, then so many bytes) with
// mails in them. A transaction is a mail: one that the server sends (FETCH of a whole message, also
// in several partial ones that follow each other), or one that the client puts into a mailbox
// (APPEND). Commands and other answers are read over, and there is no record: rules look at the raw
// stream.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sensor/applayer/core/parser.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/applayer/imap/limits.h"
#include "sensor/applayer/smtp/carried_mail.h"

namespace vong::imap {

enum Progress : uint8_t { kInProgress, kComplete };

struct Config {
  std::shared_ptr<const smtp::Config> mail = std::make_shared<smtp::Config>();
};

struct Transaction : applayer::Transaction {
  Transaction(Direction d, const smtp::Config& config, uint64_t& file_ids)
      : way(d), mail(config, file_ids) {
    has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  }
  [[nodiscard]] applayer::FileContainer* files(Direction d) override {
    return d == way ? mail.files() : nullptr;
  }

  Direction way;
  smtp::CarriedMail mail;
};

// What a line says that ends in a literal.
struct Literal {
  uint64_t size = 0;
  bool waits = false;  // for the server's consent (no "+")
  enum class Kind : uint8_t { kOther, kMail, kPartOfMail } kind = Kind::kOther;
  uint64_t offset = 0;  // kPartOfMail: in the mail, BODY[]<1024>
};
// `line` without its end. Nothing: it has no literal. `in_append`: the line belongs to an APPEND.
[[nodiscard]] std::optional<Literal> read_literal(std::string_view line, bool in_append);

class ImapParser : public applayer::Parser {
 public:
  explicit ImapParser(const Config& config) : config_(config) {}

  [[nodiscard]] applayer::ParseResult parse(Direction d, const applayer::Input& in) override;
  // Bytes of a literal are lost to its mail; elsewhere the next line is looked for.
  [[nodiscard]] bool gap(Direction d, uint64_t size) override;
  void end() override;

 private:
  struct Way {
    uint64_t literal_left = 0;
    bool discard = false;       // up to the next line feed
    bool in_append = false;     // of the client: the command goes on behind its literal
    bool is_part = false;       // the literal in hand is a part of a mail
    bool untouched = false;     // no byte of the literal has come
    std::string tag;            // of the client's command that waits for the server's consent
    Transaction* tx = nullptr;  // the mail in hand
    uint64_t part_bytes = 0;    // of it, when it comes in parts
  };
  Way& way(Direction d) { return ways_[static_cast<size_t>(index(d))]; }

  void line(Direction d, std::string_view text);
  void client_line(std::string_view text);
  void server_line(std::string_view text);
  void begin_literal(Direction d, const Literal& literal);
  void literal_bytes(Direction d, std::string_view bytes);
  void finish(Direction d, bool whole);

  const Config& config_;
  Way ways_[kDirections];
  std::string switch_tag_;  // of STARTTLS or COMPRESS, while not answered
  bool switched_ = false;   // granted: what follows is not text
  uint64_t next_file_id_ = 0;
};

extern const applayer::ProtocolDef kImapProtocol;

}  // namespace vong::imap
