// IMAP (RFC 9051, 3501): lines, and literals ("{310}" at a line's end, then so many bytes) with
// mails in them. A transaction is a mail: one that the server sends (FETCH of a whole message, or
// of a part of it whose header the server told before, also in several partial ones that follow
// each other), or one that the client puts into a mailbox (APPEND). Commands and other answers are
// read over, and there is no record: rules look at the raw stream.
#pragma once

#include <deque>
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
  enum class Kind : uint8_t {
    kOther,
    kMail,     // a message with its header
    kSection,  // the body of a part or of a message: its header stands elsewhere
    kDecoded,  // the same, without its transfer encoding (BINARY)
    kHeader,   // the header of such a body
  } kind = Kind::kOther;
  bool is_partial = false;  // BODY[]<1024>
  uint64_t offset = 0;      // then: in the mail or section
  std::string section;      // of the others but kMail: "2", "2.1", "TEXT"
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
    bool is_part = false;       // the literal in hand is a piece of a mail or section
    bool is_header = false;     // the literal in hand is a header: kept, not read
    bool untouched = false;     // no byte of the literal has come
    std::string tag;            // of the client's command that waits for the server's consent
    Transaction* tx = nullptr;  // the mail in hand
    uint64_t part_bytes = 0;    // of it, when it comes in pieces
    uint32_t message = 0;       // whose pieces these are, and
    std::string section;        // of what in it
    std::string header;         // what has come of it
  };
  Way& way(Direction d) { return ways_[static_cast<size_t>(index(d))]; }

  void line(Direction d, std::string_view text);
  void client_line(std::string_view text);
  void server_line(std::string_view text);
  void begin_literal(Direction d, const Literal& literal);
  void literal_bytes(Direction d, std::string_view bytes);
  void finish(Direction d, bool whole);
  void open_mail(Direction d, const Literal& literal);

  struct KnownHeader {
    uint32_t message;
    std::string section, fields;
  };
  void remember(uint32_t message, std::string section, std::string fields);
  [[nodiscard]] const std::string* header_of(uint32_t message, std::string_view section) const;
  void forget_message(uint32_t number);
  void forget_messages();

  const Config& config_;
  Way ways_[kDirections];
  std::string switch_tag_;  // of STARTTLS or COMPRESS, while not answered
  bool switched_ = false;   // granted: what follows is not text
  uint64_t next_file_id_ = 0;
  uint32_t message_ = 0;  // sequence number of the last FETCH response
  std::deque<KnownHeader> known_;
  size_t known_bytes_ = 0;  // of their texts
};

extern const applayer::ProtocolDef kImapProtocol;

}  // namespace vong::imap
