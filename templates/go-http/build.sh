# Makes build/core.wasm; wharf makes the component of it.
set -e
"${WHARF:-wharf}" wit bindings go --wit wit --world http --out gen
# The library below the bindings reaches into Go's own runtime: -checklinkname=0 lets it.
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags="-s -w -checklinkname=0" -o build/core.wasm .
