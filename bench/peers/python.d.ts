/** Scripts, as the bundler gives them: their text. */
declare module "*.py" {
  const text: string;
  export default text;
}
