// The interfaces of wit/world.wit that app.ts uses.

declare module "wasi:cli/environment@0.2.12" {
  export function getArguments(): string[];
  export function getEnvironment(): [string, string][];
}
