// EVE's smtp record: the envelope as "smtp", and once a mail came its headers as "email".
#include <algorithm>
#include <array>
#include <span>

#include "base/strings.h"
#include "sensor/applayer/core/digest.h"
#include "sensor/applayer/smtp/carried_mail.h"
#include "sensor/applayer/smtp/limits.h"
#include "sensor/applayer/smtp/parser.h"

namespace vong::smtp {

using applayer::LogContext;

namespace {

// Headers that are logged when asked for: by `extended`, or by name in `custom`.
struct HeaderField {
  std::string_view key, header;
  bool extended, list;  // list: every occurrence, as an array
};
constexpr std::array kHeaderFields = {
    HeaderField{"reply_to", "reply-to", false, false},
    HeaderField{"bcc", "bcc", true, false},
    HeaderField{"message_id", "message-id", true, false},
    HeaderField{"subject", "subject", true, false},
    HeaderField{"x_mailer", "x-mailer", true, false},
    HeaderField{"user_agent", "user-agent", true, false},
    HeaderField{"received", "received", false, true},
    HeaderField{"x_originating_ip", "x-originating-ip", false, false},
    HeaderField{"in_reply_to", "in-reply-to", false, false},
    HeaderField{"references", "references", false, false},
    HeaderField{"importance", "importance", false, false},
    HeaderField{"priority", "priority", false, false},
    HeaderField{"sensitivity", "sensitivity", false, false},
    HeaderField{"organization", "organization", false, false},
    HeaderField{"content_md5", "content-md5", false, false},
    HeaderField{"date", "date", false, false},
};

void write_smtp(const Transaction& tx, JsonWriter& out) {
  out.open_object("smtp");
  if (!tx.session->helo.empty()) out.field("helo", tx.session->helo);
  if (tx.has_mail_from) out.field("mail_from", tx.mail_from);
  if (!tx.recipients.empty()) {
    out.open_array("rcpt_to");
    for (const std::string& r : tx.recipients) out.string(r);
    out.close_array();
  }
  out.close_object();
}

void text_header(std::string_view key, const Mime& mail, std::string_view header, JsonWriter& out) {
  if (const std::string* value = mail.header(header)) out.field(key, *value);
}

// Addresses stand with commas between them; those within quotes belong to a name.
void address_list(std::string_view key, const Mime& mail, std::string_view header,
                  JsonWriter& out) {
  const std::string* value = mail.header(header);
  if (value == nullptr) return;
  out.open_array(key);
  size_t start = 0;
  bool quoted = false;
  for (size_t i = 0; i <= value->size(); ++i) {
    if (i < value->size() && (*value)[i] == '"') quoted = !quoted;
    if (i < value->size() && ((*value)[i] != ',' || quoted)) continue;
    out.string(strip(std::string_view(*value).substr(start, i - start)));
    start = i + 1;
  }
  out.close_array();
}

void every(std::string_view key, const Mime& mail, std::string_view header, JsonWriter& out) {
  bool open = false;
  for (const Mime::Header& h : mail.headers()) {
    if (h.name != header) continue;
    if (!open) out.open_array(key);
    open = true;
    out.string(h.value);
  }
  if (open) out.close_array();
}

void strings(std::string_view key, std::span<const std::string> values, JsonWriter& out) {
  if (values.empty()) return;
  out.open_array(key);
  for (const std::string& v : values) out.string(v);
  out.close_array();
}

bool listed(const Settings& s, std::string_view list, std::string_view a, std::string_view b) {
  for (const std::string& i : s.children(list)) {
    const std::string_view name = s.text(std::string(list) + "." + i, "");
    if (equals_ignore_case(name, a) || equals_ignore_case(name, b)) return true;
  }
  return false;
}

}  // namespace

void write_email(const Mime& mail, const Settings* options, JsonWriter& out) {
  out.open_object("email");
  out.field("status", mail.status());
  text_header("from", mail, "from", out);
  address_list("to", mail, "to", out);
  address_list("cc", mail, "cc", out);
  if (options != nullptr) {
    const bool extended = options->flag("extended", false);
    for (const HeaderField& f : kHeaderFields) {
      if (!(extended && f.extended) && !listed(*options, "custom", f.key, f.header)) continue;
      if (f.list)
        every(f.key, mail, f.header, out);
      else
        text_header(f.key, mail, f.header, out);
    }
    if (!mail.body_md5().empty() && listed(*options, "md5", "body", "body"))
      out.field("body_md5", mail.body_md5());
    const std::string* subject = mail.header("subject");
    if (subject != nullptr && listed(*options, "md5", "subject", "subject"))
      out.field("subject_md5", applayer::md5_hex(as_bytes(*subject)));
  }
  const size_t most = options != nullptr ? kMaxAttachments : kMaxNamesBeside;
  strings("attachment",
          std::span(mail.attachments()).first(std::min(most, mail.attachments().size())), out);
  // The last one first, as the reference has them.
  const std::vector<std::string> urls(
      mail.urls().rbegin(),
      mail.urls().rbegin() + static_cast<std::ptrdiff_t>(std::min(most, mail.urls().size())));
  strings("url", urls, out);
  out.close_object();
}

bool log_smtp(const applayer::Transaction& base, const LogContext& context, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  write_smtp(tx, out);
  if (tx.mime != nullptr) write_email(*tx.mime, context.options, out);
  return true;
}

bool alert_smtp(const applayer::Transaction& base, const LogContext&, JsonWriter& out) {
  const auto& tx = static_cast<const Transaction&>(base);
  write_smtp(tx, out);
  if (tx.mime != nullptr) write_email(*tx.mime, nullptr, out);
  return true;
}

}  // namespace vong::smtp
