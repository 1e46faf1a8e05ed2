// Names of numbers in client data, as records have them.
#include <fmt/format.h>

#include <array>

#include "sensor/applayer/rdp/message.h"

namespace vong::rdp {
namespace {

struct Named {
  uint32_t number;
  std::string_view name;
};

template <size_t N>
std::string find(const std::array<Named, N>& names, uint32_t number, std::string fallback) {
  for (const Named& n : names) {
    if (n.number == number) return std::string(n.name);
  }
  return fallback;
}

}  // namespace

std::string version_name(uint32_t version) {
  static constexpr auto kNames = std::to_array<Named>({
      {0x80001, "v4"},
      {0x80004, "v5"},
      {0x80005, "v10.0"},
      {0x80006, "v10.1"},
      {0x80007, "v10.2"},
      {0x80008, "v10.3"},
      {0x80009, "v10.4"},
      {0x8000a, "v10.5"},
      {0x8000b, "v10.6"},
      {0x8000c, "v10.7"},
      {0x8000d, "v10.8"},
      {0x8000e, "v10.9"},
      {0x8000f, "v10.10"},
  });
  return find(kNames, version, "unknown");
}

std::string build_name(uint32_t build) {
  static constexpr auto kNames = std::to_array<Named>({
      {2195, "Windows 2000"},
      {2600, "Windows XP"},
      {3790, "Windows Server 2003"},
      {6000, "Windows Vista"},
      {6001, "Windows Vista SP1"},
      {6002, "Windows Vista SP2"},
      {7600, "Windows 7"},
      {7601, "Windows 7 SP1"},
      {9200, "Windows 8"},
      {9600, "Windows 8.1"},
      {10240, "Windows 10"},
      {10586, "Windows 10, Version 1511"},
      {14393, "Windows 10, Version 1607"},
      {15063, "Windows 10, Version 1703"},
      {16299, "Windows 10, Version 1709"},
      {17134, "Windows 10, Version 1803"},
      {17763, "Windows 10, Version 1809"},
      {18362, "Windows 10, Version 1903"},
      {18363, "Windows 10, Version 1909"},
  });
  return find(kNames, build, std::to_string(build));
}

std::string keyboard_layout_name(uint32_t layout) {
  static constexpr auto kNames = std::to_array<Named>({
      {0x0401, "ar-SA"}, {0x0402, "bg-BG"}, {0x0403, "ca-ES"}, {0x0404, "zh-TW"}, {0x0405, "cs-CZ"},
      {0x0406, "da-DK"}, {0x0407, "de-DE"}, {0x0408, "el-GR"}, {0x0409, "en-US"}, {0x040a, "es-ES"},
      {0x040b, "fi-FI"}, {0x040c, "fr-FR"}, {0x040d, "he-IL"}, {0x040e, "hu-HU"}, {0x040f, "is-IS"},
      {0x0410, "it-IT"}, {0x0411, "ja-JP"}, {0x0412, "ko-KR"}, {0x0413, "nl-NL"}, {0x0414, "nb-NO"},
      {0x0415, "pl-PL"}, {0x0416, "pt-BR"}, {0x0418, "ro-RO"}, {0x0419, "ru-RU"}, {0x041a, "hr-HR"},
      {0x041b, "sk-SK"}, {0x041d, "sv-SE"}, {0x041e, "th-TH"}, {0x041f, "tr-TR"}, {0x0421, "id-ID"},
      {0x0422, "uk-UA"}, {0x0424, "sl-SI"}, {0x0425, "et-EE"}, {0x0426, "lv-LV"}, {0x0427, "lt-LT"},
      {0x0429, "fa-IR"}, {0x042a, "vi-VN"}, {0x0804, "zh-CN"}, {0x0807, "de-CH"}, {0x0809, "en-GB"},
      {0x080a, "es-MX"}, {0x080c, "fr-BE"}, {0x0813, "nl-BE"}, {0x0816, "pt-PT"}, {0x0c04, "zh-HK"},
      {0x0c07, "de-AT"}, {0x0c09, "en-AU"}, {0x0c0a, "es-ES"}, {0x0c0c, "fr-CA"}, {0x1004, "zh-SG"},
      {0x1009, "en-CA"}, {0x100c, "fr-CH"},
  });
  return find(kNames, layout, fmt::format("{:#x}", layout));
}

std::string keyboard_type_name(uint32_t type) {
  static constexpr auto kNames = std::to_array<Named>(
      {{1, "xt"}, {2, "ico"}, {3, "at"}, {4, "enhanced"}, {5, "1050"}, {6, "9140"}, {7, "jp"}});
  return find(kNames, type, "unknown");
}

std::vector<std::string_view> capability_names(uint16_t flags) {
  static constexpr auto kNames = std::to_array<Named>({
      {0x0001, "support_errinfo_pdf"},
      {0x0002, "want_32bpp_session"},
      {0x0004, "support_statusinfo_pdu"},
      {0x0008, "strong_asymmetric_keys"},
      {0x0020, "valid_connection_type"},
      {0x0040, "support_monitor_layout_pdu"},
      {0x0080, "support_netchar_autodetect"},
      {0x0100, "support_dynvc_gfx_protocol"},
      {0x0200, "support_dynamic_time_zone"},
      {0x0400, "support_heartbeat_pdu"},
  });
  std::vector<std::string_view> out;
  for (const Named& n : kNames) {
    if ((flags & n.number) != 0) out.push_back(n.name);
  }
  return out;
}

}  // namespace vong::rdp
