// {{ name }}: the interface `greeter` of wit/world.wit. `wharf call {{ name }}.wasm 'greet("world")'`

export const greeter = {
  greet(name: string): string {
    return `Hello from TypeScript, ${name}!`;
  },
};
