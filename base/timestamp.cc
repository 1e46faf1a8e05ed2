#include "base/timestamp.h"

#include <array>

namespace vong {
namespace {

void put_digits(char* out, uint32_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Reads `digits` decimal digits at text[pos]; -1 when they are not there.
int get_digits(std::string_view text, size_t pos, size_t digits) {
  if (pos + digits > text.size()) return -1;
  int value = 0;
  for (size_t i = pos; i < pos + digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// "Z", "+0700", "+07:00", "+07" or nothing (UTC) -> minutes east.
std::optional<int> parse_offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const int hours = get_digits(text, 1, 2);
  size_t pos = 3;
  if (pos < text.size() && text[pos] == ':') ++pos;
  const int minutes = pos == text.size() ? 0 : get_digits(text, pos, 2);
  if (pos != text.size() && pos + 2 != text.size()) return std::nullopt;
  if (hours < 0 || minutes < 0 || hours > 15 || minutes > 59) return std::nullopt;
  const int total = hours * 60 + minutes;
  return text[0] == '-' ? -total : total;
}

}  // namespace

void format_eve_time(Timestamp t, char* out) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day ymd(day);
  const auto us = static_cast<uint64_t>(duration_cast<microseconds>(t - day).count());
  const auto second = static_cast<uint32_t>(us / 1'000'000);
  put_digits(out, static_cast<uint32_t>(static_cast<int>(ymd.year())), 4);
  out[4] = '-';
  put_digits(out + 5, static_cast<unsigned>(ymd.month()), 2);
  out[7] = '-';
  put_digits(out + 8, static_cast<unsigned>(ymd.day()), 2);
  out[10] = 'T';
  put_digits(out + 11, second / 3600, 2);
  out[13] = ':';
  put_digits(out + 14, second / 60 % 60, 2);
  out[16] = ':';
  put_digits(out + 17, second % 60, 2);
  out[19] = '.';
  put_digits(out + 20, static_cast<uint32_t>(us % 1'000'000), 6);
  for (int i = 0; i < 5; ++i) out[26 + i] = "+0000"[i];
}

std::string format_eve_time(Timestamp t) {
  std::array<char, kEveTimeSize> buffer;
  format_eve_time(t, buffer.data());
  return {buffer.data(), buffer.size()};
}

std::optional<Timestamp> parse_eve_time(std::string_view text) {
  using namespace std::chrono;
  const int y = get_digits(text, 0, 4), mo = get_digits(text, 5, 2), d = get_digits(text, 8, 2);
  const int h = get_digits(text, 11, 2), mi = get_digits(text, 14, 2), s = get_digits(text, 17, 2);
  if (y < 0 || mo < 0 || d < 0 || h < 0 || mi < 0 || s < 0) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const year_month_day ymd{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  // Years outside 1678..2261 would overflow 64 bits of nanoseconds.
  if (!ymd.ok() || y < 1700 || y > 2200 || h > 23 || mi > 59 || s > 60) return std::nullopt;
  size_t pos = 19;
  int64_t ns = 0;
  if (pos < text.size() && (text[pos] == '.' || text[pos] == ',')) {
    int64_t unit = 100'000'000;
    const size_t first = ++pos;
    for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, unit /= 10) ns += (text[pos] - '0') * unit;
    if (pos == first) return std::nullopt;
  }
  const auto offset = parse_offset(text.substr(pos));
  if (!offset) return std::nullopt;
  return Timestamp(sys_days(ymd)) + hours(h) + minutes(mi - *offset) + seconds(s) + nanoseconds(ns);
}

}  // namespace vong
