# Makes build/core.wasm; wharf makes the component of it. CC chooses the compiler, CFLAGS adds to its flags.
set -e
mkdir -p build
"${WHARF:-wharf}" wit bindings c --wit wit --world http --out gen

if [ -z "$CC" ]; then
  for CC in clang-19 clang-20 clang-21 clang-22 clang; do
    if command -v "$CC" >/dev/null; then break; fi
  done
fi
"$CC" --target=wasm32-wasi -mexec-model=reactor -Os -g -Wall -Wextra -Wno-unused-parameter $CFLAGS \
  -I gen *.c gen/*.c gen/*.o -o build/core.wasm
