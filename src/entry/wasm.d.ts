/** What the bundler makes of the embedded builds: bytes. */
declare module "*/build/densehead.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare module "*/build/densehead-relaxed.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
/** What Workers make of the files beside the bundle: compiled modules. */
declare module "module:*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
