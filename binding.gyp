# binding.gyp: the same targets as CMakeLists.txt, for node-gyp on machines without CMake. A target's sources are the
# lines of native/sources.txt under its folder.
{
  "target_defaults": {
    "include_dirs": ["native"],
    "cflags!": ["-O3"],
    "cflags": ["-O2", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++17"],
    "libraries": ["-pthread"],
  },
  "targets": [
    {
      "target_name": "kaal-core",
      "type": "static_library",
      "cflags": ["-fPIC"],
      "sources": ["<!@(grep ^native/core/ native/sources.txt)"],
    },
    {
      "target_name": "kaal",
      "dependencies": ["kaal-core"],
      "defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS"],
      # As system headers: our warnings are not for them.
      "cflags": ["-isystem <!(node -p \"path.dirname(require.resolve('node-addon-api'))\")"],
      "sources": ["<!@(grep ^native/binding/ native/sources.txt)"],
    },
    {
      "target_name": "kaal-launcher",
      "type": "executable",
      "dependencies": ["kaal-core"],
      "sources": ["<!@(grep ^native/launcher/ native/sources.txt)"],
    },
  ],
  "conditions": [
    # Not part of the package, so not in the list.
    ["'<!(ls native/reference | grep -c [.]cc$ || true)' != '0'", {
      "targets": [
        {
          "target_name": "kaal-reference",
          "type": "executable",
          "dependencies": ["kaal-core"],
          "sources": ["<!@(ls native/reference/*.cc)"],
        },
      ],
    }],
  ],
}
