"""{{ name }}: the interface `greeter` of wit/world.wit."""

from wit_world.exports import Greeter as Interface


class Greeter(Interface):
    def greet(self, name: str) -> str:
        return f"Hello from Python, {name}!"
