# Builds the component. What requirements.txt names is installed into .venv first, when it changed.
set -e
if ! [ .venv/.installed -nt requirements.txt ]; then
  python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
  touch .venv/.installed
fi
exec .venv/bin/componentize-py --wit-path wit --world command componentize app --output "$1"
