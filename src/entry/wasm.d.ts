/** What the bundler makes of the embedded builds: base64. */
declare module "*/build/densehead.wasm" {
  const base64: string;
  export default base64;
}
declare module "*/build/densehead-relaxed.wasm" {
  const base64: string;
  export default base64;
}
/** What Workers make of the files beside the bundle: compiled modules. */
declare module "module:*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
/** Which kernels this build belongs to: the package's version and the sources' hash. */
declare const KERNELS: string;
/** What the bundler makes of a module that runs in a worker: a script, whose exports are the global `densehead`. */
declare module "*.ts?text" {
  const script: string;
  export default script;
}
