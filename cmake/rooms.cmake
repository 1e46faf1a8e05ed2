# A room is one folder, one target, its dependencies written down; tests/structure_test holds every #include against them.
#
#   vong_room(NAME [DEPS room|library ...])      library vong_NAME of every .cc in this folder (no .cc: an INTERFACE library)
#   vong_program(NAME [DEPS ...])                executable NAME of every .cc in this folder
#   vong_unit_tests(NAME [THREADS] [DEPS ...])   one gtest executable of every *_test.cc in this folder, label "fast"; THREADS: it
#                                                starts threads, so it is run under ThreadSanitizer too
#
# VONG_TESTS says which kinds of tests a build carries (see tests/run): unit, threads, whole.
#
# A bare name of a room (sensor_flow) means the target vong_sensor_flow; everything else is passed on as it is.

# All that ThreadSanitizer has to see; the tsan build makes this and nothing else.
add_custom_target(thread_tests)

function(vong_resolve out)
  set(result)
  foreach(dep ${ARGN})
    if(dep MATCHES "::|^-")
      list(APPEND result ${dep})
    else()
      list(APPEND result vong_${dep})
    endif()
  endforeach()
  set(${out} ${result} PARENT_SCOPE)
endfunction()

function(vong_room name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  vong_resolve(deps ${ARG_DEPS})
  if(sources)
    add_library(vong_${name} STATIC ${sources})
    target_link_libraries(vong_${name} PUBLIC vong_options ${deps})
    target_include_directories(vong_${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  else()
    add_library(vong_${name} INTERFACE)
    target_link_libraries(vong_${name} INTERFACE vong_options ${deps})
    target_include_directories(vong_${name} INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  endif()
endfunction()

function(vong_program name)
  cmake_parse_arguments(ARG "" "" "DEPS;SOURCES" ${ARGN})
  if(NOT ARG_SOURCES)
    set(ARG_SOURCES main.cc)
  endif()
  vong_resolve(deps ${ARG_DEPS})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vong_options ${deps})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  install(TARGETS ${name} RUNTIME DESTINATION bin COMPONENT ${name})
endfunction()

function(vong_unit_tests name)
  cmake_parse_arguments(ARG "THREADS" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  if(NOT sources OR NOT ("unit" IN_LIST VONG_TESTS OR ("threads" IN_LIST VONG_TESTS AND ARG_THREADS)))
    return()
  endif()
  vong_resolve(deps ${ARG_DEPS})
  list(APPEND ARG_DEFINES VONG_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_executable(${name}_tests ${sources})
  target_link_libraries(${name}_tests PRIVATE vong_options ${deps} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
  target_compile_definitions(${name}_tests PRIVATE ${ARG_DEFINES})
  set_target_properties(${name}_tests PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME unit_${name} COMMAND ${name}_tests)
  set_tests_properties(unit_${name} PROPERTIES LABELS "fast" TIMEOUT 900)
  if(ARG_THREADS)
    set_tests_properties(unit_${name} PROPERTIES LABELS "fast;threads")
    add_dependencies(thread_tests ${name}_tests)
  endif()
endfunction()
