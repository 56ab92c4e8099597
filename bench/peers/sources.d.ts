/** Sources in other languages, as the bundler gives them: their text. */
declare module "*.py" {
  const text: string;
  export default text;
}
declare module "*.c" {
  const text: string;
  export default text;
}
