"""{{ name }}: a command. `wharf run {{ name }}.wasm world`"""

import sys

from wit_world.exports import Run as Command


class Run(Command):
    def run(self) -> None:
        who = sys.argv[1] if len(sys.argv) > 1 else "Python"
        print(f"Hello from {who}!")
