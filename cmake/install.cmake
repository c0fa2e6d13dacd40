#
# Copyright (c) 2026 The kaio authors
# SPDX-License-Identifier: BSL-1.0
#

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(kaio_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/kaio")

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/kaioConfig.cmake.in" kaioConfig.cmake
  INSTALL_DESTINATION "${kaio_package_dir}"
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(kaioConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS kaio EXPORT kaioTargets FILE_SET HEADERS)
install(TARGETS kaio_drop_in EXPORT kaioTargets
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/kaio/drop_in")
install(EXPORT kaioTargets NAMESPACE kaio:: DESTINATION "${kaio_package_dir}")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/kaioConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/kaioConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/Findkaio_boost.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/Findlibaio.cmake"
        DESTINATION "${kaio_package_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
