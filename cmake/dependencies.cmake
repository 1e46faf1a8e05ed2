# Third-party libraries, all from Debian 12 (deploy/packages.txt). Each has the one room that may include it.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(simdjson REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(GTest REQUIRED)

pkg_check_modules(HYPERSCAN REQUIRED IMPORTED_TARGET GLOBAL libhs)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8)
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET GLOBAL libpcap)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET GLOBAL rdkafka)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET GLOBAL libnghttp2)
pkg_check_modules(BROTLIDEC REQUIRED IMPORTED_TARGET GLOBAL libbrotlidec)
pkg_check_modules(LZMA REQUIRED IMPORTED_TARGET GLOBAL liblzma)
pkg_check_modules(MAXMINDDB REQUIRED IMPORTED_TARGET GLOBAL libmaxminddb)
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET GLOBAL libseccomp)
find_library(MAGIC_LIBRARY magic REQUIRED)
add_library(vong_libmagic INTERFACE)
target_link_libraries(vong_libmagic INTERFACE ${MAGIC_LIBRARY})
add_library(libmagic::libmagic ALIAS vong_libmagic)

add_library(vong_options INTERFACE)
target_compile_options(vong_options INTERFACE
  -march=${VONG_ARCH} -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wno-missing-field-initializers)
target_link_libraries(vong_options INTERFACE Threads::Threads)

if(NOT TARGET yaml-cpp::yaml-cpp)  # Debian's package exports the bare name
  add_library(yaml-cpp::yaml-cpp INTERFACE IMPORTED GLOBAL)
  target_link_libraries(yaml-cpp::yaml-cpp INTERFACE yaml-cpp)
endif()
